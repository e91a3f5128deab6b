#include "testing.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bus/spill.h"

static char path[64];

static int setup(void **state)
{
    (void)state;
    (void)snprintf(path, sizeof path, "/tmp/qosmark-spill-%ld", (long)getpid());
    (void)unlink(path);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    (void)unlink(path);
    return 0;
}

static struct spill *open_spill(uint64_t bytes)
{
    struct spill *s = NULL;
    struct error error = {0};
    if (spill_open(path, bytes, &s, &error) < 0)
        fail_msg("%s", error.text);
    return s;
}

/* Message `i` has a body whose length and bytes follow from `i`. */
static size_t body_of(unsigned i, char body[static 2048])
{
    size_t len = i * 7919 % 1500;
    for (size_t k = 0; k < len; k++)
        body[k] = (char)('a' + (i + k) % 26);
    return len;
}

static int put_one(struct spill *s, unsigned i)
{
    char id[32], body[2048];
    size_t len = body_of(i, body);
    (void)snprintf(id, sizeof id, "id %u", i);
    return spill_put(s, SLICE("a.subject"), slice_make(id, strlen(id)), slice_make(body, len));
}

static unsigned check_message(const struct spill_message *m)
{
    char id[32], body[2048];
    unsigned i = 0;
    assert_true(m->id.len < sizeof id);
    slice_copy(m->id, id, sizeof id);
    assert_int_equal(sscanf(id, "id %u", &i), 1);
    assert_true(slice_equal(m->subject, SLICE("a.subject")));
    assert_int_equal(m->body.len, body_of(i, body));
    assert_true(m->body.len == 0 || memcmp(m->body.at, body, m->body.len) == 0);
    return i;
}

static unsigned take_one(struct spill *s)
{
    struct spill_message m;
    assert_true(spill_next(s, &m));
    unsigned i = check_message(&m);
    spill_done(s, m.number);
    return i;
}

static void messages_come_out_as_they_went_in(void **state)
{
    struct spill *s = open_spill(SPILL_BYTES_MIN);
    struct spill_message m;
    (void)state;
    for (unsigned i = 0; i < 50; i++)
        assert_int_equal(put_one(s, i), 0);
    assert_int_equal(spill_stats(s).messages, 50);
    for (unsigned i = 0; i < 50; i++)
        assert_int_equal(take_one(s), i);
    assert_false(spill_next(s, &m));
    assert_int_equal(spill_stats(s).messages, 0);
    assert_int_equal(spill_stats(s).bytes, 0);
    spill_close(s);
}

static void the_ring_goes_round_and_stays_in_order(void **state)
{
    struct spill *s = open_spill(SPILL_BYTES_MIN);
    unsigned in = 0, out = 0;
    struct stat st;
    (void)state;
    for (unsigned round = 0; round < 40; round++) {
        while (put_one(s, in) == 0)
            in++;
        assert_string_equal(spill_problem(s), "the file is full");
        for (unsigned i = 0; i < 13 + round; i++)
            assert_int_equal(take_one(s), out++);
    }
    while (out < in)
        assert_int_equal(take_one(s), out++);
    assert_int_equal(spill_stats(s).damaged, 0);
    assert_int_equal(stat(path, &st), 0);
    assert_true(st.st_size <= SPILL_BYTES_MIN + 4096);
    assert_true(in > 1000);
    spill_close(s);
}

static void what_waited_is_there_after_a_restart(void **state)
{
    struct spill *s = open_spill(SPILL_BYTES_MIN);
    unsigned in = 0, out = 0;
    (void)state;
    /* each time with another place of head and tail, some of them behind the end of the ring */
    for (unsigned round = 0; round < 30; round++) {
        while (spill_stats(s).bytes < 40000 && put_one(s, in) == 0)
            in++;
        for (unsigned i = 0; i < 17; i++)
            assert_int_equal(take_one(s), out++);
        spill_close(s);
        s = open_spill(SPILL_BYTES_MIN);
        assert_int_equal(spill_stats(s).messages, in - out);
        assert_int_equal(spill_stats(s).damaged, 0);
    }
    while (out < in)
        assert_int_equal(take_one(s), out++);
    spill_close(s);
}

