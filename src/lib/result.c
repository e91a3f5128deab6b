#include <stdlib.h>
#include <string.h>

#include "lib/handles.h"
#include "report/report.h"

/* The public numbers are those of the rooms. */
#define SAME(public, own) _Static_assert((int)(public) == (int)(own), #public)
SAME(QOSMARK_UNCHECKED, VERDICT_UNCHECKED);
SAME(QOSMARK_CONFORMING, VERDICT_CONFORMING);
SAME(QOSMARK_VIOLATING, VERDICT_VIOLATING);
SAME(QOSMARK_UNDETERMINED, VERDICT_UNDETERMINED);
SAME(QOSMARK_NOTHING_CHECKED, SUMMARY_NOTHING_CHECKED);
SAME(QOSMARK_PASS, SUMMARY_PASS);
SAME(QOSMARK_FAIL, SUMMARY_FAIL);
SAME(QOSMARK_NONE, CONFIDENCE_NONE);
SAME(QOSMARK_LOW, CONFIDENCE_LOW);
SAME(QOSMARK_HIGH, CONFIDENCE_HIGH);
SAME(QOSMARK_CERTAIN, CONFIDENCE_CERTAIN);
SAME(QOSMARK_FORMAT_TEXT, REPORT_TEXT);
SAME(QOSMARK_FORMAT_JSON, REPORT_JSON);
SAME(QOSMARK_FORMAT_JSONL, REPORT_JSONL);
SAME(QOSMARK_FORMAT_CSV, REPORT_CSV);
SAME(QOSMARK_FORMAT_HTML, REPORT_HTML);

const char *qosmark_verdict_name(int verdict)
{
    return verdict >= QOSMARK_UNCHECKED && verdict <= QOSMARK_UNDETERMINED ? verdict_name((enum verdict)verdict) : "";
}

const char *qosmark_summary_verdict_name(int verdict)
{
    bool known = verdict >= QOSMARK_NOTHING_CHECKED && verdict <= QOSMARK_FAIL;
    return known ? summary_verdict_name((enum summary_verdict)verdict) : "";
}

const char *qosmark_confidence_name(int confidence)
{
    bool known = confidence >= QOSMARK_NONE && confidence <= QOSMARK_CERTAIN;
    return known ? confidence_name((enum confidence)confidence) : "";
}

/* A safe copy that lives as long as the result; NULL without memory. */
static const char *keep(qosmark_result *r, const char *text)
{
    struct strbuf safe = {0};
    (void)word_put(&safe, text);
    const char *kept = strbuf_ok(&safe) ? arena_copy(&r->arena, strbuf_text(&safe), safe.len) : NULL;
    strbuf_done(&safe);
    return kept;
}

static bool fill_inputs(qosmark_result *r)
{
    const struct document *d = r->document;
    r->inputs = calloc(d->input_count + 1, sizeof *r->inputs);
    for (size_t i = 0; r->inputs && i < d->input_count; i++) {
        const struct input *in = &d->inputs[i];
        r->inputs[i] = (qosmark_input){.name = keep(r, in->file),
                                       .problem = keep(r, in->problem),
                                       .complete = in->complete,
                                       .packets = in->packets,
                                       .bytes = in->bytes,
                                       .first_ns = in->first_ns,
                                       .last_ns = in->last_ns,
                                       .truncated = in->truncated,
                                       .malformed = in->malformed,
                                       .unsupported = in->unsupported,
                                       .dropped = in->dropped};
        if (!r->inputs[i].name || !r->inputs[i].problem)
            return false;
    }
    return r->inputs != NULL;
}

static bool fill_notes(qosmark_result *r)
{
    r->notes = calloc(r->document->note_count + 1, sizeof *r->notes);
    for (size_t i = 0; r->notes && i < r->document->note_count; i++)
        if (!(r->notes[i] = keep(r, r->document->notes[i])))
            return false;
    return r->notes != NULL;
}

