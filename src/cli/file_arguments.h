#ifndef QOSMARK_CLI_FILE_ARGUMENTS_H
#define QOSMARK_CLI_FILE_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/anonymize_arguments.h"
#include "cli/common.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "report/report.h"

/* What the commands take alike that read files and end with a report: audit, compare, report. */
struct file_arguments {
    struct policy_arguments policy;
    struct anonymize_arguments anonymize;
    const char **files; /* borrowed from argv */
    size_t file_count, stdin_count;
    const char *output;
    struct report_options report;
    enum color_choice color;
    bool policy_given; /* some option of the policy was */
    bool outer;        /* --layer outer */
    bool help, version;
    long jobs; /* 0: one a processor */
};

/* An option that only this command has. An exit status, after saying what is wrong where it is not 0. */
typedef int (*file_arguments_own)(void *user, const struct option_walk *w);

/* Reads the command line by `specs`, up to --version if that is there, and sees to it that a reader who goes away is an
 * error of writing and no signal. An exit status, as above. */
int file_arguments_take(struct file_arguments *a, int argc, char **argv, const struct option_spec *specs, size_t count,
                        file_arguments_own own, void *user);

/* Options that contradict each other. An exit status, as above. */
int file_arguments_check(const struct file_arguments *a);

/* How the report is to look, by where it goes. */
void file_arguments_settle(struct file_arguments *a);

void file_arguments_done(struct file_arguments *a);

#endif
