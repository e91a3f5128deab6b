#include "sample.h"

enum { ROWS_MAX = 8, COLUMNS_MAX = 64, FIELD_MAX = 512 };

/* A reader after RFC 4180 §2, written for this test. */
struct table {
    size_t rows, columns[ROWS_MAX];
    char field[ROWS_MAX][COLUMNS_MAX][FIELD_MAX];
};

static const char *read_field(const char *p, char *to)
{
    size_t n = 0;
    bool quoted = *p == '"';
    p += quoted;
    for (;; p++) {
        if (quoted && *p == '"' && p[1] == '"')
            p++;
        else if (quoted && *p == '"')
            break;
        else if (!quoted && (*p == ',' || *p == '\r' || *p == '\0'))
            break;
        assert_true(*p && n + 1 < FIELD_MAX);
        assert_true(quoted || (*p != '"' && *p != '\n'));
        to[n++] = *p;
    }
    to[n] = '\0';
    return p + quoted;
}

static struct table *read_table(const char *p)
{
    struct table *t = calloc(1, sizeof *t);
    assert_non_null(t);
    while (*p) {
        assert_true(t->rows < ROWS_MAX);
        size_t *columns = &t->columns[t->rows];
        do {
            assert_true(*columns < COLUMNS_MAX);
            p += *columns > 0;
            p = read_field(p, t->field[t->rows][(*columns)++]);
        } while (*p == ',');
        assert_memory_equal(p, "\r\n", 2);
        p += 2;
        t->rows++;
    }
    return t;
}

static struct table *table_of(const struct document *d)
{
    struct strbuf b = sample_write(d, &(struct report_options){.format = REPORT_CSV});
    struct table *t = read_table(strbuf_text(&b));
    strbuf_done(&b);
    return t;
}

static const char *field(const struct table *t, size_t row, const char *column)
{
    for (size_t c = 0; c < t->columns[0]; c++)
        if (strcmp(t->field[0][c], column) == 0)
            return t->field[row][c];
    fail_msg("no column %s", column);
    return "";
}

static void a_header_and_one_row_a_stream_all_equally_long(void **state)
{
    struct sample *s = *state;
    struct table *t = table_of(s->document);
    assert_int_equal(t->rows, 5);
    for (size_t i = 0; i < t->rows; i++)
        assert_int_equal(t->columns[i], t->columns[0]);
    assert_string_equal(t->field[0][0], "stream");
    for (size_t a = 0; a < t->columns[0]; a++)
        for (size_t b = 0; b < a; b++)
            assert_string_not_equal(t->field[0][a], t->field[0][b]);
    free(t);
}

static void a_row_holds_the_record(void **state)
{
    static const struct {
        const char *column, *value;
    } expected[] = {
        {"stream", "0"},
        {"point", "a.pcapng"},
        {"proto", "udp"},
        {"src_addr", "10.2.0.7"},
        {"src_port", "34904"},
        {"dst_addr", "10.1.1.11"},
        {"dst_port", "20000"},
        {"node", "cms-01"},
        {"peer_node", ""},
        {"direction", "to-node"},
        {"site", "berlin"},
        {"call", "call-1"},
        {"kind", "rtp-audio"},
        {"class", "voice"},
        {"confidence", "certain"},
        {"evidence", "SDP m=audio, frame 12"},
        {"ssrc", "0x1234abcd"},
        {"payload_types", "108 101"},
        {"codec", "opus/48000"},
        {"packets", "1000"},
        {"bytes", "172000"},
        {"first", "2026-11-22T09:00:00.000000000Z"},
        {"last", "2026-11-22T09:00:20.000000000Z"},
        {"first_frame", "15"},
        {"dscp", "EF:990 CS0:10"},
        {"ecn", "not-ect:900 ect1:1 ect0:90 ce:9"},
        {"outer_dscp", ""},
        {"expected", "EF"},
        {"verdict", "violating"},
        {"reason", ""},
        {"violating_packets", "10"},
        {"rtp_clock_rate", "48000"},
        {"rtp_expected", "1003"},
        {"rtp_lost", "3"},
        {"rtp_reordered", "1"},
        {"rtp_duplicates", "2"},
        {"rtp_jitter_ms", "0.410"},
        {"rtp_max_gap_ms", "41.000"},
        {"findings", "bleached"},
        {"wireshark", "udp.srcport == 34904 && ip.dsfield.dscp == 0"},
        {"inner_dscp", ""},
    };
    struct sample *s = *state;
    struct table *t = table_of(s->document);
    assert_int_equal(t->columns[0], sizeof expected / sizeof expected[0]);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        assert_string_equal(field(t, 1, expected[i].column), expected[i].value);
    free(t);
}

