#ifdef QOSMARK_HAVE_NATS

#include "bus/bus_connect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum {
    CONNECT_MS = 5000,
    WHY_MS = 2000,
    RECONNECT_MS = 250,
    RECONNECT_JITTER_MS = 250,
    /* a network that was cut says nothing: it shows by what does not come back */
    PING_MS = 4000,
    PINGS_OUT = 2,
    WRITE_MS = 5000,
    CLOSING_MS = 10000,       /* a thread of libnats tells of it, when it has told of all else */
    BUFFER_BYTES = 64 * 1024, /* what is published while the connection is away waits with the publisher, not here */
    REPLICAS_MAX = 3,
};
static const int64_t DEFAULT_AGE_NS = 72 * 3600 * NS_PER_S, DEFAULT_BYTES = (int64_t)10 << 30;

int bus_error(struct error *error, int code, const char *what, natsStatus status)
{
    natsStatus last = NATS_OK;
    const char *why = nats_GetLastError(&last);
    if (!why || !*why || last != status)
        why = natsStatus_GetText(status);
    /* where in the source of libnats: "(conn.c:1905): " */
    const char *end = why[0] == '(' ? strstr(why, "): ") : NULL;
    why = end ? end + 3 : why;
    return error_set(error, status == NATS_NO_MEMORY ? ERR_MEMORY : code, "%s: %s", what, why);
}

/* ---- letting in ---- */

static natsStatus give_jwt(char **jwt, char **custom, void *user)
{
    const struct bus_options *o = user;
    (void)custom;
    *jwt = strdup(o->jwt);
    return *jwt ? NATS_OK : NATS_NO_MEMORY;
}

static natsStatus sign(char **custom, unsigned char **signature, int *len, const char *nonce, void *user)
{
    const struct bus_options *o = user;
    (void)custom;
    return nats_Sign(o->seed, nonce, signature, len);
}

/* libnats hands the pointer back to the two above, which only read. */
static void *closure_of(const struct bus_options *o)
{
    union {
        const struct bus_options *from;
        void *to;
    } u = {.from = o};
    return u.to;
}

static natsStatus set_secrets(natsOptions *to, const struct bus_options *o)
{
    natsStatus s = NATS_OK;
    if (o->user)
        s = natsOptions_SetUserInfo(to, o->user, o->password);
    if (s == NATS_OK && o->token)
        s = natsOptions_SetToken(to, o->token);
    if (s == NATS_OK && o->jwt)
        s = natsOptions_SetUserCredentialsCallbacks(to, give_jwt, closure_of(o), sign, closure_of(o));
    return s;
}

/* Only the first name of a certificate can be asked for at a time: with several hosts it has to be given, or it is the
 * host that is connected to. */
static natsStatus set_tls(natsOptions *to, const struct bus_options *o)
{
    natsStatus s = o->tls ? natsOptions_SetSecure(to, true) : NATS_OK;
    if (s == NATS_OK && o->ca)
        s = natsOptions_SetCATrustedCertificates(to, o->ca);
    if (s == NATS_OK && o->certificate)
        s = natsOptions_SetCertificatesChain(to, o->certificate, o->key);
    if (s == NATS_OK && o->server_name)
        s = natsOptions_SetExpectedHostname(to, o->server_name);
    return s;
}

/* ---- the connection ---- */

static void on_connected(natsConnection *nc, void *user)
{
    const struct bus_watch *w = user;
    (void)nc;
    if (w->connected)
        w->connected(w->user);
}

static void on_disconnected(natsConnection *nc, void *user)
{
    const struct bus_watch *w = user;
    (void)nc;
    if (w->disconnected)
        w->disconnected(w->user);
}

static void on_closed(natsConnection *nc, void *user)
{
    struct bus_watch *w = user;
    (void)nc;
    atomic_store(&w->closed, true);
}

/* libnats would print them. */
static void on_error(natsConnection *nc, natsSubscription *sub, natsStatus err, void *user)
{
    const struct bus_watch *w = user;
    const char *why = NULL;
    (void)sub;
    if (err == NATS_NOT_PERMITTED && w->forbidden) {
        (void)natsConnection_GetLastError(nc, &why);
        w->forbidden(w->user, why ? why : "");
    }
}

