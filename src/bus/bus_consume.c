#ifdef QOSMARK_HAVE_NATS

#include "bus/bus_consume.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bus/bus_reader_internal.h"

enum {
    WAIT_MS = 5000,   /* for an answer of JetStream */
    ACK_WAIT_S = 300, /* an effect is made durable long before */
    ACK_PENDING_MAX = 1000000,
    INACTIVE_S = 3600, /* the server then forgets a consumer that nobody reads */
    CONNECT_STEP_MS = 50,
    RETRY_MS = 1000,
    POLL_MS = 20, /* libnats 3.4.1 does not wait for the answer to a request that says not to wait */
};

/* ---- opening ---- */

/* Whom the same server does not let in twice libnats gives up. */
int bus_reader_refused(const struct bus_reader *r, struct error *error)
{
    if (!natsConnection_IsClosed(r->nc))
        return 0;
    return bus_connect_why(r->options, r->name, "the message bus does not let this collector in", error);
}

static void on_forbidden(void *user, const char *why)
{
    struct bus_reader *r = user;
    (void)pthread_mutex_lock(&r->lock);
    r->forbidden = true;
    (void)snprintf(r->why, sizeof r->why, "%s", why);
    (void)pthread_mutex_unlock(&r->lock);
}

bool bus_reader_forbidden(struct bus_reader *r, char ret[static 256])
{
    (void)pthread_mutex_lock(&r->lock);
    bool is = r->forbidden;
    (void)snprintf(ret, sizeof r->why, "%s", r->why);
    r->forbidden = false;
    (void)pthread_mutex_unlock(&r->lock);
    return is;
}

static bool is_stopped(const struct bus_patience *p, struct error *error)
{
    if (!p->stop(p->user))
        return false;
    (void)error_set(error, ERR_IO, "stopped while it waited for the message bus");
    return true;
}

static int wait_connected(struct bus_reader *r, const struct bus_patience *patience, struct error *error)
{
    for (unsigned waited = 0; natsConnection_Status(r->nc) != NATS_CONN_STATUS_CONNECTED; waited += CONNECT_STEP_MS) {
        if (bus_reader_refused(r, error) < 0)
            return ERR_IO;
        if (is_stopped(patience, error))
            return ERR_IO;
        if (waited >= patience->wait_ms)
            return bus_connect_why(r->options, r->name, "no server of the message bus can be used", error);
        nats_Sleep(CONNECT_STEP_MS);
    }
    return 0;
}

static int open_context(struct bus_reader *r, struct error *error)
{
    jsOptions o;
    (void)jsOptions_Init(&o);
    o.Wait = WAIT_MS;
    natsStatus s = natsConnection_JetStream(&r->js, r->nc, &o);
    return s == NATS_OK ? 0 : bus_error(error, ERR_IO, "the message bus has no JetStream", s);
}

/* Servers that just began answer before their cluster has a leader. */
static int open_stream(struct bus_reader *r, const struct bus_retention *retention, const struct bus_patience *patience,
                       struct error *error)
{
    int64_t end = clock_monotonic_ns() + patience->wait_ms * NS_PER_MS;
    for (;;) {
        int status = bus_stream_make(r->nc, r->js, retention, error);
        status = status < 0 ? status : bus_lease_open(r, error);
        char why[256];
        if (status < 0 && bus_reader_forbidden(r, why)) /* which will not change */
            return error_set(error, ERR_IO, "the message bus does not permit it: %s", why);
        if (status == 0 || clock_monotonic_ns() >= end)
            return status;
        if (is_stopped(patience, error))
            return ERR_IO;
        nats_Sleep(RETRY_MS);
    }
}

int bus_reader_check(const struct bus_options *o, struct error *error)
{
    return bus_connect_check(o, error);
}

int bus_reader_open(const struct bus_options *o, const struct bus_retention *retention, const char *name,
                    int64_t lease_ns, const struct bus_patience *patience, struct bus_reader **ret, struct error *error)
{
    struct bus_reader *r = calloc(1, sizeof *r);
    if (!r)
        return error_set(error, ERR_MEMORY, "out of memory");
    (void)snprintf(r->name, sizeof r->name, "%s", name);
    r->lease_ns = lease_ns;
    r->options = o;
    r->watch = (struct bus_watch){.forbidden = on_forbidden, .user = r};
    (void)pthread_mutex_init(&r->lock, NULL);
    int status = bus_connect(o, r->name, &r->watch, &r->nc, error);
    status = status < 0 ? status : wait_connected(r, patience, error);
    status = status < 0 ? status : open_context(r, error);
    status = status < 0 ? status : open_stream(r, retention, patience, error);
    if (status < 0) {
        bus_reader_close(r);
        return status;
    }
    *ret = r;
    return 0;
}

