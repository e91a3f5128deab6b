#include "testing.h"

#include <stdio.h>

#include "materialise.h"
#include "stream/ended.h"
#include "stream/flow.h"
#include "stream/same_records.h"
#include "stream/varint.h"

/* What is put on the tape is what comes back from it. */

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed >> 20;
}

static bool chance(uint64_t *seed, unsigned one_in)
{
    return next_random(seed) % one_in == 0;
}

static uint64_t any_number(uint64_t *seed)
{
    return next_random(seed) >> next_random(seed) % 44;
}

static int64_t any_time(uint64_t *seed)
{
    return (int64_t)(UINT64_C(1700000000000000000) + any_number(seed)) * (chance(seed, 50) ? -1 : 1);
}

static struct frame_ref any_frame(uint64_t *seed)
{
    return (struct frame_ref){any_number(seed) & ((UINT64_C(1) << 44) - 1), (uint32_t)any_number(seed) & 0xfffff};
}

static struct record_mark any_mark(uint64_t *seed, dscp_t dscp)
{
    return (struct record_mark){dscp,           any_number(seed), any_number(seed), any_frame(seed),
                                any_frame(seed), any_time(seed),   any_time(seed)};
}

static struct endpoint any_end(uint64_t *seed, uint8_t version)
{
    struct endpoint e = {.addr = {.version = version}, .port = (uint16_t)next_random(seed)};
    for (size_t i = 0; i < (version == 6 ? 16 : version == 4 ? 4 : 0); i++)
        e.addr.bytes[i] = (uint8_t)next_random(seed);
    return e;
}

static const char *any_text(uint64_t *seed, char *to, size_t size)
{
    static const char *const patterns[] = {"SDP m=audio, frame %llu", "0%llu and 00%llu.5", "SSRC 0x%08llx repaired",
                                           "clock: 48 kHz in %llu of %llu windows", "", "nothing", "\1\2 odd %llu"};
    const char *pattern = patterns[next_random(seed) % (sizeof patterns / sizeof *patterns)];
    unsigned long long a = any_number(seed) & 0xffffffff, b = any_number(seed);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
    (void)snprintf(to, size, pattern, a, b);
#pragma GCC diagnostic pop
    return to;
}

struct any_record {
    struct record record;
    struct record_mark marks[DSCP_COUNT], outer[DSCP_COUNT];
    struct rtp_figures rtp;
    char evidence[EVIDENCE_MAX], server[200], codec[64];
};

