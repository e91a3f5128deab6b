#ifdef QOSMARK_HAVE_NATS

#include "bus/bus_publish.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "bus/bus_publish_internal.h"

enum {
    DEFAULT_BUFFER = 64 * 1024 * 1024,
    BATCH = 128, /* messages sent, or put into the file, between two looks at the queue */
};
static const int64_t ANSWER_NS = 5 * NS_PER_S, /* without an acknowledgement a message is sent again */
                     PAUSE_NS = NS_PER_S / 2,  /* after one that was refused for now */
                     LOOK_NS = NS_PER_S / 5,
                     CONNECT_NS = NS_PER_S * 3 / 2; /* at the end, for a first connection */

static size_t size_of(const struct message *m)
{
    return sizeof *m + m->subject + m->id + m->body + 2;
}

static struct message *message_new(struct slice subject, struct slice id, struct slice body)
{
    struct message *m = malloc(sizeof *m + subject.len + id.len + body.len + 2);
    if (!m)
        return NULL;
    *m = (struct message){.subject = (uint32_t)subject.len, .id = (uint32_t)id.len, .body = (uint32_t)body.len};
    char *to = m->text;
    memcpy(to, subject.at, subject.len);
    to[subject.len] = '\0';
    to += subject.len + 1;
    memcpy(to, id.at, id.len);
    to[id.len] = '\0';
    memcpy(to + id.len + 1, body.at, body.len);
    return m;
}

/* ---- the queue; all with the lock ---- */

static uint64_t room(const struct bus_publish *p)
{
    uint64_t used = p->queued_bytes + p->flying_bytes;
    return used < p->options.buffer_bytes ? p->options.buffer_bytes - used : 0;
}

static void queue_add(struct bus_publish *p, struct message *m)
{
    m->next = NULL;
    *p->last = m;
    p->last = &m->next;
    p->queued++;
    p->queued_bytes += size_of(m);
}

static struct message *queue_take(struct bus_publish *p)
{
    struct message *m = p->first;
    if (!m)
        return NULL;
    p->first = m->next;
    if (!p->first)
        p->last = &p->first;
    p->queued--;
    p->queued_bytes -= size_of(m);
    return m;
}

bool bus_publish_add(struct bus_publish *p, struct slice subject, struct slice id, struct slice body)
{
    bool fits = subject.len <= SPILL_SUBJECT_MAX && id.len <= SPILL_ID_MAX && body.len <= SPILL_BODY_MAX;
    struct message *m = fits ? message_new(subject, id, body) : NULL;
    (void)pthread_mutex_lock(&p->lock);
    bool kept = m && !p->stopping && size_of(m) <= room(p);
    p->stats.added++;
    p->stats.dropped += !kept;
    p->no_memory = p->no_memory || (fits && !m);
    if (kept)
        queue_add(p, m);
    (void)pthread_cond_signal(&p->wake);
    (void)pthread_mutex_unlock(&p->lock);
    if (!kept)
        free(m);
    return kept;
}

int64_t bus_publish_wait_room(struct bus_publish *p, size_t bytes, int64_t wait_ns)
{
    const struct timespec pause = {.tv_nsec = 2 * NS_PER_MS};
    int64_t until = clock_monotonic_ns() + wait_ns;
    for (;;) {
        (void)pthread_mutex_lock(&p->lock);
        bool has_room = room(p) >= bytes + sizeof(struct message) + SPILL_SUBJECT_MAX + SPILL_ID_MAX;
        (void)pthread_mutex_unlock(&p->lock);
        int64_t left = until - clock_monotonic_ns();
        if (has_room || left <= 0)
            return left > 0 ? left : 0;
        (void)nanosleep(&pause, NULL);
    }
}

struct bus_publish_stats bus_publish_stats(struct bus_publish *p)
{
    (void)pthread_mutex_lock(&p->lock);
    struct bus_publish_stats s = p->stats;
    s.buffered = p->queued + p->flying;
    s.buffered_bytes = p->queued_bytes + p->flying_bytes;
    s.connected = p->connected;
    if (p->no_memory && !s.problem[0])
        (void)snprintf(s.problem, sizeof s.problem, "there was no memory for a message");
    (void)pthread_mutex_unlock(&p->lock);
    return s;
}

/* ---- slots; with the lock ---- */

static void slot_again(struct bus_publish *p, struct slot *s, int64_t due_ns)
{
    p->again += s->state != SLOT_AGAIN;
    s->state = SLOT_AGAIN;
    s->due_ns = due_ns;
}

static void slot_empty(struct bus_publish *p, struct slot *s)
{
    p->flying--;
    p->flying_bytes -= size_of(s->message);
    *s = (struct slot){0};
}

