#include "lib/handles.h"

#include <string.h>

_Static_assert((int)QOSMARK_E_MEMORY == (int)ERR_MEMORY && (int)QOSMARK_E_IO == (int)ERR_IO &&
                   (int)QOSMARK_E_FORMAT == (int)ERR_FORMAT && (int)QOSMARK_E_INCOMPLETE == (int)ERR_INCOMPLETE &&
                   (int)QOSMARK_E_USAGE == (int)ERR_USAGE && (int)QOSMARK_E_UNSUPPORTED == (int)ERR_UNSUPPORTED &&
                   (int)QOSMARK_E_LIMIT == (int)ERR_LIMIT,
               "the public numbers are those of the rooms");

int handle_refuse(qosmark_error *to, int code, const char *sentence)
{
    struct strbuf safe = {0};
    if (!to)
        return code;
    text_printable(&safe, sentence, strlen(sentence));
    slice_copy(slice_make(strbuf_text(&safe), safe.len), to->text, sizeof to->text);
    strbuf_done(&safe);
    return code;
}

int handle_fail(qosmark_error *to, int code, const struct error *from)
{
    return handle_refuse(to, code, from->text[0] ? from->text : error_name(code));
}

const char *word_put(struct strbuf *to, const char *text)
{
    to->len = 0;
    if (!text || !*text)
        return "";
    text_printable(to, text, strlen(text));
    return to->len ? strbuf_text(to) : "";
}

const char *word_put_lines(struct strbuf *to, const char *text)
{
    struct slice rest = slice_make(text ? text : "", text ? strlen(text) : 0);
    to->len = 0;
    while (rest.len > 0) {
        struct slice line = slice_next(&rest, '\n');
        text_printable(to, line.at, line.len);
        if (rest.len > 0)
            strbuf_addc(to, '\n');
    }
    return to->len ? strbuf_text(to) : "";
}

const char *qosmark_version(void)
{
    return QOSMARK_VERSION_STRING;
}

const char *qosmark_status_text(int status)
{
    return status > 0 ? error_name(ERR_NONE) : error_name(status);
}
