#include "cli/reflect_report.h"

#include <inttypes.h>

#include "base/clock.h"
#include "model/dscp.h"

static uint64_t requests(const struct reflector_counts *c)
{
    uint64_t n = 0;
    for (int o = 0; o < REFLECTOR_OUTCOMES; o++)
        n += c->outcomes[o];
    return n;
}

static void text_marks(const struct reflector_counts *c, struct strbuf *to)
{
    const char *between = "marks that arrived: ";
    for (dscp_t d = 0; d < DSCP_COUNT; d++) {
        if (c->marks[d] == 0)
            continue;
        strbuf_addf(to, "%s%s %" PRIu64, between, dscp_name(d), c->marks[d]);
        between = ", ";
    }
    if (c->mark_unknown)
        strbuf_addf(to, "%sunknown %" PRIu64, between, c->mark_unknown);
    if (c->outcomes[REFLECTOR_ANSWERED])
        strbuf_addc(to, '\n');
}

void reflect_report_text(const struct reflect_report *r, struct strbuf *to)
{
    const struct reflector_counts *c = &r->counts;
    uint64_t all = requests(c);
    strbuf_addf(to, "answered %" PRIu64 " of %" PRIu64 " packets in %.1f s", c->outcomes[REFLECTOR_ANSWERED], all,
                (double)r->ran_ns / 1e9);
    if (r->stateful)
        strbuf_addf(to, ", %" PRIu64 " sessions", r->sessions.created);
    strbuf_addc(to, '\n');
    for (int o = REFLECTOR_ANSWERED + 1; o < REFLECTOR_OUTCOMES; o++)
        if (c->outcomes[o])
            strbuf_addf(to, "  no answer to %" PRIu64 ": %s\n", c->outcomes[o],
                        reflector_outcome_text((enum reflector_outcome)o));
    text_marks(c, to);
    if (c->tlvs_malformed || c->tlvs_unrecognized || c->tlvs_untrusted)
        strbuf_addf(to,
                    "TLVs: %" PRIu64 ", of them %" PRIu64 " not known here, %" PRIu64 " malformed, %" PRIu64
                    " not authentic\n",
                    c->tlvs, c->tlvs_unrecognized, c->tlvs_malformed, c->tlvs_untrusted);
    if (r->sessions.evicted)
        strbuf_addf(to, "sessions given up for newer ones: %" PRIu64 "\n", r->sessions.evicted);
    if (r->loop.dropped)
        strbuf_addf(to, "lost here: %" PRIu64 " packets that came faster than they could be taken in\n",
                    r->loop.dropped);
    if (r->loop.not_sent)
        strbuf_addf(to, "lost here: %" PRIu64 " answers that the system did not send\n", r->loop.not_sent);
}

static void json_listening(const struct reflect_report *r, struct strbuf *to)
{
    strbuf_adds(to, "\"listening\": [");
    for (size_t i = 0; i < r->listening_count; i++) {
        char text[ADDR_TEXT_MAX];
        addr_format(&r->listening[i].addr, text); /* digits, dots and colons: nothing to escape */
        strbuf_addf(to, "%s{\"addr\": \"%s\", \"port\": %u}", i ? ", " : "", text, (unsigned)r->listening[i].port);
    }
    strbuf_adds(to, "]");
}

static void json_marks(const struct reflector_counts *c, struct strbuf *to)
{
    const char *between = "";
    strbuf_adds(to, ", \"marks\": [");
    for (dscp_t d = 0; d < DSCP_COUNT; d++) {
        if (c->marks[d] == 0)
            continue;
        strbuf_addf(to, "%s{\"dscp\": %u, \"name\": \"%s\", \"packets\": %" PRIu64 "}", between, (unsigned)d,
                    dscp_name(d), c->marks[d]);
        between = ", ";
    }
    strbuf_addf(to, "], \"marks_unknown\": %" PRIu64, c->mark_unknown);
}

void reflect_report_json(const struct reflect_report *r, struct strbuf *to)
{
    const struct reflector_counts *c = &r->counts;
    strbuf_adds(to, "{\"schema\": \"qosmark.reflect/1\", ");
    json_listening(r, to);
    strbuf_addf(to,
                ", \"stateful\": %s, \"authenticated\": %s, \"seconds\": %.3f, \"packets\": %" PRIu64
                ", \"answered\": %" PRIu64,
                r->stateful ? "true" : "false", r->authenticated ? "true" : "false", (double)r->ran_ns / 1e9,
                requests(c), c->outcomes[REFLECTOR_ANSWERED]);
    strbuf_adds(to, ", \"silent\": {");
    for (int o = REFLECTOR_ANSWERED + 1; o < REFLECTOR_OUTCOMES; o++)
        strbuf_addf(to, "%s\"%s\": %" PRIu64, o > REFLECTOR_ANSWERED + 1 ? ", " : "",
                    reflector_outcome_name((enum reflector_outcome)o), c->outcomes[o]);
    strbuf_adds(to, "}");
    json_marks(c, to);
    strbuf_addf(to,
                ", \"tlvs\": {\"all\": %" PRIu64 ", \"unrecognized\": %" PRIu64 ", \"malformed\": %" PRIu64
                ", \"untrusted\": %" PRIu64 "}",
                c->tlvs, c->tlvs_unrecognized, c->tlvs_malformed, c->tlvs_untrusted);
    if (r->stateful)
        strbuf_addf(to,
                    ", \"sessions\": {\"created\": %" PRIu64 ", \"expired\": %" PRIu64 ", \"evicted\": %" PRIu64
                    ", \"refused\": %" PRIu64 "}",
                    r->sessions.created, r->sessions.expired, r->sessions.evicted, r->sessions.refused);
    else
        strbuf_adds(to, ", \"sessions\": null");
    strbuf_addf(to,
                ", \"bytes_in\": %" PRIu64 ", \"bytes_out\": %" PRIu64 ", \"dropped\": %" PRIu64
                ", \"not_sent\": %" PRIu64 "}\n",
                c->bytes_in, c->bytes_out, r->loop.dropped, r->loop.not_sent);
}
