#include "testing.h"

#include <jansson.h>

#include "base/clock.h"
#include "engine/generate_run.h"
#include "probe/craft.h"

struct memory {
    char *bytes;
    size_t len;
};

static bool take(void *user, const char *bytes, size_t len)
{
    struct memory *m = user;
    char *more = realloc(m->bytes, m->len + len + 1);
    if (!more)
        return false;
    memcpy(more + m->len, bytes, len);
    m->bytes = more;
    m->len += len;
    more[m->len] = '\0';
    return true;
}

static bool refuse(void *user, const char *bytes, size_t len)
{
    (void)user, (void)bytes, (void)len;
    return false;
}

static struct generate_request usual(const struct policy *p)
{
    return (struct generate_request){
        .options = {.seed = 3, .calls = 2, .xmpp = 2, .duration_ns = 4 * NS_PER_S, .link_type = 1},
        .policy = p,
        .way = GENERATE_TO_FILE,
        .format = CAPTURE_PCAPNG};
}

static struct policy *policy_of(const char *yaml)
{
    struct error e = {0};
    struct policy *p = policy_parse(slice_make(yaml, strlen(yaml)), "test.yaml", &e);
    if (!p)
        fail_msg("%s", e.text);
    return p;
}

/* Packets of a kind and direction with a mark, as the rows of the result say. */
static uint64_t marked(const struct generate_result *r, enum kind kind, enum direction d, dscp_t dscp)
{
    for (size_t i = 0; i < r->row_count; i++)
        if (r->rows[i].kind == kind && r->rows[i].direction == d && r->rows[i].traffic_class != CLASS_NONE)
            return r->rows[i].by_dscp[dscp] == r->rows[i].packets ? r->rows[i].packets : 0;
    return 0;
}

static void marks_are_the_policys_by_class_version_and_direction(void **state)
{
    (void)state;
    struct policy *p =
        policy_of("version: 1\nnodes:\n  - {name: n, addresses: [10.1.1.1, \"2001:db8::1\"]}\n"
                  "expect:\n  voice: {ipv4: {from-node: EF, to-node: 44}, ipv6: 45}\n  multimedia: AF42\n"
                  "  signaling: [CS3, AF31]\n  low-latency: AF21\n");
    struct generate_request q = usual(p);
    struct generate_result r;
    struct error e = {0};
    q.dry_run = true;
    assert_int_equal(generate_run(&q, &r, &e), 0);
    assert_true(marked(&r, KIND_RTP_AUDIO, DIRECTION_FROM_NODE, 46) > 100);
    assert_true(marked(&r, KIND_RTP_AUDIO, DIRECTION_TO_NODE, 44) > 100);
    assert_true(marked(&r, KIND_RTP_VIDEO, DIRECTION_TO_NODE, 36) > 100);
    assert_true(marked(&r, KIND_SIP, DIRECTION_FROM_NODE, 24) > 3);
    assert_true(marked(&r, KIND_XMPP_CLIENT, DIRECTION_TO_NODE, 18) > 3);
    q.options.ip = GENERATE_IPV6;
    assert_int_equal(generate_run(&q, &r, &e), 0);
    assert_true(marked(&r, KIND_RTP_AUDIO, DIRECTION_TO_NODE, 45) > 100);
    policy_free(p);
}

static void the_truth_is_json_that_adds_up(void **state)
{
    (void)state;
    struct policy *p = policy_of("version: 1\nnodes:\n  - {name: \"a node-1\", addresses: [10.1.1.1]}\n");
    struct generate_request q = usual(p);
    struct generate_result r;
    struct error e = {0};
    struct memory capture = {0}, truth = {0};
    q.sink = take;
    q.sink_user = &capture;
    q.truth = take;
    q.truth_user = &truth;
    if (generate_run(&q, &r, &e) < 0)
        fail_msg("%s", e.text);
    json_error_t why;
    json_t *t = json_loadb(truth.bytes, truth.len, JSON_REJECT_DUPLICATES, &why);
    if (!t)
        fail_msg("%d:%d %s", why.line, why.column, why.text);
    json_int_t packets = 0;
    size_t i;
    json_t *s;
    json_array_foreach(json_object_get(t, "streams"), i, s)
    {
        packets += json_integer_value(json_object_get(s, "packets"));
        assert_string_equal(json_string_value(json_object_get(s, "node")), "a node-1");
    }
    assert_true(packets > 1000);
    assert_true(packets == json_integer_value(json_object_get(t, "packets")));
    assert_true((uint64_t)packets == r.packets);
    assert_true(capture.len > r.bytes);
    json_decref(t);
    free(capture.bytes);
    free(truth.bytes);
    policy_free(p);
}