static natsStatus set_ways(natsOptions *to, struct bus_watch *watch)
{
    natsStatus s = natsOptions_SetTimeout(to, CONNECT_MS);
    s = s == NATS_OK ? natsOptions_SetMaxReconnect(to, -1) : s;
    s = s == NATS_OK ? natsOptions_SetReconnectWait(to, RECONNECT_MS) : s;
    s = s == NATS_OK ? natsOptions_SetReconnectJitter(to, RECONNECT_JITTER_MS, RECONNECT_JITTER_MS) : s;
    s = s == NATS_OK ? natsOptions_SetReconnectBufSize(to, BUFFER_BYTES) : s;
    s = s == NATS_OK ? natsOptions_SetPingInterval(to, PING_MS) : s;
    s = s == NATS_OK ? natsOptions_SetMaxPingsOut(to, PINGS_OUT) : s;
    s = s == NATS_OK ? natsOptions_SetWriteDeadline(to, WRITE_MS) : s;
    s = s == NATS_OK ? natsOptions_SetErrorHandler(to, on_error, watch) : s;
    s = s == NATS_OK ? natsOptions_SetRetryOnFailedConnect(to, true, on_connected, watch) : s;
    s = s == NATS_OK ? natsOptions_SetClosedCB(to, on_closed, watch) : s;
    s = s == NATS_OK ? natsOptions_SetReconnectedCB(to, on_connected, watch) : s;
    return s == NATS_OK ? natsOptions_SetDisconnectedCB(to, on_disconnected, watch) : s;
}

static int make_options(const struct bus_options *o, const char *name, struct bus_watch *watch, natsOptions **ret,
                        struct error *error)
{
    const char *servers[BUS_SERVERS_MAX];
    natsOptions *options = NULL;
    for (size_t i = 0; i < o->server_count; i++)
        servers[i] = o->servers[i];
    natsStatus s = natsOptions_Create(&options);
    s = s == NATS_OK ? natsOptions_SetServers(options, servers, (int)o->server_count) : s;
    s = s == NATS_OK ? natsOptions_SetName(options, name) : s;
    s = s == NATS_OK ? set_ways(options, watch) : s;
    s = s == NATS_OK && o->inbox ? natsOptions_SetCustomInboxPrefix(options, o->inbox) : s;
    int r = s == NATS_OK ? 0 : bus_error(error, ERR_USAGE, "the servers of the message bus cannot be used", s);
    s = s == NATS_OK ? set_secrets(options, o) : s;
    s = s == NATS_OK ? set_tls(options, o) : s;
    if (r == 0 && s != NATS_OK)
        r = bus_error(error, ERR_USAGE, "what was given to be let in to the message bus cannot be used", s);
    if (r == 0)
        *ret = options;
    else
        natsOptions_Destroy(options);
    return r;
}

int bus_connect_check(const struct bus_options *o, struct error *error)
{
    struct bus_watch nobody = {0};
    natsOptions *options;
    int r = make_options(o, "qosmark", &nobody, &options, error);
    if (r == 0)
        natsOptions_Destroy(options);
    return r;
}

/* ---- why not ---- */

static natsStatus try_once(const struct bus_options *o, const char *name, struct error *error)
{
    struct bus_watch nobody = {0};
    natsOptions *options;
    natsConnection *nc = NULL;
    if (make_options(o, name, &nobody, &options, error) < 0)
        return NATS_ERR;
    natsStatus s = natsOptions_SetRetryOnFailedConnect(options, false, NULL, NULL);
    s = s == NATS_OK ? natsOptions_SetAllowReconnect(options, false) : s;
    s = s == NATS_OK ? natsOptions_SetTimeout(options, WHY_MS) : s;
    s = s == NATS_OK ? natsConnection_Connect(&nc, options) : s;
    if (s != NATS_OK)
        (void)bus_error(error, ERR_IO, o->servers[0], s);
    natsOptions_Destroy(options);
    bus_disconnect(nc, &nobody);
    return s;
}

/* libnats keeps no reason of a connection that it tries to make for ever, nor which server gave it. One that answered
 * says more than one that is not there. */
int bus_connect_why(const struct bus_options *o, const char *name, const char *what, struct error *error)
{
    struct error why = {.text = ""};
    natsStatus s = NATS_NO_SERVER;
    for (size_t i = 0; i < o->server_count && (s == NATS_NO_SERVER || s == NATS_TIMEOUT); i++) {
        struct bus_options one = *o;
        one.servers[0] = o->servers[i];
        one.server_count = 1;
        why.text[0] = '\0';
        s = try_once(&one, name, &why);
    }
    return error_set(error, ERR_IO, "%s%s%s", what, why.text[0] ? ": " : "", why.text);
}

/* ---- connecting ---- */

