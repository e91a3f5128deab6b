#include "testing.h"

#include <unistd.h>

#include "base/clock.h"
#include "live/run.h"

/* What goes wrong before a packet is seen, and the loopback interface where it may be captured. The rest is in
 * tests/lab. */

static struct policy *p;

static int start(void **state)
{
    (void)state;
    p = policy_new_default(NULL);
    return p ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    policy_free(p);
    return 0;
}

static int open_on(const char *const *interfaces, size_t n, const char *filter, struct live_run **ret,
                   struct error *error)
{
    struct live_run_options o = {.interfaces = interfaces,
                                 .interface_count = n,
                                 .policy = p,
                                 .key = {1, 2},
                                 .filter = filter,
                                 .look_ns = 20 * NS_PER_MS,
                                 .max_packets = 0};
    return live_run_open(&o, ret, error);
}

static void what_cannot_be_opened_is_named(void **state)
{
    (void)state;
    static const char *const missing[] = {"nosuch0"}, *const twice[] = {"lo", "lo"}, *const lo[] = {"lo"};
    struct live_run *l = NULL;
    struct error error = {.text = ""};
    int r = open_on(missing, 1, NULL, &l, &error);
    if (r == ERR_UNSUPPORTED)
        skip();
    assert_int_equal(r, ERR_USAGE);
    assert_non_null(strstr(error.text, "nosuch0"));
    assert_int_equal(open_on(twice, 2, NULL, &l, &error), ERR_USAGE);
    assert_non_null(strstr(error.text, "twice"));
    assert_int_equal(open_on(lo, 1, "udp prot 7", &l, &error), ERR_USAGE);
    assert_non_null(strstr(error.text, "udp prot 7"));
    assert_null(l);
    live_run_free(NULL);
}

static void looks_come_without_a_packet_too(void **state)
{
    (void)state;
    static const char *const lo[] = {"lo"};
    struct live_run *l = NULL;
    const struct live_view *v;
    struct error error = {.text = ""};
    int r = open_on(lo, 1, "udp port 1 and greater 60000", &l, &error);
    if (r == ERR_UNSUPPORTED)
        skip();
    assert_int_equal(r, 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(live_run_next(l, -1, &v, &error), LIVE_LOOK);
        assert_int_equal(v->document->record_count, 0);
        assert_int_equal(v->document->summary.verdict, SUMMARY_NOTHING_CHECKED);
        assert_int_equal(v->point_count, 1);
        assert_string_equal(v->points[0].name, "lo");
        assert_int_equal(v->points[0].state, LIVE_POINT_UP);
        assert_null(v->interval);
        assert_ptr_equal(v->policy, p);
    }
    assert_int_equal(live_run_finish(l, &v, &error), 0);
    assert_non_null(v->interval);
    assert_int_equal(v->interval->packets, 0);
    assert_int_equal(live_run_packets(l), 0);
    live_run_free(l);
}

/* The one that is read from is ready all the time: nothing may be waited for. */
static void a_wake_descriptor_ends_the_wait(void **state)
{
    (void)state;
    static const char *const lo[] = {"lo"};
    struct live_run *l = NULL;
    const struct live_view *v;
    struct error error = {.text = ""};
    int fds[2];
    int r = open_on(lo, 1, "udp port 1 and greater 60000", &l, &error);
    if (r == ERR_UNSUPPORTED)
        skip();
    assert_int_equal(r, 0);
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    int woken = 0;
    for (int i = 0; i < 200 && woken < 3; i++)
        woken += live_run_next(l, fds[0], &v, &error) == LIVE_WOKEN;
    assert_int_equal(woken, 3);
    (void)close(fds[0]);
    (void)close(fds[1]);
    live_run_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_cannot_be_opened_is_named, start, stop),
        cmocka_unit_test_setup_teardown(looks_come_without_a_packet_too, start, stop),
        cmocka_unit_test_setup_teardown(a_wake_descriptor_ends_the_wait, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
