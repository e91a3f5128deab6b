#include "report/records_json.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

enum { QUOTED_BYTES = 40 };

void saved_fail(struct saved_json *j, const char *format, ...)
{
    char text[512];
    va_list args;
    if (j->failed)
        return;
    j->failed = true;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    (void)error_set(j->error, ERR_FORMAT, "%s", text);
}

/* What a value is, for a sentence: "the text 'voise'", "-3", "a list". */
static const char *describe(const json_t *value, char to[static 200])
{
    struct strbuf b = {0};
    const char *text = json_string_value(value);
    if (json_is_string(value)) {
        size_t len = json_string_length(value), shown = len < QUOTED_BYTES ? len : QUOTED_BYTES;
        while (shown < len && shown && ((unsigned char)text[shown] & 0xc0) == 0x80)
            shown--;
        text_printable(&b, text, shown);
        (void)snprintf(to, 200, "'%.180s%s'", strbuf_text(&b), shown < len ? "..." : "");
        strbuf_done(&b);
    } else if (json_is_integer(value)) {
        (void)snprintf(to, 200, "%lld", (long long)json_integer_value(value));
    } else if (json_is_real(value)) {
        (void)snprintf(to, 200, "%.6g", json_real_value(value));
    } else {
        const char *what = !value                  ? "absent"
                           : json_is_object(value) ? "an object"
                           : json_is_array(value)  ? "a list"
                           : json_is_null(value)   ? "null"
                                                   : "true or false";
        (void)snprintf(to, 200, "%s", what);
    }
    return to;
}

static void refuse(struct saved_json *j, const char *key, const json_t *value, const char *what)
{
    char is[200];
    saved_fail(j, "\"%s\" is %s, not %s", key, describe(value, is), what);
}

const json_t *saved_has(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_null(value) ? NULL : value;
}

const json_t *saved_object(struct saved_json *j, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (json_is_object(value))
        return value;
    refuse(j, key, value, "an object");
    return NULL;
}

const json_t *saved_array(struct saved_json *j, const json_t *object, const char *key)
{
    const json_t *value = saved_has(object, key);
    if (!value || json_is_array(value))
        return value;
    refuse(j, key, value, "a list");
    return NULL;
}

static uint64_t count_of(struct saved_json *j, const json_t *value, const char *key, uint64_t max)
{
    if (json_is_integer(value) && json_integer_value(value) >= 0 && (uint64_t)json_integer_value(value) <= max)
        return (uint64_t)json_integer_value(value);
    char what[64];
    (void)snprintf(what, sizeof what, "a number from 0 to %llu", (unsigned long long)max);
    refuse(j, key, value, what);
    return 0;
}

uint64_t saved_count(struct saved_json *j, const json_t *object, const char *key, uint64_t max, uint64_t otherwise)
{
    const json_t *value = saved_has(object, key);
    return value ? count_of(j, value, key, max) : otherwise;
}

uint64_t saved_count_wanted(struct saved_json *j, const json_t *object, const char *key, uint64_t max)
{
    return count_of(j, json_object_get(object, key), key, max);
}

bool saved_bool(struct saved_json *j, const json_t *object, const char *key, bool otherwise)
{
    const json_t *value = saved_has(object, key);
    if (value && !json_is_boolean(value))
        refuse(j, key, value, "true or false");
    return json_is_boolean(value) ? json_is_true(value) : otherwise;
}

struct slice saved_text(struct saved_json *j, const json_t *object, const char *key)
{
    const json_t *value = saved_has(object, key);
    if (value && !json_is_string(value))
        refuse(j, key, value, "a text");
    if (!json_is_string(value))
        return slice_make("", 0);
    return slice_make(json_string_value(value), json_string_length(value));
}

struct slice saved_text_wanted(struct saved_json *j, const json_t *object, const char *key)
{
    struct slice text = saved_text(j, object, key);
    if (text.len == 0)
        refuse(j, key, json_object_get(object, key), "a text with something in it");
    return text;
}

double saved_ms(struct saved_json *j, const json_t *object, const char *key)
{
    const json_t *value = saved_has(object, key);
    if (!value)
        return -1;
    double ms = json_number_value(value);
    if (json_is_number(value) && ms >= 0 && ms < 1e12)
        return ms;
    refuse(j, key, value, "a number of milliseconds");
    return -1;
}

