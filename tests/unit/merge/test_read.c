#include "testing.h"

#include <stdio.h>

#include "merge/internal.h"

static const struct merge_options options = {.key = {1, 2}};

/* What the set holds after `text`, `times` over, was read as a file. */
static struct merge read_text(const char *text, unsigned times)
{
    struct merge m = {.options = &options};
    char path[32];
    FILE *file = tmpfile();
    assert_non_null(file);
    for (unsigned i = 0; i < times; i++)
        assert_true(fputs(text, file) >= 0);
    assert_int_equal(fflush(file), 0);
    rewind(file);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fileno(file));
    record_set_init(&m.set, &options.key);
    assert_int_equal(merge_read_file(&m, path), 0);
    (void)fclose(file);
    return m;
}

static void merge_done(struct merge *m)
{
    for (size_t i = 0; i < m->problem_count; i++)
        free(m->problems[i].sentence);
    free(m->problems);
    record_set_done(&m->set);
}

/* A file is read in the memory that what is in it needs, not in what it has of brackets. */
static void brackets_alone_are_no_runs(void **state)
{
    (void)state;
    struct merge m = read_text("{\n", 1000);
    assert_int_equal(m.set.run_count, 0);
    assert_int_equal(m.set.count, 0);
    assert_int_equal(m.problem_count, 1); /* one sentence, with how many there are */
    merge_done(&m);
}

static void documents_are_runs(void **state)
{
    (void)state;
    struct merge m = read_text("{\n\"schema\": \"qosmark.audit/1\",\n\"notes\": [\"a\"]\n}\n", 3);
    assert_int_equal(m.set.run_count, 3);
    assert_int_equal(m.set.runs[2].note_count, 1);
    assert_int_equal(m.problem_count, 0);
    merge_done(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(brackets_alone_are_no_runs),
        cmocka_unit_test(documents_are_runs),
    };
    return cmocka_run_group_tests_name("merge_read", tests, NULL, NULL);
}
