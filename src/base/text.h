#ifndef QOSMARK_BASE_TEXT_H
#define QOSMARK_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Text inside somebody else's bytes: not terminated, not checked, valid as long as those bytes are. */
struct slice {
    const char *at;
    size_t len;
};

#define SLICE(literal) ((struct slice){(literal), sizeof(literal) - 1})

static inline struct slice slice_make(const void *at, size_t len)
{
    return (struct slice){at, len};
}

bool slice_equal(struct slice a, struct slice b);
bool slice_equal_nocase(struct slice a, struct slice b); /* ASCII only, as in RFC 3261 tokens */
bool slice_starts(struct slice text, struct slice prefix);
bool slice_starts_nocase(struct slice text, struct slice prefix);
struct slice slice_trim(struct slice text); /* without leading and trailing space, tab, CR, LF */

/* Steps over the text up to `separator` and returns it; `rest` keeps what follows the separator (empty at the end). */
struct slice slice_next(struct slice *rest, char separator);

/* An unsigned decimal number that fills the slice; false on anything else or above `max`. */
bool slice_number(struct slice text, uint64_t max, uint64_t *ret);

/* Copies into a fixed buffer, cut to fit, always terminated. NUL bytes become '?'. */
void slice_copy(struct slice text, char *to, size_t size);

/* A buffer that grows; latches on failure of memory, to be checked once at the end with strbuf_ok(). */
struct strbuf {
    char *at; /* always terminated once something was added; NULL before */
    size_t len, cap;
    bool failed;
    bool fixed; /* the memory is the caller's, and all there is */
};

/* A buffer that takes no memory, so that even the want of it can be told of. strbuf_done() leaves `memory` alone. */
struct strbuf strbuf_fixed(char *memory, size_t bytes);

void strbuf_done(struct strbuf *b);
void strbuf_add(struct strbuf *b, const char *text, size_t len);
void strbuf_adds(struct strbuf *b, const char *text);
void strbuf_addc(struct strbuf *b, char c);
void strbuf_addf(struct strbuf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool strbuf_ok(const struct strbuf *b);
const char *strbuf_text(const struct strbuf *b); /* "" while empty */

/*
 * Everything that came from the network passes one of these before a person or program sees it.
 *
 * text_printable: valid UTF-8 without control characters; what is not (C0, DEL, C1, bidirectional overrides, broken
 * sequences) becomes \xNN of its bytes. For terminals, and as the first step for JSON, CSV and HTML.
 */
void text_printable(struct strbuf *to, const char *text, size_t len);
/* The same for who has no UTF-8: all that is not ASCII becomes \xNN too. */
void text_printable_ascii(struct strbuf *to, const char *text, size_t len);

/* How many terminal columns valid UTF-8 takes: two for the wide letters of East Asia and for pictographs, none for a
 * mark that combines with the letter before it, one for any other. */
size_t text_columns(const char *text);

/* The bytes of the longest beginning of valid UTF-8 that takes at most `columns` terminal columns. */
size_t text_fit(const char *text, size_t columns);

/* The bytes of the beginning of `text` that make a line of at most `columns`: whole words, at least one of them. Moves
 * `*text` to the first word of the next line; 0 at the end. The blanks between words are single ones. */
size_t text_line(const char **text, size_t columns);

/* The value of a hexadecimal digit in either case; -1 for anything else. */
int text_hex_digit(char c);

/* Writes `n` in decimal, not terminated, and returns its end: at most 20 bytes. */
char *text_decimal(char *to, uint64_t n);

/* The nearest of `n` words by edit distance, or NULL when none is near enough to be a typo. */
const char *text_nearest(const char *word, const char *const *words, size_t n);

#endif
