#include "report/report_html_mend.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { PROTO_NUMBER_TCP = 6, PROTO_NUMBER_UDP = 17 };

/* Who may be the one to change something. */
enum remedy {
    REMEDY_SERVER = 1,  /* the `dscp` lines of the conferencing server */
    REMEDY_TRUST = 2,   /* trust on the switches of the path */
    REMEDY_MARK = 4,    /* a class map at the sender's port */
    REMEDY_WINDOWS = 8, /* a QoS policy on the sender */
};

static const unsigned char remedies[FINDING_CODE_COUNT] = {
    [FINDING_BLEACHED] = REMEDY_TRUST | REMEDY_SERVER | REMEDY_WINDOWS | REMEDY_MARK,
    [FINDING_TOS_PRECEDENCE_BLEACHED] = REMEDY_TRUST,
    [FINDING_TOS_PRECEDENCE_REMARKED] = REMEDY_TRUST,
    [FINDING_LOW_BITS_BLEACHED] = REMEDY_TRUST,
    [FINDING_REMARKED] = REMEDY_SERVER | REMEDY_WINDOWS | REMEDY_TRUST,
    [FINDING_UNSHIFTED] = REMEDY_SERVER | REMEDY_WINDOWS,
    [FINDING_NEVER_MARKED] = REMEDY_SERVER | REMEDY_WINDOWS | REMEDY_MARK,
    [FINDING_ONE_WAY] = REMEDY_TRUST | REMEDY_SERVER | REMEDY_WINDOWS,
    [FINDING_CLASS_SWAPPED] = REMEDY_SERVER | REMEDY_WINDOWS,
    [FINDING_UNENTITLED_PRIORITY] = REMEDY_MARK,
};

/* A client of signalling, messages or web leaves from any port: the one that it goes to says what it is. */
static bool goes_by_destination(const struct record *r)
{
    return r->proto == PROTO_NUMBER_TCP ? r->from_initiator : r->kind == KIND_SIP && r->from_initiator;
}

void mend_add(struct mend_facts *m, const struct record *r)
{
    bool from_node = r->direction == DIRECTION_FROM_NODE || r->direction == DIRECTION_BETWEEN_NODES;
    bool by_destination = goes_by_destination(r);
    uint16_t port = by_destination ? r->dst.port : r->src.port;
    if (r->proto != PROTO_NUMBER_TCP && r->proto != PROTO_NUMBER_UDP)
        return;
    for (size_t i = 0; i < m->sender_count; i++) {
        struct mend_sender *s = &m->senders[i];
        if (s->proto != r->proto || s->traffic_class != r->traffic_class || s->by_destination != by_destination ||
            !addr_equal(&s->addr, &r->src.addr) || (by_destination && s->first_port != port))
            continue;
        s->first_port = port < s->first_port ? port : s->first_port;
        s->last_port = port > s->last_port ? port : s->last_port;
        return;
    }
    if (m->sender_count == MEND_SENDERS) {
        m->left_out++;
        return;
    }
    m->senders[m->sender_count++] = (struct mend_sender){.addr = r->src.addr,
                                                         .node = from_node ? r->node : 0,
                                                         .proto = r->proto,
                                                         .traffic_class = r->traffic_class,
                                                         .mark = r->expected ? r->preferred : 0,
                                                         .by_destination = by_destination,
                                                         .first_port = port,
                                                         .last_port = port};
}

/* Two classes of one sender from the same ports: nothing that goes by ports can tell them apart. */
static bool is_mixed(const struct mend_facts *m, const struct mend_sender *a)
{
    for (size_t i = 0; i < m->sender_count; i++) {
        const struct mend_sender *b = &m->senders[i];
        if (a->mark != b->mark && a->proto == b->proto && a->by_destination == b->by_destination &&
            addr_equal(&a->addr, &b->addr) && a->first_port <= b->last_port && b->first_port <= a->last_port)
            return true;
    }
    return false;
}

static void block(struct page *p, const char *when, struct strbuf *text)
{
    struct html *h = &p->html;
    if (text->len) {
        html_markup(h, "<p>");
        html_prose(h, when);
        html_markup(h, "</p>\n");
        html_code(h, strbuf_text(text), false);
    }
    if (!strbuf_ok(text))
        out_fail(h->out, ERR_MEMORY);
    strbuf_done(text);
    *text = (struct strbuf){0};
}

/* --- the conferencing server -------------------------------------------------------------------------------------- */