static void fill_summary(qosmark_result *r)
{
    const struct document *d = r->document;
    const struct summary *s = &d->summary;
    r->summary = (qosmark_summary){.verdict = (enum qosmark_summary_verdict)s->verdict,
                                   .complete = s->complete,
                                   .streams = s->streams,
                                   .checked = s->checked,
                                   .conforming = s->conforming,
                                   .violating = s->violating,
                                   .undetermined = s->undetermined,
                                   .unchecked = s->unchecked,
                                   .packets_checked = s->packets_checked,
                                   .packets_violating = s->packets_violating,
                                   .findings = d->finding_count,
                                   .calls = d->call_count};
}

qosmark_result *result_new(struct document *document, qosmark_error *error)
{
    qosmark_result *r = calloc(1, sizeof *r);
    if (!r) {
        document_free(document);
        (void)handle_refuse(error, QOSMARK_E_MEMORY, "out of memory");
        return NULL;
    }
    r->document = document;
    fill_summary(r);
    if (!fill_inputs(r) || !fill_notes(r)) {
        qosmark_result_free(r);
        (void)handle_refuse(error, QOSMARK_E_MEMORY, "out of memory");
        return NULL;
    }
    return r;
}

void qosmark_result_free(qosmark_result *result)
{
    if (!result)
        return;
    document_free(result->document);
    arena_done(&result->arena);
    free(result->inputs);
    free(result->notes);
    free(result);
}

const qosmark_summary *qosmark_result_summary(const qosmark_result *result)
{
    return &result->summary;
}

size_t qosmark_result_input_count(const qosmark_result *result)
{
    return result->document->input_count;
}

const qosmark_input *qosmark_result_input(const qosmark_result *result, size_t i)
{
    return i < result->document->input_count ? &result->inputs[i] : NULL;
}

const char *qosmark_result_note(const qosmark_result *result, size_t i)
{
    return i < result->document->note_count ? result->notes[i] : NULL;
}

int qosmark_result_stream_verdict(const qosmark_result *result, size_t i)
{
    return i < result->document->record_count ? (int)document_verdict(result->document, i) : QOSMARK_E_USAGE;
}

/* --- reports ------------------------------------------------------------------------------------------------------ */

enum { FLAGS_KNOWN = 31, WIDTH_USUAL = 80 };

struct sink {
    qosmark_sink sink;
    void *user;
};

static bool to_sink(void *user, const char *bytes, size_t len)
{
    struct sink *s = user;
    return s->sink(s->user, bytes, len) == 0;
}

int qosmark_result_write(const qosmark_result *result, enum qosmark_format format, unsigned flags, unsigned width,
                         qosmark_sink sink, void *user, qosmark_error *error)
{
    struct error why = {0};
    struct sink s = {sink, user};
    if (flags & ~(unsigned)FLAGS_KNOWN)
        return handle_refuse(error, QOSMARK_E_USAGE, "there is no such flag of a report");
    struct report_options options = {.format = (enum report_format)format,
                                     .quiet = (flags & QOSMARK_REPORT_QUIET) != 0,
                                     .color = (flags & QOSMARK_REPORT_COLOR) != 0,
                                     .utf8 = (flags & QOSMARK_REPORT_UNICODE) != 0,
                                     .width = width ? width : WIDTH_USUAL};
    if (flags & (QOSMARK_REPORT_STREAMS | QOSMARK_REPORT_DETAILS))
        options.verbose = flags & QOSMARK_REPORT_DETAILS ? 2 : 1;
    int r = report_write(result->document, &options, to_sink, &s, &why);
    return r < 0 ? handle_fail(error, r, &why) : QOSMARK_OK;
}

static int to_file(void *user, const char *bytes, size_t length)
{
    return fwrite(bytes, 1, length, user) == length ? 0 : -1;
}

int qosmark_result_print(const qosmark_result *result, enum qosmark_format format, unsigned flags, unsigned width,
                         FILE *file, qosmark_error *error)
{
    int r = qosmark_result_write(result, format, flags, width, to_file, file, error);
    if (r == QOSMARK_OK && fflush(file) != 0)
        return handle_refuse(error, QOSMARK_E_IO, "the report could not be written");
    return r;
}

int qosmark_format_parse(const char *name)
{
    enum report_format format;
    return report_format_parse(name, &format) ? (int)format : QOSMARK_E_USAGE;
}
