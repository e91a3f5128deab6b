#include "testing.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef QOSMARK_HAVE_SQLITE
#include <sqlite3.h>
#endif

#include "base/clock.h"
#include "store/store.h"

static char path[] = "/tmp/qosmark-store-XXXXXX";

struct seen {
    struct crossing last;
    struct fleet_point point;
    size_t crossings, points, notes;
    char first[FLEET_NAME_MAX];
};

static int on_crossing(void *user, const struct crossing *c)
{
    struct seen *s = user;
    s->last = *c;
    snprintf(s->first, sizeof s->first, "%s", c->first);
    s->crossings++;
    return 0;
}

static int on_point(void *user, const struct fleet_point *p)
{
    struct seen *s = user;
    s->point = *p;
    s->points++;
    return 0;
}

static int on_note(void *user, const char *text)
{
    struct seen *s = user;
    assert_string_equal(text, "a clock was set");
    s->notes++;
    return 0;
}

static struct seen read_all(struct store *s)
{
    struct seen seen = {.first = ""};
    struct store_reader r = {on_crossing, on_point, on_note, &seen};
    struct error error = {.text = ""};
    if (store_read(s, 0, INT64_MAX, &r, &error) < 0)
        fail_msg("%s", error.text);
    return seen;
}

static struct store *open_store(void)
{
    struct store *s = NULL;
    struct error error = {.text = ""};
    if (store_open(path, &s, &error) < 0)
        fail_msg("%s", error.text);
    return s;
}

static struct crossing sample(void)
{
    struct crossing c = {.id = "7-abc",
                         .window_ns = 300 * NS_PER_S,
                         .partition = 3,
                         .first = "x/a",
                         .second = "y/b:eth0",
                         .stream_id = INT64_MAX,
                         .loss_known = true,
                         .clock_known = true,
                         .offset_ns = -5,
                         .away = 4,
                         .appeared = 2,
                         .first_ns = 1,
                         .last_ns = 2};
    assert_true(endpoint_parse(SLICE("10.0.0.1:5000"), 0, &c.stream.src[0]));
    assert_true(endpoint_parse(SLICE("[2001:db8::1]:6000"), 0, &c.stream.dst[1]));
    c.stream.dst[0].addr = c.stream.src[0].addr; /* no port, as of ICMP */
    c.stream.src[1].addr = c.stream.dst[1].addr;
    c.stream.proto = 17;
    c.stream.has_ssrc = true;
    c.stream.ssrc = 0xfffffffe;
    c.stream.kind = KIND_RTP_VIDEO;
    c.stream.traffic_class = CLASS_MULTIMEDIA;
    c.stream.way = COMPARE_BACKWARD;
    c.stream.way_by = COMPARE_WAY_TTL;
    c.stream.translated = true;
    c.stream.matched = 100;
    c.stream.changed = 60;
    c.stream.lost = 9;
    c.lost_by_dscp[34] = 9;
    c.unresolved[COMPARE_OUTSIDE] = 11;
    c.delays[5] = 3;
    c.slice_ns = 1250000000;
    c.slices[3] = (struct crossing_slice){109, 9};
    assert_true(crossing_add(&c, 34, 34, 40));
    assert_true(crossing_add(&c, 34, 0, 60));
    return c;
}

static void put(struct store *s, const struct crossing *c)
{
    struct error error = {.text = ""};
    assert_int_equal(store_begin(s, &error), 0);
    if (store_crossing(s, c, &error) < 0)
        fail_msg("%s", error.text);
    assert_int_equal(store_commit(s, &error), 0);
}