static void what_is_not_known_is_empty(void **state)
{
    struct sample *s = *state;
    struct table *t = table_of(s->document);
    assert_string_equal(field(t, 2, "rtp_clock_rate"), "");
    assert_string_equal(field(t, 2, "rtp_jitter_ms"), "");
    assert_string_equal(field(t, 2, "rtp_lost"), "0");
    assert_string_equal(field(t, 2, "expected"), "AF41 CS1 EF");
    assert_string_equal(field(t, 2, "outer_dscp"), "CS0:500");
    assert_string_equal(field(t, 3, "class"), "");
    assert_string_equal(field(t, 3, "ssrc"), "0x00000000");
    assert_string_equal(field(t, 4, "ssrc"), "");
    assert_string_equal(field(t, 4, "node"), "");
    assert_string_equal(field(t, 4, "dscp"), "11:2");
    assert_string_equal(field(t, 4, "rtp_lost"), "");
    free(t);
}

static void formulas_are_inert(void **state)
{
    static const char *const starts[] = {"=1+1", "+1", "-1", "@SUM(A1)",
                                         ("\xef\xbc\x9d"
                                          "1+1")};
    struct sample *s = *state;
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        char expected[64] = "'";
        s->document->records[0].codec = starts[i];
        (void)strncat(expected, starts[i], sizeof expected - 2);
        struct table *t = table_of(s->document);
        assert_string_equal(field(t, 1, "codec"), expected);
        free(t);
    }
    s->document->records[0].codec = "\t=1+1";
    struct table *t = table_of(s->document);
    assert_string_equal(field(t, 1, "codec"), "'\\x09=1+1");
    free(t);
}

static void separators_quotes_and_line_ends_stay_inside_their_field(void **state)
{
    struct sample *s = *state;
    s->document->records[0].evidence = "a \"b\", c\r\n=d";
    struct table *t = table_of(s->document);
    assert_int_equal(t->rows, 5);
    assert_string_equal(field(t, 1, "evidence"), "a \"b\", c\\x0D\\x0A=d");
    free(t);
}

static void hostile_text_breaks_no_row(void **state)
{
    struct sample *s = *state;
    sample_make_hostile(s);
    struct table *t = table_of(s->document);
    assert_int_equal(t->rows, 5);
    for (size_t r = 0; r < t->rows; r++) {
        assert_int_equal(t->columns[r], t->columns[0]);
        for (size_t c = 0; c < t->columns[r]; c++) {
            assert_true(t->field[r][c][0] == '\0' || !strchr("=+-@", t->field[r][c][0]));
            for (const unsigned char *p = (const unsigned char *)t->field[r][c]; *p; p++)
                assert_true(*p >= 0x20 && *p != 0x7f);
        }
    }
    free(t);
}

static void an_empty_document_is_the_header_alone(void **state)
{
    (void)state;
    struct document *d = document_new();
    struct table *t = table_of(d);
    assert_int_equal(t->rows, 1);
    free(t);
    document_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SAMPLE(a_header_and_one_row_a_stream_all_equally_long),
        WITH_SAMPLE(a_row_holds_the_record),
        WITH_SAMPLE(what_is_not_known_is_empty),
        WITH_SAMPLE(formulas_are_inert),
        WITH_SAMPLE(separators_quotes_and_line_ends_stay_inside_their_field),
        WITH_SAMPLE(hostile_text_breaks_no_row),
        cmocka_unit_test(an_empty_document_is_the_header_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
