#include "cli/units.h"

#include <ctype.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/text.h"

struct unit {
    const char *name;
    double times;
};

/* A decimal number that is not negative, followed by one of the units. */
static bool parse(const char *text, const struct unit *units, size_t count, double *ret)
{
    char *end;
    if (!isdigit((unsigned char)text[0]) && text[0] != '.')
        return false;
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        return false;
    double v = strtod(text, &end);
    if (end == text || !isfinite(v))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(end, units[i].name) == 0) {
            *ret = v * units[i].times;
            return true;
        }
    }
    return false;
}

static const struct unit times_ms[] = {{"us", 0.001}, {"ms", 1},     {"s", 1000},   {"m", 60e3},
                                       {"min", 60e3}, {"h", 3600e3}, {"d", 86400e3}};

enum { TIME_UNITS = sizeof times_ms / sizeof times_ms[0] };

bool units_milliseconds(const char *text, double *ret_ms)
{
    return parse(text, times_ms, TIME_UNITS, ret_ms) && *ret_ms <= 1e12;
}

bool units_duration(const char *text, int64_t *ret_ns)
{
    double ms;
    if (!units_milliseconds(text, &ms) || ms * (double)NS_PER_MS < 1 || ms > 366 * 86400e3)
        return false;
    *ret_ns = (int64_t)(ms * (double)NS_PER_MS);
    return true;
}

bool units_bits_per_second(const char *text, double *ret)
{
    static const struct unit units[] = {{"bit", 1}, {"kbit", 1e3}, {"mbit", 1e6}, {"gbit", 1e9}};
    return parse(text, units, sizeof units / sizeof units[0], ret) && *ret > 0;
}

bool units_size(const char *text, uint64_t *ret_bytes)
{
    static const struct unit units[] = {{"", 1},    {"B", 1},         {"kB", 1e3}, {"KiB", 1024},
                                        {"MB", 1e6}, {"MiB", 1048576}, {"GB", 1e9}, {"GiB", 1073741824}};
    double v;
    if (!parse(text, units, sizeof units / sizeof units[0], &v) || v < 1 || v > 1e15)
        return false;
    *ret_bytes = (uint64_t)v;
    return true;
}

bool units_share(const char *text, double *ret)
{
    static const struct unit units[] = {{"%", 0.01}};
    return parse(text, units, 1, ret) && *ret <= 1;
}

bool units_count(const char *text, uint64_t least, uint64_t most, uint64_t *ret)
{
    uint64_t n;
    if (!slice_number(slice_make(text, strlen(text)), most, &n) || n < least)
        return false;
    *ret = n;
    return true;
}

bool units_listen(const char *text, struct endpoint *ret)
{
    uint64_t port;
    if (!units_count(text, 1, UINT16_MAX, &port))
        return endpoint_parse(slice_make(text, strlen(text)), 0, ret);
    const uint8_t loopback[4] = {127, 0, 0, 1};
    *ret = (struct endpoint){.addr = addr_v4(loopback), .port = (uint16_t)port};
    return true;
}
