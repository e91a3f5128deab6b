#include "testing.h"

#include <stdio.h>

#include "capture/building.h"
#include "engine/audit_each.h"

enum { FILES = 23, MICRO = (int)0xa1b2c3d4 };

static char names[FILES][128];
static const char *paths[FILES];

/* File i holds i frames; one is missing and one is cut. */
static void make_files(void)
{
    static struct bytes b;
    for (uint32_t i = 0; i < FILES; i++) {
        char name[32];
        b.len = 0;
        pcap_begin(&b, (uint32_t)MICRO, 65535, 1);
        for (uint32_t k = 0; k < i; k++)
            pcap_packet(&b, 1 + k, 0, 0, 60, 60);
        (void)snprintf(name, sizeof name, "each-%u.pcap", (unsigned)i);
        const char *path = i == 7 ? file_path("missing.pcap") : file_write(name, b.at, b.len - (i == 9 ? 1 : 0));
        (void)snprintf(names[i], sizeof names[i], "%s", path);
        paths[i] = names[i];
    }
}

struct seen {
    size_t count;
};

static void take(void *user, size_t file, int status, struct document *document, const struct error *error)
{
    struct seen *seen = user;
    assert_int_equal(file, seen->count++);
    if (file == 7) {
        assert_true(status < 0);
        assert_null(document);
        assert_non_null(strstr(error->text, "missing.pcap does not exist"));
        return;
    }
    assert_int_equal(status, 0);
    assert_int_equal(document->input_count, 1);
    assert_string_equal(document->inputs[0].file, paths[file]);
    assert_int_equal(document->inputs[0].packets, file == 9 ? 8 : file);
    assert_int_equal(document->inputs[0].complete, file != 9);
    document_free(document);
}

static void results_come_in_the_order_of_the_files_however_many_threads_there_are(void **state)
{
    (void)state;
    static const unsigned jobs[] = {0, 1, 2, 3, 8, 100};
    struct error error = {0};
    struct policy *policy = policy_new_default(&error);
    make_files();
    for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++) {
        struct seen seen = {0};
        struct audit_options options = {
            .files = paths, .file_count = FILES, .policy = policy, .key = {1, 2}, .jobs = jobs[i]};
        assert_int_equal(audit_each(&options, take, &seen), 0);
        assert_int_equal(seen.count, FILES);
    }
    policy_free(policy);
}

static void no_files_give_no_results(void **state)
{
    (void)state;
    struct seen seen = {0};
    struct audit_options options = {.jobs = 4};
    assert_int_equal(audit_each(&options, take, &seen), 0);
    assert_int_equal(seen.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_come_in_the_order_of_the_files_however_many_threads_there_are),
        cmocka_unit_test(no_files_give_no_results),
    };
    return cmocka_run_group_tests(tests, NULL, files_done);
}
