#ifdef QOSMARK_HAVE_SQLITE

#include <stdlib.h>
#include <string.h>

#include "store/store_internal.h"

enum { BUSY_MS = 20000 /* another collector writes its batch */, VERSION = 3, VERSION_BEFORE = 2 };
_Static_assert(VERSION == 3, "bring_up_to_date() writes it as text");

static const char *const crossing_columns[] = {"id TEXT NOT NULL",
                                               "window_ns INTEGER NOT NULL",
                                               "partition INTEGER NOT NULL",
                                               "final INTEGER NOT NULL",
                                               "first_point TEXT NOT NULL",
                                               "second_point TEXT NOT NULL",
                                               "stream INTEGER NOT NULL",
                                               "way INTEGER NOT NULL",
                                               "way_by INTEGER NOT NULL",
                                               "doubtful INTEGER NOT NULL",
                                               "translated INTEGER NOT NULL",
                                               "proto INTEGER NOT NULL",
                                               "first_src TEXT NOT NULL",
                                               "first_dst TEXT NOT NULL",
                                               "second_src TEXT NOT NULL",
                                               "second_dst TEXT NOT NULL",
                                               "ssrc INTEGER",
                                               "kind TEXT NOT NULL",
                                               "class TEXT NOT NULL",
                                               "matched INTEGER NOT NULL",
                                               "changed INTEGER NOT NULL",
                                               "lost INTEGER",
                                               "lost_marks TEXT NOT NULL",
                                               "lost_mixed INTEGER NOT NULL",
                                               "unresolved TEXT NOT NULL",
                                               "away INTEGER NOT NULL",
                                               "appeared INTEGER NOT NULL",
                                               "marks TEXT NOT NULL",
                                               "delays TEXT NOT NULL",
                                               "slices TEXT NOT NULL",
                                               "offset_ns INTEGER",
                                               "first_ns INTEGER NOT NULL",
                                               "last_ns INTEGER NOT NULL",
                                               "missing INTEGER", /* last, where version 2 gets it */
                                               NULL};

static const char *const point_columns[] = {"partition INTEGER NOT NULL",
                                            "window_ns INTEGER NOT NULL",
                                            "name TEXT NOT NULL",
                                            "final INTEGER NOT NULL",
                                            "first_ns INTEGER NOT NULL",
                                            "last_ns INTEGER NOT NULL",
                                            "present_ns INTEGER NOT NULL",
                                            "frames INTEGER NOT NULL",
                                            "dropped INTEGER NOT NULL",
                                            "packets INTEGER NOT NULL",
                                            "deltas INTEGER NOT NULL",
                                            "missing INTEGER NOT NULL",
                                            "unpublished INTEGER NOT NULL",
                                            "alone INTEGER NOT NULL",
                                            "starts INTEGER NOT NULL",
                                            "partitions INTEGER NOT NULL",
                                            NULL};

static const char *const note_columns[] = {"partition INTEGER NOT NULL", "window_ns INTEGER NOT NULL",
                                           "text TEXT NOT NULL", "final INTEGER NOT NULL", NULL};

const struct store_table store_tables[STORE_STATEMENTS] = {
    [STORE_CROSSING] = {"crossing", "id", crossing_columns},
    [STORE_POINT] = {"point", "partition,window_ns,name", point_columns},
    [STORE_NOTE] = {"note", "partition,window_ns,text", note_columns},
};

int store_error(const struct store *s, struct error *error, const char *what)
{
    int code = s->db ? sqlite3_errcode(s->db) : SQLITE_NOMEM;
    int as = code == SQLITE_NOMEM ? ERR_MEMORY : code == SQLITE_NOTADB ? ERR_FORMAT : ERR_IO;
    return error_set(error, as, "%s: %s", what, s->db ? sqlite3_errmsg(s->db) : "out of memory");
}

static int execute(struct store *s, const char *sql, const char *what, struct error *error)
{
    return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : store_error(s, error, what);
}

/* ---- opening ---- */

static void add_names(struct strbuf *sql, const struct store_table *t, const char *before, const char *between)
{
    for (size_t i = 0; t->columns[i]; i++)
        strbuf_addf(sql, "%s%s%.*s", i ? between : "", before, (int)strcspn(t->columns[i], " "), t->columns[i]);
}

