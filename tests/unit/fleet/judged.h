#ifndef QOSMARK_TESTS_FLEET_JUDGED_H
#define QOSMARK_TESTS_FLEET_JUDGED_H

/* What a report says of the sums of a fleet, judged by the reference policy. */
#include "fleet/fleet_sum.h"
#include "report/report_compare.h"

/* The sums stay the caller's. */
static struct compare_document *judged(const struct fleet_sum *s)
{
    struct compare_document *d = NULL;
    struct error error;
    struct policy *p = policy_new_default(&error);
    assert_non_null(p);
    assert_int_equal(fleet_sum_document(s, p, &d), 0);
    policy_free(p);
    return d;
}

static bool to_strbuf(void *user, const char *bytes, size_t len)
{
    strbuf_add(user, bytes, len);
    return strbuf_ok(user);
}

static struct strbuf written(const struct compare_document *d, enum report_format format,
                             const struct report_options *o)
{
    struct strbuf text = {0};
    struct error error;
    assert_int_equal(report_compare_write(d, format, o, to_strbuf, &text, &error), 0);
    return text;
}

#endif