/* --- times -------------------------------------------------------------------------------------------------------- */

/* Days from 1970-01-01 to a date of the Gregorian calendar; months from 1 (Hinnant, "chrono-Compatible Low-Level Date
 * Algorithms"). */
static int64_t days_from_civil(int64_t y, int64_t m, int64_t d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static bool take_number(struct slice *rest, size_t digits, uint64_t max, int64_t *ret)
{
    uint64_t n = 0;
    if (rest->len < digits || !slice_number(slice_make(rest->at, digits), max, &n))
        return false;
    *rest = slice_make(rest->at + digits, rest->len - digits);
    *ret = (int64_t)n;
    return true;
}

static bool take_char(struct slice *rest, char c)
{
    if (rest->len == 0 || rest->at[0] != c)
        return false;
    *rest = slice_make(rest->at + 1, rest->len - 1);
    return true;
}

static bool take_fraction(struct slice *rest, int64_t *ret_ns)
{
    size_t digits = 0;
    *ret_ns = 0;
    if (!take_char(rest, '.'))
        return true;
    while (digits < rest->len && rest->at[digits] >= '0' && rest->at[digits] <= '9')
        digits++;
    if (digits == 0 || digits > 9 || !take_number(rest, digits, 999999999, ret_ns))
        return false;
    for (size_t i = digits; i < 9; i++)
        *ret_ns *= 10;
    return true;
}

/* 1677 to 2262: what nanoseconds in 64 bits hold, less a year at both ends. */
static bool parse_time(struct slice text, int64_t *ret)
{
    int64_t year, month, day, hour, minute, second, ns;
    bool ok = take_number(&text, 4, 2261, &year) && take_char(&text, '-') && take_number(&text, 2, 12, &month) &&
              take_char(&text, '-') && take_number(&text, 2, 31, &day) && take_char(&text, 'T') &&
              take_number(&text, 2, 23, &hour) && take_char(&text, ':') && take_number(&text, 2, 59, &minute) &&
              take_char(&text, ':') && take_number(&text, 2, 60, &second) && take_fraction(&text, &ns) &&
              take_char(&text, 'Z') && text.len == 0;
    if (!ok || year < 1678 || month < 1 || day < 1)
        return false;
    *ret = ((days_from_civil(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    *ret = *ret * NS_PER_S + ns;
    return true;
}

bool saved_time(struct saved_json *j, const json_t *object, const char *key, int64_t *ret)
{
    const json_t *value = saved_has(object, key);
    *ret = 0;
    if (!value)
        return false;
    if (json_is_string(value) && parse_time(slice_make(json_string_value(value), json_string_length(value)), ret))
        return true;
    refuse(j, key, value, "a time such as 2026-11-22T09:00:00.000000000Z");
    return false;
}

/* --- words and marks ---------------------------------------------------------------------------------------------- */

unsigned saved_word(struct saved_json *j, const json_t *object, const char *key, unsigned n, saved_name name,
                    bool wanted)
{
    const json_t *value = saved_has(object, key);
    if (!value && !wanted)
        return 0;
    for (unsigned i = 0; i < n && json_is_string(value); i++)
        if (strcmp(json_string_value(value), name(i)) == 0)
            return i;
    refuse(j, key, value, "a word of the format");
    return 0;
}

dscp_set_t saved_marks(struct saved_json *j, const json_t *object, const char *key, dscp_t *ret_first)
{
    const json_t *array = saved_array(j, object, key);
    dscp_set_t set = 0;
    *ret_first = 0;
    for (size_t i = 0; i < json_array_size(array) && !j->failed; i++) {
        dscp_t mark = (dscp_t)count_of(j, json_array_get(array, i), key, DSCP_COUNT - 1);
        if (dscp_set_has(set, mark))
            saved_fail(j, "\"%s\" lists %u twice", key, (unsigned)mark);
        if (i == 0)
            *ret_first = mark;
        set |= dscp_set_of(mark);
    }
    return j->failed ? 0 : set;
}

struct addr saved_address(struct saved_json *j, const json_t *value, const char *key)
{
    struct addr a = {0};
    bool ok = json_is_null(value) || (json_is_string(value) &&
                                      addr_parse(slice_make(json_string_value(value), json_string_length(value)), &a));
    if (!ok)
        refuse(j, key, value, "an IPv4 or IPv6 address");
    return a;
}
