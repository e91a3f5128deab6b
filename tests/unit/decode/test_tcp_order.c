#include "testing.h"

#include <stdio.h>

#include "base/clock.h"
#include "decode/tcp_order.h"
#include "model/packet.h"

/* What the sink was given: the bytes, with a mark before those that came behind a gap. */
struct seen {
    uint8_t bytes[1 << 20];
    size_t len;
    size_t gaps[4096]; /* offsets into `bytes` */
    size_t gap_count;
    size_t calls;
    uint64_t frames[64]; /* of the first calls */
};

static struct seen seen;
static struct tcp_order_pool pool;

static void sink(void *user, const uint8_t *bytes, size_t len, bool gap, uint64_t frame, int64_t time_ns)
{
    struct seen *s = user;
    (void)time_ns;
    assert_true(len > 0);
    assert_true(s->len + len <= sizeof s->bytes);
    if (gap) {
        assert_true(s->gap_count < sizeof s->gaps / sizeof *s->gaps);
        s->gaps[s->gap_count++] = s->len;
    }
    if (s->calls < sizeof s->frames / sizeof *s->frames)
        s->frames[s->calls] = frame;
    s->calls++;
    memcpy(s->bytes + s->len, bytes, len);
    s->len += len;
}

static int setup(void **state)
{
    (void)state;
    memset(&seen, 0, sizeof seen);
    pool = (struct tcp_order_pool){0};
    return 0;
}

/* Frame numbers and times of segments made by the helpers below: the time is the frame number in milliseconds. */
static void segment_cut(struct tcp_order *o, uint64_t frame, uint32_t seq, uint8_t flags, const char *text,
                        uint32_t len, uint32_t wire_len)
{
    uint8_t *copy = malloc(len ? len : 1); /* of exactly its size, and gone afterwards */
    assert_non_null(copy);
    memcpy(copy, text, len);
    tcp_order_segment(o, seq, flags, copy, len, wire_len, frame, (int64_t)frame * NS_PER_MS, sink, &seen);
    free(copy);
}

static void segment(struct tcp_order *o, uint64_t frame, uint32_t seq, const char *text)
{
    uint32_t len = (uint32_t)strlen(text);
    segment_cut(o, frame, seq, TCP_ACK, text, len, len);
}

static void syn(struct tcp_order *o, uint64_t frame, uint32_t isn)
{
    segment_cut(o, frame, isn, TCP_SYN, "", 0, 0);
}

static void expect(const char *text, size_t gap_count)
{
    assert_int_equal(seen.len, strlen(text));
    assert_memory_equal(seen.bytes, text, seen.len);
    assert_int_equal(seen.gap_count, gap_count);
}

static struct tcp_order *begin(void)
{
    struct tcp_order *o = tcp_order_new(&pool);
    assert_non_null(o);
    return o;
}

static void end(struct tcp_order *o)
{
    tcp_order_free(o);
    assert_int_equal(pool.held_bytes, 0);
}

static void bytes_in_order_are_handed_on_at_once(void **state)
{
    (void)state;
    struct tcp_order *o = begin();
    syn(o, 1, 999);
    segment(o, 2, 1000, "INVITE ");
    expect("INVITE ", 0);
    segment(o, 3, 1007, "sip:");
    expect("INVITE sip:", 0);
    assert_int_equal(seen.frames[1], 3);
    end(o);
}

static void a_connection_without_its_beginning_starts_behind_a_gap(void **state)
{
    (void)state;
    struct tcp_order *o = begin();
    segment(o, 1, 77, "tail of a message");
    expect("tail of a message", 1);
    segment(o, 2, 77 + 17, "next");
    expect("tail of a messagenext", 1);
    end(o);
}

static void a_reordered_segment_waits_for_those_before_it(void **state)
{
    (void)state;
    struct tcp_order *o = begin();
    syn(o, 1, 0xfffffffe); /* and the sequence numbers wrap */
    segment(o, 2, 2, "cd");
    segment(o, 3, 4, "ef");
    expect("", 0);
    segment(o, 4, 0xffffffff, "zab");
    expect("zabcdef", 0);
    assert_int_equal(seen.frames[0], 4);
    assert_int_equal(seen.frames[1], 2);
    assert_int_equal(seen.frames[2], 3);
    end(o);
}