void bus_reader_close(struct bus_reader *r)
{
    if (!r)
        return;
    for (unsigned i = 0; i < BUS_PARTITIONS_MAX; i++) {
        natsSubscription_Destroy(r->partitions[i].sub);
        free(r->partitions[i].reply);
    }
    kvStore_Destroy(r->leases);
    kvStore_Destroy(r->checkpoints);
    jsCtx_Destroy(r->js);
    bus_disconnect(r->nc, &r->watch);
    (void)pthread_mutex_destroy(&r->lock);
    free(r);
}

bool bus_reader_connected(const struct bus_reader *r)
{
    return natsConnection_Status(r->nc) == NATS_CONN_STATUS_CONNECTED;
}

int bus_reader_ask(const struct bus_reader *r, struct error *error)
{
    return bus_reader_connected(r) ? 0 : error_set(error, ERR_IO, "the message bus is away");
}

/* ---- a partition ---- */

/*
 * The consumer lives on one server and in its memory: with one a partition, each kept by all servers of a cluster,
 * those would do little else. What it knows this side knows too: where it went on. So whenever something may have been
 * lost on the way, or the consumer with its server, another one begins at that place.
 */

static natsStatus make_consumer(struct bus_reader *r, const struct bus_partition *p, unsigned partition,
                                uint64_t sequence, jsErrCode *ret_code)
{
    char subject[64];
    jsConsumerConfig c;
    (void)snprintf(subject, sizeof subject, "qosmark.v1.%u.>", partition);
    (void)jsConsumerConfig_Init(&c);
    c.Durable = p->consumer;
    c.Description = "a collector of qosmark";
    c.FilterSubject = subject;
    c.AckPolicy = js_AckAll;
    c.AckWait = ACK_WAIT_S * NS_PER_S;
    c.MaxAckPending = ACK_PENDING_MAX;
    c.MemoryStorage = true;
    c.Replicas = 1;
    c.InactiveThreshold = INACTIVE_S * NS_PER_S;
    c.DeliverPolicy = sequence ? js_DeliverByStartSequence : js_DeliverAll;
    c.OptStartSeq = sequence;
    return js_AddConsumer(NULL, r->js, BUS_STREAM, &c, NULL, ret_code);
}

static natsStatus subscribe(struct bus_reader *r, struct bus_partition *p, unsigned partition)
{
    char subject[64];
    jsSubOptions o;
    jsErrCode code = 0;
    (void)snprintf(subject, sizeof subject, "qosmark.v1.%u.>", partition);
    (void)jsSubOptions_Init(&o);
    o.Stream = BUS_STREAM;
    o.Consumer = p->consumer;
    o.Config.MemoryStorage = true; /* it compares */
    o.Config.Replicas = 1;
    return js_PullSubscribe(&p->sub, r->js, subject, p->consumer, NULL, &o, &code);
}

static void leave_consumer(struct bus_reader *r, struct bus_partition *p)
{
    jsErrCode code = 0;
    natsSubscription_Destroy(p->sub);
    p->sub = NULL;
    free(p->reply);
    p->reply = NULL;
    if (*p->consumer && !r->keeps_consumers && bus_reader_connected(r))
        r->keeps_consumers = js_DeleteConsumer(r->js, BUS_STREAM, p->consumer, NULL, &code) == NATS_TIMEOUT;
    p->consumer[0] = '\0';
}

static int begin_again(struct bus_reader *r, unsigned partition, struct error *error)
{
    struct bus_partition *p = &r->partitions[partition];
    jsErrCode code = 0;
    leave_consumer(r, p);
    p->broken = true;
    if (bus_reader_ask(r, error) < 0)
        return ERR_IO;
    (void)snprintf(p->consumer, sizeof p->consumer, "collect-%u-%llu-%u", partition,
                   (unsigned long long)p->lease_number, ++p->made);
    p->delivered = 0;
    p->missed = false;
    p->try_at_ms = nats_Now() + RETRY_MS;
    natsStatus s = make_consumer(r, p, partition, p->position, &code);
    if (s == NATS_OK)
        s = subscribe(r, p, partition);
    p->broken = s != NATS_OK;
    r->keeps_consumers = r->keeps_consumers && s != NATS_OK;
    return s == NATS_OK ? 0 : bus_error(error, ERR_IO, "a partition cannot be read", s);
}