static int make_table(struct store *s, const struct store_table *t, struct error *error)
{
    struct strbuf sql = {0};
    strbuf_addf(&sql, "CREATE TABLE IF NOT EXISTS %s(", t->name);
    for (size_t i = 0; t->columns[i]; i++)
        strbuf_addf(&sql, "%s,", t->columns[i]);
    strbuf_addf(&sql, "PRIMARY KEY(%s)) WITHOUT ROWID;", t->key);
    strbuf_addf(&sql, "CREATE INDEX IF NOT EXISTS %s_window ON %s(window_ns,partition);", t->name, t->name);
    int status = strbuf_ok(&sql) ? execute(s, strbuf_text(&sql), "the history cannot be made", error)
                                 : error_set(error, ERR_MEMORY, "out of memory");
    strbuf_done(&sql);
    return status;
}

/* INSERT, and where the key is there UPDATE, unless that would replace what is final by what is not. */
static int prepare_put(struct store *s, enum store_statement which, struct error *error)
{
    const struct store_table *t = &store_tables[which];
    struct strbuf sql = {0};
    strbuf_addf(&sql, "INSERT INTO %s(", t->name);
    add_names(&sql, t, "", ",");
    strbuf_adds(&sql, ") VALUES(");
    for (size_t i = 0; t->columns[i]; i++)
        strbuf_addf(&sql, "%s?%zu", i ? "," : "", i + 1);
    strbuf_addf(&sql, ") ON CONFLICT(%s) DO UPDATE SET ", t->key);
    for (size_t i = 0; t->columns[i]; i++) {
        int len = (int)strcspn(t->columns[i], " ");
        strbuf_addf(&sql, "%s%.*s=excluded.%.*s", i ? "," : "", len, t->columns[i], len, t->columns[i]);
    }
    strbuf_addf(&sql, " WHERE excluded.final >= %s.final", t->name);
    int status = strbuf_ok(&sql) ? 0 : error_set(error, ERR_MEMORY, "out of memory");
    if (status == 0 && sqlite3_prepare_v2(s->db, strbuf_text(&sql), -1, &s->puts[which], NULL) != SQLITE_OK)
        status = store_error(s, error, "the history cannot be written");
    strbuf_done(&sql);
    return status;
}

static bool has_tables(struct store *s)
{
    sqlite3_stmt *q = NULL;
    bool any = sqlite3_prepare_v2(s->db, "SELECT 1 FROM sqlite_master LIMIT 1", -1, &q, NULL) == SQLITE_OK &&
               sqlite3_step(q) == SQLITE_ROW;
    (void)sqlite3_finalize(q);
    return any;
}

/* -1 where it cannot be read. */
static int version_of(struct store *s)
{
    sqlite3_stmt *q = NULL;
    int version = -1;
    if (sqlite3_prepare_v2(s->db, "PRAGMA user_version", -1, &q, NULL) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW)
        version = sqlite3_column_int(q, 0);
    (void)sqlite3_finalize(q);
    return version;
}

static int check_version(struct store *s, const char *path, int *ret, struct error *error)
{
    int version = *ret = version_of(s);
    if (version == -1)
        return store_error(s, error, path);
    if (version == 0 && has_tables(s) && version_of(s) == 0) /* nobody else made it just now */
        return error_set(error, ERR_FORMAT, "%s: a database of something else", path);
    if (version != 0 && version != VERSION && version != VERSION_BEFORE)
        return error_set(error, ERR_FORMAT, "%s: a history of version %d, and this qosmark knows version %d", path,
                         version, VERSION);
    return 0;
}

/* Version 2 has no `missing`: its `lost` is that, also where nobody knows whether it was lost (as
 * crossing_loss_is_known() says). Of several processes that open the file the first does it. */
static int bring_up_to_date(struct store *s, const char *path, struct error *error)
{
    int status = store_begin(s, error);
    int version = status < 0 ? VERSION : version_of(s);
    if (version == -1)
        status = store_error(s, error, path);
    else if (version == VERSION_BEFORE && has_tables(s))
        status = execute(s,
                         "ALTER TABLE crossing ADD COLUMN missing INTEGER;"
                         "UPDATE crossing SET missing=lost,"
                         "lost=CASE WHEN lost>0 AND appeared*10>=lost THEN NULL ELSE lost END;",
                         path, error);
    if (status == 0 && version != VERSION)
        status = execute(s, "PRAGMA user_version=3", path, error);
    if (status < 0) {
        store_abandon(s);
        return status;
    }
    return store_commit(s, error);
}

