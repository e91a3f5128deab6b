#include "testing.h"

#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/frame_batch.h"
#include "capture/live.h"
#include "capture/live_link.h"

/*
 * The loopback interface, captured by whoever may: what a UDP socket of this test sent to itself is the truth. Where
 * capturing is not allowed, those tests are skipped; that it is refused with the right words is tested where it is.
 */

enum { LINKTYPE_ETHERNET = 1, LINKTYPE_LINUX_SLL = 113, LINKTYPE_LINUX_SLL2 = 276 };

static struct live *open_or_skip(const char *interface, const char *filter, uint32_t snap_bytes)
{
    struct live_options o = {.interface = interface, .filter = filter, .snap_bytes = snap_bytes};
    struct live *l = NULL;
    struct error error = {0};
    int r = live_open(&o, &l, &error);
    if (r == ERR_UNSUPPORTED)
        skip();
    if (r < 0)
        print_error("%s\n", error.text);
    assert_int_equal(r, 0);
    return l;
}

/* Sends `len` bytes to a socket of our own on `port`, with a TOS byte. Returns the port. */
static uint16_t send_to_self(size_t len, int tos, unsigned times)
{
    static const char bytes[4096];
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof a;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &size), 0);
    assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof tos), 0);
    for (unsigned i = 0; i < times; i++)
        assert_int_equal(sendto(fd, bytes, len, 0, (struct sockaddr *)&a, sizeof a), (ssize_t)len);
    (void)close(fd);
    return ntohs(a.sin_port);
}

static bool next_within(struct live *l, struct frame *ret)
{
    for (int tries = 0; tries < 200; tries++) {
        enum source_status status = live_next(l, ret);
        assert_int_not_equal(status, SOURCE_FAILED);
        if (status == SOURCE_FRAME)
            return true;
        struct pollfd p = {.fd = live_fd(l), .events = POLLIN};
        (void)poll(&p, 1, 50);
    }
    return false;
}

static void frames_of_loopback_have_their_mark_time_and_length(void **state)
{
    (void)state;
    struct frame f;
    struct live *l = open_or_skip("lo", "udp and greater 1242 and less 1242", 0);
    assert_int_equal(live_next(l, &f), SOURCE_END);
    (void)send_to_self(1200, 0xb8, 3);
    int64_t last_ns = 0;
    for (uint64_t i = 1; i <= 3; i++) {
        assert_true(next_within(l, &f));
        assert_int_equal(f.link_type, LINKTYPE_ETHERNET);
        assert_int_equal(f.captured_bytes, 14 + 20 + 8 + 1200);
        assert_int_equal(f.wire_bytes, 14 + 20 + 8 + 1200);
        assert_int_equal(f.number, i);
        assert_int_equal(f.bytes[14 + 1], 0xb8);
        assert_true(f.time_ns >= last_ns);
        assert_true(f.time_ns > 1000000000LL * 1000000000LL); /* later than 2001: nanoseconds, not microseconds */
        last_ns = f.time_ns;
    }
    assert_int_equal(live_next(l, &f), SOURCE_END);
    const struct source_input *in = live_input(l);
    assert_int_equal(in->frames, 3);
    assert_int_equal(in->bytes, 3 * (14 + 20 + 8 + 1200));
    assert_int_equal(in->dropped, 0);
    assert_int_equal(in->last_ns, last_ns);
    assert_true(in->complete);
    assert_string_equal(in->name, "lo");
    live_free(l);
}

static void the_snapshot_length_cuts_and_the_wire_length_stays(void **state)
{
    (void)state;
    struct frame f;
    struct live *l = open_or_skip("lo", "udp and greater 1343 and less 1343", 64);
    (void)send_to_self(1301, 0x88, 1);
    assert_true(next_within(l, &f));
    assert_int_equal(f.captured_bytes, 64);
    assert_int_equal(f.wire_bytes, 14 + 20 + 8 + 1301);
    assert_int_equal(f.bytes[14 + 1], 0x88);
    live_free(l);
}