static int fresh(void **state)
{
    (void)state;
    memcpy(path + sizeof path - 7, "XXXXXX", 6);
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int forget(void **state)
{
    char other[sizeof path + 8];
    (void)state;
    (void)unlink(path);
    snprintf(other, sizeof other, "%s-wal", path);
    (void)unlink(other);
    snprintf(other, sizeof other, "%s-shm", path);
    (void)unlink(other);
    return 0;
}

static void a_row_comes_back_as_it_was(void **state)
{
    (void)state;
    struct store *s = open_store();
    struct crossing c = sample();
    put(s, &c);
    store_close(s);
    s = open_store();
    struct seen seen = read_all(s);
    const struct crossing *r = &seen.last;
    assert_int_equal(seen.crossings, 1);
    assert_string_equal(r->id, "7-abc");
    assert_string_equal(seen.first, "x/a");
    assert_true(r->stream_id == c.stream_id);
    assert_memory_equal(r->stream.src, c.stream.src, sizeof c.stream.src);
    assert_memory_equal(r->stream.dst, c.stream.dst, sizeof c.stream.dst);
    assert_int_equal(r->stream.ssrc, 0xfffffffe);
    assert_true(r->stream.has_ssrc && r->stream.translated && r->loss_known && r->clock_known);
    assert_int_equal(r->stream.kind, KIND_RTP_VIDEO);
    assert_int_equal(r->stream.traffic_class, CLASS_MULTIMEDIA);
    assert_int_equal(r->stream.way, COMPARE_BACKWARD);
    assert_int_equal(r->stream.matched, 100);
    assert_int_equal(r->stream.lost, 9);
    assert_memory_equal(r->cells, c.cells, sizeof c.cells);
    assert_memory_equal(r->delays, c.delays, sizeof c.delays);
    assert_memory_equal(r->slices, c.slices, sizeof c.slices);
    assert_int_equal(r->slice_ns, c.slice_ns);
    assert_memory_equal(r->lost_by_dscp, c.lost_by_dscp, sizeof c.lost_by_dscp);
    assert_memory_equal(r->unresolved, c.unresolved, sizeof c.unresolved);
    assert_int_equal(r->offset_ns, -5);
    store_close(s);
}

static void a_row_that_comes_again_counts_once_and_a_final_one_stays(void **state)
{
    (void)state;
    struct store *s = open_store();
    struct crossing c = sample();
    put(s, &c);
    c.stream.matched = 200;
    c.final = true;
    put(s, &c);
    c.stream.matched = 50;
    c.final = false;
    put(s, &c); /* who takes over has read half of it by now */
    struct seen seen = read_all(s);
    assert_int_equal(seen.crossings, 1);
    assert_int_equal(seen.last.stream.matched, 200);
    store_close(s);
}

static void what_was_not_final_is_forgotten_with_its_window(void **state)
{
    (void)state;
    struct store *s = open_store();
    struct error error;
    struct crossing c = sample();
    struct fleet_point p = {.name = "x/a", .window_ns = c.window_ns, .partition = 3, .packets = 5};
    put(s, &c);
    snprintf(c.id, sizeof c.id, "7-def");
    c.final = true;
    put(s, &c);
    assert_int_equal(store_begin(s, &error), 0);
    assert_int_equal(store_point(s, &p, &error), 0);
    assert_int_equal(store_note(s, 3, c.window_ns, false, "a clock was set", &error), 0);
    assert_int_equal(store_commit(s, &error), 0);
    struct seen seen = read_all(s);
    assert_int_equal(seen.crossings, 2);
    assert_int_equal(seen.points, 1);
    assert_int_equal(seen.notes, 1);
    assert_int_equal(store_window(s, 4, c.window_ns, &error), 0); /* another partition's */
    assert_int_equal(read_all(s).crossings, 2);
    assert_int_equal(store_window(s, 3, c.window_ns, &error), 0);
    seen = read_all(s);
    assert_int_equal(seen.crossings, 1);
    assert_string_equal(seen.last.id, "7-def");
    assert_int_equal(seen.points + seen.notes, 0);
    assert_int_equal(store_prune(s, INT64_MAX, &error), 0);
    assert_int_equal(read_all(s).crossings, 0);
    store_close(s);
}

/* Whoever is held up between his last look and the write must not change what the next one told since. */
static void what_was_told_for_good_stays_as_it_is(void **state)
{
    (void)state;
    struct store *s = open_store();
    struct error error;
    struct fleet_point p = {.name = "x/a", .window_ns = 300 * NS_PER_S, .partition = 3, .final = true};
    assert_int_equal(store_window(s, 3, p.window_ns, &error), 0);
    assert_int_equal(store_begin(s, &error), 0);
    assert_int_equal(store_point(s, &p, &error), 0);
    assert_int_equal(store_commit(s, &error), 0);
    assert_int_equal(store_window(s, 3, p.window_ns, &error), 1);
    assert_int_equal(store_window(s, 4, p.window_ns, &error), 0);
    assert_int_equal(store_window(s, 3, 2 * p.window_ns, &error), 0);
    assert_int_equal(read_all(s).points, 1);
    store_close(s);
}

static void what_is_not_committed_is_not_there(void **state)
{
    (void)state;
    struct store *s = open_store();
    struct error error;
    struct crossing c = sample();
    assert_int_equal(store_begin(s, &error), 0);
    assert_int_equal(store_crossing(s, &c, &error), 0);
    store_close(s);
    s = open_store();
    assert_int_equal(read_all(s).crossings, 0);
    store_close(s);
}

static void a_file_that_is_something_else_is_refused(void **state)
{
    (void)state;
    struct store *s = NULL;
    struct error error = {.text = ""};
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    for (int i = 0; i < 1000; i++)
        fputs("this is no database\n", f);
    assert_int_equal(fclose(f), 0);
    assert_true(store_open(path, &s, &error) < 0);
    assert_true(error.text[0] != '\0');
    assert_true(store_open("/nonexistent/folder/x", &s, &error) < 0);
}

#ifdef QOSMARK_HAVE_SQLITE
static void a_database_of_something_else_is_left_alone(void **state)
{
    (void)state;
    struct store *s = NULL;
    struct error error = {.text = ""};
    sqlite3 *db = NULL;
    sqlite3_stmt *q = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE song(name TEXT)", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(store_open(path, &s, &error), ERR_FORMAT);
    assert_non_null(strstr(error.text, "a database of something else"));
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT count(*) FROM sqlite_master", -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(q, 0), 1);
    assert_int_equal(sqlite3_finalize(q), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}
#endif

#ifdef QOSMARK_HAVE_SQLITE
/* One answer of SQL, as who has nothing but the file would ask. */
static void expect(const char *sql, const char *answer)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *q = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    const char *text = (const char *)sqlite3_column_text(q, 0);
    if (!text || strcmp(text, answer) != 0)
        fail_msg("%s: %s, and not %s", sql, text ? text : "NULL", answer);
    assert_int_equal(sqlite3_finalize(q), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* Packets that one point missed and others that only the next one saw: as --rows says it, so does the table. */
static void a_loss_that_is_not_known_is_null(void **state)
{
    (void)state;
    static const struct {
        uint64_t lost, appeared;
        bool countable;
        const char *json, *columns;
    } cases[] = {{9, 0, true, "\"lost\":9,", "9 9"},         {9, 2, true, "\"lost\":null,", "NULL 9"},
                 {20, 2, true, "\"lost\":null,", "NULL 20"}, {21, 2, true, "\"lost\":21,", "21 21"},
                 {0, 50, true, "\"lost\":0,", "0 0"},        {0, 0, false, "\"lost\":null,", "NULL NULL"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct store *s = open_store();
        struct crossing c = sample();
        struct strbuf json = {0};
        c.stream.lost = cases[i].lost;
        c.appeared = cases[i].appeared;
        c.loss_known = cases[i].countable;
        put(s, &c);
        struct crossing r = read_all(s).last;
        assert_true(r.loss_known == c.loss_known && r.stream.lost == c.stream.lost && r.appeared == c.appeared);
        r.first = c.first;
        r.second = c.second;
        crossing_write_json(&r, &json);
        assert_non_null(strstr(strbuf_text(&json), cases[i].json));
        strbuf_done(&json);
        store_close(s);
        expect("SELECT ifnull(lost,'NULL')||' '||ifnull(missing,'NULL') FROM crossing", cases[i].columns);
    }
}

/* A file as version 2 of the history made it. */
static void make_version_2(void)
{
    static const char *const sql =
        "PRAGMA journal_mode=WAL; PRAGMA user_version=2;"
        "CREATE TABLE crossing(id TEXT NOT NULL,window_ns INTEGER NOT NULL,partition INTEGER NOT NULL,final INTEGER "
        "NOT "
        "NULL,first_point TEXT NOT NULL,second_point TEXT NOT NULL,stream INTEGER NOT NULL,way INTEGER NOT NULL,way_by "
        "INTEGER NOT NULL,doubtful INTEGER NOT NULL,translated INTEGER NOT NULL,proto INTEGER NOT NULL,first_src TEXT "
        "NOT "
        "NULL,first_dst TEXT NOT NULL,second_src TEXT NOT NULL,second_dst TEXT NOT NULL,ssrc INTEGER,kind TEXT NOT "
        "NULL,"
        "class TEXT NOT NULL,matched INTEGER NOT NULL,changed INTEGER NOT NULL,lost INTEGER,lost_marks TEXT NOT NULL,"
        "lost_mixed INTEGER NOT NULL,unresolved TEXT NOT NULL,away INTEGER NOT NULL,appeared INTEGER NOT NULL,marks "
        "TEXT "
        "NOT NULL,delays TEXT NOT NULL,slices TEXT NOT NULL,offset_ns INTEGER,first_ns INTEGER NOT NULL,last_ns "
        "INTEGER "
        "NOT NULL,PRIMARY KEY(id)) WITHOUT ROWID;"
        "CREATE INDEX crossing_window ON crossing(window_ns,partition);";
    static const char row[] =
        "INSERT INTO crossing VALUES('7-%d',300,3,1,'x/a','x/b',5,0,1,0,0,17,'10.0.0.1:1','10.0.0.2:2',"
        "'10.0.0.1:1','10.0.0.2:2',NULL,'rtp-audio','voice',100,0,%s,'',0,'',0,%d,'46>46:100','','',"
        "NULL,1,2)";
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    static const char *const lost[] = {"9", "9", "NULL", "0"};
    static const int appeared[] = {0, 2, 0, 3};
    for (int i = 0; i < 4; i++) {
        char text[512];
        snprintf(text, sizeof text, row, i, lost[i], appeared[i]);
        assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    }
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void a_history_of_before_is_brought_up_to_date(void **state)
{
    (void)state;
    make_version_2();
    for (int again = 0; again < 2; again++) {
        struct store *s = open_store();
        assert_int_equal(read_all(s).crossings, 4);
        assert_true(read_all(s).last.loss_known);
        store_close(s);
        expect("PRAGMA user_version", "3");
        expect("SELECT group_concat(v,' ') FROM (SELECT ifnull(lost,'-')||'/'||ifnull(missing,'-') v FROM crossing "
               "ORDER BY id)",
               "9/9 -/9 -/- 0/0");
    }
    struct store *s = open_store();
    struct crossing c = sample();
    put(s, &c); /* and is written on */
    assert_int_equal(read_all(s).crossings, 5);
    store_close(s);
}

/* Collectors of one machine that start together after an update. */
static void of_several_that_open_it_one_brings_it_up_to_date(void **state)
{
    (void)state;
    pid_t children[4];
    make_version_2();
    for (int i = 0; i < 4; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            struct store *s = NULL;
            struct error error = {.text = ""};
            int r = store_open(path, &s, &error);
            store_close(s);
            if (r < 0)
                fprintf(stderr, "%s\n", error.text);
            _exit(r < 0);
        }
        assert_true(children[i] > 0);
    }
    for (int i = 0; i < 4; i++) {
        int status = -1;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    expect("SELECT group_concat(v,' ') FROM (SELECT ifnull(lost,'-')||'/'||ifnull(missing,'-') v FROM crossing ORDER "
           "BY id)",
           "9/9 -/9 -/- 0/0");
}

static void other_versions_are_refused(void **state)
{
    (void)state;
    static const char *const versions[] = {"PRAGMA user_version=1", "PRAGMA user_version=4"};
    for (int i = 0; i < 2; i++) {
        struct store *s = NULL;
        struct error error = {.text = ""};
        sqlite3 *db = NULL;
        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        assert_int_equal(sqlite3_exec(db, versions[i], NULL, NULL, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_close(db), SQLITE_OK);
        assert_int_equal(store_open(path, &s, &error), ERR_FORMAT);
        assert_non_null(strstr(error.text, "and this qosmark knows version 3"));
    }
}
#endif

int main(void)
{
    if (!store_built_in())
        return 77;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_row_comes_back_as_it_was, fresh, forget),
        cmocka_unit_test_setup_teardown(a_row_that_comes_again_counts_once_and_a_final_one_stays, fresh, forget),
        cmocka_unit_test_setup_teardown(what_was_not_final_is_forgotten_with_its_window, fresh, forget),
        cmocka_unit_test_setup_teardown(what_was_told_for_good_stays_as_it_is, fresh, forget),
        cmocka_unit_test_setup_teardown(what_is_not_committed_is_not_there, fresh, forget),
        cmocka_unit_test_setup_teardown(a_file_that_is_something_else_is_refused, fresh, forget),
#ifdef QOSMARK_HAVE_SQLITE
        cmocka_unit_test_setup_teardown(a_database_of_something_else_is_left_alone, fresh, forget),
        cmocka_unit_test_setup_teardown(a_loss_that_is_not_known_is_null, fresh, forget),
        cmocka_unit_test_setup_teardown(a_history_of_before_is_brought_up_to_date, fresh, forget),
        cmocka_unit_test_setup_teardown(of_several_that_open_it_one_brings_it_up_to_date, fresh, forget),
        cmocka_unit_test_setup_teardown(other_versions_are_refused, fresh, forget),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
