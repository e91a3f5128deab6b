#include "report/report_compare.h"

/* A file name as a CSV field (RFC 4180), and never a formula of a spreadsheet. */
static void add_name(struct strbuf *row, const char *name)
{
    struct strbuf safe = {0};
    size_t len = 0;
    while (name[len])
        len++;
    text_printable(&safe, name, len);
    strbuf_adds(row, "\"");
    if (safe.len && (safe.at[0] == '=' || safe.at[0] == '+' || safe.at[0] == '-' || safe.at[0] == '@'))
        strbuf_adds(row, "'");
    for (size_t i = 0; i < safe.len; i++) {
        if (safe.at[i] == '"')
            strbuf_addc(row, '"');
        strbuf_addc(row, safe.at[i]);
    }
    strbuf_adds(row, "\"");
    row->failed |= !strbuf_ok(&safe);
    strbuf_done(&safe);
}

static void begin_row(struct strbuf *row, const struct compare_document *d, const struct compare_segment *s,
                      enum compare_way way, int class)
{
    row->len = 0;
    add_name(row, d->captures[compare_before(s, way)].input.file);
    strbuf_adds(row, ",");
    add_name(row, d->captures[compare_after(s, way)].input.file);
    strbuf_addf(row, ",%s,%s", compare_way_name(way), compare_class_name((enum traffic_class) class));
}

static void end_row(struct out *out, struct strbuf *row)
{
    if (!strbuf_ok(row))
        out_fail(out, ERR_MEMORY);
    else
        out_add(out, row->at, row->len);
}

/* One line a segment, way, class and pair of marks; what was lost has no mark after. */
void report_compare_csv(struct out *out, const struct compare_document *d, const struct report_options *o)
{
    struct strbuf row = {0};
    (void)o;
    out_adds(out, "before_file,after_file,direction,class,before_dscp,before_name,after_dscp,after_name,packets\r\n");
    for (size_t i = 0; i < d->segment_count; i++)
        for (int way = 0; way < COMPARE_BOTH; way++)
            for (int class = 0; class < CLASS_COUNT; class ++) {
                const struct compare_row *r = &d->segments[i].rows[way];
                const struct compare_class *c = &r->classes[class];
                for (size_t k = 0; k < c->cell_count; k++) {
                    const struct compare_cell *cell = &c->cells[k];
                    begin_row(&row, d, &d->segments[i], (enum compare_way)way, class);
                    strbuf_addf(&row, ",%u,%s,%u,%s,%llu\r\n", cell->before, dscp_name(cell->before), cell->after,
                                dscp_name(cell->after), (unsigned long long)cell->packets);
                    end_row(out, &row);
                }
                for (unsigned mark = 0; mark < DSCP_COUNT && r->loss_known; mark++) {
                    if (!c->lost_by_dscp[mark])
                        continue;
                    begin_row(&row, d, &d->segments[i], (enum compare_way)way, class);
                    strbuf_addf(&row, ",%u,%s,,lost,%llu\r\n", mark, dscp_name((dscp_t)mark),
                                (unsigned long long)c->lost_by_dscp[mark]);
                    end_row(out, &row);
                }
            }
    strbuf_done(&row);
}
