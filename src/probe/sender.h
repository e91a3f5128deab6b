#ifndef QOSMARK_PROBE_SENDER_H
#define QOSMARK_PROBE_SENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/probe_document.h"

/*
 * Sends every class to one reflector, interleaved in time, and writes down what came back: the packets of a
 * probe_document. One thread; reads the clock.
 */

enum sender_engine {
    SENDER_UDP,    /* sockets: packets take the local queue that real traffic takes */
    SENDER_LIBNET, /* raw packets (probe/craft.h); replies still come to the sockets */
};

enum { SENDER_FLOWS_MAX = 64, SENDER_SIZE_MAX = 1400, SENDER_PACKETS_MAX = 4000000 };

struct craft_sender;

struct sender_config {
    struct endpoint target;
    struct addr source; /* version 0: the system's choice */
    const char *device; /* NULL: none */
    uint32_t flows;     /* 5-tuples, in turn from round to round: parallel paths show */
    bool media_ports;   /* send from even ports of the media range, 32768 and up */
    uint64_t rounds;
    int64_t interval_ns; /* of a round */
    int64_t timeout_ns;  /* how long a reply may take */
    uint16_t ssid;       /* 0: one a class, drawn at random */
    const void *key;     /* NULL: unauthenticated */
    size_t key_bytes;
    enum sender_engine engine;
    /* SENDER_LIBNET: by enum craft_wire, opened before the right to do so was given up, and borrowed; NULL, there or
     * itself: it opens its own */
    struct craft_sender *const *wires;
    double load_bps; /* best-effort load beside the probes, to port 9 of the target; 0: none */
    uint64_t seed;

    bool (*stopped)(void *user); /* asked often: true ends the sending; NULL: never */
    void (*progress)(void *user, uint64_t done, uint64_t total);
    void *user;
};

/* Bytes of the smallest probe, UDP payload. */
uint32_t sender_least_size(bool authenticated);

/*
 * Runs it all. The document has its classes (name, sent_dscp, preferred_return as the mark asked for, size_bytes, where
 * 0 takes the other classes' sizes in turn) and gets packets, strays, source, times, reflector.tlvs, .obeys and .reads.
 * Where nothing came back, `problem` says so. Negative only where the system failed (no socket, no memory, no
 * permission, no route), with the sentence in `error`; what came back until then is in the document.
 */
int sender_run(const struct sender_config *config, struct probe_document *d, struct error *error);

/* Bits a second of load that can be asked for. */
#define SENDER_LOAD_MAX 1e9

#endif
