#include "report/report_text.h"

#include <stdio.h>
#include <string.h>

#include "report/unjudged.h"
#include "report/view.h"
#include "report/view_verdict.h"

/* What the verdict rests on: quality, nodes, what could not be judged and why, notes, inputs. */

enum { INDENT = 2, NODES_FEW = 12, NOTES_FEW = 12, INPUTS_FEW = 8, KINDS_SHOWN = 5 };

static void quality_line(struct text *t, const char *what, enum style style, const struct quality *q)
{
    char streams[SMALL_TEXT_MAX], share[SMALL_TEXT_MAX];
    small_count(q->streams, streams);
    small_share(q->packets_lost, q->packets_expected, share);
    text_to(t, INDENT);
    text_put(t, style, what);
    text_right(t, STYLE_PLAIN, INDENT + 22, streams);
    text_putf(t, STYLE_PLAIN, " %s", plural(q->streams, "stream", "streams"));
    text_right(t, STYLE_PLAIN, INDENT + 38, share);
    text_put(t, STYLE_PLAIN, " lost");
    if (q->jitter_ms >= 0)
        text_putf(t, STYLE_PLAIN, "   jitter %.1f ms", q->jitter_ms);
    text_end(t);
}

void section_quality(struct text *t)
{
    if (!view_has_quality(t->document))
        return;
    text_heading(t, "RTP quality");
    text_put(t, STYLE_DIM, "  a comparison, no proof that the marks are the cause");
    text_end(t);
    quality_line(t, "wrongly marked", STYLE_BAD, &t->document->wrong_quality);
    quality_line(t, "rightly marked", STYLE_GOOD, &t->document->right_quality);
}

static void node_line(struct text *t, const struct node *n, size_t name_end)
{
    size_t at = name_end + 2;
    text_to(t, INDENT);
    text_net(t, STYLE_PLAIN, n->name, name_end - INDENT);
    text_to(t, at);
    for (size_t i = 0; i < n->address_count; i++) {
        char address[ADDR_TEXT_MAX + 1];
        addr_format(&n->addresses[i], address);
        if (i + 1 < n->address_count)
            (void)strcat(address, ",");
        text_piece(t, STYLE_PLAIN, at, address);
    }
    for (unsigned bit = 0, any = 0; bit < 32; bit++) {
        const char *role = role_name((enum node_role)(n->roles & 1u << bit));
        if (*role) {
            text_put(t, STYLE_DIM, any++ ? "," : ";");
            text_piece(t, STYLE_DIM, at, role);
        }
    }
    if (n->inferred) {
        text_put(t, STYLE_PLAIN, ";");
        text_piece(t, STYLE_UNSURE, at, "inferred:");
        text_wrap(t, STYLE_PLAIN, at, n->evidence && *n->evidence ? n->evidence : "from what it serves");
    }
    text_end(t);
}

void section_nodes(struct text *t)
{
    const struct document *d = t->document;
    if (d->node_count == 0)
        return;
    size_t name_end = INDENT;
    bool inferred = false;
    for (size_t i = 0; i < d->node_count; i++) {
        size_t end = INDENT + text_columns(text_escape(t, d->nodes[i].name));
        name_end = end > name_end ? end : name_end;
        inferred = inferred || d->nodes[i].inferred;
    }
    name_end = name_end > 26 ? 26 : name_end;
    text_heading(t, "Nodes");
    if (inferred)
        text_put(t, STYLE_DIM, "  inferred from the capture; name them with -n NAME=ADDRESS");
    text_end(t);
    size_t shown = rows_shown(t, d->node_count, NODES_FEW, d->node_count);
    for (size_t i = 0; i < shown && out_ok(t->out); i++)
        node_line(t, &d->nodes[i], name_end);
    text_rest(t, INDENT, d->node_count - shown, "nodes");
}

static void group_kinds(struct text *t, const struct unjudged_group *g, size_t indent)
{
    enum kind order[KIND_COUNT];
    size_t kinds = unjudged_kinds(g, order);
    if (kinds == 1 && g->reason && strstr(g->reason, kind_name(order[0])))
        return;
    for (size_t n = 0; n < kinds && n < KINDS_SHOWN; n++) {
        char piece[SMALL_TEXT_MAX + 32], count[SMALL_TEXT_MAX];
        small_count(g->by_kind[order[n]], count);
        bool last = n + 1 == kinds;
        if (kinds == 1)
            (void)snprintf(piece, sizeof piece, "(%s)", kind_name(order[n]));
        else
            (void)snprintf(piece, sizeof piece, "%s%s %s%s", n ? "" : "(", kind_name(order[n]), count,
                           last ? ")" : ",");
        text_piece(t, STYLE_DIM, indent, piece);
    }
    if (kinds > KINDS_SHOWN)
        text_piece(t, STYLE_DIM, indent, t->options->utf8 ? "\u2026)" : "...)");
}