int bus_reader_begin(struct bus_reader *r, unsigned partition, uint64_t lease, uint64_t sequence, struct error *error)
{
    struct bus_partition *p = &r->partitions[partition];
    p->lease_number = lease;
    p->made = 0;
    p->position = sequence;
    return begin_again(r, partition, error);
}

void bus_reader_end(struct bus_reader *r, unsigned partition)
{
    leave_consumer(r, &r->partitions[partition]);
}

/* ---- messages ---- */

static int hand_over(natsMsg *m, struct bus_partition *p, int (*take)(void *user, const struct bus_message *m),
                     void *user)
{
    jsMsgMetaData *meta = NULL;
    if (natsMsg_GetMetaData(&meta, m) != NATS_OK)
        return 0; /* no message of a stream: what the server says beside */
    struct bus_message to = {.bytes = natsMsg_GetData(m),
                             .len = (size_t)natsMsg_GetDataLength(m),
                             .sequence = meta->Sequence.Stream,
                             .stored_ns = meta->Timestamp,
                             .pending = meta->NumPending};
    uint64_t number = meta->Sequence.Consumer;
    jsMsgMetaData_Destroy(meta);
    p->broken |= number != p->delivered + 1;
    if (p->broken)
        return 0; /* comes again */
    int status = take(user, &to);
    p->delivered = number;
    p->position = status < 0 ? p->position : to.sequence + 1;
    char *reply = status < 0 ? NULL : strdup(natsMsg_GetReply(m));
    if (reply) {
        free(p->reply);
        p->reply = reply;
    }
    return status;
}

int bus_reader_fetch(struct bus_reader *r, unsigned partition, unsigned most,
                     int (*take)(void *user, const struct bus_message *m), void *user, struct error *error)
{
    struct bus_partition *p = &r->partitions[partition];
    natsMsgList list = {.Msgs = NULL};
    jsErrCode code = 0;
    int status = 0, count = 0;
    if (bus_reader_ask(r, error) < 0)
        return ERR_IO;
    if (p->broken && (nats_Now() < p->try_at_ms || begin_again(r, partition, error) < 0))
        return error_set(error, ERR_IO, "a partition cannot be read for now");
    natsStatus s = natsSubscription_Fetch(&list, p->sub, (int)most, POLL_MS, &code);
    if (s == NATS_TIMEOUT)
        return 0; /* nothing is there, or nobody: bus_reader_drained() tells */
    if (s != NATS_OK) {
        p->broken = true;
        return bus_error(error, ERR_IO, "the message bus does not answer", s);
    }
    for (int i = 0; status >= 0 && i < list.Count; i++) {
        status = hand_over(list.Msgs[i], p, take, user);
        count += status >= 0 && !p->broken;
    }
    natsMsgList_Destroy(&list);
    return status < 0 ? error_set(error, status, "%s", error_name(status)) : count;
}

int bus_reader_drained(struct bus_reader *r, unsigned partition, struct error *error)
{
    struct bus_partition *p = &r->partitions[partition];
    jsConsumerInfo *info = NULL;
    jsErrCode code = 0;
    if (p->broken)
        return 0;
    if (bus_reader_ask(r, error) < 0)
        return ERR_IO;
    natsStatus s = js_GetConsumerInfo(&info, r->js, BUS_STREAM, p->consumer, NULL, &code);
    if (s != NATS_OK) {
        p->broken |= s == NATS_NOT_FOUND;
        return bus_error(error, ERR_IO, "the message bus does not answer", s);
    }
    bool arrived = info->Delivered.Consumer == p->delivered, pending = info->NumPending != 0;
    jsConsumerInfo_Destroy(info);
    /* a message may be on its way just now; one that is not there at the next look was lost */
    p->broken |= !arrived && p->missed;
    p->missed = !arrived;
    return arrived && !pending;
}

void bus_reader_acknowledge(struct bus_reader *r, unsigned partition)
{
    struct bus_partition *p = &r->partitions[partition];
    if (!p->reply)
        return;
    if (natsConnection_PublishString(r->nc, p->reply, "+ACK") == NATS_OK) {
        free(p->reply);
        p->reply = NULL;
    }
}

#else

/* ISO C has no empty translation unit. */
typedef int bus_consume_is_absent;

#endif