static void server_lines(struct page *p, const struct mend_facts *m)
{
    const struct document *d = p->document;
    struct strbuf text = {0};
    for (size_t i = 0; i < m->sender_count; i++) {
        const struct mend_sender *s = &m->senders[i];
        bool again = false;
        if (s->node == 0 || s->node > d->node_count || s->mark == 0 || s->traffic_class == CLASS_NONE)
            continue;
        for (size_t k = 0; k < i; k++)
            again = again || (m->senders[k].node == s->node && m->senders[k].traffic_class == s->traffic_class &&
                              m->senders[k].addr.version == s->addr.version);
        if (again)
            continue;
        struct strbuf name = {0};
        text_printable(&name, d->nodes[s->node - 1].name, strlen(d->nodes[s->node - 1].name));
        strbuf_addf(&text, "%sdscp %u %s 0x%02X  # %s, on %s", text.len ? "\n" : "", s->addr.version,
                    class_name(s->traffic_class), s->mark, dscp_name(s->mark), strbuf_text(&name));
        text.failed |= !strbuf_ok(&name);
        strbuf_done(&name);
    }
    block(p,
          "On the node, if it is a Meeting Server and its `dscp` settings say something else; a restart makes them "
          "take effect. "
          "The value is the DSCP, not the TOS byte:",
          &text);
}

/* --- switches ----------------------------------------------------------------------------------------------------- */

static void trust_lines(struct page *p)
{
    struct strbuf text = {0};
    strbuf_adds(&text, "! Catalyst 2960 to 3750 with \"mls qos\": a port without this sets every mark to 0\n"
                       "interface X\n mls qos trust dscp\n"
                       "! Catalyst 3650 and later, 9000, routers: they keep marks unless a policy-map sets them; find "
                       "the one that does\n"
                       "show policy-map interface X");
    block(p,
          "On the switches and routers that these packets cross, if one of them takes the marks away (`qosmark policy "
          "convert --to ios` "
          "writes class maps that count the marks that arrive there):",
          &text);
}

/* IOS has the names of RFC 2597, 2474 and 3246; the rest are numbers. */
static void ios_mark(struct strbuf *to, dscp_t mark, bool upper)
{
    const char *name = dscp_name(mark);
    bool known = strncmp(name, "AF", 2) == 0 || strncmp(name, "CS", 2) == 0 || strcmp(name, "EF") == 0;
    if (mark == 0)
        name = "default";
    else if (!known) {
        strbuf_addf(to, "%u", mark);
        return;
    }
    for (; *name; name++)
        strbuf_addc(to, (char)(upper ? toupper((unsigned char)*name) : tolower((unsigned char)*name)));
}

static void ios_permit(struct strbuf *to, const struct mend_sender *s)
{
    char address[ADDR_TEXT_MAX];
    addr_format(&s->addr, address);
    strbuf_addf(to, " permit %s host %s", s->proto == PROTO_NUMBER_TCP ? "tcp" : "udp", address);
    if (s->by_destination)
        strbuf_addf(to, " any eq %u\n", s->first_port);
    else if (s->first_port == s->last_port)
        strbuf_addf(to, " eq %u any\n", s->first_port);
    else
        strbuf_addf(to, " range %u %u any\n", s->first_port, s->last_port);
}

/* One access list, class map and `set` for a mark, for one version of IP. */
static bool ios_class(const struct mend_facts *m, dscp_t mark, int ip_version, struct strbuf *lists,
                      struct strbuf *sets)
{
    bool any = false;
    for (size_t i = 0; i < m->sender_count; i++) {
        const struct mend_sender *s = &m->senders[i];
        if (s->node || s->mark != mark || s->addr.version != ip_version || is_mixed(m, s))
            continue;
        if (!any) {
            strbuf_adds(lists,
                        ip_version == 4 ? "ip access-list extended QOSMARK-V4-" : "ipv6 access-list QOSMARK-V6-");
            ios_mark(lists, mark, true);
            strbuf_addc(lists, '\n');
        }
        any = true;
        ios_permit(lists, s);
    }
    if (!any)
        return false;
    const char *version = ip_version == 4 ? "V4" : "V6";
    strbuf_addf(lists, "class-map match-any QOSMARK-%s-", version);
    ios_mark(lists, mark, true);
    strbuf_addf(lists, "\n match access-group name QOSMARK-%s-", version);
    ios_mark(lists, mark, true);
    strbuf_addc(lists, '\n');
    strbuf_addf(sets, " class QOSMARK-%s-", version);
    ios_mark(sets, mark, true);
    strbuf_adds(sets, "\n  set dscp ");
    ios_mark(sets, mark, false);
    strbuf_addc(sets, '\n');
    return true;
}

