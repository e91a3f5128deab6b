/*
 * Documents: what stream/ and capture/ know is replaced before policy/ looks at it.
 */
#include <stdlib.h>
#include <string.h>

#include "anonymize/internal.h"
#include "base/slots.h"
#include "model/compare_document.h"

/* Names that were replaced once, for records are made again and again. */
struct known_name {
    const char *from, *to;
    enum anonymize_sort sort;
};

/* The layer that stands before the one that makes the records. */
struct anonymous_layer {
    struct anonymizer *a;
    struct record_layer inner;
    struct hash_key key;
    struct arena names;
    struct slots slots;
    struct known_name *known;
    size_t known_count, known_cap;
};

static bool make_room(struct anonymous_layer *l)
{
    if (l->known_count < l->known_cap)
        return true;
    size_t cap = l->known_cap ? 2 * l->known_cap : 64;
    struct known_name *known = cap < UINT32_MAX ? realloc(l->known, cap * sizeof *known) : NULL;
    if (!known)
        return false;
    l->known = known;
    l->known_cap = cap;
    return true;
}

/* The token of a name; `failed` is said where there is no memory for it. */
static const char *known_name(struct anonymous_layer *l, enum anonymize_sort sort, const char *name, bool *failed)
{
    if (!name || !*name)
        return "";
    uint32_t tag = (uint32_t)hash_bytes(&l->key, name, strlen(name)) + (uint32_t)sort, found;
    for (uint32_t place = slots_first(&l->slots, tag); slots_next(&l->slots, tag, &place, &found);)
        if (l->known[found].sort == sort && strcmp(l->known[found].from, name) == 0)
            return l->known[found].to;
    struct known_name n = {arena_copy(&l->names, name, strlen(name)), anonymize_name(l->a, sort, name, &l->names),
                           sort};
    if (!n.from || !n.to || !make_room(l) || !slots_add(&l->slots, tag, (uint32_t)l->known_count)) {
        *failed = true;
        return "";
    }
    l->known[l->known_count++] = n;
    return n.to;
}

static void fill(void *own, const struct document *d, size_t i, unsigned parts, struct record_scratch *s)
{
    struct anonymous_layer *l = own;
    struct record *r = &s->record;
    l->inner.fill(l->inner.own, d, i, parts, s);
    r->src.addr = anonymize_addr(l->a, &r->src.addr);
    r->dst.addr = anonymize_addr(l->a, &r->dst.addr);
    if (!(parts & RECORD_WORDS))
        return;
    r->codec = known_name(l, ANONYMIZE_CODEC, r->codec, &s->failed);
    r->server_name = known_name(l, ANONYMIZE_HOST, r->server_name, &s->failed);
}

static void layer_free(void *own)
{
    struct anonymous_layer *l = own;
    if (!l)
        return;
    if (l->inner.free)
        l->inner.free(l->inner.own);
    arena_done(&l->names);
    slots_done(&l->slots);
    free(l->known);
    free(l);
}

static int wrap(struct anonymizer *a, struct document *d)
{
    struct anonymous_layer *l = calloc(1, sizeof *l);
    if (!l)
        return ERR_MEMORY;
    l->a = a;
    l->inner = d->streams;
    l->key = d->key;
    d->streams = (struct record_layer){.own = l, .fill = fill, .free = layer_free};
    return 0;
}

/* ---- what a document has beside its records ---- */

static bool set(const char **text, const char *made)
{
    *text = made;
    return made != NULL;
}

static bool replace_calls(struct anonymizer *a, struct document *d)
{
    bool ok = true;
    for (size_t i = 0; d->calls && i < d->calls_given; i++) {
        struct call *c = &d->calls[i];
        ok &= set(&c->call_id, anonymize_name(a, ANONYMIZE_CALL, c->call_id, &d->arena));
        ok &= set(&c->from, anonymize_uri(a, c->from, &d->arena));
        ok &= set(&c->to, anonymize_uri(a, c->to, &d->arena));
        ok &= set(&c->user_agent, anonymize_name(a, ANONYMIZE_AGENT, c->user_agent, &d->arena));
    }
    return ok;
}

