#ifdef QOSMARK_HAVE_SQLITE

#include <string.h>

#include "store/store_internal.h"

/* Rows out of the tables. The file is somebody's: what does not parse is left as nothing, never trusted. */

struct column {
    sqlite3_stmt *from;
    int at;
    bool failed;
};

static int64_t take_number(struct column *c)
{
    return sqlite3_column_int64(c->from, c->at++);
}

static uint64_t take_count(struct column *c)
{
    int64_t n = take_number(c);
    return n < 0 ? 0 : (uint64_t)n;
}

static uint64_t take_below(struct column *c, uint64_t most)
{
    uint64_t n = take_count(c);
    c->failed |= n >= most;
    return n < most ? n : 0;
}

static bool is_null(const struct column *c)
{
    return sqlite3_column_type(c->from, c->at) == SQLITE_NULL;
}

static struct slice take_text(struct column *c)
{
    const unsigned char *text = sqlite3_column_text(c->from, c->at);
    int len = sqlite3_column_bytes(c->from, c->at++);
    return text ? slice_make(text, (size_t)len) : SLICE("");
}

static void take_name(struct column *c, char ret[static FLEET_NAME_MAX])
{
    slice_copy(take_text(c), ret, FLEET_NAME_MAX);
}

/* What has no ports (ICMP) has ":0" behind its address, which no user would write. */
static void take_endpoint(struct column *c, struct endpoint *ret)
{
    struct slice text = take_text(c);
    bool portless = text.len > 2 && memcmp(text.at + text.len - 2, ":0", 2) == 0;
    struct slice address = portless ? slice_make(text.at, text.len - 2) : text;
    if (text.len == 0 || text.at[0] == ':' || !endpoint_parse(address, portless, ret))
        *ret = (struct endpoint){.port = 0}; /* none */
    if (portless)
        ret->port = 0;
}

static void read_stream(struct column *at, struct crossing *c)
{
    struct compare_stream *t = &c->stream;
    t->way = (enum compare_way)take_below(at, COMPARE_BOTH);
    t->way_by = (enum compare_way_by)take_below(at, COMPARE_WAY_HOST + 1);
    t->way_doubtful = take_number(at) != 0;
    t->translated = take_number(at) != 0;
    t->proto = (uint8_t)take_below(at, 256);
    for (int i = 0; i < 2; i++) {
        take_endpoint(at, &t->src[i]);
        take_endpoint(at, &t->dst[i]);
    }
    t->has_ssrc = !is_null(at);
    t->ssrc = (uint32_t)take_below(at, (uint64_t)UINT32_MAX + 1);
    at->failed |= !kind_parse(take_text(at), &t->kind);
    struct slice class = take_text(at);
    if (class.len)
        at->failed |= !class_parse(class, &t->traffic_class);
    t->matched = take_count(at);
    t->changed = take_count(at);
}

static int read_crossing(sqlite3_stmt *q, const struct store_reader *to)
{
    struct column at = {.from = q};
    struct crossing c = {.id = ""};
    char first[FLEET_NAME_MAX], second[FLEET_NAME_MAX];
    uint64_t delays[CROSSING_DELAYS] = {0};
    slice_copy(take_text(&at), c.id, sizeof c.id);
    c.window_ns = take_number(&at);
    c.partition = (unsigned)take_below(&at, UINT32_MAX);
    c.final = take_number(&at) != 0;
    take_name(&at, first);
    take_name(&at, second);
    c.first = first;
    c.second = second;
    c.stream_id = take_count(&at);
    read_stream(&at, &c);
    (void)take_count(&at); /* lost: what is missing, where that is known to be lost */
    at.failed |= !crossing_counts_parse(take_text(&at), c.lost_by_dscp, DSCP_COUNT);
    c.lost_unmarked = take_count(&at);
    at.failed |= !crossing_counts_parse(take_text(&at), c.unresolved, COMPARE_WHY_COUNT);
    c.away = take_count(&at);
    c.appeared = take_count(&at);
    at.failed |= !crossing_cells_parse(take_text(&at), &c);
    at.failed |= !crossing_counts_parse(take_text(&at), delays, CROSSING_DELAYS);
    for (size_t i = 0; i < CROSSING_DELAYS; i++)
        c.delays[i] = (uint32_t)delays[i];
    at.failed |= !crossing_slices_parse(take_text(&at), &c);
    c.clock_known = !is_null(&at);
    c.offset_ns = take_number(&at);
    c.first_ns = take_number(&at);
    c.last_ns = take_number(&at);
    c.loss_known = !is_null(&at);
    c.stream.lost = take_count(&at);
    return at.failed ? ERR_FORMAT : to->crossing(to->user, &c);
}

