#include "report/csv.h"
#include "report/report_compare.h"

/* What the rows of one segment and way begin with. */
static void begin_row(struct out *out, const struct compare_document *d, const struct compare_segment *s,
                      enum compare_way way, struct strbuf *field)
{
    const char *const files[] = {d->captures[compare_before(s, way)].input.file,
                                 d->captures[compare_after(s, way)].input.file};
    for (int i = 0; i < 2; i++) {
        field->len = 0;
        csv_add_text(field, files[i]);
        csv_put(out, field);
        out_adds(out, ",");
    }
    out_adds(out, compare_way_name(way));
}

static void end_row(struct out *out, const struct strbuf *rest)
{
    if (!strbuf_ok(rest))
        out_fail(out, ERR_MEMORY);
    else
        out_add(out, rest->at, rest->len);
}

/* One line a segment, way, class and pair of marks; what was lost has no mark after. Of points of a fleet a last column
 * says how many of the packets have the mark that a topology wants. */
void report_compare_csv(struct out *out, const struct compare_document *d, const struct report_options *o)
{
    struct strbuf row = {0};
    (void)o;
    out_adds(out, "before_file,after_file,direction,class,before_dscp,before_name,after_dscp,after_name,packets");
    out_adds(out, d->points ? ",wanted\r\n" : "\r\n");
    for (size_t i = 0; i < d->segment_count; i++)
        for (int way = 0; way < COMPARE_BOTH; way++)
            for (int class = 0; class < CLASS_COUNT; class ++) {
                const struct compare_row *r = &d->segments[i].rows[way];
                const struct compare_class *c = &r->classes[class];
                const char *class_words = compare_class_name((enum traffic_class) class);
                for (size_t k = 0; k < c->cell_count; k++) {
                    const struct compare_cell *cell = &c->cells[k];
                    begin_row(out, d, &d->segments[i], (enum compare_way)way, &row);
                    row.len = 0;
                    strbuf_addf(&row, ",%s,%u,%s,%u,%s,%llu", class_words, cell->before, dscp_name(cell->before),
                                cell->after, dscp_name(cell->after), (unsigned long long)cell->packets);
                    if (d->points)
                        strbuf_addf(&row, ",%llu", (unsigned long long)cell->wanted);
                    strbuf_adds(&row, "\r\n");
                    end_row(out, &row);
                }
                for (unsigned mark = 0; mark < DSCP_COUNT && r->loss_known; mark++) {
                    if (!c->lost_by_dscp[mark])
                        continue;
                    begin_row(out, d, &d->segments[i], (enum compare_way)way, &row);
                    row.len = 0;
                    strbuf_addf(&row, ",%s,%u,%s,,lost,%llu%s\r\n", class_words, mark, dscp_name((dscp_t)mark),
                                (unsigned long long)c->lost_by_dscp[mark], d->points ? ",0" : "");
                    end_row(out, &row);
                }
            }
    strbuf_done(&row);
}