/* What came of those that were sent: gone, or to be sent again. Those that are gone are given back, in a list. */
static struct message *slots_reap(struct bus_publish *p, int64_t now_ns)
{
    struct message *gone = NULL;
    for (unsigned i = 0; i < WINDOW && p->flying; i++) {
        struct slot *s = &p->slots[i];
        if (s->state == SLOT_FLYING && now_ns >= s->due_ns)
            slot_again(p, s, now_ns);
        if (s->state != SLOT_DONE && s->state != SLOT_REFUSED)
            continue;
        struct message *m = s->message;
        if (s->state == SLOT_REFUSED)
            p->stats.dropped++;
        else
            p->stats.acknowledged++;
        slot_empty(p, s);
        m->next = gone;
        gone = m;
    }
    return gone;
}

static struct slot *slot_free(struct bus_publish *p)
{
    for (unsigned i = 0; i < WINDOW; i++) {
        struct slot *s = &p->slots[(p->turn + i) % WINDOW];
        if (s->state == SLOT_FREE) {
            p->turn = (p->turn + i + 1) % WINDOW;
            return s;
        }
    }
    return NULL;
}

/* One that has to be sent again; the one that was sent first of these. */
static struct slot *slot_find_again(struct bus_publish *p, int64_t now_ns)
{
    struct slot *found = NULL;
    for (unsigned i = 0; i < WINDOW && p->again; i++) {
        struct slot *s = &p->slots[i];
        if (s->state == SLOT_AGAIN && now_ns >= s->due_ns && (!found || s->serial < found->serial))
            found = s;
    }
    p->again -= found != NULL;
    return found;
}

/* ---- the file ---- */

static void note_spill(struct bus_publish *p)
{
    struct spill_stats s = spill_stats(p->spill);
    p->stats.waiting = s.messages;
    p->stats.waiting_bytes = s.bytes;
    p->stats.damaged = s.damaged;
}

/* Without the lock. */
static void forget(struct bus_publish *p, struct message *gone)
{
    while (gone) {
        struct message *m = gone;
        gone = m->next;
        if (m->spilled)
            spill_done(p->spill, m->spilled);
        free(m);
    }
}

/* Without the lock. */
static struct message *from_spill(struct bus_publish *p)
{
    struct spill_message from;
    if (!spill_next(p->spill, &from))
        return NULL;
    struct message *m = message_new(from.subject, from.id, from.body);
    if (m)
        m->spilled = from.number;
    return m; /* without memory it is given again at the next start */
}

/* Into the file, or dropped. With the lock, which is let go meanwhile. */
static void to_spill(struct bus_publish *p, struct message *m)
{
    (void)pthread_mutex_unlock(&p->lock);
    const char *at = m->text;
    int r = p->spill ? spill_put(p->spill, slice_make(at, m->subject), slice_make(at + m->subject + 1, m->id),
                                 slice_make(at + m->subject + m->id + 2, m->body))
                     : ERR_LIMIT;
    (void)pthread_mutex_lock(&p->lock);
    p->stats.spilled += r == 0;
    p->stats.dropped += r < 0;
    if (r < 0 && p->spill)
        (void)snprintf(p->stats.problem, sizeof p->stats.problem, "the file for messages that wait: %s",
                       spill_problem(p->spill));
    free(m);
}

/* Where the server does not take them, older messages make room in memory for newer ones. With the lock. */
static void spill_some(struct bus_publish *p)
{
    for (unsigned i = 0; p->spill && i < BATCH && p->queued && room(p) < p->options.buffer_bytes / 2; i++)
        to_spill(p, queue_take(p));
}

/* ---- the thread ---- */

/* The next message to send, oldest first: what is in the file is older than what is in memory. With the lock, which is
 * let go while the file is read. */
static struct message *next_message(struct bus_publish *p)
{
    if (!p->spill || spill_stats(p->spill).waiting == 0)
        return queue_take(p);
    (void)pthread_mutex_unlock(&p->lock);
    struct message *m = from_spill(p);
    (void)pthread_mutex_lock(&p->lock);
    return m;
}

/* One of those that have to be sent again, or a new one; NULL where there is nothing to send. With the lock. */
static struct slot *next_slot(struct bus_publish *p, int64_t now_ns)
{
    struct slot *s = slot_find_again(p, now_ns);
    if (s)
        return s;
    struct message *m = p->flying < WINDOW ? next_message(p) : NULL;
    s = m ? slot_free(p) : NULL;
    if (!s)
        return NULL;
    s->message = m;
    p->flying++;
    p->flying_bytes += size_of(m);
    return s;
}

/* True where something was sent. With the lock, which is let go meanwhile. */
static bool send_some(struct bus_publish *p)
{
    unsigned sent = 0;
    while (sent < BATCH && p->connected) {
        int64_t now = clock_monotonic_ns();
        struct slot *s = next_slot(p, now);
        if (!s)
            break;
        p->stats.repeated += s->message->sent;
        s->message->sent = true;
        s->serial = ++p->serial;
        s->state = SLOT_FLYING;
        s->due_ns = now + ANSWER_NS;
        const struct message *m = s->message;
        uint64_t serial = s->serial;
        (void)pthread_mutex_unlock(&p->lock);
        bool ok = bus_publish_send(p, m, (unsigned)(s - p->slots), serial);
        (void)pthread_mutex_lock(&p->lock);
        sent++;
        if (ok)
            continue;
        if (s->state == SLOT_FLYING)
            slot_again(p, s, now + PAUSE_NS);
        break;
    }
    return sent > 0;
}

