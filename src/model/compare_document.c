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
        [COMPARE_WAY_UNKNOWN] = "way-unknown",
        [COMPARE_MIXED] = "mixed-marks",
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

uint64_t compare_class_sent(const struct compare_class *c)
{
    return c->matched + c->lost + c->unresolved[COMPARE_IDENTICAL] + c->unresolved[COMPARE_COPIES_DIFFER] +
           c->unresolved[COMPARE_FRAGMENTS];
}

const char *compare_class_name(enum traffic_class c)
{
    return c == CLASS_NONE ? "unclassified" : class_name(c);
}
