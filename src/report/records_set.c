#include "report/records_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/grow.h"

void record_set_init(struct record_set *s, const struct hash_key *key)
{
    *s = (struct record_set){.key = *key};
    (void)record_set_text(s, slice_make("", 0));
}

void record_set_done(struct record_set *s)
{
    slots_done(&s->text_slots);
    slots_done(&s->call_slots);
    free(s->texts);
    free(s->records);
    free(s->extras);
    free(s->calls);
    free(s->runs);
    arena_done(&s->arena);
    *s = (struct record_set){0};
}

uint32_t record_set_text(struct record_set *s, struct slice text)
{
    uint32_t tag = (uint32_t)hash_bytes(&s->key, text.at, text.len), number;
    for (uint32_t place = slots_first(&s->text_slots, tag); slots_next(&s->text_slots, tag, &place, &number);)
        if (strlen(s->texts[number]) == text.len && memcmp(s->texts[number], text.at, text.len) == 0)
            return number;
    char *copy = arena_copy(&s->arena, text.at, text.len);
    if (!copy || s->text_count >= UINT32_MAX - 1 ||
        !grow((void **)&s->texts, &s->text_cap, s->text_count, sizeof *s->texts) ||
        !slots_add(&s->text_slots, tag, (uint32_t)s->text_count)) {
        s->failed = true;
        return 0;
    }
    s->texts[s->text_count] = copy;
    return (uint32_t)s->text_count++;
}

const char *record_set_word(struct record_set *s, struct slice text)
{
    uint32_t number = record_set_text(s, text);
    return s->failed ? "" : s->texts[number];
}

/* Which of two tellings of a call speaks: the earlier one, and of equals the one whose words come first. */
static bool tells_earlier(const struct saved_call *a, const struct saved_call *b)
{
    if (a->first_ns != b->first_ns)
        return a->first_ns < b->first_ns;
    int c = strcmp(a->from, b->from);
    c = c ? c : strcmp(a->to, b->to);
    return (c ? c : strcmp(a->user_agent, b->user_agent)) < 0;
}

static void call_add(struct saved_call *to, const struct saved_call *from)
{
    int64_t last = from->has_last && (!to->has_last || from->last_ns > to->last_ns) ? from->last_ns : to->last_ns;
    bool has_last = to->has_last || from->has_last;
    uint32_t key = to->key;
    if (tells_earlier(from, to))
        *to = *from;
    to->key = key;
    to->last_ns = last;
    to->has_last = has_last;
}

uint32_t record_set_call(struct record_set *s, struct slice key, const struct saved_call *call)
{
    uint32_t text = record_set_text(s, key), number;
    uint64_t word = text;
    uint32_t tag = (uint32_t)hash_words(&s->key, &word, 1);
    for (uint32_t place = slots_first(&s->call_slots, tag); slots_next(&s->call_slots, tag, &place, &number);) {
        if (s->calls[number].key == text) {
            call_add(&s->calls[number], call);
            return number + 1;
        }
    }
    if (s->failed || s->call_count >= UINT32_MAX - 1 ||
        !grow((void **)&s->calls, &s->call_cap, s->call_count, sizeof *s->calls) ||
        !slots_add(&s->call_slots, tag, (uint32_t)s->call_count)) {
        s->failed = true;
        return 0;
    }
    s->calls[s->call_count] = *call;
    s->calls[s->call_count].key = text;
    return (uint32_t)++s->call_count;
}

void record_set_add(struct record_set *s, const struct record *r, const struct saved_extra *extra)
{
    if (s->failed || s->count >= UINT32_MAX - 1 || !grow((void **)&s->records, &s->cap, s->count, sizeof *s->records) ||
        !grow((void **)&s->extras, &s->extra_cap, s->count, sizeof *s->extras)) {
        s->failed = true;
        return;
    }
    s->records[s->count] = *r;
    s->extras[s->count++] = *extra;
}

struct saved_run *record_set_run(struct record_set *s)
{
    if (s->failed || !grow((void **)&s->runs, &s->run_cap, s->run_count, sizeof *s->runs)) {
        s->failed = true;
        return NULL;
    }
    s->runs[s->run_count] = (struct saved_run){0};
    return &s->runs[s->run_count++];
}
