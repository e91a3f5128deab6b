#include "policy/convert_internal.h"

/*
 * Colouring rules (View > Coloring Rules > Import). The first that matches wins: signalling with a wrong mark, then each
 * mark that the policy knows. A filter with "in" is true when any IP header of the packet has the mark, so in a tunnel a
 * right mark inside or outside is enough for a packet not to be called wrong.
 */

static const struct {
    const char *filter;
    enum kind kind;
} protocols[] = {{"sip", KIND_SIP}, {"xmpp", KIND_XMPP_CLIENT}};

/* Background and text, 16 bits a part; told apart by lightness as well as by hue. */
static const struct {
    const char *background, *text;
} colours[] = {
    {"51143,65535,51143", "0,0,0"},     {"47802,58339,65535", "0,0,0"}, {"65535,62708,46260", "0,0,0"},
    {"58339,52428,65535", "0,0,0"},     {"20560,33410,46260", "65535,65535,65535"},
    {"30840,24415,44204", "65535,65535,65535"},
};

enum { COLOUR_COUNT = sizeof colours / sizeof colours[0] };

static void wireshark_marks(struct strbuf *to, dscp_set_t marks)
{
    static const char *const fields[] = {"ip.dsfield.dscp", "ipv6.tclass.dscp"};
    for (int f = 0; f < 2; f++) {
        const char *between = "";
        strbuf_addf(to, "%s%s in {", f ? " || " : "", fields[f]);
        for (unsigned i = 0; i < DSCP_COUNT; i++) {
            if (!dscp_set_has(marks, (dscp_t)i))
                continue;
            strbuf_addf(to, "%s%u", between, i);
            between = ", ";
        }
        strbuf_addc(to, '}');
    }
}

static void wireshark_wrong(const struct policy *p, struct strbuf *to)
{
    for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++) {
        enum traffic_class c = policy_class_of(p, protocols[i].kind, false);
        struct policy_rule r = policy_rule_plain(p, c);
        if (c == CLASS_NONE || !convert_sets(&r))
            continue;
        strbuf_addf(to, "@qosmark: %s without its mark@%s && !(", protocols[i].filter, protocols[i].filter);
        wireshark_marks(to, r.marks);
        strbuf_adds(to, ")@[65535,40092,37522][0,0,0]\n");
    }
}

void convert_wireshark(const struct policy *p, struct strbuf *to)
{
    size_t colour = 0;
    strbuf_adds(to, "# Colouring rules made by qosmark. The first that matches wins.\n");
    wireshark_wrong(p, to);
    for (unsigned i = 0; i < DSCP_COUNT; i++) {
        const char *between = ": ";
        bool begun = false;
        for (int c = CLASS_NONE + 1; c < CLASS_COUNT; c++) {
            struct policy_rule r = policy_rule_plain(p, (enum traffic_class)c);
            if (!convert_sets(&r) || !dscp_set_has(r.marks, (dscp_t)i))
                continue;
            if (!begun)
                strbuf_addf(to, "@qosmark %s", dscp_name((dscp_t)i));
            begun = true;
            strbuf_addf(to, "%s%s", between, class_name((enum traffic_class)c));
            between = ", ";
        }
        if (!begun)
            continue;
        strbuf_addc(to, '@');
        wireshark_marks(to, dscp_set_of((dscp_t)i));
        strbuf_addf(to, "@[%s][%s]\n", colours[colour % COLOUR_COUNT].background, colours[colour % COLOUR_COUNT].text);
        colour++;
    }
}
