#include "cli/confine.h"

#include <unistd.h>

#include "cli/cli.h"

enum { OUTPUTS_MAX = 4 };

/* Of those that are put in place at the end; what is written directly is open. */
static void limit_writing(struct output *const *outputs, size_t count, struct privileges *p)
{
    const char *paths[OUTPUTS_MAX] = {NULL};
    size_t n = 0;
    for (size_t i = 0; i < count && n < OUTPUTS_MAX; i++)
        if (outputs[i] && outputs[i]->temporary)
            paths[n++] = outputs[i]->path;
    privileges_limit_writing(paths, n, p);
}

static void tell(const struct privileges *p, bool verbose)
{
    if (!p->was_root && !verbose)
        return;
    if (p->missing[0])
        (void)cli_fail(0, "note: %s", p->missing);
    if (p->folders[0])
        (void)cli_fail(0, "note: %s", p->folders);
}

static struct privileges keep_to_files(enum privileges_work work, struct output *const *outputs, size_t count)
{
    struct privileges p;
    privileges_keep_to_files(&p);
    limit_writing(outputs, count, &p);
    privileges_limit(work, &p);
    return p;
}

void confine_files(struct output *const *outputs, size_t count, bool verbose)
{
    struct privileges p = keep_to_files(PRIVILEGES_FILES, outputs, count);
    tell(&p, verbose);
}

void confine_policy(struct output *output, bool asks)
{
    struct privileges p = keep_to_files(asks ? PRIVILEGES_ASK : PRIVILEGES_FILES, &output, 1);
    tell(&p, false);
}

void confine_doctor(struct output *output)
{
    struct privileges p;
    privileges_gain_nothing(&p);
    limit_writing(&output, 1, &p);
}

void confine_doctor_report(struct output *output)
{
    (void)keep_to_files(PRIVILEGES_FILES, &output, 1);
}

int confine_rights(struct output *const *outputs, size_t count, struct privileges *ret, struct error *error)
{
    int r = 0;
    if (geteuid() == 0)
        for (size_t i = 0; i < count && r == 0; i++)
            r = outputs[i] ? output_keep_rights(outputs[i], error) : 0;
    if (r == 0)
        r = privileges_drop_rights(NULL, ret, error);
    if (r < 0)
        return r;
    limit_writing(outputs, count, ret);
    return 0;
}

void confine_network(enum privileges_work work, struct privileges *p, bool verbose)
{
    privileges_limit(work, p);
    tell(p, verbose);
}
