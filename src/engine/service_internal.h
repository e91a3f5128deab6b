#ifndef QOSMARK_ENGINE_SERVICE_INTERNAL_H
#define QOSMARK_ENGINE_SERVICE_INTERNAL_H

#include "capture/live.h"
#include "decode/decoder.h"
#include "engine/service_run.h"
#include "probe/service_exchange.h"
#include "probe/service_route.h"
#include "probe/service_watch.h"

/* One request that was made. */
struct service_attempt {
    bool control;
    uint32_t round;
    struct service_exchange x;
    struct service_watch *watch; /* TCP with a capture; NULL otherwise */
};

/* One address asked in one way: what becomes one document. */
struct service_check {
    const struct service_way *way;
    struct endpoint server;
    struct service_plan plan;
    struct live *live; /* TCP; NULL where there is no capture, and then `unseen` says why */
    char interface[SERVICE_INTERFACE_MAX];
    struct error no_way; /* no route leads there: nothing is asked */
    struct error unseen;
    struct error failed; /* this machine could not ask */
    struct service_attempt *attempts;
    size_t attempt_count, attempt_cap;
    size_t in_vain;   /* attempts since the last that was answered */
    bool interrupted; /* before all that was to be asked was */
    uint64_t dropped; /* frames that the capture lost */
};

/* Why what a server sent is none: a clause. */
#define SERVICE_SPEAKS_OTHERWISE "what answers does not speak that protocol"

/* The server spoke its protocol, so that what it sent is evidence. TLS with another protocol in it is another server.
 */
bool service_attempt_is_evidence(const struct service_attempt *a);

/* The document of a check, judged; NULL without memory. */
struct probe_document *service_fill(const struct service_run_options *o, const struct service_check *c);

#endif
