#include "model/record.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct document *document_new(void)
{
    struct document *d = calloc(1, sizeof *d);
    if (d) {
        d->policy_name = "";
        d->policy_source = "";
    }
    return d;
}

void document_free(struct document *d)
{
    if (!d)
        return;
    free(d->records);
    free(d->notes);
    arena_done(&d->arena);
    free(d);
}

bool document_note(struct document *d, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const char *copy = arena_copy(&d->arena, text, strlen(text));
    const char **notes = realloc(d->notes, (d->note_count + 1) * sizeof *notes);
    if (notes)
        d->notes = notes;
    if (!copy || !notes)
        return false;
    d->notes[d->note_count++] = copy;
    return true;
}

/* A call is as bad as its worst stream: violating, then undetermined, then conforming; unchecked says nothing. */
static enum verdict worse_verdict(enum verdict a, enum verdict b)
{
    static const int rank[] = {[VERDICT_UNCHECKED] = 0, [VERDICT_CONFORMING] = 1, [VERDICT_UNDETERMINED] = 2, [VERDICT_VIOLATING] = 3};
    return rank[a] >= rank[b] ? a : b;
}

bool document_link_calls(struct document *d)
{
    size_t total = 0;
    for (size_t i = 0; i < d->call_count; i++) {
        d->calls[i].stream_count = 0;
        d->calls[i].verdict = VERDICT_UNCHECKED;
    }
    for (size_t i = 0; i < d->record_count; i++) {
        if (d->records[i].call) {
            d->calls[d->records[i].call - 1].stream_count++;
            total++;
        }
    }
    uint32_t *streams = arena_alloc(&d->arena, (total + 1) * sizeof *streams);
    uint32_t **fill = calloc(d->call_count + 1, sizeof *fill);
    if (!streams || !fill) {
        free(fill);
        return false;
    }
    for (size_t i = 0; i < d->call_count; i++) {
        fill[i] = streams;
        d->calls[i].streams = streams;
        streams += d->calls[i].stream_count;
    }
    for (size_t i = 0; i < d->record_count; i++) {
        const struct record *r = &d->records[i];
        if (r->call) {
            struct call *c = &d->calls[r->call - 1];
            *fill[r->call - 1]++ = (uint32_t)i;
            c->verdict = worse_verdict(c->verdict, r->verdict);
        }
    }
    free(fill);
    return true;
}

static const char *const direction_names[] = {
    [DIRECTION_UNATTRIBUTED] = "unattributed",
    [DIRECTION_FROM_NODE] = "from-node",
    [DIRECTION_TO_NODE] = "to-node",
    [DIRECTION_BETWEEN_NODES] = "between-nodes",
};

static const char *const verdict_names[] = {
    [VERDICT_UNCHECKED] = "unchecked",
    [VERDICT_CONFORMING] = "conforming",
    [VERDICT_VIOLATING] = "violating",
    [VERDICT_UNDETERMINED] = "undetermined",
};

static const char *const finding_names[FINDING_CODE_COUNT] = {
    [FINDING_BLEACHED] = "bleached",
    [FINDING_TOS_PRECEDENCE_BLEACHED] = "tos-precedence-bleached",
    [FINDING_TOS_PRECEDENCE_REMARKED] = "tos-precedence-remarked",
    [FINDING_LOW_BITS_BLEACHED] = "low-bits-bleached",
    [FINDING_REMARKED] = "remarked",
    [FINDING_UNSHIFTED] = "unshifted",
    [FINDING_NEVER_MARKED] = "never-marked",
    [FINDING_ONE_WAY] = "one-way",
    [FINDING_CHANGED_MIDSTREAM] = "changed-midstream",
    [FINDING_INTERMITTENT] = "intermittent",
    [FINDING_UNMARKED_START] = "unmarked-start",
    [FINDING_RTCP_DIFFERS] = "rtcp-differs",
    [FINDING_CLASS_SWAPPED] = "class-swapped",
    [FINDING_TUNNEL_DIFFERS] = "tunnel-differs",
    [FINDING_UNENTITLED_PRIORITY] = "unentitled-priority",
    [FINDING_NOT_VERIFIABLE] = "not-verifiable",
};

static const struct {
    enum node_role role;
    const char *name;
} role_names[] = {
    {ROLE_CALLBRIDGE, "callbridge"}, {ROLE_XMPP, "xmpp"},         {ROLE_WEBBRIDGE, "webbridge"},
    {ROLE_TURN, "turn"},             {ROLE_DATABASE, "database"}, {ROLE_LOADBALANCER, "loadbalancer"},
    {ROLE_RECORDER, "recorder"},     {ROLE_STREAMER, "streamer"}, {ROLE_WEBADMIN, "webadmin"},
};

const char *direction_name(enum direction d)
{
    return direction_names[d];
}

const char *verdict_name(enum verdict v)
{
    return verdict_names[v];
}

const char *finding_code_name(enum finding_code code)
{
    return finding_names[code];
}

bool finding_code_parse(struct slice text, enum finding_code *ret)
{
    for (int i = 0; i < FINDING_CODE_COUNT; i++) {
        if (slice_equal(text, slice_make(finding_names[i], strlen(finding_names[i])))) {
            *ret = (enum finding_code)i;
            return true;
        }
    }
    return false;
}

const char *role_name(enum node_role role)
{
    for (size_t i = 0; i < sizeof role_names / sizeof role_names[0]; i++)
        if (role_names[i].role == role)
            return role_names[i].name;
    return "";
}

bool role_parse(struct slice text, enum node_role *ret)
{
    for (size_t i = 0; i < sizeof role_names / sizeof role_names[0]; i++) {
        if (slice_equal(text, slice_make(role_names[i].name, strlen(role_names[i].name)))) {
            *ret = role_names[i].role;
            return true;
        }
    }
    return false;
}
