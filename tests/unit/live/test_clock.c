#include "testing.h"

#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "capture/frame_batch.h"
#include "capture/live.h"
#include "live/run.h"
#include "report/report_metrics.h"

/*
 * A live check while the clock of the host is set. Here are capture/live.h, of which this program has its own, and both
 * clocks of the system: the kernel stamps frames with the one that may be set at any time, and the other one never
 * steps. Time passes only where it is asked for, so that an hour takes no longer than a second.
 */

enum { TICK_NS = 200000, SILENT_PORTS = 3 };
#define HOUR (3600 * NS_PER_S)
#define YEAR (365 * 24 * HOUR)

static int64_t now_ns;    /* CLOCK_MONOTONIC */
static int64_t offset_ns; /* from it to CLOCK_REALTIME */

int clock_gettime(clockid_t id, struct timespec *t)
{
    if (id != CLOCK_MONOTONIC && id != CLOCK_REALTIME)
        return (int)syscall(SYS_clock_gettime, id, t);
    if (id == CLOCK_MONOTONIC)
        now_ns += TICK_NS;
    int64_t ns = id == CLOCK_MONOTONIC ? now_ns : now_ns + offset_ns;
    *t = (struct timespec){.tv_sec = (time_t)(ns / NS_PER_S), .tv_nsec = (long)(ns % NS_PER_S)};
    return 0;
}

/* ---- an interface on which voice comes: a packet each 20 ms of each port that talks ---- */

struct live {
    struct source_input input;
    int fd;
};

struct talker {
    bool talks;
    uint8_t tos;
    uint16_t port, sequence;
    int64_t due_ns;
    uint64_t sent;
};

static struct talker talkers[2 + SILENT_PORTS];
enum { TALKERS = sizeof talkers / sizeof talkers[0] };

int live_open(const struct live_options *options, struct live **ret, struct error *error)
{
    struct live *l = calloc(1, sizeof *l);
    (void)error;
    assert_non_null(l);
    l->input = (struct source_input){.name = options->interface, .complete = true};
    l->fd = eventfd(1, EFD_CLOEXEC); /* always ready: nobody sleeps */
    *ret = l;
    return 0;
}

void live_free(struct live *l)
{
    if (l)
        (void)close(l->fd);
    free(l);
}

static size_t put16(uint8_t *at, unsigned v)
{
    at[0] = (uint8_t)(v >> 8);
    at[1] = (uint8_t)v;
    return 2;
}

/* IPv4 without a link layer (LINKTYPE_RAW), UDP, G.711 in RTP. */
static size_t make_frame(uint8_t bytes[static 212], const struct talker *t)
{
    size_t n = 0;
    memset(bytes, 0, 212);
    bytes[n++] = 0x45;
    bytes[n++] = t->tos;
    n += put16(bytes + n, 200);
    n += 4;
    bytes[n++] = 64;
    bytes[n++] = 17;
    n += 2; /* the checksum: not looked at */
    memcpy(bytes + n, "\x0a\x00\x00\x01\x0a\x00\x00\x02", 8);
    n += 8;
    n += put16(bytes + n, t->port);
    n += put16(bytes + n, t->port);
    n += put16(bytes + n, 180);
    n += 2;
    n += put16(bytes + n, 0x8000);
    n += put16(bytes + n, t->sequence);
    uint32_t timestamp = (uint32_t)t->sequence * 160u;
    n += put16(bytes + n, timestamp >> 16);
    n += put16(bytes + n, timestamp & 0xffff);
    n += put16(bytes + n, 0x1234);
    n += put16(bytes + n, t->port);
    return 200;
}

enum source_status live_read(struct live *l, struct frame_batch *b)
{
    uint8_t bytes[212];
    frame_batch_clear(b);
    for (size_t i = 0; i < TALKERS; i++) {
        struct talker *t = &talkers[i];
        for (; t->talks && t->due_ns <= now_ns && frame_batch_has_room(b); t->due_ns += 20 * NS_PER_MS) {
            size_t len = make_frame(bytes, t);
            struct frame f = {.bytes = bytes,
                              .captured_bytes = (uint32_t)len,
                              .wire_bytes = (uint32_t)len,
                              .time_ns = t->due_ns + offset_ns,
                              .number = ++l->input.frames,
                              .link_type = 101};
            assert_true(frame_batch_add(b, &f, NULL));
            t->sequence++;
            t->sent++;
        }
    }
    return b->count ? SOURCE_FRAME : SOURCE_END;
}

