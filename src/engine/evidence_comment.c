#include "engine/evidence_comment.h"

#include <stdlib.h>
#include <string.h>

#include "policy/marks.h"

void evidence_comments_done(struct evidence_comments *c)
{
    for (size_t i = 0; i < COMMENTS_KEPT; i++)
        strbuf_done(&c->kept[i].text);
    strbuf_done(&c->whole);
    record_scratch_done(&c->scratch);
}

void evidence_comments_forget(struct evidence_comments *c)
{
    for (size_t i = 0; i < COMMENTS_KEPT; i++)
        c->kept[i].record = 0;
}

dscp_set_t evidence_wrong_marks(const struct document *d, size_t record, struct record_scratch *scratch)
{
    if (document_verdict(d, record) != VERDICT_VIOLATING)
        return 0;
    return marks_wrong(document_record(d, record, RECORD_PLAIN, scratch), d->priority);
}

static void add_printable(struct strbuf *to, const char *text)
{
    text_printable(to, text, strlen(text));
}

/* Who an end is: the node where it is one, else its address. */
static void add_end(struct strbuf *to, const struct document *d, uint32_t node, const struct addr *addr)
{
    char text[ADDR_TEXT_MAX];
    addr_format(addr, text);
    if (node && node <= d->node_count)
        add_printable(to, d->nodes[node - 1].name);
    else
        strbuf_adds(to, text);
}

static void add_record(struct strbuf *to, const struct document *d, const struct record *r, dscp_t dscp)
{
    bool to_node = r->direction == DIRECTION_TO_NODE;
    const char *class = class_name(r->traffic_class), *kind = kind_name(r->kind);
    strbuf_adds(to, *class ? class : kind);
    strbuf_adds(to, " from ");
    add_end(to, d, to_node ? 0 : r->node, &r->src.addr);
    strbuf_adds(to, " to ");
    add_end(to, d, to_node ? r->node : r->peer_node, &r->dst.addr);
    if (*class)
        strbuf_addf(to, " (%s)", kind);
    strbuf_adds(to, ": ");
    if (r->expected)
        marks_text_expected(to, r->expected, r->preferred);
    else
        strbuf_adds(to, "no priority mark");
    strbuf_adds(to, " expected, ");
    marks_text(to, dscp_set_of(dscp));
    strbuf_adds(to, " seen.");
    for (size_t i = 0; i < r->finding_count; i++) {
        strbuf_addf(to, " %s: ", finding_code_name(r->findings[i].code));
        add_printable(to, r->findings[i].message);
    }
}

const char *evidence_comment(struct evidence_comments *c, size_t record, dscp_t dscp, const struct frame *frame)
{
    struct evidence_comment *kept = &c->kept[(record * 64 + dscp) % COMMENTS_KEPT];
    const struct document *d = c->document;
    if (kept->record != record + 1 || kept->dscp != dscp) {
        kept->text.len = 0;
        add_record(&kept->text, d, document_record(d, record, RECORD_FINDINGS, &c->scratch), dscp);
        kept->record = record + 1;
        kept->dscp = dscp;
    }
    c->whole.len = 0;
    strbuf_add(&c->whole, strbuf_text(&kept->text), kept->text.len);
    strbuf_addf(&c->whole, " [frame %llu of ", (unsigned long long)frame->number);
    add_printable(&c->whole, frame->input < d->input_count ? d->inputs[frame->input].file : "an input");
    strbuf_addc(&c->whole, ']');
    return strbuf_ok(&kept->text) && !c->scratch.failed && strbuf_ok(&c->whole) ? strbuf_text(&c->whole) : "";
}
