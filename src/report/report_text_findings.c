#include "report/report_text.h"

#include <stdio.h>
#include <string.h>

#include "report/view.h"

/* A filter of many streams would bury the findings that come after it. */
enum { FINDINGS_FEW = 25, FINDINGS_SOME = 100, STREAMS_NAMED = 12, INDENT = 4, FILTER_SHOWN_MAX = 2000 };

/* "4 streams, 400 packets, first in frame 1234 of b.pcap" */
static void evidence_line(struct text *t, const struct finding *f)
{
    char streams[SMALL_TEXT_MAX], packets[SMALL_TEXT_MAX];
    small_count(f->stream_count, streams);
    small_count(f->packets, packets);
    text_to(t, INDENT);
    if (f->stream_count)
        text_putf(t, STYLE_PLAIN, "%s %s, ", streams, plural(f->stream_count, "stream", "streams"));
    text_putf(t, STYLE_BOLD, "%s %s", packets, plural(f->packets, "packet", "packets"));
    if (f->first.frame) {
        text_putf(t, STYLE_PLAIN, ", first in frame %llu", (unsigned long long)f->first.frame);
        if (t->document->input_count > 1) {
            text_put(t, STYLE_PLAIN, " of");
            text_wrap(t, STYLE_PLAIN, INDENT, view_file(t->document, f->first.input));
        }
    }
    text_end(t);
}

/* The numbers under which section_streams() lists them. */
static void stream_numbers(struct text *t, const struct finding *f)
{
    size_t named = t->options->verbose >= 2 || f->stream_count <= STREAMS_NAMED ? f->stream_count : STREAMS_NAMED;
    text_to(t, INDENT);
    text_put(t, STYLE_DIM, plural(f->stream_count, "stream", "streams"));
    for (size_t i = 0; i < named; i++) {
        char number[SMALL_TEXT_MAX];
        (void)snprintf(number, sizeof number, "#%lu", (unsigned long)f->streams[i]);
        text_piece(t, STYLE_DIM, INDENT, number);
    }
    if (named < f->stream_count)
        text_piece(t, STYLE_DIM, INDENT, sign_more(t));
    text_end(t);
}

static void finding_lines(struct text *t, size_t number, const struct finding *f)
{
    static const char *const causes[] = {
        [CONFIDENCE_NONE] = "",
        [CONFIDENCE_LOW] = "(cause uncertain)",
        [CONFIDENCE_HIGH] = "(cause likely)",
        [CONFIDENCE_CERTAIN] = "",
    };
    char text[SMALL_TEXT_MAX];
    (void)snprintf(text, sizeof text, "%zu.", number);
    text_right(t, STYLE_BOLD, INDENT - 1, text);
    text_to(t, INDENT);
    /* two codes say what could not be seen or is only worth knowing: they accuse nobody */
    bool accuses = f->code != FINDING_NOT_VERIFIABLE && f->code != FINDING_TUNNEL_DIFFERS;
    text_put(t, accuses ? STYLE_BAD : STYLE_UNSURE, finding_code_name(f->code));
    if (f->subject && *f->subject) {
        text_put(t, STYLE_PLAIN, ": ");
        text_wrap(t, STYLE_BOLD, INDENT, f->subject);
    }
    if (*causes[f->confidence])
        text_piece(t, STYLE_DIM, INDENT, causes[f->confidence]);
    text_end(t);
    text_wrap(t, STYLE_PLAIN, INDENT, f->message);
    text_end(t);
    evidence_line(t, f);
    if (t->options->verbose >= 1 && f->stream_count)
        stream_numbers(t, f);
    text_advice(t, INDENT, f->advice);
    size_t filter_len = f->wireshark ? strlen(f->wireshark) : 0;
    if (filter_len > FILTER_SHOWN_MAX && !t->options->verbose) {
        text_to(t, INDENT);
        text_put(t, STYLE_DIM, "The filter takes many terms; -v shows it.");
        text_end(t);
    } else if (filter_len) {
        /* on a line of its own and never broken: to be copied */
        text_to(t, INDENT);
        text_put(t, STYLE_CODE, text_escape(t, f->wireshark));
        text_end(t);
    }
}

void section_findings(struct text *t)
{
    const struct document *d = t->document;
    if (d->finding_count == 0)
        return;
    text_heading(t, "Findings");
    text_put(t, STYLE_DIM, "  worst first; the last line of each is its Wireshark filter");
    text_end(t);
    struct finding_scratch scratch = {.failed = false};
    size_t shown = rows_shown(t, d->finding_count, FINDINGS_FEW, FINDINGS_SOME);
    for (size_t i = 0; i < shown && out_ok(t->out); i++) {
        if (i)
            text_end(t);
        finding_lines(t, i + 1, document_finding(d, i, &scratch));
    }
    if (scratch.failed)
        out_fail(t->out, ERR_MEMORY);
    finding_scratch_done(&scratch);
    text_rest(t, INDENT, d->finding_count - shown, "findings");
}