static void what_was_not_done_is_given_again(void **state)
{
    struct spill *s = open_spill(SPILL_BYTES_MIN);
    struct spill_message m;
    (void)state;
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(put_one(s, i), 0);
    assert_true(spill_next(s, &m));
    uint64_t first = m.number;
    assert_true(spill_next(s, &m));
    spill_done(s, m.number); /* the second is, the first is not: both have their room still */
    assert_int_equal(spill_stats(s).messages, 10);
    spill_rewind(s);
    assert_true(spill_next(s, &m));
    assert_true(m.number == first);
    assert_int_equal(check_message(&m), 0);
    spill_close(s);
}

/* A process that is killed while it writes: what it had said to have put is there, and nothing else. */
static void killed_at_any_moment_it_loses_nothing_that_was_put(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 15; round++) {
        int pipes[2];
        unsigned said = 0, number;
        (void)unlink(path);
        assert_int_equal(pipe(pipes), 0);
        pid_t child = fork();
        if (child == 0) {
            struct spill *s = NULL;
            (void)close(pipes[0]);
            if (spill_open(path, 4 * SPILL_BYTES_MIN, &s, NULL) < 0)
                _exit(1);
            for (unsigned i = 0;; i++) {
                struct spill_message m;
                if (i >= 64 && spill_next(s, &m))
                    spill_done(s, m.number);
                if (put_one(s, i) < 0 || write(pipes[1], &i, sizeof i) != sizeof i)
                    _exit(1);
            }
        }
        (void)close(pipes[1]);
        for (unsigned i = 0; i < 300 + round * 137; i++)
            if (read(pipes[0], &number, sizeof number) == (ssize_t)sizeof number)
                said = number;
        (void)kill(child, SIGKILL);
        while (read(pipes[0], &number, sizeof number) == (ssize_t)sizeof number)
            said = number;
        (void)waitpid(child, NULL, 0);
        (void)close(pipes[0]);
        struct spill *s = open_spill(4 * SPILL_BYTES_MIN);
        struct spill_message m;
        unsigned count = 0, last = 0;
        while (spill_next(s, &m)) {
            unsigned i = check_message(&m);
            assert_true(count == 0 || i == last + 1);
            last = i;
            count++;
            spill_done(s, m.number);
        }
        assert_true(last == said || last == said + 1); /* the one after was put, and not said */
        assert_true(count >= 63); /* 64, but for a moment between the oldest that goes and the newest that comes */
        assert_int_equal(spill_stats(s).damaged, 0);
        spill_close(s);
    }
}

static void overwrite(off_t at, size_t bytes)
{
    char junk[256];
    int fd = open(path, O_WRONLY);
    assert_true(fd >= 0 && bytes <= sizeof junk);
    memset(junk, 0x5a, bytes);
    assert_int_equal(pwrite(fd, junk, bytes, at), bytes);
    (void)close(fd);
}

static void a_damaged_message_is_passed_over_and_counted(void **state)
{
    (void)state;
    /* wherever the damage is, all others come */
    for (off_t at = 4096; at < 4096 + 8000; at += 212) {
        (void)unlink(path);
        struct spill *s = open_spill(SPILL_BYTES_MIN);
        struct spill_message m;
        unsigned count = 0;
        for (unsigned i = 0; i < 12; i++)
            assert_int_equal(put_one(s, i), 0);
        spill_close(s);
        overwrite(at, 4);
        s = open_spill(SPILL_BYTES_MIN);
        while (spill_next(s, &m)) {
            (void)check_message(&m);
            spill_done(s, m.number);
            count++;
        }
        /* the last one that is damaged looks like one that was never put */
        assert_true(count >= 11);
        assert_true(count + spill_stats(s).damaged <= 12);
        assert_int_equal(spill_stats(s).messages, 0);
        spill_close(s);
    }
}

static void a_message_damaged_while_open_is_passed_over(void **state)
{
    struct spill *s = open_spill(SPILL_BYTES_MIN);
    (void)state;
    for (unsigned i = 0; i < 12; i++)
        assert_int_equal(put_one(s, i), 0);
    overwrite(4096 + 20, 4);      /* the first message's length: it is 24 + 9 + 4 bytes, in 64 */
    overwrite(4096 + 64 + 30, 4); /* the second one's subject */
    for (unsigned i = 2; i < 12; i++)
        assert_int_equal(take_one(s), i);
    assert_int_equal(spill_stats(s).messages, 0);
    assert_int_equal(spill_stats(s).damaged, 2);
    spill_close(s);
}