/* Reads batches until `n` frames came, checked to be in their order and as long as they were sent. */
static void read_all(struct live *l, uint64_t n, uint32_t bytes)
{
    static struct frame_batch b;
    uint64_t seen = 0;
    for (int tries = 0; seen < n && tries < 400; tries++) {
        enum source_status status = live_read(l, &b);
        assert_int_not_equal(status, SOURCE_FAILED);
        if (status == SOURCE_END) {
            struct pollfd p = {.fd = live_fd(l), .events = POLLIN};
            (void)poll(&p, 1, 50);
            continue;
        }
        assert_in_range(b.count, 1, FRAME_BATCH_MAX);
        for (uint32_t i = 0; i < b.count; i++) {
            assert_int_equal(b.frames[i].number, ++seen);
            assert_int_equal(b.frames[i].input, 3);
            assert_int_equal(b.frames[i].captured_bytes, bytes);
            assert_int_equal(b.frames[i].bytes[14 + 1], 0xb8);
            assert_int_equal(b.frames[i].bytes[bytes - 1], 0);
        }
    }
    frame_batch_done(&b);
    assert_int_equal(seen, n);
    assert_int_equal(live_input(l)->frames, n);
    assert_int_equal(live_input(l)->dropped, 0);
}

/* One after the other and gathered by the kernel; small frames, and such as fill a batch's memory before its places. */
static void batches_hold_every_frame_in_its_order(void **state)
{
    (void)state;
    static const struct {
        uint32_t gather_ms, payload;
        unsigned frames;
    } cases[] = {{20, 172, 700}, {0, 172, 300}, {20, 4000, 300}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char filter[64];
        uint32_t bytes = 14 + 20 + 8 + cases[i].payload;
        struct live_options o = {
            .interface = "lo", .input = 3, .filter = filter, .buffer_bytes = 64 << 20, .gather_ms = cases[i].gather_ms};
        struct live *l = NULL;
        struct error error = {0};
        (void)snprintf(filter, sizeof filter, "udp and greater %u and less %u", bytes, bytes);
        int r = live_open(&o, &l, &error);
        if (r == ERR_UNSUPPORTED)
            skip();
        assert_int_equal(r, 0);
        (void)send_to_self(cases[i].payload, 0xb8, cases[i].frames);
        read_all(l, cases[i].frames, bytes);
        assert_int_equal(live_state(l), LIVE_STATE_UP);
        assert_int_equal(live_time(l), LIVE_CLOCK_HOST);
        live_free(l);
    }
}

static void a_filter_can_be_changed_and_a_wrong_one_leaves_the_old(void **state)
{
    (void)state;
    struct frame f;
    struct error error = {0};
    struct live *l = open_or_skip("lo", "udp and greater 1243 and less 1243", 0);
    assert_int_equal(live_set_filter(l, "udp prot 1", &error), ERR_USAGE);
    (void)send_to_self(1201, 0xb8, 1);
    assert_true(next_within(l, &f));
    assert_int_equal(live_set_filter(l, "udp and greater 1244 and less 1244", &error), 0);
    (void)send_to_self(1201, 0xb8, 1);
    (void)send_to_self(1202, 0xb8, 1);
    assert_true(next_within(l, &f));
    assert_int_equal(f.wire_bytes, 14 + 20 + 8 + 1202);
    live_free(l);
}

static void any_interface_comes_with_a_cooked_header(void **state)
{
    (void)state;
    struct frame f;
    struct live *l = open_or_skip("any", "udp[4:2] = 1117", 0);
    uint16_t port = send_to_self(1109, 0x68, 1);
    assert_true(next_within(l, &f));
    assert_true(f.link_type == LINKTYPE_LINUX_SLL2 || f.link_type == LINKTYPE_LINUX_SLL);
    size_t header = f.link_type == LINKTYPE_LINUX_SLL2 ? 20 : 16;
    assert_int_equal(f.captured_bytes, header + 20 + 8 + 1109);
    assert_int_equal(f.bytes[header + 1], 0x68);
    assert_int_equal(f.bytes[header + 22] << 8 | f.bytes[header + 23], port);
    live_free(l);
}

static void an_interface_that_is_not_there_is_named(void **state)
{
    (void)state;
    struct live_options o = {.interface = "nosuch0"};
    struct live *l = NULL;
    struct error error = {0};
    int r = live_open(&o, &l, &error);
    if (r == ERR_UNSUPPORTED)
        skip();
    assert_int_equal(r, ERR_USAGE);
    assert_null(l);
    assert_string_equal(error.text, "there is no interface nosuch0");
}

static void a_wrong_filter_is_quoted(void **state)
{
    (void)state;
    struct live_options o = {.interface = "lo", .filter = "tcp prot 5060"};
    struct live *l = NULL;
    struct error error = {0};
    int r = live_open(&o, &l, &error);
    if (r == ERR_UNSUPPORTED)
        skip();
    assert_int_equal(r, ERR_USAGE);
    assert_null(l);
    assert_non_null(strstr(error.text, "tcp prot 5060"));
}