int live_fd(const struct live *l)
{
    return l->fd;
}
enum source_status live_next(struct live *l, struct frame *ret)
{
    (void)l;
    (void)ret;
    return SOURCE_END;
}
enum live_state live_state(const struct live *l)
{
    (void)l;
    return LIVE_STATE_UP;
}
const struct source_input *live_input(struct live *l)
{
    return &l->input;
}
uint64_t live_dropped_interface(const struct live *l)
{
    (void)l;
    return 0;
}
uint64_t live_waiting(const struct live *l)
{
    (void)l;
    return 0;
}
int live_check_filter(struct live *l, const char *filter, struct error *error)
{
    (void)l;
    (void)filter;
    (void)error;
    return 0;
}
int live_set_filter(struct live *l, const char *filter, struct error *error)
{
    return live_check_filter(l, filter, error);
}
enum live_clock live_time(const struct live *l)
{
    (void)l;
    return LIVE_CLOCK_HOST;
}

/* ---- a run ---- */

struct run {
    struct policy *policy;
    struct live_run *live;
    struct live_metrics *metrics;
    struct strbuf page;
    uint64_t interval_packets, intervals, opened, closed;
    size_t active;
    uint64_t ended;
};

static void start(struct run *r)
{
    static const char *const names[] = {"eth0"};
    *r = (struct run){.policy = policy_new_default(NULL), .metrics = live_metrics_new()};
    struct live_run_options o = {.interfaces = names,
                                 .interface_count = 1,
                                 .policy = r->policy,
                                 .key = {1, 2},
                                 .interval_ns = 10 * NS_PER_S,
                                 .idle_ns = 60 * NS_PER_S};
    now_ns = 1000 * NS_PER_S;
    offset_ns = 1795000000 * NS_PER_S;
    for (size_t i = 0; i < TALKERS; i++)
        talkers[i] = (struct talker){.talks = true,
                                     .tos = 0xb8,
                                     .port = (uint16_t)(20000 + 2 * i),
                                     .due_ns = now_ns,
                                     .sequence = (uint16_t)(100 * i)};
    assert_true(r->policy && r->metrics);
    assert_int_equal(live_run_open(&o, &r->live, NULL), 0);
}

static void take_view(struct run *r, const struct live_view *v)
{
    assert_int_equal(live_metrics_add(r->metrics, v), 0);
    r->page.len = 0;
    assert_true(live_metrics_write(r->metrics, v, &(struct live_process){.version = "1"}, &r->page));
    if (v->interval) {
        r->interval_packets += v->interval->packets;
        r->intervals++;
    }
    for (size_t i = 0; i < v->finding_count; i++) {
        r->opened += v->findings[i].opened_now;
        r->closed += v->findings[i].closed_now;
    }
    r->active = v->active_streams;
    r->ended = v->ended_by_verdict[VERDICT_CONFORMING] + v->ended_by_verdict[VERDICT_VIOLATING] +
               v->ended_by_verdict[VERDICT_UNDETERMINED];
}

static void pass(struct run *r, int64_t seconds)
{
    const struct live_view *v;
    int64_t end = now_ns + seconds * NS_PER_S;
    while (now_ns < end) {
        int status = live_run_next(r->live, -1, &v, NULL);
        assert_true(status == LIVE_LOOK || status == LIVE_WOKEN);
        if (status == LIVE_LOOK)
            take_view(r, v);
    }
}

static double metric(const struct run *r, const char *name)
{
    const char *at = strbuf_text(&r->page);
    size_t len = strlen(name);
    while ((at = strstr(at, name)) && (at[-1] != '\n' || at[len] != ' '))
        at += len;
    assert_non_null(at);
    return strtod(at + len, NULL);
}

static const struct live_view *finish(struct run *r)
{
    const struct live_view *v;
    assert_int_equal(live_run_finish(r->live, &v, NULL), 0);
    take_view(r, v);
    return v;
}

static void stop(struct run *r)
{
    live_run_free(r->live);
    live_metrics_free(r->metrics);
    strbuf_done(&r->page);
    policy_free(r->policy);
}

static const struct record *record_of(const struct live_view *v, uint16_t port, struct record_scratch *scratch)
{
    const struct record *found = NULL;
    size_t at = 0, n = 0;
    for (size_t i = 0; i < v->document->record_count; i++)
        if (document_record(v->document, i, RECORD_ALL, scratch)->dst.port == port) {
            at = i;
            n++;
        }
    assert_int_equal(n, 1); /* one stream, and not one before and one after the step */
    found = document_record(v->document, at, RECORD_ALL, scratch);
    return found;
}

