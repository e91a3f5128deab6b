#ifdef QOSMARK_HAVE_SQLITE

#include <string.h>

#include "store/store_internal.h"

/* Rows into the tables. Values are bound in the order of the columns (store.c). */

struct binding {
    sqlite3_stmt *to;
    int at;
    bool failed;
    struct strbuf text; /* what is bound is copied from here */
};

static void bind_number(struct binding *b, int64_t n)
{
    b->failed |= sqlite3_bind_int64(b->to, ++b->at, n) != SQLITE_OK;
}

static void bind_count(struct binding *b, uint64_t n)
{
    bind_number(b, n > INT64_MAX ? INT64_MAX : (int64_t)n);
}

static void bind_null(struct binding *b)
{
    b->failed |= sqlite3_bind_null(b->to, ++b->at) != SQLITE_OK;
}

static void bind_known(struct binding *b, bool known, uint64_t n)
{
    if (known)
        bind_count(b, n);
    else
        bind_null(b);
}

static void bind_text(struct binding *b, const char *text)
{
    b->failed |= sqlite3_bind_text(b->to, ++b->at, text, (int)strlen(text), SQLITE_TRANSIENT) != SQLITE_OK;
}

static void bind_endpoint(struct binding *b, const struct endpoint *e)
{
    char text[ENDPOINT_TEXT_MAX];
    endpoint_format(e, text);
    bind_text(b, text);
}

static void bind_made_text(struct binding *b)
{
    bind_text(b, strbuf_text(&b->text));
    b->failed |= !strbuf_ok(&b->text);
    b->text.len = 0;
    if (b->text.at)
        b->text.at[0] = '\0';
}

static void bind_counts(struct binding *b, const uint64_t *counts, size_t n)
{
    crossing_counts_text(counts, n, &b->text);
    bind_made_text(b);
}

static int put(struct store *s, struct binding *b, struct error *error)
{
    int status = 0;
    if (b->failed)
        status = error_set(error, ERR_MEMORY, "the history cannot be written: out of memory");
    else if (sqlite3_step(b->to) != SQLITE_DONE)
        status = store_error(s, error, "the history cannot be written");
    (void)sqlite3_reset(b->to);
    (void)sqlite3_clear_bindings(b->to);
    strbuf_done(&b->text);
    return status;
}

int store_crossing(struct store *s, const struct crossing *c, struct error *error)
{
    struct binding b = {.to = s->puts[STORE_CROSSING]};
    const struct compare_stream *t = &c->stream;
    uint64_t delays[CROSSING_DELAYS];
    bind_text(&b, c->id);
    bind_number(&b, c->window_ns);
    bind_number(&b, c->partition);
    bind_number(&b, c->final);
    bind_text(&b, c->first);
    bind_text(&b, c->second);
    bind_number(&b, (int64_t)c->stream_id);
    bind_number(&b, t->way);
    bind_number(&b, t->way_by);
    bind_number(&b, t->way_doubtful);
    bind_number(&b, t->translated);
    bind_number(&b, t->proto);
    for (int i = 0; i < 2; i++) {
        bind_endpoint(&b, &t->src[i]);
        bind_endpoint(&b, &t->dst[i]);
    }
    if (t->has_ssrc)
        bind_number(&b, t->ssrc);
    else
        bind_null(&b);
    bind_text(&b, kind_name(t->kind));
    bind_text(&b, class_name(t->traffic_class));
    bind_count(&b, t->matched);
    bind_count(&b, t->changed);
    bind_known(&b, crossing_loss_is_known(c), t->lost);
    bind_counts(&b, c->lost_by_dscp, DSCP_COUNT);
    bind_count(&b, c->lost_unmarked);
    bind_counts(&b, c->unresolved, COMPARE_WHY_COUNT);
    bind_count(&b, c->away);
    bind_count(&b, c->appeared);
    crossing_cells_text(c, &b.text);
    bind_made_text(&b);
    for (size_t i = 0; i < CROSSING_DELAYS; i++)
        delays[i] = c->delays[i];
    bind_counts(&b, delays, CROSSING_DELAYS);
    crossing_slices_text(c, &b.text);
    bind_made_text(&b);
    if (c->clock_known)
        bind_number(&b, c->offset_ns);
    else
        bind_null(&b);
    bind_number(&b, c->first_ns);
    bind_number(&b, c->last_ns);
    bind_known(&b, c->loss_known, t->lost);
    return put(s, &b, error);
}

int store_point(struct store *s, const struct fleet_point *p, struct error *error)
{
    struct binding b = {.to = s->puts[STORE_POINT]};
    bind_number(&b, p->partition);
    bind_number(&b, p->window_ns);
    bind_text(&b, p->name);
    bind_number(&b, p->final);
    bind_number(&b, p->first_ns);
    bind_number(&b, p->last_ns);
    bind_number(&b, p->present_ns);
    bind_count(&b, p->frames);
    bind_count(&b, p->dropped);
    bind_count(&b, p->packets);
    bind_count(&b, p->deltas);
    bind_count(&b, p->missing);
    bind_count(&b, p->unpublished);
    bind_count(&b, p->alone);
    bind_number(&b, p->starts);
    bind_number(&b, p->partitions);
    return put(s, &b, error);
}

int store_note(struct store *s, unsigned partition, int64_t window_ns, bool final, const char *text,
               struct error *error)
{
    struct binding b = {.to = s->puts[STORE_NOTE]};
    bind_number(&b, partition);
    bind_number(&b, window_ns);
    bind_text(&b, text);
    bind_number(&b, final);
    return put(s, &b, error);
}

#else
typedef int store_row_is_absent; /* a translation unit is not empty */
#endif
