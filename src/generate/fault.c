#include "generate/fault.h"

#include <string.h>

/* What comes after the colon. */
enum argument { ARGUMENT_PLACE, ARGUMENT_COUNT, ARGUMENT_PERCENT, ARGUMENT_TIME, ARGUMENT_MARK, ARGUMENT_PRECEDENCE };

enum {
    START_PACKETS = 3,
    START_PACKETS_MAX = 20,
    INTERMITTENT_PPM = 200000,
};

#define CHANGE_AFTER_NS 10000000000LL

static const struct {
    const char *name, *alias, *shown, *summary;
    enum argument argument;
    bool of_node;
} faults[FAULT_KIND_COUNT] = {
    [FAULT_BLEACHED] = {"bleached", "", "SITE", "all that the site sends arrives with 0", ARGUMENT_PLACE, false},
    [FAULT_TOS_PRECEDENCE_BLEACHED] = {"tos-precedence-bleached", "", "SITE",
                                       "the first three bits of the marks of what the site sends are cleared",
                                       ARGUMENT_PLACE, false},
    [FAULT_TOS_PRECEDENCE_REMARKED] = {"tos-precedence-remarked", "", "1..7",
                                       "the first three bits of what the site sends become this value (default 1)",
                                       ARGUMENT_PRECEDENCE, false},
    [FAULT_LOW_BITS_BLEACHED] = {"low-bits-bleached", "", "SITE",
                                 "the last three bits of the marks of what the site sends are cleared", ARGUMENT_PLACE,
                                 false},
    [FAULT_REMARKED] = {"remarked", "", "MARK", "all that the site sends arrives with this mark (default CS1)",
                        ARGUMENT_MARK, false},
    [FAULT_UNSHIFTED] = {"unshifted", "", "NODE", "the node writes the DSCP into the TOS byte without shifting it",
                         ARGUMENT_PLACE, true},
    [FAULT_NEVER_MARKED] = {"never-marked", "", "NODE", "the node marks nothing", ARGUMENT_PLACE, true},
    [FAULT_ONE_WAY] = {"one-way", "", "SITE",
                       "what is sent to the first participant of the site arrives with 0, what it sends is right",
                       ARGUMENT_PLACE, false},
    [FAULT_CHANGED_MIDSTREAM] =
        {"changed-midstream", "", "TIME",
         "from this time of the conference on, what the site sends arrives with 0 (default 10s)", ARGUMENT_TIME, false},
    [FAULT_INTERMITTENT] = {"intermittent", "", "PERCENT",
                            "this share of the site's media packets arrives with 0 (default 20%)", ARGUMENT_PERCENT,
                            false},
    [FAULT_UNMARKED_START] = {"unmarked-start", "", "N", "the first packets of the site's media are 0 (default 3)",
                              ARGUMENT_COUNT, false},
    [FAULT_RTCP_DIFFERS] = {"rtcp-differs", "", "SITE", "the site's RTCP is 0, its RTP is right", ARGUMENT_PLACE,
                            false},
    [FAULT_CLASS_SWAPPED] = {"class-swapped", "swapped", "NODE",
                             "the node gives voice the mark of video, and video that of voice", ARGUMENT_PLACE, true},
    [FAULT_TUNNEL_DIFFERS] = {"tunnel-differs", "", "SITE",
                              "the site is behind a tunnel whose outer header carries 0 (audit with --layer outer)",
                              ARGUMENT_PLACE, false},
    [FAULT_UNENTITLED_PRIORITY] = {"unentitled-priority", "unentitled", "SITE",
                                   "a host of the site sends a bulk transfer with the mark of voice", ARGUMENT_PLACE,
                                   false},
    [FAULT_NOT_VERIFIABLE] = {"not-verifiable", "", "SITE",
                              "the media of the site's first call shares one TCP connection (RFC 4571)", ARGUMENT_PLACE,
                              false},
};

const char *generate_fault_name(enum generate_fault_kind kind)
{
    return faults[kind].name;
}

const char *generate_fault_alias(enum generate_fault_kind kind)
{
    return faults[kind].alias;
}

const char *generate_fault_argument(enum generate_fault_kind kind)
{
    return faults[kind].shown;
}

const char *generate_fault_summary(enum generate_fault_kind kind)
{
    return faults[kind].summary;
}

bool generate_fault_is_of_node(enum generate_fault_kind kind)
{
    return faults[kind].of_node;
}

/* ---- numbers with units ---- */

/* "12.5" into units of 10^-decimals; false on anything that is no number or has more decimals. */
static bool read_decimal(struct slice text, unsigned decimals, uint64_t max_whole, uint64_t *ret)
{
    struct slice rest = text, whole = slice_next(&rest, '.');
    bool dot = whole.len < text.len;
    uint64_t value, part = 0;
    if (!slice_number(whole, max_whole, &value) || rest.len > decimals || (dot && rest.len == 0))
        return false;
    if (rest.len && !slice_number(rest, 999999999, &part))
        return false;
    for (unsigned i = 0; i < decimals; i++) {
        value *= 10;
        part *= i >= rest.len ? 10 : 1;
    }
    *ret = value + part;
    return true;
}