static void one_head_is_enough(void **state)
{
    (void)state;
    for (int which = 0; which < 2; which++) {
        (void)unlink(path);
        struct spill *s = open_spill(SPILL_BYTES_MIN);
        for (unsigned i = 0; i < 5; i++)
            assert_int_equal(put_one(s, i), 0);
        spill_close(s);
        overwrite(which * 512 + 20, 8);
        s = open_spill(SPILL_BYTES_MIN);
        assert_int_equal(spill_stats(s).messages, 5);
        assert_int_equal(take_one(s), 0);
        spill_close(s);
    }
}

static void without_a_head_it_begins_anew_and_says_so(void **state)
{
    struct spill *s = open_spill(SPILL_BYTES_MIN);
    (void)state;
    assert_int_equal(put_one(s, 1), 0);
    spill_close(s);
    overwrite(20, 8);
    overwrite(532, 8);
    s = open_spill(SPILL_BYTES_MIN);
    assert_int_equal(spill_stats(s).messages, 0);
    assert_int_equal(spill_stats(s).damaged, 1);
    assert_int_equal(put_one(s, 2), 0);
    assert_int_equal(take_one(s), 2);
    spill_close(s);
}

static void a_full_disk_is_said_and_what_was_there_stays(void **state)
{
    struct rlimit was, now;
    struct spill *s = open_spill(64 * SPILL_BYTES_MIN);
    unsigned in = 0;
    (void)state;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    now = (struct rlimit){.rlim_cur = 20000, .rlim_max = was.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
    int r;
    while ((r = put_one(s, in)) == 0)
        in++;
    int again = put_one(s, in);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    assert_int_equal(r, ERR_IO);
    assert_int_equal(again, ERR_IO);
    assert_string_equal(spill_problem(s), strerror(EFBIG));
    assert_true(in > 5);
    for (unsigned i = 0; i < 5; i++, in++) /* room again */
        assert_int_equal(put_one(s, in), 0);
    for (unsigned i = 0; i < in; i++)
        assert_int_equal(take_one(s), i);
    assert_int_equal(spill_stats(s).damaged, 0);
    spill_close(s);
}

static void a_file_of_something_else_is_left_alone(void **state)
{
    struct spill *s = NULL;
    struct error error = {0};
    char text[8] = {0};
    (void)state;
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, "letters", 7), 7);
    (void)close(fd);
    assert_int_equal(spill_open(path, SPILL_BYTES_MIN, &s, &error), ERR_USAGE);
    assert_non_null(strstr(error.text, "no file of messages that wait"));
    fd = open(path, O_RDONLY);
    assert_int_equal(read(fd, text, 8), 7);
    (void)close(fd);
    assert_string_equal(text, "letters");
}

static void two_do_not_share_a_file(void **state)
{
    struct spill *s = open_spill(SPILL_BYTES_MIN), *other = NULL;
    struct error error = {0};
    (void)state;
    assert_int_equal(spill_open(path, SPILL_BYTES_MIN, &other, &error), ERR_USAGE);
    assert_non_null(strstr(error.text, "another process"));
    spill_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(messages_come_out_as_they_went_in, setup, teardown),
        cmocka_unit_test_setup_teardown(the_ring_goes_round_and_stays_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(what_waited_is_there_after_a_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_not_done_is_given_again, setup, teardown),
        cmocka_unit_test_setup_teardown(killed_at_any_moment_it_loses_nothing_that_was_put, setup, teardown),
        cmocka_unit_test_setup_teardown(a_damaged_message_is_passed_over_and_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(a_message_damaged_while_open_is_passed_over, setup, teardown),
        cmocka_unit_test_setup_teardown(one_head_is_enough, setup, teardown),
        cmocka_unit_test_setup_teardown(without_a_head_it_begins_anew_and_says_so, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_disk_is_said_and_what_was_there_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_of_something_else_is_left_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(two_do_not_share_a_file, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
