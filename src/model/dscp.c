#include "model/dscp.h"

#include <stddef.h>
#include <string.h>

/* IANA "Differentiated Services Field Codepoints"; LE is RFC 8622, VOICE-ADMIT RFC 5865. */
static const char *const iana_names[DSCP_COUNT] = {
    [0] = "CS0",   [1] = "LE",    [8] = "CS1",   [10] = "AF11", [12] = "AF12",         [14] = "AF13",
    [16] = "CS2",  [18] = "AF21", [20] = "AF22", [22] = "AF23", [24] = "CS3",          [26] = "AF31",
    [28] = "AF32", [30] = "AF33", [32] = "CS4",  [34] = "AF41", [36] = "AF42",         [38] = "AF43",
    [40] = "CS5",  [44] = "VOICE-ADMIT",         [46] = "EF",   [48] = "CS6",          [56] = "CS7",
};

static const char *const numbers[DSCP_COUNT] = {
    "0",  "1",  "2",  "3",  "4",  "5",  "6",  "7",  "8",  "9",  "10", "11", "12", "13", "14", "15",
    "16", "17", "18", "19", "20", "21", "22", "23", "24", "25", "26", "27", "28", "29", "30", "31",
    "32", "33", "34", "35", "36", "37", "38", "39", "40", "41", "42", "43", "44", "45", "46", "47",
    "48", "49", "50", "51", "52", "53", "54", "55", "56", "57", "58", "59", "60", "61", "62", "63",
};

const char *dscp_name(dscp_t dscp)
{
    dscp &= 63;
    return iana_names[dscp] ? iana_names[dscp] : numbers[dscp];
}

bool dscp_is_named(dscp_t dscp)
{
    return iana_names[dscp & 63] != NULL;
}

/* Decimal or 0x hex; -1 where the text is no number, at most 65535 otherwise. */
static int parse_number(struct slice text)
{
    bool hex = text.len > 2 && text.at[0] == '0' && (text.at[1] == 'x' || text.at[1] == 'X');
    int v = 0;
    for (size_t i = hex ? 2 : 0; i < text.len; i++) {
        int digit = text_hex_digit(text.at[i]);
        if (digit < 0 || digit >= (hex ? 16 : 10))
            return -1;
        v = v * (hex ? 16 : 10) + digit;
        if (v > 65535)
            v = 65535;
    }
    return text.len ? v : -1;
}

bool dscp_parse(struct slice text, dscp_t *ret, int *ret_number)
{
    int number = parse_number(text);
    *ret_number = number;
    if (number >= 0) {
        if (number > 63)
            return false;
        *ret = (dscp_t)number;
        return true;
    }
    for (unsigned i = 0; i < DSCP_COUNT; i++) {
        if (iana_names[i] && slice_equal_nocase(text, slice_make(iana_names[i], strlen(iana_names[i])))) {
            *ret = (dscp_t)i;
            return true;
        }
    }
    if (slice_equal_nocase(text, SLICE("BE")) || slice_equal_nocase(text, SLICE("default")) ||
        slice_equal_nocase(text, SLICE("DF"))) {
        *ret = DSCP_CS0;
        return true;
    }
    return false;
}