int bus_connect(const struct bus_options *o, const char *name, struct bus_watch *watch, natsConnection **ret,
                struct error *error)
{
    natsOptions *options;
    natsConnection *nc = NULL;
    int r = make_options(o, name, watch, &options, error);
    if (r < 0)
        return r;
    natsStatus s = natsConnection_Connect(&nc, options);
    natsOptions_Destroy(options);
    if (s != NATS_OK && s != NATS_NOT_YET_CONNECTED)
        return bus_error(error, ERR_IO, "the message bus cannot be reached", s);
    if (s == NATS_OK && watch->connected)
        watch->connected(watch->user);
    *ret = nc;
    return 0;
}

void bus_disconnect(natsConnection *nc, struct bus_watch *watch)
{
    if (!nc)
        return;
    natsConnection_Close(nc);
    for (unsigned i = 0; i < CLOSING_MS && !atomic_load(&watch->closed); i++)
        nats_Sleep(1);
    natsConnection_Destroy(nc);
}

/* ---- the stream ---- */

static int server_count(natsConnection *nc)
{
    char **servers = NULL;
    int n = 0;
    if (natsConnection_GetServers(nc, &servers, &n) != NATS_OK)
        return 1;
    for (int i = 0; i < n; i++)
        free(servers[i]);
    free(servers);
    return n;
}

static natsStatus add_stream(jsCtx *js, const struct bus_retention *r, int replicas, jsErrCode *ret_code)
{
    const char *subjects[] = {BUS_SUBJECTS};
    jsStreamConfig c;
    jsStreamInfo *info = NULL;
    (void)jsStreamConfig_Init(&c);
    c.Name = BUS_STREAM;
    c.Description = "interval records of qosmark sensors";
    c.Subjects = subjects;
    c.SubjectsLen = 1;
    c.Retention = js_LimitsPolicy;
    c.Storage = js_FileStorage;
    c.Discard = js_DiscardOld;
    c.MaxAge = r && r->max_age_ns ? r->max_age_ns : DEFAULT_AGE_NS;
    c.MaxBytes = r && r->max_bytes ? r->max_bytes : DEFAULT_BYTES;
    c.Replicas = replicas;
    natsStatus s = js_AddStream(&info, js, &c, NULL, ret_code);
    jsStreamInfo_Destroy(info);
    return s;
}

/* Somebody else's stream of that name, or one that forgets what was read once, or never gets it. */
static bool is_usable(const jsStreamConfig *c)
{
    bool takes = false;
    for (int i = 0; i < c->SubjectsLen; i++)
        takes |= strcmp(c->Subjects[i], BUS_SUBJECTS) == 0 || strcmp(c->Subjects[i], ">") == 0;
    return takes && c->Retention == js_LimitsPolicy;
}

int bus_stream_make(natsConnection *nc, jsCtx *js, const struct bus_retention *retention, struct error *error)
{
    jsErrCode code = 0;
    jsStreamInfo *info = NULL;
    natsStatus s = js_GetStreamInfo(&info, js, BUS_STREAM, NULL, &code);
    bool usable = s != NATS_OK || is_usable(info->Config);
    jsStreamInfo_Destroy(info);
    if (!usable)
        return error_set(error, ERR_IO,
                         "the stream " BUS_STREAM
                         " of the message bus is not one of qosmark's: that takes " BUS_SUBJECTS
                         " and has the retention \"limits\"");
    if (s == NATS_NO_RESPONDERS || code == JSNotEnabledErr || code == JSNotEnabledForAccountErr)
        return error_set(error, ERR_IO, "the message bus stores nothing: JetStream is not enabled (nats-server -js)");
    if (s != NATS_NOT_FOUND)
        return s == NATS_OK ? 0 : bus_error(error, ERR_IO, "the message bus does not tell of its streams", s);
    int n = server_count(nc), replicas = n < REPLICAS_MAX ? n : REPLICAS_MAX;
    s = add_stream(js, retention, replicas, &code);
    if (s != NATS_OK && replicas > 1 && code == JSStreamReplicasNotSupportedErr) /* servers, but no cluster */
        s = add_stream(js, retention, 1, &code);
    if (s != NATS_OK && code == JSStreamNameExistErr) /* another sensor was quicker */
        return 0;
    return s == NATS_OK ? 0 : bus_error(error, ERR_IO, "the stream " BUS_STREAM " cannot be made", s);
}

#else

/* ISO C has no empty translation unit. */
typedef int bus_connect_is_absent;

#endif
