#include <string.h>

#include "base/clock.h"
#include "engine/generate_internal.h"
#include "model/packet.h"

enum { FLUSH_BYTES = 64 * 1024 };

/* Written piece by piece: half a million streams do not have to be in memory as JSON. */
struct truth {
    struct strbuf text;
    capture_sink sink;
    void *user;
    bool failed;
    const struct generate_options *options;
};

static void flush(struct truth *t, size_t at_least)
{
    if (t->text.failed || t->text.len < at_least || t->failed)
        return;
    t->failed = !t->sink(t->user, strbuf_text(&t->text), t->text.len);
    t->text.len = 0;
}

/* Names come from a policy: printable, and then as JSON wants them. */
static void put_string(struct truth *t, const char *text)
{
    struct strbuf safe = {0};
    text_printable(&safe, text, strlen(text));
    strbuf_addc(&t->text, '"');
    for (const char *at = strbuf_text(&safe); *at; at++) {
        if (*at == '"' || *at == '\\')
            strbuf_addc(&t->text, '\\');
        strbuf_addc(&t->text, *at);
    }
    strbuf_addc(&t->text, '"');
    t->text.failed |= !strbuf_ok(&safe);
    strbuf_done(&safe);
}

static void put_named(struct truth *t, const char *key, const char *value)
{
    strbuf_addf(&t->text, "\"%s\": ", key);
    if (value)
        put_string(t, value);
    else
        strbuf_adds(&t->text, "null");
    strbuf_adds(&t->text, ", ");
}

static void put_time(struct truth *t, const char *key, int64_t ns)
{
    char text[CLOCK_TEXT_MAX];
    clock_format(ns, text);
    strbuf_addf(&t->text, "\"%s\": \"%s\", ", key, text);
}

static void put_end(struct truth *t, const char *key, const struct endpoint *e)
{
    char text[ADDR_TEXT_MAX];
    addr_format(&e->addr, text);
    strbuf_addf(&t->text, "\"%s\": {\"addr\": \"%s\", \"port\": %u}, ", key, text, e->port);
}

static const char *node_of(const struct generate_options *o, uint32_t index)
{
    return index == GENERATE_NONE ? NULL : o->nodes[index].name;
}

static void put_stream(struct truth *t, const struct generate_stream *s)
{
    struct strbuf *b = &t->text;
    const char *class = class_name(s->traffic_class);
    strbuf_addf(b, "  {\"proto\": \"%s\", ", s->proto == PROTO_TCP ? "tcp" : "udp");
    put_end(t, "src", &s->src);
    put_end(t, "dst", &s->dst);
    put_named(t, "kind", kind_name(s->kind));
    put_named(t, "class", class[0] ? class : NULL);
    put_named(t, "direction", direction_name(s->direction));
    put_named(t, "node", node_of(t->options, s->node));
    put_named(t, "site", s->site == GENERATE_NONE ? NULL : t->options->sites[s->site].name);
    strbuf_addf(b, "\"webrtc\": %s, ", s->webrtc ? "true" : "false");
    if (s->call == GENERATE_NONE)
        strbuf_adds(b, "\"call\": null, ");
    else
        strbuf_addf(b, "\"call\": %u, ", s->call);
    if (s->has_ssrc)
        strbuf_addf(b, "\"ssrc\": \"0x%08x\", ", s->ssrc);
    else
        strbuf_adds(b, "\"ssrc\": null, ");
    if (s->has_ssrc && kind_is_rtp(s->kind))
        strbuf_addf(b, "\"payload_type\": %u, ", s->payload_type);
    else
        strbuf_adds(b, "\"payload_type\": null, ");
    put_named(t, "codec", s->codec[0] ? s->codec : NULL);
    strbuf_addf(b, "\"mark\": %u, \"packets\": %llu, \"bytes\": %llu, ", s->mark, (unsigned long long)s->packets,
                (unsigned long long)s->bytes);
    put_time(t, "first", s->first_ns);
    put_time(t, "last", s->last_ns);
    strbuf_addf(b, "\"lost\": %llu, \"duplicated\": %llu, \"reordered\": %llu, \"dscp\": [",
                (unsigned long long)s->lost, (unsigned long long)s->duplicated, (unsigned long long)s->reordered);
    for (unsigned i = 0; i < s->mark_count; i++)
        strbuf_addf(b, "%s{\"dscp\": %u, \"name\": \"%s\", \"packets\": %llu, \"first_frame\": %llu}", i ? ", " : "",
                    s->marks[i].dscp, dscp_name(s->marks[i].dscp), (unsigned long long)s->marks[i].packets,
                    (unsigned long long)s->marks[i].first_frame);
    strbuf_adds(b, "]}");
    flush(t, FLUSH_BYTES);
}

