#include "testing.h"

#include "building.h"

/*
 * Records that are made when they are looked at are judged and diagnosed as those in an array are, word for word. The
 * conversations are random ones with a bit of everything: kinds, marks, changes, tunnels, shared connections.
 */
enum { RECORDS = 400, ROUNDS = 40 };

static uint64_t sequence;

static unsigned random_of(unsigned n)
{
    sequence = sequence * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(sequence >> 40) % n;
}

static dscp_t random_mark(void)
{
    static const dscp_t marks[] = {0, 0, 0, 8, 10, 11, 18, 24, 26, 32, 34, 38, 46, 46, 46, 48};
    return marks[random_of(sizeof marks / sizeof marks[0])];
}

enum { HOST_MAX = 40 };

static void random_host(char text[static HOST_MAX], bool v6)
{
    unsigned net = random_of(4), host = 1 + random_of(4);
    if (v6)
        (void)snprintf(text, HOST_MAX, "2001:db8:%u::%u", net, host);
    else
        (void)snprintf(text, HOST_MAX, "10.%u.0.%u", net, host);
}

static void add_random(struct document *d)
{
    static const enum kind kinds[] = {KIND_RTP_AUDIO, KIND_RTP_AUDIO, KIND_RTP_VIDEO, KIND_RTP_UNKNOWN, KIND_RTCP, KIND_STUN,
                                      KIND_DTLS, KIND_SIP, KIND_XMPP_CLIENT, KIND_WEB, KIND_OTHER, KIND_DATABASE};
    char src[HOST_MAX], dst[HOST_MAX];
    bool v6 = random_of(8) == 0;
    struct run runs[4];
    size_t n = 1 + (random_of(4) == 0 ? random_of(4) : 0);
    random_host(src, v6);
    random_host(dst, v6);
    struct record *r = add(d, kinds[random_of(12)], src, (uint16_t)(5060 + random_of(3)), dst, (uint16_t)(5060 + random_of(3)), 0, 1);
    for (size_t i = 0; i < n; i++)
        runs[i] = (struct run){random_mark(), 1 + random_of(200)};
    set_runs(d, r, runs, n);
    r->conversation = 1000 + random_of(RECORDS / 2);
    r->from_initiator = random_of(2);
    r->first_ns = random_of(1000) * INT64_C(10000000);
    r->webrtc = random_of(10) == 0;
    r->shares_connection = random_of(20) == 0;
    r->over_turn = random_of(20) == 0;
    r->fragmented = random_of(20) == 0;
    r->confidence = random_of(5) ? r->confidence : (enum confidence)random_of(4);
    r->unknown_reason = r->confidence == CONFIDENCE_NONE && random_of(2) ? "for reasons of its own" : "";
    r->media_kinds = r->kind == KIND_RTCP || r->kind == KIND_STUN || r->kind == KIND_DTLS ? random_of(64) & 62 : 0;
    if (random_of(10) == 0) {
        r->outer = r->marks;
        r->outer_count = 1;
        r->outer_differs = 1 + random_of(5);
        r->outer_differs_first = r->first;
        r->tunnel_depth = 1;
        r->judged_version = random_of(3) ? 0 : 4;
        r->judged_at = 1;
    }
}

static void fill_from_array(void *own, const struct document *d, size_t i, unsigned parts, struct record_scratch *s)
{
    const struct record *records = own;
    (void)d;
    (void)parts;
    s->record = records[i];
    /* nobody may look further than what he asked for lasts */
    memset(s->marks, 0x5a, sizeof s->marks);
    memcpy(s->marks, records[i].marks, records[i].mark_count * sizeof *s->marks);
    s->record.marks = s->marks;
}

static struct document *on_demand(const struct document *from, struct record *records, uint8_t *kinds)
{
    struct document *d = document_new();
    assert_non_null(d);
    for (size_t i = 0; i < from->record_count; i++) {
        records[i] = from->records[i];
        kinds[i] = (uint8_t)records[i].kind;
    }
    d->record_count = from->record_count;
    d->kinds = kinds;
    d->streams = (struct record_layer){.own = records, .fill = fill_from_array};
    return d;
}

