#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "stream/ended.h"
#include "stream/varint.h"

/*
 * "SDP m=audio, frame 12" is said of every other stream, each time with another number. A text is kept without its
 * numbers, once, and the numbers apart: decimal ones, and those of eight hexadecimal digits that SSRCs are written with.
 */
enum { DECIMAL = 1, HEXADECIMAL = 2, PHRASES_MAX = 256, DIGITS_MAX = 18, SSRC_DIGITS = 8 };

struct phrase {
    uint32_t hash;
    char text[EVIDENCE_MAX];
};

static uint32_t hash_of(const char *text)
{
    uint32_t hash = 2166136261u;
    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * 16777619u;
    return hash;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hexadecimal(const char *at)
{
    for (int i = 0; i < SSRC_DIGITS; i++)
        if (!is_digit(at[i]) && !(at[i] >= 'a' && at[i] <= 'f'))
            return false;
    return true;
}

/* A number without leading zeros, so that it is written again as it was; how many digits, 0 for none. */
static size_t decimal_digits(const char *at)
{
    size_t n = 0;
    while (n < DIGITS_MAX && is_digit(at[n]))
        n++;
    return n > 1 && at[0] == '0' ? 0 : n;
}

/* The phrase of a text, and its numbers; the number of bytes of these, or SIZE_MAX where it cannot be one. */
static size_t phrase_of(const char *text, char phrase[static EVIDENCE_MAX], uint8_t *numbers)
{
    size_t n = 0, bytes = 0;
    while (*text) {
        size_t digits = decimal_digits(text);
        if ((uint8_t)*text <= HEXADECIMAL || n + 4 >= EVIDENCE_MAX)
            return SIZE_MAX;
        if (text[0] == '0' && text[1] == 'x' && is_hexadecimal(text + 2)) {
            char ssrc[SSRC_DIGITS + 1] = {0};
            memcpy(ssrc, text + 2, SSRC_DIGITS);
            bytes += varint_write(numbers + bytes, strtoul(ssrc, NULL, 16));
            memcpy(phrase + n, "0x\2", 3);
            n += 3;
            text += 2 + SSRC_DIGITS;
        } else if (digits) {
            bytes += varint_write(numbers + bytes, strtoull(text, NULL, 10));
            phrase[n++] = DECIMAL;
            text += digits;
        } else {
            phrase[n++] = *text++;
        }
    }
    phrase[n] = '\0';
    return bytes;
}

/* Reference to a phrase, 0 where it can be kept no more. */
static size_t phrase_keep(struct ended *e, const char *text)
{
    uint32_t hash = hash_of(text);
    for (size_t i = 0; i < e->phrase_count; i++)
        if (e->phrases[i].hash == hash && strcmp(e->phrases[i].text, text) == 0)
            return i + 1;
    if (e->phrase_count == PHRASES_MAX ||
        !grow((void **)&e->phrases, &e->phrase_cap, e->phrase_count, sizeof *e->phrases))
        return 0;
    struct phrase *p = &e->phrases[e->phrase_count++];
    p->hash = hash;
    memcpy(p->text, text, strlen(text) + 1);
    return e->phrase_count;
}

static size_t write_whole(const char *text, uint8_t *to)
{
    size_t len = strlen(text);
    len = len < EVIDENCE_MAX ? len : EVIDENCE_MAX - 1;
    size_t n = varint_write(to, 0);
    n += varint_write(to + n, len);
    memcpy(to + n, text, len);
    return n + len;
}

size_t ended_text_write(struct ended *e, const char *text, uint8_t to[static ENDED_TEXT_MAX])
{
    char phrase[EVIDENCE_MAX];
    uint8_t numbers[ENDED_TEXT_MAX];
    size_t bytes = strlen(text) < EVIDENCE_MAX ? phrase_of(text, phrase, numbers) : SIZE_MAX;
    size_t reference = bytes < SIZE_MAX ? phrase_keep(e, phrase) : 0;
    if (!reference)
        return write_whole(text, to);
    size_t n = varint_write(to, reference);
    memcpy(to + n, numbers, bytes);
    return n + bytes;
}

size_t ended_text_read(const struct ended *e, const uint8_t *from, char *to, size_t size)
{
    uint64_t reference, number;
    size_t at = varint_read(from, &reference), n = 0;
    if (reference == 0) {
        at += varint_read(from + at, &number);
        size_t len = number < size ? (size_t)number : size - 1;
        memcpy(to, from + at, len);
        to[len] = '\0';
        return at + (size_t)number;
    }
    for (const char *p = e->phrases[reference - 1].text; *p; p++) {
        char piece[24] = {*p};
        if (*p == DECIMAL || *p == HEXADECIMAL) {
            at += varint_read(from + at, &number);
            (void)snprintf(piece, sizeof piece, *p == DECIMAL ? "%" PRIu64 : "%08" PRIx64, number);
        }
        size_t len = strlen(piece);
        len = len < size - 1 - n ? len : size - 1 - n;
        memcpy(to + n, piece, len);
        n += len;
    }
    to[n] = '\0';
    return at;
}

void ended_text_done(struct ended *e)
{
    free(e->phrases);
    e->phrases = NULL;
    e->phrase_count = e->phrase_cap = 0;
}

size_t ended_text_bytes(const struct ended *e)
{
    return e->phrase_cap * sizeof *e->phrases;
}
