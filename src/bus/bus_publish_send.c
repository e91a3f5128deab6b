#ifdef QOSMARK_HAVE_NATS

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "bus/bus_publish_internal.h"

static const int64_t TRY_AGAIN_NS = NS_PER_S, CONNECT_AGAIN_NS = 5 * NS_PER_S;

static void set_problem(struct bus_publish *p, const char *why)
{
    (void)pthread_mutex_lock(&p->lock);
    if (!p->forbidden)
        (void)snprintf(p->stats.problem, sizeof p->stats.problem, "%.255s", why);
    (void)pthread_mutex_unlock(&p->lock);
}

/* ---- from threads of libnats ---- */

static void on_connected(void *user)
{
    struct bus_publish *p = user;
    (void)pthread_mutex_lock(&p->lock);
    p->connected = true;
    p->stats.connections++;
    p->stats.problem[0] = '\0';
    p->forbidden = false;
    /* what was on its way when the connection went: its acknowledgement went too, where there was one */
    for (unsigned i = 0; i < WINDOW; i++) {
        if (p->slots[i].state == SLOT_FLYING) {
            p->slots[i].state = SLOT_AGAIN;
            p->slots[i].due_ns = 0;
            p->again++;
        }
    }
    (void)pthread_cond_signal(&p->wake);
    (void)pthread_mutex_unlock(&p->lock);
}

static void on_disconnected(void *user)
{
    struct bus_publish *p = user;
    (void)pthread_mutex_lock(&p->lock);
    p->connected = false;
    if (!p->forbidden && !p->stopping)
        (void)snprintf(p->stats.problem, sizeof p->stats.problem, "the connection to the message bus is gone");
    (void)pthread_cond_signal(&p->wake);
    (void)pthread_mutex_unlock(&p->lock);
}

/* The server does not answer what it does not permit: this is the reason, whatever is missed afterwards. */
static void on_forbidden(void *user, const char *why)
{
    struct bus_publish *p = user;
    (void)pthread_mutex_lock(&p->lock);
    p->forbidden = true;
    (void)snprintf(p->stats.problem, sizeof p->stats.problem, "the message bus does not permit it: %.200s", why);
    (void)pthread_mutex_unlock(&p->lock);
}

static bool contains(struct slice text, const char *what)
{
    size_t len = strlen(what);
    for (size_t i = 0; i + len <= text.len; i++)
        if (memcmp(text.at + i, what, len) == 0)
            return true;
    return false;
}

/*
 * {"stream":"QOSMARK","seq":12} is an acknowledgement, {"error":{"code":503,...}} none; nor is an empty answer, which
 * says that nobody is there who would store it. 400 is for good: too large, or not to be had in this stream.
 */
static enum slot_state state_of(struct slice answer)
{
    if (contains(answer, "\"error\""))
        return contains(answer, "\"code\":400") ? SLOT_REFUSED : SLOT_AGAIN;
    return contains(answer, "\"seq\"") ? SLOT_DONE : SLOT_AGAIN;
}

static void say_refused(struct bus_publish *p, struct slice answer)
{
    if (answer.len)
        (void)snprintf(p->stats.problem, sizeof p->stats.problem, "the message bus does not take a message: %.*s",
                       answer.len < 180 ? (int)answer.len : 180, answer.at);
    else
        (void)snprintf(p->stats.problem, sizeof p->stats.problem,
                       "there is nobody on the message bus who stores messages: is JetStream enabled?");
}

static void on_answer(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *user)
{
    struct bus_publish *p = user;
    const char *reply = strrchr(natsMsg_GetSubject(msg), '.');
    struct slice answer = slice_make(natsMsg_GetData(msg), (size_t)natsMsg_GetDataLength(msg));
    unsigned slot = 0;
    uint64_t serial = 0;
    (void)nc;
    (void)sub;
    if (reply && sscanf(reply, ".%x-%" SCNx64, &slot, &serial) == 2 && slot < WINDOW) {
        (void)pthread_mutex_lock(&p->lock);
        struct slot *s = &p->slots[slot];
        if (s->serial == serial && (s->state == SLOT_FLYING || s->state == SLOT_AGAIN)) {
            p->again -= s->state == SLOT_AGAIN;
            s->state = state_of(answer);
            s->due_ns = clock_monotonic_ns() + TRY_AGAIN_NS;
            p->again += s->state == SLOT_AGAIN;
            p->homeless = p->homeless || answer.len == 0;
            if (s->state == SLOT_DONE)
                p->stats.problem[0] = '\0';
            else
                say_refused(p, answer);
            (void)pthread_cond_signal(&p->wake);
        }
        (void)pthread_mutex_unlock(&p->lock);
    }
    natsMsg_Destroy(msg);
}