/* The part of a name behind its last stroke: what a sentence may call a file. */
static const char *last_part(const char *name)
{
    const char *stroke = strrchr(name, '/');
    return stroke && stroke[1] ? stroke + 1 : name;
}

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Whether the name stands there, and not in the middle of a word: a point may be called "a". */
static bool stands_at(const char *text, bool behind_word, const char *name, size_t len)
{
    return len && strncmp(text, name, len) == 0 && !(behind_word && is_word(name[0])) &&
           !(is_word(name[len - 1]) && is_word(text[len]));
}

/* Which of the names the text begins with, the longest; whole names go before their last parts, which several may
 * share. SIZE_MAX: none. */
static size_t name_at(const char *text, bool behind_word, const char *const *names, size_t n, size_t *ret_len)
{
    size_t best = SIZE_MAX;
    *ret_len = 0;
    for (int parts = 0; parts < 2 && best == SIZE_MAX; parts++) {
        for (size_t i = 0; i < n; i++) {
            const char *name = parts ? last_part(names[i]) : names[i];
            size_t len = strlen(name);
            if (len > *ret_len && stands_at(text, behind_word, name, len)) {
                best = i;
                *ret_len = len;
            }
        }
    }
    return best;
}

/* The text with each name in it replaced, and each last part of one. NULL without memory. */
static const char *replace_names(const char *text, const char *const *names, const char *const *tokens, size_t n,
                                 struct arena *arena)
{
    struct strbuf b = {0};
    for (const char *at = text; *at;) {
        size_t taken, which = name_at(at, at > text && is_word(at[-1]), names, n, &taken);
        if (taken)
            strbuf_adds(&b, tokens[which]);
        else
            strbuf_addc(&b, *at);
        at += taken ? taken : 1;
    }
    const char *made = strbuf_ok(&b) ? arena_copy(arena, strbuf_text(&b), b.len) : NULL;
    strbuf_done(&b);
    return made;
}

static bool replace_input(struct anonymizer *a, struct input *in, struct arena *arena)
{
    const char *token = anonymize_name(a, ANONYMIZE_INPUT, in->file, arena);
    if (!token || !set(&in->problem, replace_names(in->problem, &in->file, &token, 1, arena)))
        return false;
    in->file = token;
    return !in->point || set(&in->point, anonymize_name(a, ANONYMIZE_INPUT, in->point, arena));
}

/* The names of the inputs: their files, and behind these what records call them. */
static void list_names(const struct document *d, const char **to)
{
    for (size_t i = 0; i < d->input_count; i++) {
        to[i] = d->inputs[i].file;
        to[d->input_count + i] = input_point(&d->inputs[i]);
    }
}

/* A note that the engine made of an input names it. */
static bool replace_notes(struct anonymizer *a, struct document *d, const char *const *names)
{
    const char **tokens = arena_alloc(&d->arena, (2 * d->input_count + 1) * sizeof *tokens);
    bool ok = tokens != NULL;
    if (ok)
        list_names(d, tokens);
    for (size_t i = 0; ok && i < d->note_count; i++) {
        const char *text = replace_names(d->notes[i], names, tokens, 2 * d->input_count, &d->arena);
        ok = text && set(&d->notes[i], anonymize_sentence(a, text, &d->arena));
    }
    return ok;
}

static bool replace_inputs(struct anonymizer *a, struct document *d)
{
    const char **names = calloc(2 * d->input_count + 1, sizeof *names);
    bool ok = names != NULL;
    if (ok)
        list_names(d, names);
    for (size_t i = 0; ok && i < d->input_count; i++)
        ok = replace_input(a, &d->inputs[i], &d->arena);
    ok = ok && replace_notes(a, d, names);
    free(names);
    return ok;
}

/* ---- given records ---- */

static bool replace_record(struct anonymizer *a, struct record *r, struct arena *arena)
{
    const char **sentences[] = {&r->evidence, &r->unknown_reason, &r->reason};
    bool ok = true;
    r->src.addr = anonymize_addr(a, &r->src.addr);
    r->dst.addr = anonymize_addr(a, &r->dst.addr);
    ok &= set(&r->codec, anonymize_name(a, ANONYMIZE_CODEC, r->codec, arena));
    ok &= set(&r->server_name, anonymize_name(a, ANONYMIZE_HOST, r->server_name, arena));
    for (size_t i = 0; i < sizeof sentences / sizeof sentences[0]; i++)
        if (*sentences[i] && **sentences[i])
            ok &= set(sentences[i], anonymize_sentence(a, *sentences[i], arena));
    if (r->explanation)
        ok &= set(&r->explanation, anonymize_sentence(a, r->explanation, arena));
    r->findings = NULL;
    r->finding_count = 0;
    return ok;
}

