#include <stdio.h>
#include <string.h>

#include "generate/internal.h"

enum { SEGMENT_BYTES = 1380, MESSAGE_MS = 25 };

/* What the messages of one dialog have in common (RFC 3261 §12). `caller` and `callee` are ends. */
struct dialog {
    struct generator *g;
    const struct sip_talk *talk;
    uint8_t caller, callee;
    const char *call_id, *tags[2], *uris[2], *contacts[2], *transport;
    char via[2][ENDPOINT_TEXT_MAX];
    uint32_t branches;
    bool failed;
};

static const char *const agents[2] = {"Cisco-CE", "Acano CallBridge"};

static void identify(struct dialog *d)
{
    struct generator *g = d->g;
    const struct participant *p = &g->participants[d->talk->participant];
    const struct addr *addrs[2] = {&p->addr, &p->node_addr};
    for (uint8_t end = 0; end < 2; end++) {
        const struct endpoint at = {*addrs[end], d->talk->ports[end]};
        endpoint_format(&at, d->via[end]);
        d->tags[end] = arena_printf(&g->arena, "%08x", (unsigned)generate_random_next(&g->random));
    }
    d->call_id = arena_printf(&g->arena, "%016llx", (unsigned long long)generate_random_next(&g->random));
    d->uris[END_PARTICIPANT] = arena_printf(&g->arena, "sip:%s@users.example.com", p->name);
    d->uris[END_NODE] = arena_printf(&g->arena, "sip:room%u@conf.example.com", 1 + d->talk->call % 4);
    for (uint8_t end = 0; end < 2; end++)
        d->contacts[end] = arena_printf(&g->arena, "<sip:%s@%s%s>", end == END_NODE ? "room" : p->name, d->via[end],
                                        d->talk->tcp ? ";transport=tcp" : "");
    d->failed =
        !d->call_id || !d->uris[0] || !d->uris[1] || !d->contacts[0] || !d->contacts[1] || !d->tags[0] || !d->tags[1];
}

static const char *branch(const struct dialog *d, uint32_t number)
{
    return arena_printf(&d->g->arena, "z9hG4bK%08x%02x", (unsigned)(0x9e3779b9U * (d->talk->call + 1)), number);
}

/* Hands a message to the script: a datagram, or a part of the connection. */
static void say(struct dialog *d, uint8_t end, int64_t time_ns, struct strbuf *message)
{
    const struct sip_talk *t = d->talk;
    char *kept = strbuf_ok(message) ? arena_copy(&d->g->arena, message->at, message->len) : NULL;
    if (!kept)
        d->failed = true;
    else if (t->tcp)
        tcp_say(t->script, t->tcp, end, time_ns, kept, message->len, SEGMENT_BYTES);
    else
        script_say(t->script, time_ns, t->streams[end], kept, message->len);
    strbuf_done(message);
}