static void retransmissions_and_overlaps_are_handed_on_once_and_the_first_copy_wins(void **state)
{
    (void)state;
    struct tcp_order *o = begin();
    syn(o, 1, 9);
    segment(o, 2, 10, "abcd");
    segment(o, 3, 10, "abcd");
    segment(o, 4, 12, "XXef");   /* overlaps what was handed on */
    segment(o, 5, 18, "ij");     /* early */
    segment(o, 6, 17, "hIJklm"); /* early: around what is held */
    expect("abcdef", 0);
    segment(o, 7, 16, "gH");
    end(o);
    expect("abcdefghijklm", 0);
}

static void a_loss_is_told_by_a_gap_at_the_end(void **state)
{
    (void)state;
    struct tcp_order *o = begin();
    syn(o, 1, 9);
    segment(o, 2, 10, "ab");
    segment(o, 3, 14, "ef");
    segment(o, 4, 20, "kl");
    expect("ab", 0);
    tcp_order_flush(o, sink, &seen);
    expect("abefkl", 2);
    assert_int_equal(seen.gaps[0], 2);
    assert_int_equal(seen.gaps[1], 4);
    segment(o, 5, 22, "mn");
    expect("abefklmn", 2);
    end(o);
}

static void a_reset_hands_on_what_is_held_and_not_its_own_text(void **state)
{
    (void)state;
    struct tcp_order *o = begin();
    syn(o, 1, 9);
    segment(o, 2, 12, "cd");
    segment_cut(o, 3, 14, TCP_RST, "go away", 7, 7);
    expect("cd", 1);
    end(o);
}

static void a_fin_waits_for_what_is_missing_before_it(void **state)
{
    (void)state;
    struct tcp_order *o = begin();
    syn(o, 1, 9);
    segment_cut(o, 2, 12, TCP_FIN | TCP_ACK, "cd", 2, 2);
    segment(o, 3, 10, "ab");
    expect("abcd", 0);
    end(o);
}

static void bytes_that_the_snapshot_length_took_are_a_gap(void **state)
{
    (void)state;
    struct tcp_order *o = begin();
    syn(o, 1, 9);
    segment_cut(o, 2, 10, TCP_ACK, "abcd", 4, 100);
    segment(o, 3, 110, "next");
    expect("abcdnext", 1);
    assert_int_equal(seen.gaps[0], 4);
    segment_cut(o, 4, 114, TCP_ACK, "", 0, 50); /* nothing of it was captured */
    segment(o, 5, 164, "last");
    expect("abcdnextlast", 2);
    /* the same, held */
    segment_cut(o, 7, 170, TCP_ACK, "cd", 2, 10);
    segment(o, 8, 180, "mn");
    segment(o, 9, 168, "ab");
    expect("abcdnextlastabcdmn", 3);
    assert_int_equal(seen.gaps[2], 16);
    end(o);
}

static void a_repeated_syn_changes_nothing_and_another_begins_anew(void **state)
{
    (void)state;
    struct tcp_order *o = begin();
    syn(o, 1, 9);
    syn(o, 2, 9);
    segment(o, 3, 10, "ab");
    syn(o, 4, 9);
    segment(o, 5, 12, "cd");
    expect("abcd", 0);
    syn(o, 6, 5000);
    segment(o, 7, 5001, "new");
    expect("abcdnew", 1);
    assert_int_equal(seen.gaps[0], 4);
    end(o);
}

static void a_syn_that_comes_after_its_data_changes_nothing(void **state)
{
    (void)state;
    struct tcp_order *o = begin();
    segment(o, 1, 10, "ab");
    syn(o, 2, 9);
    segment(o, 3, 12, "cd");
    expect("abcd", 1);
    end(o);
}

static void data_on_a_syn_follow_it(void **state)
{
    (void)state;
    struct tcp_order *o = begin();
    segment_cut(o, 1, 9, TCP_SYN, "ab", 2, 2); /* RFC 7413 */
    segment(o, 2, 12, "cd");
    expect("abcd", 0);
    end(o);
}

static void a_keep_alive_is_no_data(void **state)
{
    (void)state;
    struct tcp_order *o = begin();
    syn(o, 1, 9);
    segment(o, 2, 10, "ab");
    segment_cut(o, 3, 11, TCP_ACK, "\0", 1, 1); /* RFC 9293 §3.8.4: the byte before the next */
    segment(o, 4, 12, "cd");
    expect("abcd", 0);
    end(o);
}

