#ifndef QOSMARK_TESTS_POLICY_DIAGNOSING_H
#define QOSMARK_TESTS_POLICY_DIAGNOSING_H

/* A policy with two nodes and two sites, and the streams of which a test makes its one finding. */
#include "judging.h"

#define CMS     "10.1.1.11"
#define CMS2    "10.1.1.12"
#define BERLIN1 "10.2.0.7"
#define BERLIN2 "10.2.0.8"
#define BERLIN3 "10.2.0.9"
#define PARIS1  "10.3.0.7"
#define PARIS2  "10.3.0.8"

static const char reference[] =
    "version: 1\nname: t\n"
    "nodes:\n  - {name: cms-01, addresses: [10.1.1.11, \"2001:db8::11\"]}\n"
    "  - {name: cms-02, addresses: [10.1.1.12]}\n"
    "sites:\n  - {name: berlin, prefixes: [10.2.0.0/16]}\n  - {name: paris, prefixes: [10.3.0.0/16]}\n"
    "expect:\n  voice: EF\n  multimedia: AF41\n  multimedia-streaming: AF41\n"
    "  signaling: AF31\n  low-latency: AF31\n";

static uint16_t port;

static inline int start(void **state)
{
    (void)state;
    port = 20000;
    return start_with(reference);
}

/* One stream on ports of its own. */
static inline struct record *stream(enum kind kind, const char *src, const char *dst, dscp_t dscp)
{
    port = (uint16_t)(port + 2);
    return add(d, kind, src, port, dst, (uint16_t)(port + 10000), dscp, 100);
}

/* What one end sends in a video call: voice, video, signalling. */
static inline void leg(const char *src, const char *dst, dscp_t voice, dscp_t video, dscp_t signalling)
{
    stream(KIND_RTP_AUDIO, src, dst, voice);
    stream(KIND_RTP_VIDEO, src, dst, video);
    stream(KIND_SIP, src, dst, signalling);
}

static inline void right_leg(const char *src, const char *dst)
{
    leg(src, dst, 46, 34, 26);
}

/* The only finding, which is of this code, about this subject. */
static inline const struct finding *only(enum finding_code code, const char *subject)
{
    const struct finding *f = NULL;
    diagnose(d, p);
    assert_explained(d);
    for (size_t i = 0; d->finding_count != 1 && i < d->finding_count; i++)
        print_message("%s [%s]: %s\n", finding_code_name(d->findings[i].code), d->findings[i].subject,
                      d->findings[i].message);
    assert_int_equal(d->finding_count, 1);
    f = &d->findings[0];
    assert_string_equal(finding_code_name(f->code), finding_code_name(code));
    assert_string_equal(f->subject, subject);
    return f;
}

static inline bool says(const struct finding *f, const char *words)
{
    if (!strstr(f->message, words))
        print_message("not in: %s\n", f->message);
    return strstr(f->message, words) != NULL;
}

static inline struct record *ecn(struct record *r, int codepoint)
{
    r->ecn[0] = 0;
    r->ecn[codepoint] = r->packets;
    return r;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

#endif
