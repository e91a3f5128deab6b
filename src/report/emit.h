#ifndef QOSMARK_REPORT_EMIT_H
#define QOSMARK_REPORT_EMIT_H

#include "base/clock.h"
#include "base/text.h"
#include "model/address.h"
#include "report/out.h"

/*
 * JSON written as it is made, without a tree: a document of half a million streams is a gigabyte. Separators are those
 * of jansson's compact form with a space (", " and ": "), which writes the small documents (report_json.h): the two
 * must not differ in anything but speed.
 *
 *     emit_open(e, '{');
 *     emit_key(e, "port");
 *     emit_count(e, 5060);
 *     emit_close(e, '}');
 */

enum { EMIT_STAMPS = 16 };

struct emit {
    struct out *out;
    bool comma; /* the next value or key follows another */
    struct strbuf scratch;
    /* seconds that were put into words lately: most times of a stream are in the same few */
    struct {
        bool used;
        int64_t second;
        size_t len;
        char text[CLOCK_TEXT_MAX];
    } stamps[EMIT_STAMPS];
};

void emit_done(struct emit *e);

void emit_open(struct emit *e, char bracket);
void emit_close(struct emit *e, char bracket);

/* Keys are literals of ours, in ASCII and without anything to escape. */
#define emit_key(e, key) emit_key_text(e, "\"" key "\": ", sizeof("\"" key "\": ") - 1)
static inline void emit_separator(struct emit *e)
{
    if (e->comma)
        out_add(e->out, ", ", 2);
    e->comma = true;
}

static inline void emit_key_text(struct emit *e, const char *text, size_t len)
{
    emit_separator(e);
    out_add(e->out, text, len);
    e->comma = false;
}
void emit_key_named(struct emit *e, const char *key);

void emit_null(struct emit *e);
void emit_bool(struct emit *e, bool v);
void emit_count(struct emit *e, uint64_t n); /* at most INT64_MAX, beyond which readers of JSON differ */
void emit_number(struct emit *e, int64_t n);
void emit_ms(struct emit *e, double ms);                      /* µs kept; negative and not a number is null */
void emit_time(struct emit *e, bool known, int64_t ns);       /* RFC 3339, or null */
void emit_text(struct emit *e, const char *text);             /* passes text_printable(); NULL is "" */
void emit_slice(struct emit *e, struct slice text);
void emit_text_or_null(struct emit *e, const char *text);     /* NULL and "" are null */
void emit_ssrc(struct emit *e, uint32_t ssrc);                /* "0x1234abcd" */
void emit_address(struct emit *e, const struct addr *a);      /* null for none */

#endif