static bool replace_nodes(struct anonymizer *a, struct document *d)
{
    bool ok = true;
    for (size_t i = 0; i < d->node_count && ok; i++) {
        struct node *n = &d->nodes[i];
        struct addr *addresses = arena_alloc(&d->arena, (n->address_count + 1) * sizeof *addresses);
        ok = addresses && set(&n->name, anonymize_name(a, ANONYMIZE_NODE, n->name, &d->arena)) &&
             set(&n->evidence, anonymize_sentence(a, n->evidence, &d->arena));
        for (size_t k = 0; ok && k < n->address_count; k++)
            addresses[k] = anonymize_addr(a, &n->addresses[k]);
        n->addresses = addresses;
    }
    for (size_t i = 0; i < d->site_count && ok; i++) {
        struct site *s = &d->sites[i];
        struct prefix *prefixes = arena_alloc(&d->arena, (s->prefix_count + 1) * sizeof *prefixes);
        ok = prefixes && set(&s->name, anonymize_name(a, ANONYMIZE_SITE, s->name, &d->arena));
        for (size_t k = 0; ok && k < s->prefix_count; k++)
            prefixes[k] = address_map_prefix(a->addresses, &s->prefixes[k]);
        s->prefixes = prefixes;
    }
    return ok;
}

static const char *policy_name_for(struct anonymizer *a, const char *name, struct arena *arena)
{
    return !*name || strcmp(name, "reference") == 0 ? arena_copy(arena, name, strlen(name))
                                                    : anonymize_name(a, ANONYMIZE_POLICY, name, arena);
}

static const char *policy_source_for(const char *source)
{
    return !*source || strcmp(source, "built in") == 0 ? source : "a file";
}

static bool replace_given(struct anonymizer *a, struct document *d)
{
    bool ok = replace_nodes(a, d);
    for (size_t i = 0; i < d->record_count && ok; i++)
        ok = replace_record(a, &d->records[i], &d->arena);
    d->findings = NULL;
    d->finding_count = 0;
    d->policy_source = policy_source_for(d->policy_source);
    return ok && set(&d->policy_name, policy_name_for(a, d->policy_name, &d->arena));
}

int anonymize_streams(struct anonymizer *a, struct document *d)
{
    if (!replace_calls(a, d) || !replace_inputs(a, d))
        return ERR_MEMORY;
    if (d->records)
        return replace_given(a, d) ? 0 : ERR_MEMORY;
    return wrap(a, d);
}

/* ---- comparisons ---- */

int anonymize_compare_captures(struct anonymizer *a, struct compare_document *d)
{
    bool ok = true;
    for (size_t i = 0; i < d->capture_count && ok; i++)
        ok = replace_input(a, &d->captures[i].input, &d->arena);
    d->policy_source = policy_source_for(d->policy_source);
    return ok && set(&d->policy_name, policy_name_for(a, d->policy_name, &d->arena)) ? 0 : ERR_MEMORY;
}

static void replace_segment(struct anonymizer *a, struct compare_segment *s)
{
    for (size_t i = 0; i < s->stream_count; i++) {
        for (int side = 0; side < 2; side++) {
            struct compare_stream *stream = &s->streams[i];
            stream->src[side].addr = anonymize_addr(a, &stream->src[side].addr);
            stream->dst[side].addr = anonymize_addr(a, &stream->dst[side].addr);
        }
    }
}

void anonymize_compare_streams(struct anonymizer *a, struct compare_document *d)
{
    for (size_t i = 0; i < d->segment_count; i++)
        replace_segment(a, &d->segments[i]);
    if (d->whole && d->whole != d->segments)
        replace_segment(a, d->whole);
    for (size_t i = 0; i < d->unmatched_count; i++) {
        d->unmatched[i].src.addr = anonymize_addr(a, &d->unmatched[i].src.addr);
        d->unmatched[i].dst.addr = anonymize_addr(a, &d->unmatched[i].dst.addr);
    }
}
