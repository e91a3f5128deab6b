#include <stdlib.h>

#include "base/grow.h"
#include "generate/internal.h"

enum {
    ANSWER_NS = 200000,  /* until the node's kernel acknowledges */
    FAR_NS = 9000000,    /* until a participant's acknowledgement is here */
    SEGMENT_NS = 120000, /* between segments of one message */
};

struct script *script_new(struct generator *g)
{
    return arena_alloc(&g->arena, sizeof(struct script));
}

static void add(struct script *s, struct step step)
{
    if (s->failed || !grow((void **)&s->steps, &s->cap, s->count, sizeof *s->steps)) {
        s->failed = true;
        return;
    }
    s->steps[s->count++] = step;
}

void script_say(struct script *s, int64_t time_ns, uint32_t stream, const void *bytes, size_t len)
{
    add(s, (struct step){.time_ns = time_ns, .stream = stream, .payload = bytes, .len = len});
}

struct tcp_connection *tcp_new(struct generator *g, const uint32_t streams[2])
{
    struct tcp_connection *c = arena_alloc(&g->arena, sizeof *c);
    if (!c)
        return NULL;
    for (uint8_t end = 0; end < 2; end++) {
        c->next[end] = (uint32_t)generate_random_next(&g->random);
        c->streams[end] = streams[end];
        g->states[streams[end]].tcp = c;
        g->states[streams[end]].end = end;
    }
    return c;
}

static void segment(struct script *s, const struct tcp_connection *c, uint8_t end, int64_t time_ns, unsigned flags)
{
    add(s, (struct step){.time_ns = time_ns, .stream = c->streams[end], .tcp_flags = (uint8_t)flags});
}

static int64_t answer_after(uint8_t sender)
{
    return sender == END_PARTICIPANT ? ANSWER_NS : FAR_NS;
}

void tcp_open(struct script *s, const struct tcp_connection *c, uint8_t opener, int64_t time_ns)
{
    segment(s, c, opener, time_ns, TCP_SYN);
    time_ns += answer_after(opener);
    segment(s, c, !opener, time_ns, TCP_SYN | TCP_ACK);
    time_ns += answer_after(!opener);
    segment(s, c, opener, time_ns, TCP_ACK);
}

void tcp_say(struct script *s, const struct tcp_connection *c, uint8_t end, int64_t time_ns, const void *bytes,
             size_t len, size_t most)
{
    const uint8_t *at = bytes;
    while (len) {
        size_t now = len < most ? len : most;
        unsigned push = now == len ? TCP_PSH : 0;
        add(s, (struct step){.time_ns = time_ns,
                             .stream = c->streams[end],
                             .tcp_flags = (uint8_t)(TCP_ACK | push),
                             .payload = at,
                             .len = now});
        at += now;
        len -= now;
        if (len)
            time_ns += SEGMENT_NS;
    }
    segment(s, c, !end, time_ns + answer_after(end), TCP_ACK);
}

void tcp_close(struct script *s, const struct tcp_connection *c, uint8_t closer, int64_t time_ns)
{
    segment(s, c, closer, time_ns, TCP_FIN | TCP_ACK);
    time_ns += answer_after(closer);
    segment(s, c, !closer, time_ns, TCP_FIN | TCP_ACK);
    time_ns += answer_after(!closer);
    segment(s, c, closer, time_ns, TCP_ACK);
}

static int script_send(struct generator *g, struct source *source)
{
    struct script *s = source->state;
    const struct step *step = &s->steps[s->at++];
    int r = send_payload(g, step->stream, step->time_ns, step->tcp_flags, step->payload, step->len);
    source->next_ns = s->at < s->count ? s->steps[s->at].time_ns : INT64_MAX;
    return r;
}

/* Insertion keeps the order of equals, and the steps are nearly in order as they come. */
static void sort_steps(struct step *steps, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        struct step moved = steps[i];
        size_t k = i;
        for (; k > 0 && steps[k - 1].time_ns > moved.time_ns; k--)
            steps[k] = steps[k - 1];
        steps[k] = moved;
    }
}

int script_start(struct generator *g, struct script *s)
{
    struct step *kept = s->failed ? NULL : arena_alloc(&g->arena, (s->count + 1) * sizeof *kept);
    for (size_t i = 0; kept && i < s->count; i++)
        kept[i] = s->steps[i];
    free(s->steps);
    s->steps = kept;
    s->cap = s->count;
    if (!kept)
        return ERR_MEMORY;
    sort_steps(kept, s->count);
    if (s->count == 0)
        return 0;
    return call_add_source(g, kept[0].time_ns, script_send, s) ? 0 : ERR_MEMORY;
}
