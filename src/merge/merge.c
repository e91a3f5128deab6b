#include "merge/merge.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "anonymize/anonymize.h"
#include "merge/internal.h"
#include "policy/diagnose.h"
#include "policy/judge.h"
#include "policy/merge_judge.h"
#include "report/records_saved.h"

static uint64_t file_bytes(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
}

static int read_files(struct merge *m, struct error *error)
{
    const struct merge_options *o = m->options;
    for (size_t i = 0; i < o->file_count; i++)
        m->bytes_total += file_bytes(o->files[i]);
    for (size_t i = 0; i < o->file_count; i++) {
        if (merge_read_file(m, o->files[i]) < 0 || m->set.failed)
            return error_set(error, ERR_MEMORY, "out of memory while the records were read");
        m->bytes_done += file_bytes(o->files[i]);
    }
    if (m->files_read == 0)
        return error_set(error, ERR_IO, "%s", m->problem_count ? m->problems[0].sentence : "nothing to read");
    return 0;
}

/* What the runs were told of stays where the policy that judges anew knows no node: names are better than guesses. */
static int lend_nodes(struct policy *p, const struct document *d, struct error *error)
{
    const struct node *own;
    const struct saved_origin *o = saved_origin_of(d);
    int r = 0;
    if (policy_nodes(p, &own) || !o)
        return 0;
    for (size_t i = 0; i < o->known_nodes && r == 0; i++) {
        const struct node *n = &d->nodes[i];
        struct strbuf argument = {0};
        if (n->inferred)
            continue;
        strbuf_addf(&argument, "%s", n->name);
        for (size_t k = 0; k < n->address_count; k++) {
            char text[ADDR_TEXT_MAX];
            addr_format(&n->addresses[k], text);
            strbuf_addf(&argument, "%c%s", k ? ',' : '=', text);
        }
        r = strbuf_ok(&argument) ? policy_add_node(p, argument.at, error)
                                 : error_set(error, ERR_MEMORY, "out of memory");
        strbuf_done(&argument);
    }
    return r;
}

/* The policies of before are the one of now. */
static bool note_one_policy(struct document *d)
{
    struct saved_origin *o = (struct saved_origin *)(uintptr_t)saved_origin_of(d);
    struct saved_policy *p = arena_alloc(&d->arena, sizeof *p);
    if (!o || !p)
        return !o;
    *p = (struct saved_policy){.name = d->policy_name, .source = d->policy_source, .priority = d->priority};
    memcpy(p->expect, d->expect, sizeof p->expect);
    o->policies = p;
    o->policy_count = 1;
    o->known_nodes = d->node_count;
    o->known_sites = d->site_count;
    return true;
}

/* Notes of the runs on how their nodes were found say nothing of those that are found now. */
static void forget_node_notes(struct document *d)
{
    static const char about_nodes[] = "No node was named";
    size_t kept = 0;
    for (size_t i = 0; i < d->note_count; i++)
        if (strncmp(d->notes[i], about_nodes, sizeof about_nodes - 1) != 0)
            d->notes[kept++] = d->notes[i];
    d->note_count = kept;
}

/* What a run's diagnosis noted may be noted again by that of all. */
static void drop_repeated_notes(struct document *d, size_t first_new)
{
    size_t kept = first_new;
    for (size_t i = first_new; i < d->note_count; i++) {
        bool repeated = false;
        for (size_t k = 0; k < first_new && !repeated; k++)
            repeated = strcmp(d->notes[k], d->notes[i]) == 0;
        if (!repeated)
            d->notes[kept++] = d->notes[i];
    }
    d->note_count = kept;
}

static int judge_anew(const struct merge_options *o, struct document *d, struct error *error)
{
    const char *const *notes;
    struct policy *judge = o->policy, *anonymous = NULL;
    size_t count = policy_notes(o->policy, &notes);
    bool ok = true;
    int r = lend_nodes(o->policy, d, error);
    forget_node_notes(d);
    for (size_t i = 0; i < count; i++)
        ok = ok && document_note(d, "%s", notes[i]);
    if (r == 0 && o->anonymizer) {
        saved_origin_strip(d);
        r = anonymize_policy(o->anonymizer, o->policy, &anonymous);
        judge = anonymous;
        if (r == 0)
            r = anonymize_streams(o->anonymizer, d);
    }
    if (r == 0 && ok)
        r = judge_document(d, judge);
    if (r == 0 && ok)
        r = diagnose_document(d, judge);
    policy_free(anonymous);
    if (r == 0 && !(ok && note_one_policy(d)))
        r = ERR_MEMORY;
    return r;
}

static int judge_as_saved(const struct merge_options *o, struct document *d)
{
    int r = 0;
    if (o->anonymizer) {
        saved_origin_strip(d);
        r = anonymize_streams(o->anonymizer, d);
    }
    if (r == 0)
        r = judge_saved(d);
    struct policy *p = r == 0 ? policy_of_records(d) : NULL;
    if (r == 0)
        r = p ? diagnose_document(d, p) : ERR_MEMORY;
    policy_free(p);
    return r;
}

static int judge(const struct merge_options *o, struct document *d, struct error *error)
{
    size_t notes = d->note_count;
    int r = o->policy ? judge_anew(o, d, error) : judge_as_saved(o, d);
    drop_repeated_notes(d, notes < d->note_count ? notes : d->note_count);
    return r;
}

int merge_run(const struct merge_options *options, struct document **ret, struct error *error)
{
    struct merge m = {.options = options};
    struct document *d = NULL;
    record_set_init(&m.set, &options->key);
    int r = read_files(&m, error);
    if (r == 0) {
        r = merge_streams(&m);
        if (r == 0)
            r = merge_document(&m, &d);
        if (r == 0)
            r = judge(options, d, error);
        if (r == ERR_LIMIT)
            (void)error_set(error, r, "the records name more than 60,000 nodes or sites");
        else if (r == ERR_MEMORY)
            (void)error_set(error, r, "out of memory while the report was made");
    }
    for (size_t i = 0; i < m.problem_count; i++)
        free(m.problems[i].sentence);
    free(m.problems);
    record_set_done(&m.set);
    if (r < 0) {
        document_free(d);
        return r;
    }
    *ret = d;
    return 0;
}