static void group_line(struct text *t, const struct unjudged_group *g)
{
    const size_t number_end = INDENT + 9, at = number_end + 2;
    char n[SMALL_TEXT_MAX];
    small_count(g->streams, n);
    text_to(t, INDENT);
    text_put(t, style_of(g->verdict), sign_of(t, g->verdict));
    text_right(t, STYLE_PLAIN, number_end, n);
    text_to(t, at);
    if (g->merged && g->reason)
        text_put(t, STYLE_PLAIN, "e.g. ");
    text_wrap(t, STYLE_PLAIN, at, g->reason ? g->reason : "for other reasons (-vv shows them with the streams)");
    group_kinds(t, g, at);
    text_end(t);
}

void section_unjudged(struct text *t)
{
    struct unjudged *u = unjudged_new(t->document);
    if (!u)
        out_fail(t->out, ERR_MEMORY);
    if (u && u->count) {
        text_heading(t, "Not judged");
        text_put(t, STYLE_DIM, "  streams that neither pass nor fail (? unknown)");
        text_end(t);
        for (size_t i = 0; i < u->count; i++)
            group_line(t, &u->groups[i]);
    }
    unjudged_free(u);
}

void section_notes(struct text *t)
{
    const struct document *d = t->document;
    size_t shown = rows_shown(t, d->note_count, NOTES_FEW, d->note_count);
    text_notes(t, d->notes, shown);
    text_rest(t, INDENT, d->note_count - shown, "notes");
}

/* "2026-11-22 09:00:00 to 09:12:03 UTC" */
static void input_times(struct text *t, const struct input *in, size_t indent)
{
    char date[SMALL_TEXT_MAX], time[SMALL_TEXT_MAX], last[SMALL_TEXT_MAX];
    small_date(in->first_ns, date);
    small_time(in->first_ns, time);
    text_put(t, STYLE_PLAIN, ",");
    text_piece(t, STYLE_PLAIN, indent, date);
    text_piece(t, STYLE_PLAIN, indent, time);
    small_date(in->last_ns, last);
    text_piece(t, STYLE_PLAIN, indent, "to");
    if (strcmp(date, last) != 0)
        text_piece(t, STYLE_PLAIN, indent, last);
    small_time(in->last_ns, time);
    text_piece(t, STYLE_PLAIN, indent, time);
    text_piece(t, STYLE_PLAIN, indent, "UTC");
}

static void input_lines(struct text *t, const struct input *in)
{
    const struct {
        uint64_t n;
        const char *what;
    } parts[] = {
        {in->truncated, "cut short"},
        {in->malformed, "malformed"},
        {in->unsupported, "without IP or not supported"},
    };
    const size_t indent = INDENT + 2;
    char count[SMALL_TEXT_MAX], size[SMALL_TEXT_MAX];
    text_to(t, INDENT);
    text_wrap(t, STYLE_PLAIN, indent, input_point(in));
    text_put(t, STYLE_PLAIN, ":");
    small_count(in->packets, count);
    text_piece(t, STYLE_PLAIN, indent, count);
    text_piece(t, STYLE_PLAIN, indent, plural(in->packets, "packet,", "packets,"));
    small_bytes(in->bytes, size);
    text_piece(t, STYLE_PLAIN, indent, size);
    if (in->packets)
        input_times(t, in, indent);
    text_end(t);
    bool any = false;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (!parts[i].n)
            continue;
        small_count(parts[i].n, count);
        text_to(t, indent);
        text_putf(t, STYLE_UNSURE, "%s%s %s", any ? ", " : "skipped: ", count, parts[i].what);
        any = true;
    }
    if (any)
        text_end(t);
    if (in->dropped) {
        small_count(in->dropped, count);
        text_to(t, indent);
        text_putf(t, STYLE_BAD, "lost by the capture: %s", count);
        text_end(t);
    }
    if (!in->complete) {
        text_to(t, indent);
        text_put(t, STYLE_BAD, "INCOMPLETE:");
        text_wrap(t, STYLE_PLAIN, indent, view_problem(in));
        text_end(t);
    }
}

void section_inputs(struct text *t)
{
    const struct document *d = t->document;
    if (d->input_count == 0)
        return;
    text_heading(t, "Inputs");
    text_end(t);
    size_t shown = rows_shown(t, d->input_count, INPUTS_FEW, d->input_count);
    for (size_t i = 0; i < shown && out_ok(t->out); i++)
        input_lines(t, &d->inputs[i]);
    text_rest(t, INDENT, d->input_count - shown, "inputs");
}
