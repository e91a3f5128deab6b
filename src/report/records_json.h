#ifndef QOSMARK_REPORT_RECORDS_JSON_H
#define QOSMARK_REPORT_RECORDS_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "model/address.h"
#include "model/dscp.h"

/*
 * Members of a JSON object that may come from anybody, with their type, or a sentence. The first thing that is wrong
 * latches, as in a cursor: read on, and ask `failed` once; from then on every value is 0, false or "".
 *
 * "Wanted" members must be there; of the others the absence is a value (saved_has() tells it apart). No text of the
 * input gets into a sentence unescaped or in full.
 */
struct saved_json {
    struct error *error;
    bool failed;
};

/* What no capture has, so that sums over millions of records stay within 64 bits. */
#define SAVED_PACKETS_MAX 1000000000000ull
#define SAVED_BYTES_MAX   1000000000000000ull

void saved_fail(struct saved_json *j, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The member, where it is there and not null. */
const json_t *saved_has(const json_t *object, const char *key);

const json_t *saved_object(struct saved_json *j, const json_t *object, const char *key); /* NULL where it failed */
/* NULL where it is absent, null, or no array, which fails. */
const json_t *saved_array(struct saved_json *j, const json_t *object, const char *key);

/* Absent and null are `otherwise`. */
uint64_t saved_count(struct saved_json *j, const json_t *object, const char *key, uint64_t max, uint64_t otherwise);
uint64_t saved_count_wanted(struct saved_json *j, const json_t *object, const char *key, uint64_t max);
bool saved_bool(struct saved_json *j, const json_t *object, const char *key, bool otherwise);
struct slice saved_text(struct saved_json *j, const json_t *object, const char *key); /* absent and null: "" */
struct slice saved_text_wanted(struct saved_json *j, const json_t *object, const char *key);
double saved_ms(struct saved_json *j, const json_t *object, const char *key); /* negative: absent or null */

/* RFC 3339 in UTC with up to nine decimals, to nanoseconds since 1970; absent and null: false. */
bool saved_time(struct saved_json *j, const json_t *object, const char *key, int64_t *ret);

/* The place of a word in a table of `n`; absent: 0, or a failure where it is wanted. */
typedef const char *(*saved_name)(unsigned i);
unsigned saved_word(struct saved_json *j, const json_t *object, const char *key, unsigned n, saved_name name,
                    bool wanted);

/* A list of DSCP values without repetition; *ret_first is the first. */
dscp_set_t saved_marks(struct saved_json *j, const json_t *object, const char *key, dscp_t *ret_first);

struct addr saved_address(struct saved_json *j, const json_t *value, const char *key); /* null is none */

#endif
