#include "probe/reflector_loop.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "probe/stamp.h"

/* How often the kernel is asked how good its clock is. */
#define CLOCK_EVERY_NS (10 * NS_PER_S)

/* How long a full send buffer is waited for before replies are given up: longer would lose requests instead. */
enum { SEND_WAIT_MS = 10 };

struct reflector_loop {
    struct reflector *reflector;
    struct udp_socket *sockets[REFLECTOR_SOCKETS_MAX];
    size_t socket_count;
    int64_t clock_read_ns;
    uint64_t not_sent;
    uint8_t *memory; /* one batch in and one out; pages that no packet reaches stay untouched */
    struct udp_packet in[UDP_BATCH_MAX], out[UDP_BATCH_MAX];
};

int reflector_loop_new(struct reflector *r, struct udp_socket *const *sockets, size_t count,
                       struct reflector_loop **ret, struct error *error)
{
    if (count == 0 || count > REFLECTOR_SOCKETS_MAX)
        return error_set(error, ERR_LIMIT, "a reflector listens on 1 to %d addresses", (int)REFLECTOR_SOCKETS_MAX);
    struct reflector_loop *l = calloc(1, sizeof *l);
    uint8_t *memory = calloc(2 * UDP_BATCH_MAX, STAMP_PACKET_MAX);
    if (!l || !memory) {
        free(l);
        free(memory);
        return error_set(error, ERR_MEMORY, "out of memory");
    }
    l->reflector = r;
    l->memory = memory;
    l->socket_count = count;
    memcpy(l->sockets, sockets, count * sizeof *sockets);
    for (size_t i = 0; i < UDP_BATCH_MAX; i++) {
        l->in[i] = (struct udp_packet){.bytes = memory + 2 * i * STAMP_PACKET_MAX, .size = STAMP_PACKET_MAX};
        l->out[i] = (struct udp_packet){.bytes = memory + (2 * i + 1) * STAMP_PACKET_MAX, .size = STAMP_PACKET_MAX};
    }
    *ret = l;
    return 0;
}

void reflector_loop_free(struct reflector_loop *l)
{
    if (!l)
        return;
    free(l->memory);
    free(l);
}

struct reflector_loop_counts reflector_loop_counts(const struct reflector_loop *l)
{
    struct reflector_loop_counts c = {.not_sent = l->not_sent};
    for (size_t i = 0; i < l->socket_count; i++)
        c.dropped += udp_socket_dropped(l->sockets[i]);
    return c;
}

static int send_all(struct reflector_loop *l, struct udp_socket *s, size_t count, struct error *error)
{
    size_t done = 0;
    bool waited = false;
    while (done < count) {
        int refused;
        int n = udp_socket_send(s, l->out + done, count - done, &refused, error);
        if (n < 0)
            return n;
        done += (size_t)n;
        if (refused) {
            l->not_sent++;
            done++;
        } else if (n == 0) {
            struct pollfd wait = {.fd = udp_socket_fd(s), .events = POLLOUT};
            if (waited || poll(&wait, 1, SEND_WAIT_MS) <= 0) {
                l->not_sent += count - done;
                return 0;
            }
            waited = true;
        }
    }
    return 0;
}

/* One batch of one socket. */
static int answer_batch(struct reflector_loop *l, struct udp_socket *s, struct error *error)
{
    size_t replies = 0;
    int n = udp_socket_receive(s, l->in, UDP_BATCH_MAX, error);
    if (n <= 0)
        return n;
    for (int i = 0; i < n; i++)
        replies += reflector_answer(l->reflector, &l->in[i], clock_wall_ns(), &l->out[replies]) == REFLECTOR_ANSWERED;
    return send_all(l, s, replies, error);
}

static void look_at_clock(struct reflector_loop *l, int64_t now_ns)
{
    struct stamp_clock clock;
    if (l->clock_read_ns && now_ns - l->clock_read_ns < CLOCK_EVERY_NS)
        return;
    l->clock_read_ns = now_ns;
    stamp_clock_read(&clock);
    reflector_set_clock(l->reflector, &clock);
}

/* Until the deadline, in whole milliseconds, rounded up; -1 for ever. */
static int wait_ms(int64_t deadline_ns, int64_t now_ns)
{
    if (deadline_ns == 0)
        return -1;
    int64_t ms = (deadline_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS;
    return ms < 0 ? 0 : ms > 3600000 ? 3600000 : (int)ms;
}

int reflector_loop_run(struct reflector_loop *l, int wake, int64_t deadline_ns, enum reflector_loop_end *ret,
                       struct error *error)
{
    struct pollfd fds[REFLECTOR_SOCKETS_MAX + 1];
    for (size_t i = 0; i < l->socket_count; i++)
        fds[i] = (struct pollfd){.fd = udp_socket_fd(l->sockets[i]), .events = POLLIN};
    fds[l->socket_count] = (struct pollfd){.fd = wake, .events = POLLIN}; /* poll() passes over -1 */

    for (;;) {
        int64_t now = clock_monotonic_ns();
        look_at_clock(l, now);
        if (deadline_ns && now >= deadline_ns) {
            *ret = REFLECTOR_LOOP_DEADLINE;
            return 0;
        }
        int ready = poll(fds, l->socket_count + 1, wait_ms(deadline_ns, now));
        if (ready < 0 && errno != EINTR)
            return error_set(error, ERR_IO, "waiting for packets: %s", strerror(errno));
        if (ready <= 0)
            continue;
        if (fds[l->socket_count].revents) {
            *ret = REFLECTOR_LOOP_WOKEN;
            return 0;
        }
        for (size_t i = 0; i < l->socket_count; i++) {
            int r = fds[i].revents ? answer_batch(l, l->sockets[i], error) : 0;
            if (r < 0)
                return r;
        }
    }
}
