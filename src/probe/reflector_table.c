#include "probe/reflector_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum { WAYS = 8 };

struct entry {
    int64_t last_ns;
    uint64_t uses; /* 0: a free place */
    uint8_t key_len;
    uint8_t key[REFLECTOR_KEY_BYTES];
    /* the value follows, in its own array */
};

struct reflector_table {
    struct entry *entries;
    uint64_t *values; /* uint64_t, so that they are aligned for anything */
    size_t sets, value_words;
    int64_t idle_ns;
    enum reflector_eviction eviction;
    struct hash_key key;
    struct reflector_table_counts counts;
};

struct reflector_table *reflector_table_new(size_t entries, size_t value_bytes, int64_t idle_ns,
                                            enum reflector_eviction eviction, const struct hash_key *key)
{
    struct reflector_table *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->sets = entries / WAYS + (entries % WAYS != 0);
    t->sets += t->sets == 0;
    t->value_words = (value_bytes + sizeof *t->values - 1) / sizeof *t->values;
    t->idle_ns = idle_ns;
    t->eviction = eviction;
    t->key = *key;
    t->entries = calloc(t->sets * WAYS, sizeof *t->entries);
    t->values = calloc(t->sets * WAYS, (t->value_words + !t->value_words) * sizeof *t->values);
    if (!t->entries || !t->values) {
        reflector_table_free(t);
        return NULL;
    }
    return t;
}

void reflector_table_free(struct reflector_table *t)
{
    if (!t)
        return;
    free(t->entries);
    free(t->values);
    free(t);
}

static void *value_of(struct reflector_table *t, const struct entry *e)
{
    return t->values + (size_t)(e - t->entries) * t->value_words;
}

/* A clock that stepped back makes nothing idle. */
static int64_t idle_of(const struct entry *e, int64_t now_ns)
{
    return now_ns > e->last_ns ? now_ns - e->last_ns : 0;
}

static bool may_be_evicted(const struct reflector_table *t, const struct entry *e, int64_t now_ns)
{
    return t->eviction == EVICT_LONGEST_IDLE || (e->uses == 1 && idle_of(e, now_ns) >= NS_PER_S);
}

/* A place for a newcomer: a free one, one whose time is up, or one that has to go. */
static struct entry *make_room(struct reflector_table *t, struct entry *set, int64_t now_ns)
{
    struct entry *victim = NULL;
    for (struct entry *e = set; e < set + WAYS; e++) {
        if (e->uses == 0) {
            t->counts.used++;
            return e;
        }
        if (idle_of(e, now_ns) > t->idle_ns) {
            t->counts.expired++;
            return e;
        }
        if (may_be_evicted(t, e, now_ns) && (!victim || idle_of(e, now_ns) > idle_of(victim, now_ns)))
            victim = e;
    }
    if (victim)
        t->counts.evicted++;
    else
        t->counts.refused++;
    return victim;
}

void *reflector_table_get(struct reflector_table *t, const void *key, size_t len, int64_t now_ns, bool *ret_new)
{
    *ret_new = false;
    if (len > REFLECTOR_KEY_BYTES)
        return NULL;
    struct entry *set = t->entries + hash_bytes(&t->key, key, len) % t->sets * WAYS;
    for (struct entry *e = set; e < set + WAYS; e++) {
        if (e->uses == 0 || e->key_len != len || memcmp(e->key, key, len) != 0)
            continue;
        if (idle_of(e, now_ns) > t->idle_ns) {
            /* the same key, but nobody remembers it */
            t->counts.expired++;
            t->counts.created++;
            e->uses = 0;
            memset(value_of(t, e), 0, t->value_words * sizeof *t->values);
            *ret_new = true;
        }
        e->uses++;
        e->last_ns = now_ns;
        return value_of(t, e);
    }
    struct entry *e = make_room(t, set, now_ns);
    if (!e)
        return NULL;
    *e = (struct entry){.last_ns = now_ns, .uses = 1, .key_len = (uint8_t)len};
    memcpy(e->key, key, len);
    memset(value_of(t, e), 0, t->value_words * sizeof *t->values);
    t->counts.created++;
    *ret_new = true;
    return value_of(t, e);
}

struct reflector_table_counts reflector_table_counts(const struct reflector_table *t)
{
    return t->counts;
}