static void mark_lines(struct page *p, const struct mend_facts *m, bool entitled)
{
    struct strbuf lists = {0}, sets = {0}, text = {0};
    bool any = false, mixed = false;
    for (unsigned mark = 0; mark < DSCP_COUNT; mark++) {
        if ((mark != 0) != entitled)
            continue;
        any = ios_class(m, (dscp_t)mark, 4, &lists, &sets) || any;
        any = ios_class(m, (dscp_t)mark, 6, &lists, &sets) || any;
    }
    for (size_t i = 0; i < m->sender_count; i++)
        mixed = mixed || (!m->senders[i].node && is_mixed(m, &m->senders[i]));
    if (any) {
        strbuf_adds(&text, "! the ports are those seen: give the range that the sender is set to use\n");
        if (mixed)
            strbuf_adds(
                &text,
                "! what leaves from the same ports in several classes is left out: only the sender can mark it\n");
        if (m->left_out)
            strbuf_adds(&text, "! and more senders, alike\n");
        strbuf_addf(&text, "%spolicy-map QOSMARK-SENDER\n%sinterface X\n service-policy input QOSMARK-SENDER",
                    strbuf_text(&lists), strbuf_text(&sets));
    }
    text.failed |= !strbuf_ok(&lists) || !strbuf_ok(&sets);
    strbuf_done(&lists);
    strbuf_done(&sets);
    block(p,
          entitled ? "On the switch port that the sender is at, if it cannot mark by itself:"
                   : "On the switch port that the sender is at, if this traffic is to have no priority:",
          &text);
}

/* --- Windows ------------------------------------------------------------------------------------------------------ */

static void windows_line(struct strbuf *to, const struct mend_sender *s)
{
    char name[48];
    (void)snprintf(name, sizeof name, "%s %s", class_name(s->traffic_class), dscp_name(s->mark));
    strbuf_addf(
        to, "New-NetQosPolicy -Name \"%s\" -AppPathNameMatchCondition \"PROGRAM.exe\" -IPProtocolMatchCondition %s ",
        name, s->proto == PROTO_NUMBER_TCP ? "TCP" : "UDP");
    if (s->by_destination)
        strbuf_addf(to, "-IPDstPortMatchCondition %u ", s->first_port);
    else if (s->first_port == s->last_port)
        strbuf_addf(to, "-IPSrcPortMatchCondition %u ", s->first_port);
    else
        strbuf_addf(to, "-IPSrcPortStartMatchCondition %u -IPSrcPortEndMatchCondition %u ", s->first_port,
                    s->last_port);
    strbuf_addf(to, "-DSCPAction %u -NetworkProfile All\n", s->mark);
}

/* One line a class: the policy is the same on all hosts, and each has its range of ports. */
static void windows_lines(struct page *p, const struct mend_facts *m)
{
    struct strbuf text = {0};
    for (size_t i = 0; i < m->sender_count; i++) {
        struct mend_sender s = m->senders[i];
        bool again = false, mixed = is_mixed(m, &s);
        if (s.node || s.mark == 0)
            continue;
        for (size_t k = 0; k < m->sender_count; k++) {
            const struct mend_sender *o = &m->senders[k];
            if (o->node || o->traffic_class != s.traffic_class || o->proto != s.proto ||
                o->by_destination != s.by_destination || (s.by_destination && o->first_port != s.first_port))
                continue;
            again = again || k < i;
            mixed = mixed || is_mixed(m, o);
            s.first_port = o->first_port < s.first_port ? o->first_port : s.first_port;
            s.last_port = o->last_port > s.last_port ? o->last_port : s.last_port;
        }
        if (again)
            continue;
        if (text.len == 0)
            strbuf_adds(&text, "# PROGRAM.exe is the program that sends; the ports are those seen: give the range that "
                               "it is set to use\n");
        if (mixed)
            strbuf_addf(&text,
                        "# %s shares its ports with another class: give each its own range in the program first\n",
                        class_name(s.traffic_class));
        windows_line(&text, &s);
    }
    block(p,
          "On the sender, if it runs Windows and marks by policy (PowerShell as administrator, or the same as a group "
          "policy):",
          &text);
}

void mend_write(struct page *p, enum finding_code code, const struct mend_facts *m)
{
    unsigned what = remedies[code];
    bool host = false, node = false;
    for (size_t i = 0; i < m->sender_count; i++) {
        host = host || !m->senders[i].node;
        node = node || m->senders[i].node;
    }
    what &= ~(host ? 0U : (unsigned)(REMEDY_MARK | REMEDY_WINDOWS));
    what &= ~(node ? 0U : (unsigned)REMEDY_SERVER);
    if (what == 0)
        return;
    html_markup(&p->html, "<details><summary>What to type</summary>\n");
    if (what & REMEDY_SERVER)
        server_lines(p, m);
    /* another known value is a sender's own setting more often than a device's */
    bool path_first = code != FINDING_REMARKED;
    if ((what & REMEDY_TRUST) && path_first)
        trust_lines(p);
    if (what & REMEDY_WINDOWS)
        windows_lines(p, m);
    if ((what & REMEDY_TRUST) && !path_first)
        trust_lines(p);
    if (what & REMEDY_MARK)
        mark_lines(p, m, code != FINDING_UNENTITLED_PRIORITY);
    html_markup(&p->html, "</details>\n");
}
