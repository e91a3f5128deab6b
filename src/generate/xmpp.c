#include <stdarg.h>
#include <stdio.h>

#include "generate/internal.h"

enum { PORT_XMPP = 5222, PORT_CLIENT = 50000, SEGMENT_BYTES = 1380, STEP_MS = 30 };

#define PRESENCE_NS (4 * NS_PER_S)
#define STAGGER_NS  (11 * NS_PER_MS)

/* A client's session with the server (RFC 6120, RFC 6121). */
struct session {
    struct generator *g;
    struct script *script;
    struct tcp_connection *tcp;
    int64_t at_ns;
    bool failed;
};

__attribute__((format(printf, 3, 4))) static void say(struct session *s, uint8_t end, const char *format, ...)
{
    char text[2048];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    char *kept = n > 0 && (size_t)n < sizeof text ? arena_copy(&s->g->arena, text, (size_t)n) : NULL;
    if (!kept)
        s->failed = true;
    else
        tcp_say(s->script, s->tcp, end, s->at_ns, kept, (size_t)n, SEGMENT_BYTES);
    s->at_ns += STEP_MS * NS_PER_MS;
}

/* Twice: a session begins anew after it was authenticated (RFC 6120 §6.4.6). */
static void open_streams(struct session *s)
{
    static const char open[] = "<?xml version='1.0'?><stream:stream %s='conf.example.com' id='%016llx' "
                               "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>%s";
    static const char *const features[2] = {
        "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>ANONYMOUS</mechanism>"
        "</mechanisms></stream:features>",
        "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>"};
    for (int round = 0; round < 2; round++) {
        say(s, END_PARTICIPANT, open, "to", (unsigned long long)generate_random_next(&s->g->random), "");
        say(s, END_NODE, open, "from", (unsigned long long)generate_random_next(&s->g->random), features[round]);
        if (round)
            break;
        say(s, END_PARTICIPANT, "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>");
        say(s, END_NODE, "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
    }
}

static void sign_in(struct session *s, const char *name, unsigned number)
{
    open_streams(s);
    say(s, END_PARTICIPANT,
        "<iq type='set' id='bind-%u'><bind "
        "xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>%s</resource></bind></iq>",
        number, name);
    say(s, END_NODE,
        "<iq type='result' id='bind-%u'><bind "
        "xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>%s@conf.example.com/%s</jid>"
        "</bind></iq>",
        number, name, name);
}

int xmpp_talk(struct generator *g, uint32_t participant, uint32_t number)
{
    const struct participant *p = &g->participants[participant];
    uint16_t port = (uint16_t)(PORT_CLIENT + number / g->options.calls % XMPP_A_CALL_MAX);
    uint32_t streams[2];
    for (uint8_t end = 0; end < 2; end++) {
        streams[end] = call_add_stream(g, participant,
                                       &(struct stream_wish){.kind = KIND_XMPP_CLIENT,
                                                             .mark_kind = KIND_XMPP_CLIENT,
                                                             .proto = PROTO_TCP,
                                                             .end = end,
                                                             .port = port,
                                                             .node_port = PORT_XMPP,
                                                             .call = GENERATE_NONE,
                                                             .codec = ""});
        if (streams[end] == GENERATE_NONE)
            return ERR_MEMORY;
    }
    int64_t end_ns = g->options.start_ns + g->options.duration_ns;
    int64_t step_ns = g->options.duration_ns / 4 / g->options.xmpp;
    step_ns = step_ns < STAGGER_NS ? step_ns : STAGGER_NS;
    struct session s = {.g = g, .script = script_new(g), .tcp = tcp_new(g, streams)};
    if (!s.script || !s.tcp)
        return ERR_MEMORY;
    s.at_ns = g->options.start_ns + number * step_ns;
    tcp_open(s.script, s.tcp, END_PARTICIPANT, s.at_ns);
    s.at_ns += STEP_MS * NS_PER_MS;
    sign_in(&s, p->name, number);
    for (unsigned n = 1; s.at_ns + PRESENCE_NS / 4 < end_ns; n++) {
        say(&s, END_PARTICIPANT, "<presence id='p%u'><show>chat</show><status>in a meeting</status></presence>", n);
        say(&s, END_NODE, "<presence from='room%u@conf.example.com/%s' to='%s@conf.example.com' id='p%u'/>", 1 + n % 4,
            p->name, p->name, n);
        s.at_ns += PRESENCE_NS;
    }
    s.at_ns = s.at_ns < end_ns ? s.at_ns : end_ns;
    say(&s, END_PARTICIPANT, "</stream:stream>");
    say(&s, END_NODE, "</stream:stream>");
    tcp_close(s.script, s.tcp, END_PARTICIPANT, s.at_ns);
    int r = script_start(g, s.script);
    return s.failed ? ERR_MEMORY : r;
}