/* As an ordinary user, in a process of its own. */
static void without_the_capability_it_says_what_to_do(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct live_options o = {.interface = "lo"};
        struct live *l = NULL;
        struct error error = {0};
        if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
            _exit(2);
        int r = live_open(&o, &l, &error);
        live_free(l);
        _exit(r == ERR_UNSUPPORTED && strstr(error.text, "CAP_NET_RAW") && strstr(error.text, "lo") ? 0
              : r == 0                                                                              ? 3
                                                                                                    : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 3 || WEXITSTATUS(status) == 2)
        skip(); /* whoever runs this keeps the capability */
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* Columns as in proc(5). */
static void what_was_dropped_is_read_from_the_kernels_table(void **state)
{
    static const char table[] =
        "Inter-|   Receive                                                |  Transmit\n"
        " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls\n"
        "    lo: 1000      10    0    0    0     0          0         0     1000      10    0    0    0     0\n"
        "  eth0: 98765432 1234    9   70    5     3          0        11 12345678    4321    8   21   13     0\n"
        "eth0.1:1 2 3 400 6000 0 0 0 0 0 0 0 0 0 0 0\n"
        "  eth1: 1 1";
    struct slice text = slice_make(table, sizeof table - 1);
    (void)state;
    assert_int_equal(live_link_count(text, "lo"), 0);
    assert_int_equal(live_link_count(text, "eth0"), 75);
    assert_int_equal(live_link_count(text, "eth0.1"), 6400);
    assert_int_equal(live_link_count(text, "eth1"), 0);
    assert_int_equal(live_link_count(text, "eth"), 0);
    assert_int_equal(live_link_count(text, NULL), 6475);
    assert_int_equal(live_link_count(slice_make("", 0), NULL), 0);
}

/* /proc/net/dev with a number of frames that lo dropped, in a file without a name. */
static int counters_of(unsigned dropped)
{
    FILE *f = tmpfile();
    assert_non_null(f);
    assert_true(fprintf(f, "  lo: 1 1 0 %u 0 0 0 0 1 1 0 0 0 0 0 0\n", dropped) > 0);
    assert_int_equal(fflush(f), 0);
    int fd = dup(fileno(f));
    assert_true(fd >= 0 && fclose(f) == 0);
    return fd;
}

static void count_with(struct live_link *k, int fd)
{
    (void)close(k->counters);
    k->counters = fd;
}

static void counters_that_cannot_be_read_for_a_moment_make_no_loss(void **state)
{
    struct live_link k = {.socket = -1, .counters = counters_of(1000)};
    int ends[2];
    (void)state;
    live_link_begin(&k);
    assert_int_equal(live_link_dropped(&k), 0);
    assert_int_equal(pipe(ends), 0); /* which cannot be read from a place */
    count_with(&k, ends[0]);
    assert_int_equal(live_link_dropped(&k), 0);
    count_with(&k, counters_of(1003));
    assert_int_equal(live_link_dropped(&k), 3);

    /* nor where the first count fails: what was dropped before is not this capture's */
    struct live_link late = {.socket = -1, .counters = ends[1]};
    live_link_begin(&late);
    count_with(&late, counters_of(1000));
    assert_int_equal(live_link_dropped(&late), 0);
    count_with(&late, counters_of(1002));
    assert_int_equal(live_link_dropped(&late), 2);
    live_link_done(&k);
    live_link_done(&late);
}

static void nothing_is_freed_without_harm(void **state)
{
    (void)state;
    live_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_of_loopback_have_their_mark_time_and_length),
        cmocka_unit_test(the_snapshot_length_cuts_and_the_wire_length_stays),
        cmocka_unit_test(batches_hold_every_frame_in_its_order),
        cmocka_unit_test(a_filter_can_be_changed_and_a_wrong_one_leaves_the_old),
        cmocka_unit_test(any_interface_comes_with_a_cooked_header),
        cmocka_unit_test(an_interface_that_is_not_there_is_named),
        cmocka_unit_test(a_wrong_filter_is_quoted),
        cmocka_unit_test(without_the_capability_it_says_what_to_do),
        cmocka_unit_test(what_was_dropped_is_read_from_the_kernels_table),
        cmocka_unit_test(counters_that_cannot_be_read_for_a_moment_make_no_loss),
        cmocka_unit_test(nothing_is_freed_without_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
