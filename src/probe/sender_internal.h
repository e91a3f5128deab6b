#ifndef QOSMARK_PROBE_SENDER_INTERNAL_H
#define QOSMARK_PROBE_SENDER_INTERNAL_H

/* What the files sender*.c share: sender.c has the course of a run, sender_send.c makes packets, sender_reply.c reads
 * replies and ICMP errors, sender_load.c adds load. */

#include "probe/craft.h"
#include "probe/schedule.h"
#include "probe/sender.h"
#include "probe/stamp.h"
#include "probe/udp_socket.h"

/* One 5-tuple. Its sequence numbers are 0, 2, 3, 4...: the gap tells a reflector that counts from one that copies
 * (probe_loss.h). They are the flow's and not the session's, so that a reply without SSID finds its packet too. */
struct sender_flow {
    struct udp_socket *socket;
    struct endpoint local;
    size_t *packets; /* by place: which packet of the document */
    size_t count, cap;
    size_t newest_answered; /* place + 1 of the latest packet sent that was answered */
};

struct sender_load {
    struct udp_socket *socket;
    int64_t next_ns, gap_ns;
    uint64_t sent;
};

struct sender {
    const struct sender_config *config;
    struct probe_document *d;
    struct sender_flow flows[SENDER_FLOWS_MAX];
    uint32_t flow_count;
    uint16_t ssid; /* of class 0; the others follow, but for a fixed one */
    struct stamp_hmac *hmac;
    struct craft *craft;
    struct craft_sender *wire;
    bool borrows_wire;
    struct sender_load load;
    uint32_t *sizes; /* distinct sizes of the classes, for the class that takes them in turn */
    size_t size_count;
    uint64_t answered; /* packets */
    bool any_tlv;
    uint64_t refused; /* ICMP errors that say that nobody is there */
    struct udp_event first_error;
    int send_errno; /* why the system refused to send, 0 */
};

struct sender_probe {
    size_t class_index;
    uint32_t flow, round;
    dscp_t mark, asked;
    uint32_t size;
    bool witness; /* with ECT(0) and the question of probe_ask.h */
};

static inline uint32_t sequence_of_place(size_t place)
{
    return (uint32_t)(place ? place + 1 : 0);
}

uint16_t sender_ssid(const struct sender *s, size_t class_index);

/* Sends one and writes it down. A packet that the system refuses is counted and is no failure. */
int sender_send(struct sender *s, const struct sender_probe *p, struct error *error);

/* Reads all that has come to all flows. */
int sender_receive(struct sender *s, struct error *error);

/* Waits until something comes, at most until `until_ns` of the monotonic clock. */
void sender_wait(struct sender *s, int64_t until_ns);

int sender_load_open(struct sender *s, struct error *error);
void sender_load_send(struct sender *s, int64_t now_ns); /* what is due */

#endif