static void any_record(uint64_t *seed, struct any_record *ret)
{
    struct record *r = &ret->record;
    uint8_t version = chance(seed, 3) ? 6 : chance(seed, 40) ? 0 : 4;
    *r = (struct record){.proto = (uint8_t)next_random(seed),
                         .src = any_end(seed, version),
                         .dst = any_end(seed, version),
                         .kind = (enum kind)(next_random(seed) % 20),
                         .confidence = (enum confidence)(next_random(seed) % 4),
                         .from_initiator = chance(seed, 2),
                         .has_ssrc = chance(seed, 2),
                         .over_turn = chance(seed, 5),
                         .turn_channels = chance(seed, 5),
                         .shares_connection = chance(seed, 5),
                         .webrtc = chance(seed, 5),
                         .fragmented = chance(seed, 5),
                         .packets = any_number(seed),
                         .bytes = any_number(seed),
                         .first_ns = any_time(seed),
                         .first = any_frame(seed),
                         .vlan_pcp = (int16_t)(next_random(seed) % 9 - 1),
                         .mpls_tc = (int16_t)(next_random(seed) % 9 - 1),
                         .tunnel_depth = (uint8_t)(next_random(seed) % 4),
                         .judged_version = chance(seed, 4) ? 6 : 0,
                         .judged_at = (uint8_t)(next_random(seed) % 3),
                         .media_kinds = (uint32_t)any_number(seed) & 0xffffff,
                         .copies_differ = chance(seed, 4) ? any_number(seed) : 0,
                         .repairs = chance(seed, 4)   ? "rtx"
                                    : chance(seed, 4) ? "fec"
                                                      : "",
                         .explanation = NULL,
                         .unknown_reason = "",
                         .reason = "",
                         .marks = ret->marks,
                         .outer = ret->outer};
    if (r->copies_differ)
        r->copies =
            (struct copied_marks){(dscp_t)(next_random(seed) % 64), (dscp_t)(next_random(seed) % 64), chance(seed, 2),
                                  (uint8_t)(next_random(seed) % 256), (uint8_t)(next_random(seed) % 256)};
    r->data_marks = chance(seed, 4) ? next_random(seed) : 0;
    r->no_data = chance(seed, 4);
    r->input = r->first.input;
    r->ssrc = r->has_ssrc ? (uint32_t)any_number(seed) : 0;
    r->last_ns = chance(seed, 2) ? r->first_ns + (int64_t)any_number(seed) : any_time(seed);
    r->evidence = any_text(seed, ret->evidence, sizeof ret->evidence);
    r->unknown_reason = r->confidence == CONFIDENCE_NONE ? r->evidence : "";
    (void)snprintf(ret->codec, sizeof ret->codec, "%s", chance(seed, 2) ? "opus/48000" : "");
    if (chance(seed, 4))
        (void)snprintf(ret->codec, sizeof ret->codec, "codec-that-somebody-invented/%llu",
                       (unsigned long long)next_random(seed));
    r->codec = ret->codec;
    (void)snprintf(ret->server, sizeof ret->server, "%s", chance(seed, 3) ? "conference.example.com" : "");
    r->server_name = ret->server;
    if (chance(seed, 2)) {
        r->mark_count = 1;
        ret->marks[0] = (struct record_mark){
            (dscp_t)(next_random(seed) % 64), r->packets, r->bytes, r->first, any_frame(seed), r->first_ns, r->last_ns};
        r->ecn[next_random(seed) % 4] = r->packets;
    } else {
        r->mark_count = (uint32_t)(next_random(seed) % (chance(seed, 20) ? 65 : 4));
        for (uint32_t i = 0; i < r->mark_count; i++)
            ret->marks[i] = any_mark(seed, (dscp_t)((i * 7 + 3) % 64));
        r->mark_changes = (uint32_t)any_number(seed);
        for (int i = 0; i < 4; i++)
            r->ecn[i] = any_number(seed);
    }
    r->outer_count = chance(seed, 4) ? (uint32_t)(next_random(seed) % 65) : 0;
    for (uint32_t i = 0; i < r->outer_count; i++)
        ret->outer[i] = any_mark(seed, (dscp_t)i);
    r->outer_differs = r->outer_count ? any_number(seed) : 0;
    r->outer_differs_first = r->outer_count ? any_frame(seed) : (struct frame_ref){0};
    if (chance(seed, 2))
        return;
    r->payload_type_count = (uint8_t)(next_random(seed) % 9);
    for (uint8_t i = 0; i < r->payload_type_count; i++)
        r->payload_types[i] = (uint8_t)next_random(seed);
    r->decided_after_packets = (uint32_t)any_number(seed);
    ret->rtp = (struct rtp_figures){(uint32_t)any_number(seed),
                                    any_number(seed),
                                    chance(seed, 2) ? any_number(seed) : 0,
                                    chance(seed, 2) ? any_number(seed) : 0,
                                    0,
                                    chance(seed, 3) ? -1.0 : (double)next_random(seed) / 977.0,
                                    (double)next_random(seed) / 1013.0};
    r->rtp = &ret->rtp;
}

static void any_record_comes_back_as_it_was(void **state)
{
    (void)state;
    enum { RECORDS = 5000 };
    struct ended e = {.groups = 0};
    uint64_t seed = 5, place = 0, again = 5;
    static struct any_record r;
    struct record_scratch s = {0};
    for (uint32_t i = 0; i < RECORDS; i++) {
        any_record(&seed, &r);
        struct ended_head head = {.first_ns = r.record.first_ns,
                                  .first = frame_pack(r.record.first.frame, r.record.first.input),
                                  .group = i,
                                  .flags = (uint8_t)((i & 1 ? ENDED_CNAME : 0) | (i & 2 ? ENDED_SIDE : 0))};
        assert_true(ended_add(&e, &head, &r.record, i));
    }
    assert_int_equal(e.tape.entries, RECORDS);
    bool more = tape_first(&e.tape, &place);
    for (uint32_t i = 0; i < RECORDS; i++, more = tape_next(&e.tape, &place)) {
        struct ended_head head;
        struct ended_name name;
        assert_true(more);
        any_record(&again, &r);
        ended_read(&e, place, RECORD_ALL, &s);
        assert_same_record(&s.record, &r.record);
        ended_head_session(&e, place, i * 3);
        ended_head_read(&e, place, &head);
        assert_int_equal(head.session, i * 3);
        assert_int_equal(head.group, i);
        if (!(i & 1))
            continue;
        ended_name(&e, place, &name);
        assert_int_equal(name.cname, i);
        assert_true(addr_equal(&name.hosts[(i & 2) != 0], &r.record.src.addr));
        assert_true(addr_equal(&name.hosts[(i & 2) == 0], &r.record.dst.addr));
    }
    assert_false(more);
    record_scratch_done(&s);
    ended_done(&e);
}

