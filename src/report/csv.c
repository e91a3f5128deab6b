#include "report/csv.h"

#include <string.h>

/* Characters with which a spreadsheet takes a field for a formula; the last four are their full-width forms. */
static bool starts_formula(const char *text)
{
    static const char *const starts[] = {"=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20"};
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++)
        if (strncmp(text, starts[i], strlen(starts[i])) == 0)
            return true;
    return false;
}

void csv_add_text(struct strbuf *field, const char *text)
{
    if (!text)
        return;
    if (starts_formula(text))
        strbuf_addc(field, '\'');
    text_printable(field, text, strlen(text));
}

void csv_put(struct out *out, const struct strbuf *field)
{
    const char *text = field->len ? field->at : "";
    if (!strpbrk(text, ",\"\r\n")) {
        out_adds(out, text);
        return;
    }
    out_adds(out, "\"");
    for (const char *p = text; *p; p++)
        out_add(out, *p == '"' ? "\"\"" : p, *p == '"' ? 2 : 1);
    out_adds(out, "\"");
}
