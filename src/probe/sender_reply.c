#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "probe/probe_ask.h"
#include "probe/sender_internal.h"

void sender_wait(struct sender *s, int64_t until_ns)
{
    struct pollfd fds[SENDER_FLOWS_MAX];
    int64_t left = until_ns - clock_monotonic_ns();
    if (s->load.socket && s->load.next_ns && s->load.next_ns - clock_monotonic_ns() < left)
        left = s->load.next_ns - clock_monotonic_ns();
    if (left <= 0)
        return;
    for (uint32_t i = 0; i < s->flow_count; i++)
        fds[i] = (struct pollfd){.fd = udp_socket_fd(s->flows[i].socket), .events = POLLIN};
    /* poll() counts in milliseconds: the rest of the last one is slept, so that pacing is even and the processor free
     */
    if (left >= 2 * NS_PER_MS) {
        (void)poll(fds, s->flow_count, (int)(left / NS_PER_MS > 1000 ? 1000 : left / NS_PER_MS - 1));
        return;
    }
    if (poll(fds, s->flow_count, 0) > 0)
        return;
    if (left > 200000)
        left = 200000;
    struct timespec nap = {.tv_nsec = (long)left};
    (void)nanosleep(&nap, NULL);
}

/* What became of the question of probe_ask.h. */
enum asked { ASKED_NOTHING, ASKED_ECHOED, ASKED_TOLD };

static enum asked find_told(const struct sender *s, const uint8_t *bytes, size_t len, tos_t *ret)
{
    size_t base = s->hmac ? STAMP_AUTH_BYTES : STAMP_BYTES;
    struct cursor c = cur_make(bytes, len, false);
    struct stamp_tlv tlv;
    cur_skip(&c, base);
    while (stamp_tlv_next(&c, &tlv)) {
        if (tlv.flags & (STAMP_TLV_M | STAMP_TLV_I))
            return ASKED_NOTHING;
        if (tlv.type == PROBE_ASK_TYPE && !(tlv.flags & STAMP_TLV_U))
            return probe_ask_read(tlv.value.at, cur_left(&tlv.value), ret) ? ASKED_TOLD : ASKED_ECHOED;
    }
    return ASKED_NOTHING;
}

static void take_forward_mark(struct probe_packet *p, const struct stamp_reply *reply)
{
    static const enum probe_why reasons[] = {
        [STAMP_ABSENT] = PROBE_WHY_NO_TLV,     [STAMP_UNRECOGNIZED] = PROBE_WHY_U_FLAG,
        [STAMP_MALFORMED] = PROBE_WHY_BAD_TLV, [STAMP_UNTRUSTED] = PROBE_WHY_BAD_TLV,
        [STAMP_ANSWERED] = PROBE_WHY_NONE,
    };
    enum probe_why why = reasons[reply->cos.answer];
    /* a reflector whose bits lie elsewhere hands back another DSCP1 than it was given */
    if (why == PROBE_WHY_NONE && reply->cos.asked != p->asked)
        why = PROBE_WHY_BAD_TLV;
    p->why_forward = p->why_reverse = (uint8_t)why;
    if (why == PROBE_WHY_NONE) {
        p->arrived = (int8_t)reply->cos.arrived;
        p->arrived_ecn = (int8_t)reply->cos.ecn;
        if (reply->cos.rp)
            p->why_reverse = PROBE_WHY_REFUSED;
        else
            p->replied = (int8_t)p->asked;
    } else if (reply->twamp_tos_known) {
        p->why_forward = PROBE_WHY_NONE;
        p->arrived = (int8_t)tos_dscp(reply->twamp_tos);
        p->arrived_ecn = (int8_t)tos_ecn(reply->twamp_tos);
    }
}

static void take_marks(struct sender *s, struct probe_packet *p, const struct stamp_reply *reply,
                       const struct udp_packet *packet)
{
    tos_t told;
    take_forward_mark(p, reply);
    s->any_tlv |= reply->cos.answer == STAMP_ANSWERED;
    s->d->reflector.twamp_marks += reply->twamp_tos_known;
    enum asked question = p->witness ? find_told(s, packet->bytes, packet->len, &told) : ASKED_NOTHING;
    p->echoed = question == ASKED_ECHOED;
    if (question == ASKED_TOLD) {
        p->told = true;
        p->replied = (int8_t)tos_dscp(told);
    }
    if (packet->tos_known) {
        p->returned = (int8_t)tos_dscp(packet->tos);
        p->returned_ecn = (int8_t)tos_ecn(packet->tos);
    } else {
        p->why_reverse = PROBE_WHY_NO_CMSG;
    }
}

