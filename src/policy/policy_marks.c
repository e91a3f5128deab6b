#include "policy/policy_internal.h"

#include <stdio.h>
#include <string.h>

/* The value of the digits in one base; -1 where they are none or the value is beyond a byte. */
static int digits_value(struct slice digits, int base)
{
    int v = 0;
    for (size_t i = 0; i < digits.len; i++) {
        int d = text_hex_digit(digits.at[i]);
        if (d < 0 || d >= base)
            return -1;
        v = v * base + d;
        if (v > 255)
            return -1;
    }
    return digits.len ? v : -1;
}

static bool is_hex(struct slice text)
{
    return slice_starts_nocase(text, SLICE("0x"));
}

/* The same digits in the other base: 52 for 0x34 is 34 in decimal, 22 is 0x22 in hex. */
static int other_base(struct slice text)
{
    if (is_hex(text))
        return digits_value(slice_make(text.at + 2, text.len - 2), 10);
    return digits_value(text, 16);
}

/* The marks that people type for conferences; only a slip from one of these is worth a word. */
static bool is_usual(int dscp)
{
    return dscp == DSCP_EF || dscp == DSCP_AF41 || dscp == DSCP_AF31 || dscp == DSCP_CS3;
}

int mark_slip(struct slice text)
{
    dscp_t dscp = 0;
    int number = -1;
    int other = other_base(text);
    if (!dscp_parse(text, &dscp, &number) || number < 0 || is_usual(dscp) || !is_usual(other))
        return -1;
    return other;
}

bool mark_note_slip(struct policy *p, const struct place *at, struct slice text)
{
    int meant = mark_slip(text);
    dscp_t dscp = 0;
    int number = -1;
    if (meant < 0 || !dscp_parse(text, &dscp, &number))
        return true;
    char shown[QUOTED_MAX];
    return policy_note(p, "%s:%u:%u: %s is DSCP %d%s%s%s; if %s was meant, write 0x%02X or %d", at->file, at->line,
                       at->column, quoted(text, shown), number, dscp_is_named(dscp) ? " (" : "",
                       dscp_is_named(dscp) ? dscp_name(dscp) : "", dscp_is_named(dscp) ? ")" : "",
                       dscp_name((dscp_t)meant), (unsigned)meant, meant);
}

/* Why a number is none of 0..63, with what was probably meant. */
static void explain_range(struct slice text, int number, bool names, char why[static WHY_MAX])
{
    char shown[QUOTED_MAX];
    dscp_t held = tos_dscp((tos_t)number);
    (void)quoted(text, shown);
    int other = other_base(text);
    if (number <= 255 && dscp_is_named(held)) {
        char ecn[32] = "";
        if (tos_ecn((tos_t)number))
            (void)snprintf(ecn, sizeof ecn, " with ECN %u", (unsigned)tos_ecn((tos_t)number));
        char write[32];
        if (names)
            (void)snprintf(write, sizeof write, "%s", dscp_name(held));
        else
            (void)snprintf(write, sizeof write, "0x%02X", (unsigned)held);
        (void)snprintf(why, WHY_MAX, "%s is a TOS byte%s; the DSCP it holds is %u (%s): write %s", shown, ecn,
                       (unsigned)held, dscp_name(held), write);
    } else if (is_usual(other)) {
        (void)snprintf(why, WHY_MAX, "%s is %d, and a DSCP is 0 to 63; was %d (0x%02X, %s) meant?", shown, number,
                       other, (unsigned)other, dscp_name((dscp_t)other));
    } else {
        (void)snprintf(why, WHY_MAX, "%s is out of range: a DSCP is 0 to 63 (0x3F)", shown);
    }
}

static size_t all_mark_names(const char *names[static DSCP_COUNT + 2])
{
    size_t n = 0;
    for (int i = 0; i < DSCP_COUNT; i++)
        if (dscp_is_named((dscp_t)i))
            names[n++] = dscp_name((dscp_t)i);
    names[n++] = "none";
    names[n++] = "any";
    return n;
}

bool mark_read(struct slice text, bool names, dscp_t *ret, char why[static WHY_MAX])
{
    char shown[QUOTED_MAX], hint[NEAREST_MAX];
    int number = -1;
    dscp_t dscp = 0;
    bool ok = dscp_parse(text, &dscp, &number);
    if (ok && (names || number >= 0)) {
        *ret = dscp;
        return true;
    }
    if (ok) {
        (void)snprintf(why, WHY_MAX, "%s is a name; the server takes a number here: 0x%02X", quoted(text, shown),
                       (unsigned)dscp);
    } else if (number >= 0) {
        explain_range(text, number, names, why);
    } else if (names) {
        const char *words[DSCP_COUNT + 2];
        size_t n = all_mark_names(words);
        (void)snprintf(why, WHY_MAX, "%s is no mark: a name such as EF, or 0 to 63%s", quoted(text, shown),
                       nearest_hint(text, words, n, hint));
    } else {
        (void)snprintf(why, WHY_MAX, "%s is no value: 0 to 63, decimal or 0x hex, or none", quoted(text, shown));
    }
    return false;
}
