#include "model/compare_document.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/notes.h"

struct compare_document *compare_document_new(void)
{
    struct compare_document *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->policy_name = d->policy_source = d->verdict_text = "";
    d->complete = true;
    return d;
}

void compare_document_free(struct compare_document *d)
{
    if (!d)
        return;
    arena_done(&d->arena);
    free(d->unmatched);
    free(d->notes);
    free(d);
}

const char *compare_document_text(struct compare_document *d, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *text = arena_vprintf(&d->arena, format, args);
    va_end(args);
    return text ? text : "";
}

bool compare_document_note(struct compare_document *d, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    bool added = notes_add(&d->notes, &d->note_count, &d->arena, format, args);
    va_end(args);
    return added;
}

const char *compare_way_name(enum compare_way w)
{
    static const char *const names[] = {
        [COMPARE_FORWARD] = "forward", [COMPARE_BACKWARD] = "backward", [COMPARE_BOTH] = "both"};
    return (unsigned)w < COMPARE_ROWS ? names[w] : "";
}

const char *compare_way_by_name(enum compare_way_by b)
{
    static const char *const names[] = {[COMPARE_WAY_ASSUMED] = "assumed",
                                        [COMPARE_WAY_TTL] = "ttl",
                                        [COMPARE_WAY_CLOCK] = "clock",
                                        [COMPARE_WAY_HOST] = "host"};
    return names[b];
}

const char *compare_why_name(enum compare_why w)
{
    static const char *const names[COMPARE_WHY_COUNT] = {
        [COMPARE_OUTSIDE] = "outside-window",      [COMPARE_IDENTICAL] = "identical",
        [COMPARE_COPIES_DIFFER] = "copies-differ", [COMPARE_CUT] = "cut",
        [COMPARE_FRAGMENTS] = "fragments",         [COMPARE_RESEGMENTED] = "resegmented",
        [COMPARE_WAY_UNKNOWN] = "way-unknown",     [COMPARE_MIXED] = "mixed-marks",
        [COMPARE_UNPROVEN] = "not-proven",
    };
    return names[w];
}

const char *compare_unpaired_name(enum compare_unpaired u)
{
    static const char *const names[COMPARE_UNPAIRED_COUNT] = {
        [COMPARE_PAIRED] = "",
        [COMPARE_NOT_SEEN] = "not-seen",
        [COMPARE_OTHER_TIME] = "outside-window",
        [COMPARE_AMBIGUOUS] = "ambiguous",
        [COMPARE_TAKEN] = "taken",
        [COMPARE_TOO_SHORT] = "too-short",
    };
    return names[u];
}

const char *compare_unpaired_text(enum compare_unpaired u)
{
    static const char *const texts[COMPARE_UNPAIRED_COUNT] = {
        [COMPARE_PAIRED] = "",
        [COMPARE_NOT_SEEN] = ("none of its packets is in the other capture: all were lost, went another way or were "
                              "rewritten, or that capture does not see them"),
        [COMPARE_OTHER_TIME] = "it was not sent while the other capture ran",
        [COMPARE_AMBIGUOUS] = "the other capture has the like of its packets in several streams or at another time: "
                              "nothing tells which are these",
        [COMPARE_TAKEN] = "the other capture has its packets in a stream that belongs to another one of this capture",
        [COMPARE_TOO_SHORT] = "its payloads are too short or were cut too short to find it behind other addresses",
    };
    return texts[u];
}

void compare_class_add(struct compare_class *to, const struct compare_class *from)
{
    to->streams += from->streams;
    to->matched += from->matched;
    to->changed += from->changed;
    to->wanted += from->wanted;
    to->lost += from->lost;
    to->appeared += from->appeared;
    to->reordered += from->reordered;
    to->ecn_marked += from->ecn_marked;
    to->ecn_cleared += from->ecn_cleared;
    for (int i = 0; i < DSCP_COUNT; i++)
        to->lost_by_dscp[i] += from->lost_by_dscp[i];
    for (int i = 0; i < COMPARE_WHY_COUNT; i++)
        to->unresolved[i] += from->unresolved[i];
}

static int by_mark_and_number(const void *a, const void *b)
{
    const struct compare_cell *x = a, *y = b;
    if (x->before != y->before)
        return x->before < y->before ? -1 : 1;
    return x->packets != y->packets ? (x->packets > y->packets ? -1 : 1)
                                    : (x->after > y->after) - (x->after < y->after);
}

void compare_class_sort(struct compare_class *c)
{
    if (c->cell_count)
        qsort(c->cells, c->cell_count, sizeof *c->cells, by_mark_and_number);
}

void compare_row_add_up(struct compare_row *row)
{
    row->streams = row->matched = row->changed = row->wanted = row->lost = 0;
    for (int c = 0; c < CLASS_COUNT; c++) {
        row->streams += row->classes[c].streams;
        row->matched += row->classes[c].matched;
        row->changed += row->classes[c].changed;
        row->wanted += row->classes[c].wanted;
        row->lost += row->classes[c].lost;
    }
}

uint64_t compare_class_sent(const struct compare_class *c)
{
    return c->matched + c->lost + c->unresolved[COMPARE_IDENTICAL] + c->unresolved[COMPARE_COPIES_DIFFER] +
           c->unresolved[COMPARE_FRAGMENTS] + c->unresolved[COMPARE_MIXED];
}

const char *compare_class_name(enum traffic_class c)
{
    return c == CLASS_NONE ? "unclassified" : class_name(c);
}
