#include "report/report_text.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "report/view.h"

void small_count(uint64_t n, char text[static SMALL_TEXT_MAX])
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
    size_t at = 0;
    for (int i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = '\0';
}

void small_share(uint64_t n, uint64_t total, char text[static SMALL_TEXT_MAX])
{
    double share = total ? 100 * (double)n / (double)total : 0;
    if (n == 0 || n >= total)
        (void)snprintf(text, SMALL_TEXT_MAX, "%s", n ? "100%" : "0%");
    else if (share < 0.1)
        (void)snprintf(text, SMALL_TEXT_MAX, "<0.1%%");
    else if (share > 99.9)
        (void)snprintf(text, SMALL_TEXT_MAX, ">99.9%%");
    else if (share < 10 || share > 90)
        (void)snprintf(text, SMALL_TEXT_MAX, "%.1f%%", share);
    else
        (void)snprintf(text, SMALL_TEXT_MAX, "%.0f%%", share);
    /* 5.0% says no more than 5% */
    char *zero = strstr(text, ".0%");
    if (zero)
        memcpy(zero, "%", 2);
}

void small_bytes(uint64_t n, char text[static SMALL_TEXT_MAX])
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    double v = (double)n;
    size_t u = 0;
    while (v >= 999.5 && u + 1 < sizeof units / sizeof units[0]) {
        v /= 1000;
        u++;
    }
    (void)snprintf(text, SMALL_TEXT_MAX, u && v < 9.95 ? "%.1f %s" : "%.0f %s", v, units[u]);
}

void small_duration(int64_t ns, char text[static SMALL_TEXT_MAX])
{
    unsigned long long s = ns > 0 ? (unsigned long long)(ns / NS_PER_S) : 0;
    if (s < 60)
        (void)snprintf(text, SMALL_TEXT_MAX, "%llu.%us", s, ns > 0 ? (unsigned)(ns % NS_PER_S / 100000000) : 0);
    else if (s < 3600)
        (void)snprintf(text, SMALL_TEXT_MAX, "%llum%02llus", s / 60, s % 60);
    else if (s < 86400)
        (void)snprintf(text, SMALL_TEXT_MAX, "%lluh%02llum", s / 3600, s / 60 % 60);
    else
        (void)snprintf(text, SMALL_TEXT_MAX, "%llud%02lluh", s / 86400, s / 3600 % 24);
}

/* The date ends at the T, the time before the point: years have four digits or more. */
void small_date(int64_t ns, char text[static SMALL_TEXT_MAX])
{
    char whole[CLOCK_TEXT_MAX];
    clock_format(ns, whole);
    (void)snprintf(text, SMALL_TEXT_MAX, "%.*s", (int)strcspn(whole, "T"), whole);
}

void small_time(int64_t ns, char text[static SMALL_TEXT_MAX])
{
    char whole[CLOCK_TEXT_MAX];
    clock_format(ns, whole);
    const char *time = whole + strcspn(whole, "T");
    (void)snprintf(text, SMALL_TEXT_MAX, "%.8s", *time ? time + 1 : "");
}

void small_marks(dscp_set_t set, dscp_t preferred, char text[static SMALL_TEXT_MAX])
{
    enum { SHOWN = 3 };
    dscp_t marks[DSCP_COUNT];
    size_t n = view_expected(set, preferred, marks);
    size_t at = (size_t)snprintf(text, SMALL_TEXT_MAX, "%s", n ? dscp_name(marks[0]) : "-");
    for (size_t i = 1; i < n && i < SHOWN; i++)
        at += (size_t)snprintf(text + at, SMALL_TEXT_MAX - at, "/%s", dscp_name(marks[i]));
    if (n > SHOWN)
        (void)snprintf(text + at, SMALL_TEXT_MAX - at, "/+%zu", n - SHOWN);
}

const char *plural(uint64_t n, const char *one, const char *many)
{
    return n == 1 ? one : many;
}