int store_open(const char *path, struct store **ret, struct error *error)
{
    struct store *s = calloc(1, sizeof *s);
    if (!s)
        return error_set(error, ERR_MEMORY, "out of memory");
    int status = 0, version = VERSION;
    if (sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) !=
        SQLITE_OK)
        status = store_error(s, error, path);
    if (status == 0)
        (void)sqlite3_busy_timeout(s->db, BUSY_MS);
    status = status < 0 ? status : check_version(s, path, &version, error);
    /* on the disk when it is committed: then messages are acknowledged, and the bus may forget them */
    status = status < 0 ? status
                        : execute(s,
                                  "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; "
                                  /* no file but those of the history can be made any more */
                                  "PRAGMA temp_store=MEMORY;",
                                  path, error);
    if (status == 0 && version != VERSION)
        status = bring_up_to_date(s, path, error);
    for (int i = 0; status == 0 && i < STORE_STATEMENTS; i++) {
        status = make_table(s, &store_tables[i], error);
        status = status < 0 ? status : prepare_put(s, (enum store_statement)i, error);
    }
    if (status < 0) {
        store_close(s);
        return status;
    }
    *ret = s;
    return 0;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    store_abandon(s);
    for (int i = 0; i < STORE_STATEMENTS; i++)
        (void)sqlite3_finalize(s->puts[i]);
    (void)sqlite3_close(s->db);
    free(s);
}

/* ---- transactions ---- */

int store_begin(struct store *s, struct error *error)
{
    int status = execute(s, "BEGIN IMMEDIATE", "the history cannot be written", error);
    s->in_transaction = status == 0;
    return status;
}

int store_commit(struct store *s, struct error *error)
{
    int status = execute(s, "COMMIT", "the history cannot be written", error);
    if (status < 0)
        store_abandon(s);
    s->in_transaction = false;
    return status;
}

void store_abandon(struct store *s)
{
    if (s->in_transaction)
        (void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    s->in_transaction = false;
}

/* ---- forgetting ---- */

/* Each window that was told of has a point. */
static int was_told_for_good(struct store *s, unsigned partition, int64_t window_ns, struct error *error)
{
    sqlite3_stmt *q = NULL;
    if (sqlite3_prepare_v2(s->db, "SELECT 1 FROM point WHERE window_ns=? AND partition=? AND final=1 LIMIT 1", -1, &q,
                           NULL) != SQLITE_OK)
        return store_error(s, error, "the history cannot be read");
    (void)sqlite3_bind_int64(q, 1, window_ns);
    (void)sqlite3_bind_int64(q, 2, partition);
    int code = sqlite3_step(q);
    int status = code == SQLITE_ROW ? 1 : code == SQLITE_DONE ? 0 : store_error(s, error, "the history cannot be read");
    (void)sqlite3_finalize(q);
    return status;
}

int store_window(struct store *s, unsigned partition, int64_t window_ns, struct error *error)
{
    struct strbuf sql = {0};
    for (int i = 0; i < STORE_STATEMENTS; i++)
        strbuf_addf(&sql, "DELETE FROM %s WHERE window_ns=%lld AND partition=%u AND final=0;", store_tables[i].name,
                    (long long)window_ns, partition);
    int status = strbuf_ok(&sql) ? execute(s, strbuf_text(&sql), "the history cannot be written", error)
                                 : error_set(error, ERR_MEMORY, "out of memory");
    strbuf_done(&sql);
    return status < 0 ? status : was_told_for_good(s, partition, window_ns, error);
}

int store_prune(struct store *s, int64_t before_ns, struct error *error)
{
    struct strbuf sql = {0};
    for (int i = 0; i < STORE_STATEMENTS; i++)
        strbuf_addf(&sql, "DELETE FROM %s WHERE window_ns<%lld;", store_tables[i].name, (long long)before_ns);
    int status = strbuf_ok(&sql) ? execute(s, strbuf_text(&sql), "the history cannot be written", error)
                                 : error_set(error, ERR_MEMORY, "out of memory");
    strbuf_done(&sql);
    return status;
}

#else
typedef int store_is_absent; /* a translation unit is not empty */
#endif