static void a_gap_is_given_up_when_too_much_waits_behind_it(void **state)
{
    (void)state;
    static char block[1000];
    memset(block, 'x', sizeof block);
    struct tcp_order *o = begin();
    const struct tcp_order_options options = {.max_ahead_bytes = 10000};
    tcp_order_configure(o, &options);
    syn(o, 1, 9);
    for (uint32_t i = 1; i <= 9; i++)
        segment_cut(o, 1 + i, 10 + 1000 * i, TCP_ACK, block, 1000, 1000);
    assert_int_equal(seen.len, 0);
    segment_cut(o, 20, 10 + 10000, TCP_ACK, block, 1000, 1000);
    assert_int_equal(seen.len, 10000);
    assert_int_equal(seen.gap_count, 1);
    end(o);
}

static void a_gap_is_given_up_when_no_retransmission_can_come_any_more(void **state)
{
    (void)state;
    struct tcp_order *o = begin();
    syn(o, 1, 9);
    segment(o, 2, 12, "cd");
    segment(o, 5000, 14, "ef");
    expect("", 0);
    segment(o, 10003, 16, "gh");
    expect("cdefgh", 1);
    end(o);
}

static void a_stray_segment_does_not_move_the_connection(void **state)
{
    (void)state;
    struct tcp_order *o = begin();
    syn(o, 1, 9);
    segment(o, 2, 10, "ab");
    segment(o, 3, 0x50000000, "stray");
    segment(o, 4, 12, "cd");
    segment(o, 5, 14, "ef");
    expect("abcdef", 0);
    end(o);
}

static void two_segments_elsewhere_move_it_behind_a_gap(void **state)
{
    (void)state;
    static const uint32_t places[] = {0x00100000, 0x40000000, 0xc0000000};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        (void)setup(NULL);
        struct tcp_order *o = begin();
        syn(o, 1, 9);
        segment(o, 2, 10, "ab");
        segment(o, 3, 13, "held");
        segment(o, 4, places[i], "cd");
        segment(o, 5, places[i], "cd");
        expect("ab", 0);
        segment(o, 6, places[i] + 2, "ef");
        expect("abheldcdef", 2);
        assert_int_equal(seen.gaps[1], 6);
        end(o);
    }
}

static void a_flood_of_segments_far_ahead_takes_bounded_memory(void **state)
{
    (void)state;
    static char block[1400];
    struct tcp_order *o = begin();
    pool.max_bytes = 50000;
    syn(o, 1, 9);
    for (uint32_t i = 0; i < 20000; i++) {
        /* every other one: no two join; then all over the sequence space */
        uint32_t seq = i < 10000 ? 20 + (10000 - i) * 26 : i * 2654435761u;
        uint32_t len = 1 + i % 1400;
        segment_cut(o, 2 + i / 100, seq, TCP_ACK, block, i < 10000 ? 10 : len, i < 10000 ? 10 : len);
        assert_true(pool.held_bytes <= pool.max_bytes);
        seen.len = seen.gap_count = 0;
    }
    assert_true(pool.overflows > 0);
    end(o);
}

static void many_small_pieces_are_bounded_by_their_number(void **state)
{
    (void)state;
    struct tcp_order *o = begin();
    syn(o, 1, 9);
    for (uint32_t i = 1; i <= 4000; i++) {
        segment_cut(o, 2, 10 + 2 * i, TCP_ACK, "x", 1, 1);
        assert_true(pool.held_bytes <= 1024 * 100);
    }
    assert_in_range(seen.len, 4000 - 1024, 4000);
    assert_int_equal(seen.gap_count, seen.len);
    end(o);
}

static void directions_share_one_cap(void **state)
{
    (void)state;
    static char block[1400];
    struct tcp_order *orders[100];
    pool.max_bytes = 64 * 1024;
    for (size_t i = 0; i < 100; i++) {
        orders[i] = begin();
        syn(orders[i], 1, 9);
        segment_cut(orders[i], 2, 1000, TCP_ACK, block, 1400, 1400);
        assert_true(pool.held_bytes <= pool.max_bytes);
    }
    assert_in_range((100 - pool.overflows) * 1400, 32 * 1024, 64 * 1024);
    for (size_t i = 0; i < 100; i++)
        tcp_order_free(orders[i]);
    assert_int_equal(pool.held_bytes, 0);
}

/* ---- the property: what comes out is what was sent, but for what was lost ---- */

static uint32_t random_state;

static uint32_t random_below(uint32_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state % n;
}

enum { STREAM_BYTES = 20000, PIECES_MAX = 4000 };

struct piece {
    uint32_t at, len, captured;
};