static int read_point(sqlite3_stmt *q, const struct store_reader *to)
{
    struct column at = {.from = q};
    struct fleet_point p = {.name = ""};
    char name[FLEET_NAME_MAX];
    p.partition = (unsigned)take_below(&at, UINT32_MAX);
    p.window_ns = take_number(&at);
    take_name(&at, name);
    p.name = name;
    p.final = take_number(&at) != 0;
    p.first_ns = take_number(&at);
    p.last_ns = take_number(&at);
    p.present_ns = take_number(&at);
    p.frames = take_count(&at);
    p.dropped = take_count(&at);
    p.packets = take_count(&at);
    p.deltas = take_count(&at);
    p.missing = take_count(&at);
    p.unpublished = take_count(&at);
    p.alone = take_count(&at);
    p.starts = (uint32_t)take_below(&at, UINT32_MAX);
    p.partitions = (unsigned)take_below(&at, UINT32_MAX);
    return at.failed ? ERR_FORMAT : to->point(to->user, &p);
}

static int read_note(sqlite3_stmt *q, const struct store_reader *to)
{
    struct column at = {.from = q, .at = 2};
    char text[1024];
    slice_copy(take_text(&at), text, sizeof text);
    return to->note(to->user, text);
}

static int read_table(struct store *s, const struct store_table *t, int64_t from_ns, int64_t to_ns,
                      int (*row)(sqlite3_stmt *q, const struct store_reader *to), const struct store_reader *to,
                      struct error *error)
{
    char sql[160];
    struct strbuf text = strbuf_fixed(sql, sizeof sql);
    sqlite3_stmt *q = NULL;
    int status = 0, code = SQLITE_DONE;
    strbuf_addf(&text, "SELECT * FROM %s WHERE window_ns>=?1 AND window_ns<?2", t->name);
    if (sqlite3_prepare_v2(s->db, sql, -1, &q, NULL) != SQLITE_OK)
        return store_error(s, error, "the history cannot be read");
    (void)sqlite3_bind_int64(q, 1, from_ns);
    (void)sqlite3_bind_int64(q, 2, to_ns);
    while (status == 0 && (code = sqlite3_step(q)) == SQLITE_ROW)
        status = row(q, to);
    if (status == ERR_FORMAT)
        (void)error_set(error, ERR_FORMAT, "the history has a row in its table %s that no collector wrote", t->name);
    else if (status < 0)
        (void)error_set(error, status, "%s", error_name(status));
    else if (code != SQLITE_DONE)
        status = store_error(s, error, "the history cannot be read");
    (void)sqlite3_finalize(q);
    return status;
}

int store_read(struct store *s, int64_t from_ns, int64_t to_ns, const struct store_reader *to, struct error *error)
{
    int status = read_table(s, &store_tables[STORE_CROSSING], from_ns, to_ns, read_crossing, to, error);
    if (status == 0)
        status = read_table(s, &store_tables[STORE_POINT], from_ns, to_ns, read_point, to, error);
    return status < 0 ? status : read_table(s, &store_tables[STORE_NOTE], from_ns, to_ns, read_note, to, error);
}

#else
typedef int store_read_is_absent; /* a translation unit is not empty */
#endif
