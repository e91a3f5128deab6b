#include "stream/look.h"

#include <stdlib.h>
#include <string.h>

/* What settling one stream may change: see the callers of look_save(). */
enum { SAVED_OF_RTP = 12, SAVED_OF_RTCP = 12 };

enum sort { SAVED_BYTES, SAVED_MORE, SAVED_HASH_REMOVED, SAVED_HASH_ADDED };

struct saved {
    void *at;
    uint8_t sort;
    uint8_t bytes;
    uint8_t was[LOOK_BYTES_MAX];
};

/* A copy of what a stream keeps apart, with a copy of what that keeps on the heap. */
struct more_copy {
    struct stream_more more;
    struct outer_part outer;
};

struct look {
    struct saved *saved;
    size_t count, cap;
    bool failed;
};

bool look_begin(struct stream_table *t, const struct scope *scope)
{
    size_t cap = 1;
    for (size_t i = 0; i < scope->count; i++) {
        const struct stream *s = stream_at(t, scope->at[i]);
        bool unproven = s->family == FAMILY_UNPROVEN || (s->family == FAMILY_RTP && !s->accepted);
        cap += unproven ? SAVED_OF_RTP : s->family == FAMILY_RTCP ? SAVED_OF_RTCP : 0;
    }
    struct look *look = calloc(1, sizeof *look);
    if (!look || !(look->saved = malloc(cap * sizeof *look->saved))) {
        free(look);
        return false;
    }
    look->cap = cap;
    t->look = look;
    return true;
}

bool look_failed(const struct stream_table *t)
{
    return t->look && t->look->failed;
}

static struct saved *add(struct look *look, enum sort sort, void *at)
{
    if (look->count == look->cap) {
        look->failed = true;
        return NULL;
    }
    struct saved *saved = &look->saved[look->count++];
    saved->sort = (uint8_t)sort;
    saved->at = at;
    return saved;
}

void look_save(struct stream_table *t, void *at, size_t bytes)
{
    struct saved *saved = t->look ? add(t->look, SAVED_BYTES, at) : NULL;
    if (!saved)
        return;
    saved->bytes = (uint8_t)bytes;
    memcpy(saved->was, at, bytes);
}

void look_hash_removed(struct stream_table *t, struct stream *s)
{
    if (t->look)
        (void)add(t->look, SAVED_HASH_REMOVED, s);
}

void look_hash_added(struct stream_table *t, struct stream *s)
{
    if (t->look)
        (void)add(t->look, SAVED_HASH_ADDED, s);
}

/* --- what lies apart ---------------------------------------------------------------------------------------------- */

/* False without memory. */
static bool marks_copy(struct histogram *to, const struct histogram *from)
{
    *to = *from;
    if (!from->more_count)
        return true;
    to->more = malloc(from->more_count * sizeof *to->more);
    if (to->more)
        memcpy(to->more, from->more, from->more_count * sizeof *to->more);
    return to->more != NULL;
}

static struct more_copy *more_copy(const struct stream_more *from)
{
    struct more_copy *copy = malloc(sizeof *copy);
    if (!copy)
        return NULL;
    copy->more = *from;
    if (marks_copy(&copy->more.marks, &from->marks)) {
        if (!from->outer)
            return copy;
        copy->outer = *from->outer;
        if (marks_copy(&copy->outer.marks, &from->outer->marks))
            return copy;
        if (from->marks.more_count)
            free(copy->more.marks.more);
    }
    free(copy);
    return NULL;
}

bool look_save_more(struct stream_table *t, struct stream *s)
{
    if (!t->look)
        return true;
    struct more_copy *copy = s->more ? more_copy(stream_more(t, s)) : NULL;
    struct saved *saved = s->more && !copy ? NULL : add(t->look, SAVED_MORE, s);
    if (!saved) {
        t->look->failed = true;
        free(copy);
        return false;
    }
    memcpy(saved->was, &copy, sizeof(struct more_copy *));
    return true;
}

static void more_restore(struct stream_table *t, struct stream *s, struct more_copy *copy)
{
    if (!copy) {
        stream_more_done(t, s);
        return;
    }
    struct stream_more *more = pool_at(&t->stream_mores, s->more - 1, sizeof *more);
    struct outer_part *outer = more->outer;
    histogram_done(&more->marks);
    *more = copy->more;
    if (outer) {
        histogram_done(&outer->marks);
        if (more->outer)
            *outer = copy->outer;
        else
            free(outer);
    }
    free(copy);
}

/* --- back --------------------------------------------------------------------------------------------------------- */

static void put_back(struct stream_table *t, const struct saved *saved)
{
    struct more_copy *copy;
    switch ((enum sort)saved->sort) {
    case SAVED_BYTES:
        memcpy(saved->at, saved->was, saved->bytes);
        break;
    case SAVED_MORE:
        memcpy(&copy, saved->was, sizeof(struct more_copy *));
        more_restore(t, saved->at, copy);
        break;
    case SAVED_HASH_REMOVED:
        (void)stream_hash_add(t, saved->at); /* into the slot that was left */
        break;
    case SAVED_HASH_ADDED:
        stream_hash_remove(t, saved->at);
        break;
    }
}

void look_undo(struct stream_table *t)
{
    struct look *look = t->look;
    if (!look)
        return;
    t->look = NULL;
    while (look->count)
        put_back(t, &look->saved[--look->count]);
    free(look->saved);
    free(look);
}