static void assert_same_finding(const struct finding *a, const struct finding *b)
{
    assert_int_equal(a->code, b->code);
    assert_string_equal(a->message, b->message);
    assert_string_equal(a->advice, b->advice);
    assert_string_equal(a->wireshark, b->wireshark);
    assert_string_equal(a->subject, b->subject);
    assert_int_equal(a->packets, b->packets);
    assert_int_equal(a->first.frame, b->first.frame);
    assert_int_equal(a->confidence, b->confidence);
    assert_int_equal(a->stream_count, b->stream_count);
    assert_memory_equal(a->streams, b->streams, a->stream_count * sizeof *a->streams);
}

static void assert_same_record(const struct record *a, const struct record *b)
{
    assert_int_equal(a->node, b->node);
    assert_int_equal(a->peer_node, b->peer_node);
    assert_int_equal(a->site, b->site);
    assert_int_equal(a->direction, b->direction);
    assert_int_equal(a->traffic_class, b->traffic_class);
    assert_int_equal(a->expected, b->expected);
    assert_int_equal(a->preferred, b->preferred);
    assert_int_equal(a->violating_packets, b->violating_packets);
    assert_int_equal(a->verdict, b->verdict);
    assert_string_equal(a->reason, b->reason);
    assert_int_equal(a->finding_count, b->finding_count);
    for (size_t i = 0; i < a->finding_count; i++)
        assert_same_finding(&a->findings[i], &b->findings[i]);
}

static void compare(const struct document *array, const struct document *made)
{
    struct record_scratch s = {.failed = false};
    struct finding_scratch f = {.failed = false};
    assert_int_equal(array->summary.violating, made->summary.violating);
    assert_int_equal(array->summary.packets_violating, made->summary.packets_violating);
    assert_int_equal(array->by_class_count, made->by_class_count);
    for (size_t i = 0; i < array->by_class_count; i++) {
        const struct summary_row *a = &array->by_class[i], *b = &made->by_class[i];
        assert_int_equal(a->streams, b->streams);
        assert_int_equal(a->violating_packets, b->violating_packets);
        assert_memory_equal(a->wrong_by_dscp, b->wrong_by_dscp, sizeof a->wrong_by_dscp);
        assert_memory_equal(a->unsure_by_dscp, b->unsure_by_dscp, sizeof a->unsure_by_dscp);
    }
    for (size_t i = 0; i < array->record_count; i++) {
        assert_int_equal(array->records[i].verdict, document_verdict(made, i));
        assert_same_record(&array->records[i], document_record(made, i, RECORD_ALL, &s));
    }
    assert_int_equal(array->finding_count, made->finding_count);
    for (size_t i = 0; i < array->finding_count; i++)
        assert_same_finding(&array->findings[i], document_finding(made, i, &f));
    assert_false(s.failed || f.failed);
    record_scratch_done(&s);
    finding_scratch_done(&f);
}

static void records_made_on_demand_are_judged_as_those_in_an_array(void **state)
{
    static struct record records[RECORDS];
    static uint8_t kinds[RECORDS];
    (void)state;
    size_t findings = 0, codes[FINDING_CODE_COUNT] = {0};
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct policy *p = policy_of(round % 2 ? "version: 1\nname: t\nexpect: {voice: EF, multimedia: AF41, signaling: [AF31, CS3]}\n"
                                                 "nodes: [{name: n, addresses: [10.0.0.1, 10.0.0.2]}]\n"
                                                 "sites: [{name: s, prefixes: [10.1.0.0/16]}]\n"
                                                 "priority-classes: {marks: [EF, AF41], report-unentitled: true}\n"
                                               : "version: 1\nname: t\nexpect: {voice: {ipv4: EF, min-packets: 10}}\n");
        struct document *array = document_new();
        sequence = round + 1;
        for (unsigned i = 0; i < 1 + round * RECORDS / ROUNDS; i++)
            add_random(array);
        struct document *made = on_demand(array, records, kinds);
        diagnose(array, p);
        assert_int_equal(judge_document(made, p), 0);
        assert_int_equal(diagnose_document(made, p), 0);
        compare(array, made);
        findings += array->finding_count;
        for (size_t i = 0; i < array->finding_count; i++)
            codes[array->findings[i].code]++;
        document_free(made);
        document_free(array);
        policy_free(p);
    }
    /* and there was something to compare */
    size_t kinds_of_findings = 0;
    for (size_t c = 0; c < FINDING_CODE_COUNT; c++)
        kinds_of_findings += codes[c] > 0;
    assert_true(findings > 500);
    assert_true(kinds_of_findings >= 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_made_on_demand_are_judged_as_those_in_an_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
