#include "testing.h"

#include "building.h"

/*
 * More causes than anybody reads: the worst are a finding each, the others are counted together, and nothing is lost on
 * the way.
 */
enum { LISTED = 10000, STRANGERS = 11000, TAKERS = 300, SHARERS = 5, SITES_APART = 1 << 8 };

static const char MANY[] = "many hosts and paths";

static struct endpoint stranger(uint32_t net, uint32_t i, uint16_t port)
{
    uint32_t a = net + i * SITES_APART;
    const uint8_t bytes[4] = {(uint8_t)(a >> 24), (uint8_t)(a >> 16), (uint8_t)(a >> 8), (uint8_t)a};
    return (struct endpoint){addr_v4(bytes), port};
}

/* A stream between two hosts that have no neighbours and send nothing else. */
static struct record *add_strange(struct document *d, enum kind kind, uint32_t i, dscp_t dscp, uint64_t packets)
{
    struct record *r = add(d, kind, "192.0.2.1", 5000, "192.0.2.2", 5000, dscp, packets);
    r->src = stranger(0x10000001, i, 5000);
    r->dst = stranger(0x50000001, i, kind == KIND_DNS ? 53 : 5000);
    return r;
}

/* Unmarked voice (more packets the later they come), names asked for with a priority mark, and shared connections. */
static struct document *many(void)
{
    struct document *d = document_new();
    assert_non_null(d);
    for (uint32_t i = 0; i < STRANGERS; i++)
        (void)add_strange(d, KIND_RTP_AUDIO, i, 0, 20 + i % 1000);
    for (uint32_t i = 0; i < TAKERS; i++)
        (void)add_strange(d, KIND_DNS, STRANGERS + i, 46, 10);
    for (uint32_t i = 0; i < SHARERS; i++)
        add_strange(d, KIND_RTP_VIDEO, STRANGERS + TAKERS + i, 0, 100)->shares_connection = true;
    return d;
}

static const struct finding *many_of(const struct document *d, enum finding_code code)
{
    const struct finding *found = NULL;
    for (size_t i = 0; i < d->finding_count; i++) {
        if (strcmp(d->findings[i].subject, MANY) != 0 || d->findings[i].code != code)
            continue;
        assert_null(found);
        found = &d->findings[i];
    }
    return found;
}

static void the_worst_are_listed_and_the_others_are_counted_together(void **state)
{
    (void)state;
    struct policy *p = policy_of("version: 1\nname: t\nexpect: {voice: EF, multimedia: AF41}\n"
                                 "priority-classes: {marks: [EF], report-unentitled: true}\n");
    struct document *d = many();
    diagnose(d, p);
    assert_explained(d); /* each wrong stream is in one of them, and their packets add up */

    const struct finding *bleached = many_of(d, FINDING_BLEACHED), *taken = many_of(d, FINDING_UNENTITLED_PRIORITY),
                         *shared = many_of(d, FINDING_NOT_VERIFIABLE);
    assert_non_null(bleached);
    assert_non_null(taken);
    assert_non_null(shared); /* what is only worth knowing is never among the worst */
    assert_int_equal(d->finding_count, LISTED + 3);
    assert_int_equal(taken->stream_count, TAKERS);
    assert_int_equal(taken->packets, TAKERS * 10);
    assert_int_equal(shared->stream_count, SHARERS);
    assert_int_equal(bleached->stream_count, STRANGERS - LISTED);
    /* 11 streams of each number of packets from 20 on: the least thousand of them are those of 20 to 109, and ten of 110 */
    uint64_t least = 0;
    for (size_t i = 0; i < bleached->stream_count; i++) {
        least += d->records[bleached->streams[i]].packets;
        assert_true(d->records[bleached->streams[i]].packets <= 110);
    }
    assert_int_equal(bleached->packets, least);
    assert_int_equal(least, 11 * (20 + 109) * 90 / 2 + 10 * 110);
    assert_int_equal(bleached->first.frame, 1);
    assert_non_null(strstr(bleached->message, "1000 hosts or paths"));
    assert_non_null(strstr(bleached->message, "of the 1000 streams"));
    for (size_t i = 1; i < d->finding_count; i++) {
        const struct finding *a = &d->findings[i - 1], *b = &d->findings[i];
        assert_true(a->packets >= b->packets || b->code == FINDING_NOT_VERIFIABLE);
    }
    /* and said once, for the reader */
    size_t said = 0;
    for (size_t i = 0; i < d->note_count; i++)
        said += strstr(d->notes[i], "11305 causes") != NULL;
    assert_int_equal(said, 1);
    document_free(d);
    policy_free(p);
}

static void a_stream_says_its_own_cause_whether_that_is_listed_or_not(void **state)
{
    (void)state;
    struct policy *p = policy_of("version: 1\nname: t\nexpect: {voice: EF}\n");
    struct document *d = document_new(), *alone = document_new();
    for (uint32_t i = 0; i < STRANGERS; i++)
        (void)add_strange(d, KIND_RTP_AUDIO, i, 0, i == 7 ? 20 : 30);
    for (uint32_t i = 0; i < 8; i++)
        (void)add_strange(alone, KIND_RTP_AUDIO, i, 0, i == 7 ? 20 : 30);
    diagnose(d, p);
    diagnose(alone, p);
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(d->records[i].finding_count, 1);
        assert_int_equal(d->records[i].findings[0].code, alone->records[i].findings[0].code);
        assert_string_equal(d->records[i].findings[0].message, alone->records[i].findings[0].message);
        assert_string_equal(d->records[i].findings[0].wireshark, alone->records[i].findings[0].wireshark);
    }
    assert_null(many_of(alone, FINDING_BLEACHED));
    const struct finding *f = many_of(d, FINDING_BLEACHED);
    assert_non_null(f);
    assert_int_equal(f->streams[0], 7); /* the one with the fewest packets is not among the worst */
    document_free(alone);
    document_free(d);
    policy_free(p);
}

static void as_many_causes_as_are_listed_are_all_listed(void **state)
{
    (void)state;
    struct policy *p = policy_of("version: 1\nname: t\nexpect: {voice: EF}\n");
    struct document *d = document_new();
    for (uint32_t i = 0; i < LISTED; i++)
        (void)add_strange(d, KIND_RTP_AUDIO, i, 0, 30);
    diagnose(d, p);
    assert_int_equal(d->finding_count, LISTED);
    assert_null(many_of(d, FINDING_BLEACHED));
    for (size_t i = 0; i < d->note_count; i++)
        assert_null(strstr(d->notes[i], "causes"));
    document_free(d);
    policy_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worst_are_listed_and_the_others_are_counted_together),
        cmocka_unit_test(a_stream_says_its_own_cause_whether_that_is_listed_or_not),
        cmocka_unit_test(as_many_causes_as_are_listed_are_all_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
