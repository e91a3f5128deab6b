#ifndef QOSMARK_PROBE_REFLECTOR_LOOP_H
#define QOSMARK_PROBE_REFLECTOR_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "probe/reflector.h"
#include "probe/udp_socket.h"

/* A reflector on its sockets: receives in batches, answers, sends in batches, in the thread that calls. */
struct reflector_loop;

enum { REFLECTOR_SOCKETS_MAX = 16 };

struct reflector_loop_counts {
    uint64_t dropped;  /* requests that the kernel threw away because nobody came to take them in time */
    uint64_t not_sent; /* replies that the kernel or the network card did not take */
};

enum reflector_loop_end {
    REFLECTOR_LOOP_WOKEN,    /* `wake` can be read */
    REFLECTOR_LOOP_DEADLINE, /* the time is up */
};

/* Borrows the sockets and the reflector. */
int reflector_loop_new(struct reflector *r, struct udp_socket *const *sockets, size_t count,
                       struct reflector_loop **ret, struct error *error);
void reflector_loop_free(struct reflector_loop *l);

/* Answers until `wake` (a file descriptor, -1 for none) can be read or the monotonic clock shows `deadline_ns` (0:
 * never). Negative where a socket broke. May be called again. */
int reflector_loop_run(struct reflector_loop *l, int wake, int64_t deadline_ns, enum reflector_loop_end *ret,
                       struct error *error);

struct reflector_loop_counts reflector_loop_counts(const struct reflector_loop *l);

#endif
