#include "report/report_metrics_text.h"

#include <string.h>

void metrics_head(struct strbuf *to, const char *name, const char *type, const char *help)
{
    strbuf_addf(to, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void metrics_label(struct strbuf *to, const char *value)
{
    struct strbuf safe = {0};
    text_printable(&safe, value, strlen(value));
    for (const char *p = strbuf_text(&safe); *p; p++) {
        if (*p == '\\' || *p == '"')
            strbuf_addc(to, '\\');
        strbuf_addc(to, *p);
    }
    to->failed |= safe.failed;
    strbuf_done(&safe);
}

void metrics_sample(struct strbuf *to, const char *name, const struct metrics_pair *labels, size_t count)
{
    char before = '{';
    strbuf_adds(to, name);
    for (size_t i = 0; i < count; i++) {
        if (!labels[i].value)
            continue;
        strbuf_addc(to, before);
        strbuf_adds(to, labels[i].name);
        strbuf_adds(to, "=\"");
        metrics_label(to, labels[i].value);
        strbuf_addc(to, '"');
        before = ',';
    }
    strbuf_adds(to, before == ',' ? "} " : " ");
}

void metrics_count(struct strbuf *to, uint64_t value)
{
    strbuf_addf(to, "%llu\n", (unsigned long long)value);
}

void metrics_number(struct strbuf *to, double value)
{
    strbuf_addf(to, "%.15g\n", value);
}
