#include "report/records_words.h"

#include <string.h>

#include "report/view.h"

static const char *confidence_at(unsigned i)
{
    return confidence_name((enum confidence)i);
}

static const char *verdict_at(unsigned i)
{
    return verdict_name((enum verdict)i);
}

static const char *direction_at(unsigned i)
{
    return direction_name((enum direction)i);
}

static const char *kind_at(unsigned i)
{
    return kind_name((enum kind)i);
}

static const char *class_at(unsigned i)
{
    return class_name((enum traffic_class)i);
}

enum kind saved_kind(struct saved_json *j, const json_t *object)
{
    return (enum kind)saved_word(j, object, "kind", KIND_COUNT, kind_at, true);
}

enum traffic_class saved_class(struct saved_json *j, const json_t *object)
{
    return (enum traffic_class)saved_word(j, object, "class", CLASS_COUNT, class_at, false);
}

enum confidence saved_confidence(struct saved_json *j, const json_t *object)
{
    return (enum confidence)saved_word(j, object, "confidence", CONFIDENCE_CERTAIN + 1, confidence_at, true);
}

enum direction saved_direction(struct saved_json *j, const json_t *object)
{
    return (enum direction)saved_word(j, object, "direction", DIRECTION_COUNT, direction_at, true);
}

enum verdict saved_verdict(struct saved_json *j, const json_t *object)
{
    return (enum verdict)saved_word(j, object, "verdict", VERDICT_UNDETERMINED + 1, verdict_at, true);
}

uint8_t saved_protocol(struct saved_json *j, const json_t *object)
{
    static const uint8_t usual[] = {17, 6, 1, 58};
    char text[VIEW_PROTO_MAX];
    struct slice given = saved_text_wanted(j, object, "proto");
    for (unsigned i = 0; i < sizeof usual + 256 && !j->failed; i++) {
        uint8_t proto = i < sizeof usual ? usual[i] : (uint8_t)(i - sizeof usual);
        view_proto(proto, text);
        if (slice_equal(given, slice_make(text, strlen(text))))
            return proto;
    }
    saved_fail(j, "\"proto\" is no protocol such as udp, tcp or ip-253");
    return 0;
}

struct endpoint saved_endpoint(struct saved_json *j, const json_t *object, const char *key)
{
    struct endpoint e = {0};
    const json_t *o = saved_object(j, object, key);
    e.addr = saved_address(j, json_object_get(o, "addr"), "addr");
    if (o)
        e.port = (uint16_t)saved_count_wanted(j, o, "port", UINT16_MAX);
    return e;
}

bool saved_hex(struct slice digits, uint64_t *ret)
{
    uint64_t value = 0;
    for (size_t i = 0; i < digits.len; i++) {
        int digit = text_hex_digit(digits.at[i]);
        if (digit < 0 || (digits.at[i] >= 'A' && digits.at[i] <= 'F'))
            return false;
        value = value << 4 | (uint64_t)digit;
    }
    *ret = value;
    return digits.len > 0 && digits.len <= 16;
}

uint32_t saved_ssrc(struct saved_json *j, const json_t *object, bool *ret_there)
{
    struct slice text = saved_text(j, object, "ssrc");
    uint64_t value = 0;
    *ret_there = text.len != 0;
    if (text.len == 0)
        return 0;
    if (text.len != 10 || !slice_starts(text, SLICE("0x")) || !saved_hex(slice_make(text.at + 2, 8), &value))
        saved_fail(j, "\"ssrc\" is 0x and eight hexadecimal digits, or null");
    return (uint32_t)value;
}

void saved_ecn(struct saved_json *j, const json_t *object, bool wanted, uint64_t ret[static 4])
{
    static const char *const codepoints[4] = {"not_ect", "ect1", "ect0", "ce"}; /* RFC 3168 §5 */
    const json_t *ecn = wanted ? saved_object(j, object, "ecn") : saved_has(object, "ecn");
    for (unsigned i = 0; ecn && i < 4; i++)
        ret[i] = wanted ? saved_count_wanted(j, ecn, codepoints[i], SAVED_PACKETS_MAX)
                        : saved_count(j, ecn, codepoints[i], SAVED_PACKETS_MAX, 0);
}

uint8_t saved_payload_types(struct saved_json *j, const json_t *object, uint8_t *ret, size_t cap)
{
    const json_t *array = saved_array(j, object, "payload_types");
    size_t n = json_array_size(array);
    if (n > cap)
        saved_fail(j, "\"payload_types\" lists %zu, and at most eight are kept", n);
    for (size_t i = 0; i < n && !j->failed; i++) {
        const json_t *value = json_array_get(array, i);
        if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > 127)
            saved_fail(j, "\"payload_types\" are numbers from 0 to 127");
        else
            ret[i] = (uint8_t)json_integer_value(value);
    }
    return j->failed ? 0 : (uint8_t)n;
}