static uint8_t stream[STREAM_BYTES];
static bool arrives[STREAM_BYTES];
static struct piece pieces[PIECES_MAX];

static size_t cut_into_pieces(bool losses)
{
    size_t n = 0;
    for (uint32_t at = 0; at < STREAM_BYTES;) {
        uint32_t len = 1 + random_below(random_below(4) ? 200 : 1400);
        len = len < STREAM_BYTES - at ? len : STREAM_BYTES - at;
        bool lost = losses && random_below(12) == 0;
        if (!lost) {
            pieces[n++] = (struct piece){at, len, len};
            /* now and then again, cut otherwise */
            if (random_below(5) == 0) {
                uint32_t back = random_below(300) < at ? random_below(300) : 0;
                uint32_t from = at > back ? at - back : 0;
                uint32_t most = at + len - from;
                pieces[n++] = (struct piece){from, most, most};
            }
        }
        at += len;
    }
    return n;
}

static void shuffle_near(size_t n, uint32_t reach)
{
    for (size_t i = 0; i < n; i++) {
        size_t j = i + random_below(reach);
        if (j >= n)
            continue;
        struct piece swap = pieces[i];
        pieces[i] = pieces[j];
        pieces[j] = swap;
    }
}

static void check_against_stream(void)
{
    size_t out = 0, gap = 0;
    bool missing = false;
    for (size_t i = 0; i < STREAM_BYTES; i++) {
        if (!arrives[i]) {
            missing = true;
            continue;
        }
        if (missing) {
            assert_true(gap < seen.gap_count);
            assert_int_equal(seen.gaps[gap], out);
            gap++;
            missing = false;
        }
        assert_int_equal(seen.bytes[out], stream[i]);
        out++;
    }
    assert_int_equal(out, seen.len);
    assert_int_equal(gap, seen.gap_count);
}

static void what_comes_out_is_what_was_sent_with_gaps_exactly_where_bytes_are_missing(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 400; seed++) {
        random_state = seed * 2654435761u | 1;
        (void)setup(NULL);
        for (size_t i = 0; i < STREAM_BYTES; i++)
            stream[i] = (uint8_t)random_below(256);
        size_t n = cut_into_pieces(seed % 2);
        shuffle_near(n, 1 + seed % 30);
        memset(arrives, 0, sizeof arrives);
        uint32_t isn = seed % 3 ? random_below(UINT32_MAX) : UINT32_MAX - random_below(STREAM_BYTES);

        struct tcp_order *o = begin();
        syn(o, 1, isn);
        for (size_t i = 0; i < n; i++) {
            memset(arrives + pieces[i].at, 1, pieces[i].len);
            segment_cut(o, 2 + i, isn + 1 + pieces[i].at, TCP_ACK, (const char *)stream + pieces[i].at, pieces[i].len,
                        pieces[i].len);
        }
        tcp_order_flush(o, sink, &seen);
        check_against_stream();
        assert_int_equal(pool.overflows, 0);
        end(o);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
    const struct CMUnitTest tests[] = {
        TEST(bytes_in_order_are_handed_on_at_once),
        TEST(a_connection_without_its_beginning_starts_behind_a_gap),
        TEST(a_reordered_segment_waits_for_those_before_it),
        TEST(retransmissions_and_overlaps_are_handed_on_once_and_the_first_copy_wins),
        TEST(a_loss_is_told_by_a_gap_at_the_end),
        TEST(a_reset_hands_on_what_is_held_and_not_its_own_text),
        TEST(a_fin_waits_for_what_is_missing_before_it),
        TEST(bytes_that_the_snapshot_length_took_are_a_gap),
        TEST(a_repeated_syn_changes_nothing_and_another_begins_anew),
        TEST(a_syn_that_comes_after_its_data_changes_nothing),
        TEST(data_on_a_syn_follow_it),
        TEST(a_keep_alive_is_no_data),
        TEST(a_gap_is_given_up_when_too_much_waits_behind_it),
        TEST(a_gap_is_given_up_when_no_retransmission_can_come_any_more),
        TEST(a_stray_segment_does_not_move_the_connection),
        TEST(two_segments_elsewhere_move_it_behind_a_gap),
        TEST(a_flood_of_segments_far_ahead_takes_bounded_memory),
        TEST(many_small_pieces_are_bounded_by_their_number),
        TEST(directions_share_one_cap),
        TEST(what_comes_out_is_what_was_sent_with_gaps_exactly_where_bytes_are_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