static const int64_t steps[] = {HOUR, -HOUR, YEAR, -YEAR};
enum { STEPS = sizeof steps / sizeof steps[0] };
static const char silence[] = "qosmark_class_silence_seconds{class=\"voice\"}";

/* ---- the tests ---- */

static void streams_go_on_over_a_step(void **state)
{
    (void)state;
    for (size_t i = 0; i < STEPS; i++) {
        struct run r;
        struct record_scratch scratch = {0};
        start(&r);
        pass(&r, 30);
        offset_ns += steps[i];
        pass(&r, 100);
        assert_int_equal(r.active, TALKERS);
        assert_int_equal(r.ended, 0);
        assert_int_equal(r.opened, 0);
        assert_true(metric(&r, silence) < 1);
        assert_true(r.intervals >= 12 && r.intervals <= 14); /* each 10 s of the clock that never steps */
        const struct live_view *v = finish(&r);
        assert_int_equal(v->document->summary.verdict, SUMMARY_PASS);
        uint64_t sent = 0;
        for (size_t k = 0; k < TALKERS; k++) {
            const struct record *record = record_of(v, talkers[k].port, &scratch);
            assert_int_equal(record->packets, talkers[k].sent);
            assert_int_equal(record->verdict, VERDICT_CONFORMING);
            assert_true(record->rtp->jitter_ms < 5); /* no jitter of a year */
            assert_int_equal(record->rtp->lost, 0);
            assert_true(record->rtp->max_gap_ms < 100);
            int64_t heard_ns = record->last_ns - record->first_ns;
            assert_true(heard_ns > 129 * NS_PER_S && heard_ns < 132 * NS_PER_S);
            sent += talkers[k].sent;
        }
        assert_int_equal(r.interval_packets, sent);
        bool said = false;
        for (size_t k = 0; k < v->document->note_count; k++)
            said = said || strstr(v->document->notes[k], "clock");
        assert_true(said);
        record_scratch_done(&scratch);
        stop(&r);
    }
}

static void who_falls_silent_ends_all_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < STEPS; i++) {
        struct run r;
        start(&r);
        pass(&r, 20);
        talkers[2].talks = false; /* before the step */
        pass(&r, 10);
        offset_ns += steps[i];
        talkers[3].talks = false; /* at the same moment */
        pass(&r, 20);
        talkers[4].talks = false; /* after it */
        pass(&r, 30);
        assert_int_equal(r.ended, 0); /* none has been silent for a minute of real time since anybody can tell */
        pass(&r, 150);
        assert_int_equal(r.active, 2);
        assert_int_equal(r.ended, SILENT_PORTS);
        (void)finish(&r);
        stop(&r);
    }
}

static void a_class_that_falls_silent_shows_whatever_the_clock_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < STEPS; i++) {
        struct run r;
        start(&r);
        pass(&r, 20);
        offset_ns += steps[i];
        pass(&r, 5);
        for (size_t k = 0; k < TALKERS; k++)
            talkers[k].talks = false;
        pass(&r, 45);
        assert_true(metric(&r, silence) > 44 && metric(&r, silence) < 46);
        offset_ns -= steps[i];
        pass(&r, 5);
        assert_true(metric(&r, silence) > 49 && metric(&r, silence) < 51);
        (void)finish(&r);
        stop(&r);
    }
}

static void a_finding_opens_once_and_closes_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < STEPS; i++) {
        struct run r;
        start(&r);
        talkers[1].tos = 0;
        pass(&r, 20);
        assert_int_equal(r.opened, 1);
        offset_ns += steps[i];
        pass(&r, 20);
        offset_ns -= steps[i] / 2;
        pass(&r, 20);
        assert_int_equal(r.opened, 1); /* the wrong packets went on coming */
        assert_int_equal(r.closed, 0);
        talkers[1].talks = false;
        pass(&r, 25);
        assert_int_equal(r.closed, 0);
        pass(&r, 10);
        assert_int_equal(r.closed, 1);
        assert_int_equal(finish(&r)->document->summary.verdict, SUMMARY_FAIL);
        stop(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_go_on_over_a_step),
        cmocka_unit_test(who_falls_silent_ends_all_the_same),
        cmocka_unit_test(a_class_that_falls_silent_shows_whatever_the_clock_says),
        cmocka_unit_test(a_finding_opens_once_and_closes_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