static void an_ordinary_voice_stream_takes_little_more_than_a_hundred_bytes(void **state)
{
    (void)state;
    enum { STREAMS = 10000, LIMIT = 120 };
    struct ended e = {.groups = 0};
    for (uint32_t i = 0; i < STREAMS; i++) {
        char evidence[EVIDENCE_MAX];
        (void)snprintf(evidence, sizeof evidence, "SDP m=audio, frame %u", 1000000 + i);
        struct record_mark mark = {
            46, 9000, 1800000, {1000000 + i, 0}, {1900000 + i, 0}, 1700000000000000000, 1700000180000000000};
        struct rtp_figures rtp = {48000, 9001, 1, 0, 0, 0.3141, 41.5};
        struct record r = {.proto = 17,
                           .src = {{4, {10, 1, 2, 3}}, 20000},
                           .dst = {{4, {10, 2, 2, 3}}, 30000},
                           .kind = KIND_RTP_AUDIO,
                           .confidence = CONFIDENCE_CERTAIN,
                           .has_ssrc = true,
                           .ssrc = i * 7919,
                           .payload_types = {108},
                           .payload_type_count = 1,
                           .packets = 9000,
                           .bytes = 1800000,
                           .first_ns = mark.first_ns,
                           .last_ns = mark.last_ns,
                           .first = mark.first,
                           .marks = &mark,
                           .mark_count = 1,
                           .ecn = {9000},
                           .vlan_pcp = -1,
                           .mpls_tc = -1,
                           .rtp = &rtp,
                           .evidence = evidence,
                           .unknown_reason = "",
                           .codec = "opus/48000",
                           .repairs = "",
                           .server_name = ""};
        struct ended_head head = {.first_ns = r.first_ns, .first = frame_pack(r.first.frame, 0)};
        assert_true(ended_add(&e, &head, &r, 0));
    }
    uint64_t bytes = e.tape.end - e.tape.begin; /* not the chunk that was begun */
    print_message("%u bytes for an ended stream\n", (unsigned)(bytes / STREAMS));
    assert_in_range(bytes / STREAMS, 40, LIMIT);
    ended_done(&e);
}

static void texts_beyond_what_is_kept_are_written_out(void **state)
{
    (void)state;
    struct ended e = {.groups = 0};
    uint8_t bytes[1000][ENDED_TEXT_MAX];
    char text[EVIDENCE_MAX], back[EVIDENCE_MAX];
    for (unsigned i = 0; i < 1000; i++) {
        (void)snprintf(text, sizeof text, "%c%c%c said %u", 'a' + (int)(i % 26), 'a' + (int)(i / 26 % 26),
                       'a' + (int)(i / 676), i);
        size_t n = ended_text_write(&e, text, bytes[i]);
        assert_in_range(n, 1, ENDED_TEXT_MAX);
        assert_int_equal(ended_text_read(&e, bytes[i], back, sizeof back), n);
        assert_string_equal(back, text);
    }
    assert_in_range(e.phrase_count, 1, 256);
    memset(text, '7', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    size_t n = ended_text_write(&e, text, bytes[0]);
    assert_int_equal(ended_text_read(&e, bytes[0], back, sizeof back), n);
    assert_string_equal(back, text);
    ended_done(&e);
}

static void numbers_of_all_sizes_come_back(void **state)
{
    (void)state;
    uint8_t bytes[VARINT_MAX];
    uint64_t back;
    for (unsigned bit = 0; bit < 64; bit++)
        for (int off = -1; off <= 1; off++) {
            uint64_t number = (UINT64_C(1) << bit) + (uint64_t)off;
            size_t n = varint_write(bytes, number);
            assert_int_equal(varint_read(bytes, &back), n);
            assert_true(back == number);
            assert_true(varint_to_signed(varint_of_signed((int64_t)number)) == (int64_t)number);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_record_comes_back_as_it_was),
        cmocka_unit_test(an_ordinary_voice_stream_takes_little_more_than_a_hundred_bytes),
        cmocka_unit_test(texts_beyond_what_is_kept_are_written_out),
        cmocka_unit_test(numbers_of_all_sizes_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