static void sleep_until_needed(struct bus_publish *p)
{
    int64_t at = clock_monotonic_ns() + LOOK_NS;
    struct timespec t = {.tv_sec = (time_t)(at / NS_PER_S), .tv_nsec = (long)(at % NS_PER_S)};
    (void)pthread_cond_timedwait(&p->wake, &p->lock, &t);
}

static bool has_work(const struct bus_publish *p)
{
    return p->queued || p->flying || (p->spill && spill_stats(p->spill).waiting);
}

static bool goes_on(const struct bus_publish *p)
{
    if (!p->stopping)
        return true;
    int64_t left = p->stop_at_ns - clock_monotonic_ns();
    /* a run that ends at once has not connected yet */
    bool may_come = p->stats.connections == 0 && p->stop_for_ns - left < CONNECT_NS;
    return (p->connected || may_come) && has_work(p) && left > 0;
}

/* At the end: what was not acknowledged waits for the next start. */
static void put_away(struct bus_publish *p)
{
    forget(p, slots_reap(p, 0));
    for (unsigned i = 0; i < WINDOW; i++) {
        struct message *m = p->slots[i].message;
        if (!m)
            continue;
        slot_empty(p, &p->slots[i]);
        if (m->spilled)
            free(m);
        else
            to_spill(p, m);
    }
    for (struct message *m; (m = queue_take(p)) != NULL;)
        to_spill(p, m);
}

static void *run(void *user)
{
    struct bus_publish *p = user;
    (void)pthread_mutex_lock(&p->lock);
    while (goes_on(p)) {
        (void)pthread_mutex_unlock(&p->lock);
        bool ready = bus_publish_ready(p);
        (void)pthread_mutex_lock(&p->lock);
        struct message *gone = slots_reap(p, clock_monotonic_ns());
        (void)pthread_mutex_unlock(&p->lock);
        forget(p, gone);
        (void)pthread_mutex_lock(&p->lock);
        bool sent = ready && send_some(p);
        spill_some(p);
        if (p->spill)
            note_spill(p);
        if (!sent && goes_on(p))
            sleep_until_needed(p);
    }
    (void)pthread_mutex_unlock(&p->lock);
    bus_publish_disconnect(p);
    (void)pthread_mutex_lock(&p->lock);
    put_away(p);
    if (p->spill)
        note_spill(p);
    (void)pthread_mutex_unlock(&p->lock);
    spill_close(p->spill);
    p->spill = NULL;
    return NULL;
}

/* ---- beginning and end ---- */

int bus_publish_start(const struct bus_publish_options *options, struct bus_publish **ret, struct error *error)
{
    int r = bus_connect_check(options->bus, error);
    if (r < 0)
        return r;
    struct bus_publish *p = calloc(1, sizeof *p);
    pthread_condattr_t monotonic;
    if (!p)
        return error_set(error, ERR_MEMORY, "out of memory");
    p->options = *options;
    p->options.buffer_bytes = options->buffer_bytes ? options->buffer_bytes : DEFAULT_BUFFER;
    p->spill = options->spill;
    p->last = &p->first;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&p->lock, NULL);
    (void)pthread_cond_init(&p->wake, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    if (p->spill)
        note_spill(p);
    p->has_thread = pthread_create(&p->thread, NULL, run, p) == 0;
    if (!p->has_thread) {
        p->spill = NULL;
        bus_publish_free(p);
        return error_set(error, ERR_MEMORY, "out of memory: no thread can be begun for the message bus");
    }
    *ret = p;
    return 0;
}

void bus_publish_finish(struct bus_publish *p, int64_t wait_ns)
{
    if (!p->has_thread || p->joined)
        return;
    (void)pthread_mutex_lock(&p->lock);
    p->stop_at_ns = clock_monotonic_ns() + wait_ns;
    p->stop_for_ns = wait_ns;
    p->stopping = true;
    (void)pthread_cond_signal(&p->wake);
    (void)pthread_mutex_unlock(&p->lock);
    (void)pthread_join(p->thread, NULL);
    p->joined = true;
}

void bus_publish_free(struct bus_publish *p)
{
    if (!p)
        return;
    bus_publish_finish(p, 0);
    (void)pthread_cond_destroy(&p->wake);
    (void)pthread_mutex_destroy(&p->lock);
    free(p);
}

#else

/* ISO C has no empty translation unit. */
typedef int bus_publish_is_absent;

#endif