bool generate_duration_parse(struct slice text, int64_t *ret_ns)
{
    static const struct {
        struct slice unit;
        uint64_t ns, max;
    } units[] = {
        {{"ns", 2}, 1, 1000000000000},   {{"us", 2}, 1000, 1000000000000}, {{"ms", 2}, 1000000, 1000000000},
        {{"s", 1}, 1000000000, 1000000}, {{"m", 1}, 60000000000, 10000},   {{"h", 1}, 3600000000000, 1000},
    };
    size_t digits = 0;
    while (digits < text.len && (text.at[digits] == '.' || (text.at[digits] >= '0' && text.at[digits] <= '9')))
        digits++;
    struct slice unit = slice_make(text.at + digits, text.len - digits);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        uint64_t thousandths;
        if (!slice_equal(unit, units[i].unit))
            continue;
        if (!read_decimal(slice_make(text.at, digits), 3, units[i].max, &thousandths))
            return false;
        *ret_ns = (int64_t)(units[i].ns < 1000 ? thousandths * units[i].ns / 1000 : units[i].ns / 1000 * thousandths);
        return true;
    }
    return false;
}

bool generate_percent_parse(struct slice text, uint32_t *ret_parts_per_million)
{
    uint64_t value;
    if (text.len && text.at[text.len - 1] == '%')
        text.len--;
    if (!read_decimal(text, 4, 100, &value) || value > 1000000)
        return false;
    *ret_parts_per_million = (uint32_t)value;
    return true;
}

/* ---- one fault ---- */

static bool is_name(struct slice text, const char *name)
{
    return name[0] && slice_equal(text, slice_make(name, strlen(name)));
}

static int find_kind(struct slice name, enum generate_fault_kind *ret, struct error *error)
{
    const char *words[2 * FAULT_KIND_COUNT];
    size_t n = 0;
    char given[64], list[512];
    for (int k = 0; k < FAULT_KIND_COUNT; k++) {
        if (is_name(name, faults[k].name) || is_name(name, faults[k].alias)) {
            *ret = (enum generate_fault_kind)k;
            return 0;
        }
        words[n++] = faults[k].name;
        if (faults[k].alias[0])
            words[n++] = faults[k].alias;
    }
    slice_copy(name, given, sizeof given);
    const char *nearest = text_nearest(given, words, n);
    if (nearest)
        return error_set(error, ERR_USAGE, "there is no fault \"%s\"; did you mean \"%s\"?", given, nearest);
    list[0] = '\0';
    for (int k = 0; k < FAULT_KIND_COUNT; k++) {
        if (k)
            strncat(list, ", ", sizeof list - strlen(list) - 1);
        strncat(list, faults[k].name, sizeof list - strlen(list) - 1);
    }
    return error_set(error, ERR_USAGE, "there is no fault \"%s\"; there are: %s", given, list);
}

static int wrong_argument(const struct generate_fault *f, struct slice text, const char *right, struct error *error)
{
    char given[64];
    slice_copy(text, given, sizeof given);
    return error_set(error, ERR_USAGE, "--fault %s takes %s, not \"%s\"", faults[f->kind].name, right, given);
}

static int take_place(struct generate_fault *f, struct slice place, struct error *error)
{
    if (place.len == 0 || place.len >= sizeof f->place)
        return error_set(error, ERR_USAGE, "--fault %s: the name of a site or node is missing or too long",
                         faults[f->kind].name);
    slice_copy(place, f->place, sizeof f->place);
    return 0;
}

static int take_argument(struct generate_fault *f, struct slice text, struct error *error)
{
    uint64_t n;
    int number;
    switch (faults[f->kind].argument) {
    case ARGUMENT_PLACE:
        return take_place(f, text, error);
    case ARGUMENT_COUNT:
        if (!slice_number(text, START_PACKETS_MAX, &n) || n == 0)
            return wrong_argument(f, text, "a number of packets from 1 to 20 (more is \"changed-midstream\")", error);
        f->packets = (uint32_t)n;
        return 0;
    case ARGUMENT_PERCENT:
        if (!generate_percent_parse(text, &f->parts_per_million) || f->parts_per_million == 0 ||
            f->parts_per_million >= 1000000)
            return wrong_argument(f, text, "a share of the packets above 0% and below 100%", error);
        return 0;
    case ARGUMENT_TIME:
        if (!generate_duration_parse(text, &f->after_ns))
            return wrong_argument(f, text, "a time such as 10s", error);
        return 0;
    case ARGUMENT_MARK:
        if (!dscp_parse(text, &f->value, &number) || f->value == 0)
            return wrong_argument(f, text, "a mark such as CS1 or 8 (0 is the fault \"bleached\")", error);
        return 0;
    case ARGUMENT_PRECEDENCE:
        if (!slice_number(text, 7, &n) || n == 0)
            return wrong_argument(f, text, "a number from 1 to 7", error);
        f->value = (dscp_t)n;
        return 0;
    }
    return 0;
}

int generate_fault_parse(struct slice text, struct generate_fault *ret, struct error *error)
{
    struct slice place = text, head = slice_next(&place, '@');
    bool has_place = head.len < text.len;
    struct slice argument = head, name = slice_next(&argument, ':');
    bool has_argument = name.len < head.len;
    struct generate_fault f = {.packets = START_PACKETS,
                               .parts_per_million = INTERMITTENT_PPM,
                               .after_ns = CHANGE_AFTER_NS,
                               .value = 8 /* CS1 */};
    int r = find_kind(name, &f.kind, error);
    if (r < 0)
        return r;
    if (f.kind == FAULT_TOS_PRECEDENCE_REMARKED)
        f.value = 1;
    if (has_argument && (r = take_argument(&f, argument, error)) < 0)
        return r;
    if (has_place && f.place[0])
        return error_set(error, ERR_USAGE, "--fault %s: the place is given twice", faults[f.kind].name);
    if (has_place && (r = take_place(&f, place, error)) < 0)
        return r;
    *ret = f;
    return 0;
}