/* ---- the thread's ---- */

static void say_refusal(struct bus_publish *p)
{
    struct error error = {0};
    (void)bus_connect_why(p->options.bus, p->options.name, "the message bus does not let this sensor in", &error);
    set_problem(p, error.text);
}

static bool connect_to_bus(struct bus_publish *p)
{
    struct error error = {0};
    int64_t now = clock_monotonic_ns();
    natsInbox *inbox = NULL;
    if (now < p->connect_at_ns)
        return false;
    p->connect_at_ns = now + CONNECT_AGAIN_NS;
    p->watch = (struct bus_watch){
        .connected = on_connected, .disconnected = on_disconnected, .forbidden = on_forbidden, .user = p};
    if (bus_connect(p->options.bus, p->options.name, &p->watch, &p->nc, &error) < 0) {
        set_problem(p, error.text);
        return false;
    }
    char subject[sizeof p->inbox + 2];
    natsStatus s = natsConnection_JetStream(&p->js, p->nc, NULL);
    s = s == NATS_OK ? natsInbox_Create(&inbox) : s;
    if (s == NATS_OK) {
        /* libnats makes one below the usual name in any case */
        const char *prefix = p->options.bus->inbox;
        (void)snprintf(p->inbox, sizeof p->inbox, "%s%s", prefix ? prefix : "_INBOX", strchr(inbox, '.'));
        (void)snprintf(subject, sizeof subject, "%s.*", p->inbox);
        s = natsConnection_Subscribe(&p->acks, p->nc, subject, on_answer, p);
    }
    s = s == NATS_OK ? natsSubscription_SetPendingLimits(p->acks, -1, -1) : s;
    natsInbox_Destroy(inbox);
    if (s == NATS_OK)
        return true;
    /* with TLS a client may be refused when it has connected */
    if (natsConnection_IsClosed(p->nc))
        say_refusal(p);
    else if (bus_error(&error, ERR_IO, "the message bus cannot be used", s) < 0)
        set_problem(p, error.text);
    bus_publish_disconnect(p);
    return false;
}

bool bus_publish_ready(struct bus_publish *p)
{
    struct error error = {0};
    /* one that was not let in twice gives up: another may be let in later, with the same secrets */
    if (p->nc && natsConnection_IsClosed(p->nc)) {
        say_refusal(p);
        bus_publish_disconnect(p);
    }
    if (!p->nc && !connect_to_bus(p))
        return false;
    (void)pthread_mutex_lock(&p->lock);
    bool connected = p->connected;
    if (!connected && p->stats.connections == 0 && !p->stats.problem[0]) /* not instead of a refusal */
        (void)snprintf(p->stats.problem, sizeof p->stats.problem, "no server of the message bus answers");
    p->stream_made = p->stream_made && !p->homeless;
    p->homeless = false;
    (void)pthread_mutex_unlock(&p->lock);
    if (!connected || p->stream_made)
        return connected;
    if (clock_monotonic_ns() < p->stream_at_ns)
        return false;
    p->stream_made = bus_stream_make(p->nc, p->js, &p->options.retention, &error) == 0;
    p->stream_at_ns = clock_monotonic_ns() + TRY_AGAIN_NS;
    if (!p->stream_made)
        set_problem(p, error.text);
    return p->stream_made;
}

bool bus_publish_send(struct bus_publish *p, const struct message *m, unsigned slot, uint64_t serial)
{
    char reply[sizeof p->inbox + 32];
    natsMsg *msg = NULL;
    const char *id = m->text + m->subject + 1;
    (void)snprintf(reply, sizeof reply, "%s.%x-%" PRIx64, p->inbox, slot, serial);
    natsStatus s = natsMsg_Create(&msg, m->text, reply, id + m->id + 1, (int)m->body);
    s = s == NATS_OK ? natsMsgHeader_Set(msg, "Nats-Msg-Id", id) : s;
    s = s == NATS_OK ? natsConnection_PublishMsg(p->nc, msg) : s;
    natsMsg_Destroy(msg);
    return s == NATS_OK;
}

void bus_publish_disconnect(struct bus_publish *p)
{
    natsSubscription_Destroy(p->acks);
    jsCtx_Destroy(p->js);
    bus_disconnect(p->nc, &p->watch);
    p->acks = NULL;
    p->js = NULL;
    p->nc = NULL;
    p->stream_made = false;
    (void)pthread_mutex_lock(&p->lock);
    p->connected = false;
    (void)pthread_mutex_unlock(&p->lock);
}

#else

/* ISO C has no empty translation unit. */
typedef int bus_publish_send_is_absent;

#endif