static void a_sink_that_fails_is_an_error_with_a_sentence(void **state)
{
    (void)state;
    struct policy *p = policy_new_default(NULL);
    struct generate_request q = usual(p);
    struct generate_result r;
    struct error e = {0};
    q.sink = refuse;
    assert_int_equal(generate_run(&q, &r, &e), ERR_IO);
    assert_true(e.text[0] != '\0');
    policy_free(p);
}

/* Nothing is sent here: lo is only looked at. Twenty calls need more than 1,000 packets a second. */
static void more_than_the_limit_is_refused_before_anything_is_sent(void **state)
{
    (void)state;
    struct policy *p = policy_new_default(NULL);
    struct generate_request q = usual(p);
    struct generate_result r;
    struct error e = {0};
    q.way = GENERATE_TO_LINK;
    q.interface = "lo";
    q.dry_run = true;
    q.options.calls = 20;
    assert_int_equal(generate_run(&q, &r, &e), ERR_USAGE);
    assert_non_null(strstr(e.text, "--rate"));
    assert_true(r.most_packets > 1000 && r.packets > 1000);
    q.has_rate = true;
    q.rate = (struct generate_rate){.packets = r.most_packets};
    assert_int_equal(generate_run(&q, &r, &e), 0);
    q.rate = (struct generate_rate){.bits = 1000000};
    assert_int_equal(generate_run(&q, &r, &e), ERR_USAGE);
    assert_non_null(strstr(e.text, "kbit"));
    q.interface = "no-such-interface";
    assert_int_equal(generate_run(&q, &r, &e), ERR_USAGE);
    policy_free(p);
}

static bool stop(void *user, uint64_t done, uint64_t total)
{
    (void)user, (void)total;
    return done > 0;
}

static void it_stops_when_told(void **state)
{
    (void)state;
    struct policy *p = policy_new_default(NULL);
    struct generate_request q = usual(p);
    struct generate_result whole, part;
    q.dry_run = true;
    q.options.duration_ns = 60 * NS_PER_S;
    assert_int_equal(generate_run(&q, &whole, NULL), 0);
    assert_false(whole.stopped);
    q.progress = stop;
    assert_int_equal(generate_run(&q, &part, NULL), 0);
    assert_true(part.stopped && part.packets < whole.packets);
    policy_free(p);
}

static bool stop_at_once(void *user, uint64_t done, uint64_t total)
{
    (void)user, (void)done, (void)total;
    return true;
}

/* What is measured before anything is sent may be a day, or more packets than anybody can count. */
static void it_stops_while_it_measures(void **state)
{
    (void)state;
    struct policy *p = policy_new_default(NULL);
    struct generate_request q = usual(p);
    struct generate_result r;
    struct error error = {0};
    const uint8_t loopback[4] = {127, 0, 0, 1};
    q.way = GENERATE_TO_SOCKETS;
    q.to = addr_v4(loopback);
    q.dry_run = true;
    q.progress = stop_at_once;
    q.options.duration_ns = 24 * 3600 * NS_PER_S;
    assert_int_equal(generate_run(&q, &r, &error), 0);
    assert_true(r.stopped);
    q.options.bulk = (struct generate_bulk){.streams = 1000, .packets = 100000000, .size = 160};
    assert_int_equal(generate_run(&q, &r, &error), 0);
    assert_true(r.stopped && r.packets < 1000);
    policy_free(p);
}

/* A pause between two packets is interrupted too: at a packet a second nobody waits for the sixty-fourth. */
static void it_stops_between_two_packets(void **state)
{
    (void)state;
    struct policy *p = policy_new_default(NULL);
    struct generate_request q = usual(p);
    struct generate_result r;
    struct error error = {0};
    const uint8_t loopback[4] = {127, 0, 0, 1};
    q.way = GENERATE_TO_SOCKETS;
    q.to = addr_v4(loopback);
    q.has_rate = true;
    q.rate = (struct generate_rate){.packets = 1};
    q.progress = stop_at_once;
    q.options.bulk = (struct generate_bulk){.streams = 2, .packets = 600, .size = 160};
    assert_int_equal(generate_run(&q, &r, &error), 0);
    assert_true(r.stopped);
    assert_in_range(r.packets, 1, 2);
    policy_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks_are_the_policys_by_class_version_and_direction),
        cmocka_unit_test(the_truth_is_json_that_adds_up),
        cmocka_unit_test(a_sink_that_fails_is_an_error_with_a_sentence),
        cmocka_unit_test(more_than_the_limit_is_refused_before_anything_is_sent),
        cmocka_unit_test(it_stops_when_told),
        cmocka_unit_test(it_stops_while_it_measures),
        cmocka_unit_test(it_stops_between_two_packets),
    };
    if (!craft_available()) {
        print_message("skipped: built without libnet\n");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
