#include "report/emit.h"

#include <string.h>

/* Room for any number and what stands before it. */
enum { NUMBER_MAX = 32 };

static const char hex[] = "0123456789abcdef";

void emit_done(struct emit *e)
{
    strbuf_done(&e->scratch);
}

static char *separator(struct emit *e, char *at)
{
    if (e->comma) {
        *at++ = ',';
        *at++ = ' ';
    }
    e->comma = true;
    return at;
}

void emit_open(struct emit *e, char bracket)
{
    emit_separator(e);
    out_add(e->out, &bracket, 1);
    e->comma = false;
}

void emit_close(struct emit *e, char bracket)
{
    out_add(e->out, &bracket, 1);
    e->comma = true;
}

void emit_key_named(struct emit *e, const char *key)
{
    emit_text(e, key);
    out_add(e->out, ": ", 2);
    e->comma = false;
}

void emit_null(struct emit *e)
{
    emit_separator(e);
    out_add(e->out, "null", 4);
}

void emit_bool(struct emit *e, bool v)
{
    emit_separator(e);
    out_add(e->out, v ? "true" : "false", v ? 4 : 5);
}

void emit_count(struct emit *e, uint64_t n)
{
    char *room = out_room(e->out, NUMBER_MAX);
    char *end = text_decimal(separator(e, room), n > INT64_MAX ? INT64_MAX : n);
    out_used(e->out, (size_t)(end - room));
}

void emit_number(struct emit *e, int64_t n)
{
    char *room = out_room(e->out, NUMBER_MAX);
    char *at = separator(e, room);
    if (n < 0)
        *at++ = '-';
    char *end = text_decimal(at, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
    out_used(e->out, (size_t)(end - room));
}

void emit_ms(struct emit *e, double ms)
{
    /* the comparison is also false for NaN; 1e12 ms is beyond what a nanosecond clock in 64 bits can hold */
    if (!(ms >= 0 && ms < 1e12)) {
        emit_null(e);
        return;
    }
    uint64_t us = (uint64_t)(ms * 1000 + 0.5);
    unsigned rest = (unsigned)(us % 1000);
    char *room = out_room(e->out, NUMBER_MAX);
    char *at = text_decimal(separator(e, room), us / 1000);
    *at++ = '.';
    *at++ = (char)('0' + rest / 100);
    if (rest % 100)
        *at++ = (char)('0' + rest / 10 % 10);
    if (rest % 10)
        *at++ = (char)('0' + rest % 10);
    out_used(e->out, (size_t)(at - room));
}

/* "2026-11-22T09:00:00." of a second; its length in `*ret_len`. */
static const char *stamp_of(struct emit *e, int64_t second, size_t *ret_len)
{
    size_t slot = (uint64_t)second % EMIT_STAMPS;
    if (!e->stamps[slot].used || e->stamps[slot].second != second) {
        clock_format(second * NS_PER_S, e->stamps[slot].text);
        e->stamps[slot].len = strlen(e->stamps[slot].text) - strlen("000000000Z");
        e->stamps[slot].second = second;
        e->stamps[slot].used = true;
    }
    *ret_len = e->stamps[slot].len;
    return e->stamps[slot].text;
}

void emit_time(struct emit *e, bool known, int64_t ns)
{
    if (!known) {
        emit_null(e);
        return;
    }
    int64_t second = ns / NS_PER_S - (ns % NS_PER_S < 0);
    uint32_t rest = (uint32_t)(ns % NS_PER_S + (ns % NS_PER_S < 0 ? NS_PER_S : 0));
    /* the first second of 1678 is the first that can be said in nanoseconds as a whole */
    if (second < INT64_MIN / NS_PER_S) {
        char text[CLOCK_TEXT_MAX];
        clock_format(ns, text);
        emit_text(e, text);
        return;
    }
    size_t len;
    const char *stamp = stamp_of(e, second, &len);
    char *room = out_room(e->out, CLOCK_TEXT_MAX + NUMBER_MAX);
    char *at = separator(e, room);
    *at++ = '"';
    memcpy(at, stamp, len);
    at += len;
    for (int i = 8; i >= 0; i--, rest /= 10)
        at[i] = (char)('0' + rest % 10);
    at += 9;
    *at++ = 'Z';
    *at++ = '"';
    out_used(e->out, (size_t)(at - room));
}

/* True where nothing need be done to the text: printable ASCII but quote and backslash. Eight bytes at a time. */
static bool is_plain(const char *text, size_t len)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = UINT64_C(0x8080808080808080);
    uint64_t found = 0;
    size_t i = 0;
    for (; i + 8 <= len; i += 8) {
        uint64_t v;
        memcpy(&v, text + i, 8);
        /* below 0x20, above 0x7f, and equal to one of three: a borrow or a top bit shows it (Hacker's Delight §6-1) */
        uint64_t quote = v ^ ones * '"', slash = v ^ ones * '\\', rubout = v ^ ones * 0x7f;
        found |= v | (v - ones * 0x20) | (quote - ones) | (slash - ones) | (rubout - ones);
    }
    for (; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\')
            return false;
    }
    return (found & tops) == 0;
}

/* What text_printable() has made of it: valid UTF-8 without control characters, so that only two need escaping. */
static void add_escaped(struct emit *e, const char *text, size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t n = i;
        while (n < len && text[n] != '"' && text[n] != '\\')
            n++;
        out_add(e->out, text + i, n - i);
        if (n < len) {
            out_add(e->out, "\\", 1);
            out_add(e->out, text + n, 1);
        }
        i = n + 1;
    }
}

void emit_slice(struct emit *e, struct slice text)
{
    emit_separator(e);
    out_add(e->out, "\"", 1);
    if (text.len && is_plain(text.at, text.len)) {
        out_add(e->out, text.at, text.len);
    } else if (text.len) {
        e->scratch.len = 0;
        text_printable(&e->scratch, text.at, text.len);
        if (!strbuf_ok(&e->scratch))
            out_fail(e->out, ERR_MEMORY);
        else if (e->scratch.len)
            add_escaped(e, e->scratch.at, e->scratch.len);
    }
    out_add(e->out, "\"", 1);
}

void emit_text(struct emit *e, const char *text)
{
    emit_slice(e, slice_make(text, text ? strlen(text) : 0));
}

void emit_text_or_null(struct emit *e, const char *text)
{
    if (text && *text)
        emit_text(e, text);
    else
        emit_null(e);
}

void emit_ssrc(struct emit *e, uint32_t ssrc)
{
    char *room = out_room(e->out, NUMBER_MAX);
    char *at = separator(e, room);
    memcpy(at, "\"0x", 3);
    at += 3;
    for (int shift = 28; shift >= 0; shift -= 4)
        *at++ = hex[ssrc >> shift & 15];
    *at++ = '"';
    out_used(e->out, (size_t)(at - room));
}

void emit_address(struct emit *e, const struct addr *a)
{
    if (a->version != 4) {
        char text[ADDR_TEXT_MAX];
        addr_format(a, text);
        emit_text_or_null(e, text);
        return;
    }
    char *room = out_room(e->out, NUMBER_MAX);
    char *at = separator(e, room);
    for (size_t i = 0; i < 4; i++) {
        *at++ = i ? '.' : '"';
        at = text_decimal(at, a->bytes[i]);
    }
    *at++ = '"';
    out_used(e->out, (size_t)(at - room));
}