static void put_streams(struct truth *t, const struct generator *g)
{
    const struct generate_stream *s;
    size_t n = generator_streams(g, &s), written = 0;
    strbuf_adds(&t->text, " \"streams\": [");
    for (size_t i = 0; i < n; i++) {
        if (s[i].packets == 0)
            continue; /* such as what the nodes would send, where only the participants do */
        strbuf_adds(&t->text, written++ ? ",\n" : "\n");
        put_stream(t, &s[i]);
    }
    strbuf_adds(&t->text, "\n ]\n}\n");
}

static void put_calls(struct truth *t, const struct generator *g)
{
    const struct generate_call *c;
    size_t n = generator_calls(g, &c);
    strbuf_adds(&t->text, " \"calls\": [");
    for (size_t i = 0; i < n; i++) {
        strbuf_adds(&t->text, i ? ",\n  {" : "\n  {");
        put_named(t, "call_id", c[i].call_id[0] ? c[i].call_id : NULL);
        put_named(t, "from", c[i].from[0] ? c[i].from : NULL);
        put_named(t, "to", c[i].to[0] ? c[i].to : NULL);
        put_time(t, "first", c[i].first_ns);
        strbuf_addf(&t->text, "\"participant\": %u}", c[i].participant);
        flush(t, FLUSH_BYTES);
    }
    strbuf_adds(&t->text, n ? "\n ],\n" : "],\n");
}

static void put_faults(struct truth *t, const struct generator *g)
{
    const struct generate_fault *f;
    size_t n = generator_faults(g, &f);
    strbuf_adds(&t->text, " \"faults\": [");
    for (size_t i = 0; i < n; i++) {
        strbuf_adds(&t->text, i ? ", {" : "{");
        put_named(t, "finding", generate_fault_name(f[i].kind));
        put_named(t, f[i].at_node ? "node" : "site", f[i].place);
        t->text.len -= 2;
        strbuf_addc(&t->text, '}');
    }
    strbuf_adds(&t->text, "],\n");
}

/* The words of the policy file, so that a test can give the same to an audit. */
static void put_places(struct truth *t, const struct generate_options *o)
{
    char text[ADDR_TEXT_MAX];
    strbuf_adds(&t->text, " \"nodes\": [");
    for (size_t i = 0; i < o->node_count; i++) {
        strbuf_adds(&t->text, i ? ", {" : "{");
        put_named(t, "name", o->nodes[i].name);
        strbuf_adds(&t->text, "\"addresses\": [");
        for (int v = 0, written = 0; v < 2; v++) {
            if (o->nodes[i].addr[v].version == 0)
                continue;
            addr_format(&o->nodes[i].addr[v], text);
            strbuf_addf(&t->text, "%s\"%s\"", written++ ? ", " : "", text);
        }
        strbuf_adds(&t->text, "]}");
    }
    strbuf_adds(&t->text, "],\n \"sites\": [");
    for (size_t i = 0; i < o->site_count; i++) {
        strbuf_adds(&t->text, i ? ", {" : "{");
        put_named(t, "name", o->sites[i].name);
        strbuf_adds(&t->text, "\"prefixes\": [");
        for (int v = 0, written = 0; v < 2; v++) {
            if (o->sites[i].prefix[v].addr.version == 0)
                continue;
            addr_format(&o->sites[i].prefix[v].addr, text);
            strbuf_addf(&t->text, "%s\"%s/%u\"", written++ ? ", " : "", text, o->sites[i].prefix[v].len);
        }
        strbuf_adds(&t->text, "]}");
    }
    strbuf_adds(&t->text, "],\n");
}

bool generate_write_truth(const struct generator *g, const struct generate_request *request,
                          const struct generate_result *result)
{
    const struct generate_options *options = generator_options(g);
    struct truth t = {.sink = request->truth, .user = request->truth_user, .options = options};
    strbuf_addf(&t.text, "{\n \"schema\": \"qosmark.generate/1\", \"seed\": %llu, \"packets\": %llu,\n",
                (unsigned long long)options->seed, (unsigned long long)result->packets);
    put_places(&t, options);
    put_faults(&t, g);
    put_calls(&t, g);
    put_streams(&t, g);
    flush(&t, 1);
    bool ok = strbuf_ok(&t.text) && !t.failed;
    strbuf_done(&t.text);
    return ok;
}