static void take_times(struct probe_packet *p, const struct stamp_reply *reply, int64_t here_ns)
{
    int64_t round_trip = here_ns - p->sent_ns, held = 0;
    if (reply->received.known && reply->sent.known) {
        held = reply->sent.ns - reply->received.ns;
        if (held < 0 || held > round_trip)
            held = 0; /* two clocks of one reflector, or a stepped one: better too long than too short */
    }
    p->rtt_ns = round_trip >= 0 ? round_trip - held : -1;
    if (reply->received.known)
        p->forward_ns = reply->received.ns - p->sent_ns;
    if (reply->sent.known)
        p->reverse_ns = here_ns - reply->sent.ns;
}

/* The packet that it answers; NULL where it is none of ours: sequence, send time and SSID must all be what was sent. */
static struct probe_packet *find_packet(struct sender *s, const struct sender_flow *f, const struct stamp_reply *reply,
                                        size_t *ret_place)
{
    enum { ROUNDING_NS = 1000 };
    uint32_t sequence = reply->sender_sequence;
    size_t place = sequence ? (size_t)sequence - 1 : 0;
    if (sequence == 1 || place >= f->count || !reply->sender_sent.known)
        return NULL;
    struct probe_packet *p = &s->d->packets[f->packets[place]];
    if (llabs(reply->sender_sent.ns - p->sent_ns) > ROUNDING_NS)
        return NULL;
    if (reply->ssid && reply->ssid != sender_ssid(s, p->class_index))
        return NULL;
    *ret_place = place;
    return p;
}

static void take_reply(struct sender *s, struct sender_flow *f, const struct udp_packet *packet)
{
    struct stamp_reply reply;
    struct cursor c = cur_make(packet->bytes, packet->len, packet->cut);
    size_t place;
    if (!endpoint_equal(&packet->peer, &s->config->target)) {
        s->d->strays.foreign++;
        return;
    }
    if (stamp_reply_parse(c, s->hmac != NULL, s->hmac, &reply) != PARSE_OK) {
        bool unsigned_ok = s->hmac && stamp_reply_parse(c, true, NULL, &reply) == PARSE_OK;
        s->d->strays.bad_hmac += unsigned_ok;
        s->d->strays.malformed += !unsigned_ok;
        return;
    }
    struct probe_packet *p = find_packet(s, f, &reply, &place);
    if (!p) {
        s->d->strays.foreign++;
        return;
    }
    if (p->answered) {
        if (p->copies < UINT8_MAX)
            p->copies++;
        return;
    }
    p->answered = true;
    p->reflected = reply.sequence;
    p->reordered = place + 1 < f->newest_answered;
    if (place + 1 > f->newest_answered)
        f->newest_answered = place + 1;
    int64_t here_ns = packet->time_source == UDP_TIME_NONE ? clock_wall_ns() : packet->time_ns;
    take_marks(s, p, &reply, packet);
    take_times(p, &reply, here_ns);
    p->late = here_ns - p->sent_ns > s->config->timeout_ns;
    s->answered++;
}

static void take_errors(struct sender *s, const struct sender_flow *f)
{
    struct udp_event e;
    for (int i = 0; i < 1000 && udp_socket_event(f->socket, &e); i++) {
        if (e.kind != UDP_EVENT_ICMP)
            continue;
        if (s->d->strays.icmp++ == 0)
            s->first_error = e;
        s->refused +=
            e.number == ECONNREFUSED || e.number == EHOSTUNREACH || e.number == ENETUNREACH || e.number == EACCES;
    }
}

int sender_receive(struct sender *s, struct error *error)
{
    enum { BATCH = 32, SIZE = 2048, ROUNDS_MAX = 64 };
    uint8_t bytes[BATCH][SIZE];
    struct udp_packet packets[BATCH];
    for (uint32_t i = 0; i < s->flow_count; i++) {
        struct sender_flow *f = &s->flows[i];
        int n = BATCH;
        for (int round = 0; n == BATCH && round < ROUNDS_MAX; round++) {
            for (size_t k = 0; k < BATCH; k++)
                packets[k] = (struct udp_packet){.bytes = bytes[k], .size = SIZE};
            n = udp_socket_receive(f->socket, packets, BATCH, error);
            if (n < 0)
                return n;
            for (int k = 0; k < n; k++)
                take_reply(s, f, &packets[k]);
        }
        take_errors(s, f);
    }
    return 0;
}