static void put_body(struct strbuf *b, const char *body)
{
    if (body)
        strbuf_addf(b, "Content-Type: application/sdp\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
    else
        strbuf_adds(b, "Content-Length: 0\r\n\r\n");
}

struct request {
    const char *method, *sequence; /* "1 INVITE" */
    uint8_t from;
    uint32_t branch;
    bool in_dialog; /* the other end's tag is known */
    const char *body;
};

static void put_dialog_headers(struct strbuf *b, const struct dialog *d, const struct request *q, bool to_tag)
{
    strbuf_addf(b, "From: <%s>;tag=%s\r\nTo: <%s>%s%s\r\nCall-ID: %s\r\nCSeq: %s\r\n", d->uris[q->from],
                d->tags[q->from], d->uris[!q->from], to_tag ? ";tag=" : "", to_tag ? d->tags[!q->from] : "", d->call_id,
                q->sequence);
}

static void request(struct dialog *d, int64_t time_ns, const struct request *q)
{
    struct strbuf b = {0};
    uint8_t to = !q->from;
    const char *via = branch(d, q->branch), *target = d->uris[to];
    if (q->in_dialog) /* the contact without its brackets is where it goes */
        target = arena_copy(&d->g->arena, d->contacts[to] + 1, strlen(d->contacts[to]) - 2);
    if (!via || !target) {
        d->failed = true;
        return;
    }
    strbuf_addf(&b, "%s %s SIP/2.0\r\nVia: SIP/2.0/%s %s;branch=%s;rport\r\nMax-Forwards: 70\r\n", q->method, target,
                d->transport, d->via[q->from], via);
    put_dialog_headers(&b, d, q, q->in_dialog);
    if (q->body || !q->in_dialog)
        strbuf_addf(&b,
                    "Contact: %s\r\nAllow: INVITE, ACK, CANCEL, OPTIONS, BYE, UPDATE, INFO\r\nSupported: timer, "
                    "replaces\r\nSession-Expires: 1800\r\n",
                    d->contacts[q->from]);
    strbuf_addf(&b, "User-Agent: %s\r\n", agents[q->from]);
    put_body(&b, q->body);
    say(d, q->from, time_ns, &b);
}

static void response(struct dialog *d, int64_t time_ns, const struct request *q, const char *status, const char *body)
{
    struct strbuf b = {0};
    uint8_t end = !q->from;
    const char *via = branch(d, q->branch);
    if (!via) {
        d->failed = true;
        return;
    }
    strbuf_addf(&b, "SIP/2.0 %s\r\nVia: SIP/2.0/%s %s;branch=%s;rport=%u\r\n", status, d->transport, d->via[q->from],
                via, d->talk->ports[q->from]);
    put_dialog_headers(&b, d, q, strcmp(status, "100 Trying") != 0);
    if (body || strcmp(status, "180 Ringing") == 0)
        strbuf_addf(&b, "Contact: %s\r\n", d->contacts[end]);
    strbuf_addf(&b, "Server: %s\r\n", agents[end]);
    put_body(&b, body);
    say(d, end, time_ns, &b);
}

/* RFC 4028: the session is refreshed while it lasts; here often, so that the signalling does not fall silent. */
static void refresh(struct dialog *d, int64_t from_ns, int64_t until_ns)
{
    static const int64_t every_ns = 15 * NS_PER_S;
    char sequence[32];
    unsigned n = 2;
    for (int64_t at = from_ns + every_ns; at + NS_PER_S < until_ns; at += every_ns, n++) {
        (void)snprintf(sequence, sizeof sequence, "%u OPTIONS", n);
        struct request q = {"OPTIONS", sequence, d->caller, d->branches++, true, NULL};
        request(d, at, &q);
        response(d, at + MESSAGE_MS * NS_PER_MS, &q, "200 OK", NULL);
    }
}

int sip_talk(struct generator *g, const struct sip_talk *t)
{
    struct dialog d = {.g = g, .talk = t, .transport = t->tcp ? "TCP" : "UDP"};
    d.caller = t->node_calls ? END_NODE : END_PARTICIPANT;
    d.callee = !d.caller;
    identify(&d);
    const char *offer = sdp_write(g, t, d.caller, false), *answer = sdp_write(g, t, d.callee, true);
    if (d.failed || !offer || !answer)
        return ERR_MEMORY;
    struct generate_call *call = &g->calls[t->call];
    call->call_id = d.call_id;
    call->from = d.uris[d.caller];
    call->to = d.uris[d.callee];

    const int64_t ms = NS_PER_MS, begin = t->begin_ns, end = t->end_ns;
    struct request invite = {"INVITE", "1 INVITE", d.caller, d.branches++, false, offer};
    struct request ack = {"ACK", "1 ACK", d.caller, d.branches++, true, NULL};
    struct request bye = {"BYE", "900 BYE", d.caller, d.branches++, true, NULL};
    if (t->tcp)
        tcp_open(t->script, t->tcp, d.caller, begin - MESSAGE_MS * ms);
    request(&d, begin, &invite);
    response(&d, begin + MESSAGE_MS * ms, &invite, "100 Trying", NULL);
    response(&d, begin + 3 * MESSAGE_MS * ms, &invite, "180 Ringing", NULL);
    response(&d, t->media_ns - 2 * MESSAGE_MS * ms, &invite, "200 OK", answer);
    request(&d, t->media_ns - MESSAGE_MS * ms, &ack);
    refresh(&d, t->media_ns, end);
    request(&d, end + MESSAGE_MS * ms, &bye);
    response(&d, end + 2 * MESSAGE_MS * ms, &bye, "200 OK", NULL);
    if (t->tcp)
        tcp_close(t->script, t->tcp, d.caller, end + 4 * MESSAGE_MS * ms);
    return d.failed ? ERR_MEMORY : 0;
}
