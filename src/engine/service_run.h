#ifndef QOSMARK_ENGINE_SERVICE_RUN_H
#define QOSMARK_ENGINE_SERVICE_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"
#include "model/probe_document.h"
#include "policy/policy.h"
#include "probe/service.h"

/*
 * `qosmark probe --service`: asks real servers, each request marked and then once more without a mark, and holds the
 * marks of all that comes back against the policy. UDP tells the marks to any program; those of TCP are taken from a
 * capture, which needs CAP_NET_RAW: without it they are unknown, and it is still said who answers.
 */
struct service_run_options {
    const struct policy *policy;
    const char *name; /* of the target, as given */
    const char *host; /* that the requests name: XMPP's `to`, HTTP's Host, SIP's Request-URI, TLS's server name */
    const char *node; /* its name in the policy, "" where it is none */
    const struct addr *addresses;
    size_t address_count;
    const struct service_way *const *ways;
    size_t way_count;
    uint16_t port;           /* 0: each way's own */
    enum traffic_class as;   /* judge as this class; CLASS_NONE: as the policy's map says */
    struct addr source;      /* version 0: the system chooses */
    bool pass_over_unserved; /* a way that nobody answers is left out, with a note, where another of that service is
                                answered */
    uint32_t count;          /* requests of each kind: so many marked, so many unmarked */
    int64_t interval_ns;     /* between the beginnings of two requests */
    int64_t timeout_ns;      /* for one */
    struct hash_key key;
    bool (*stop)(void *user);                                    /* asked while waiting; NULL: never */
    void (*progress)(void *user, uint64_t done, uint64_t total); /* NULL: none */
    /* Called once, when all is open that takes rights, before anybody is asked; negative ends it there. NULL: none. */
    int (*opened)(void *user, struct error *error);
    void *user;
};

/* One document for each address and way, in that order (but for those passed over): target, class and control, each
 * packet that came back, verdict and findings. */
struct service_result {
    struct probe_document **documents;
    size_t count;
    bool stopped; /* before all was asked */
};

/* 0, or negative with a sentence where nothing could be asked at all. The documents are then the caller's to free. */
int service_run(const struct service_run_options *o, struct service_result *ret, struct error *error);
void service_result_done(struct service_result *r);

/* The mark of a way's requests, and what may come back, from the policy. */
struct service_plan {
    enum traffic_class traffic_class; /* CLASS_NONE: the policy's map has no class for it */
    bool any;                         /* the policy takes every mark */
    dscp_set_t expected;              /* of the answers; 0 and not any: nothing is expected */
    dscp_t preferred;
    dscp_t sent; /* of the requests */
    double tolerance;
    uint64_t min_packets;
    bool control; /* unmarked requests say something beside the marked ones */
};

struct service_plan service_plan_for(const struct policy *p, const struct service_way *way, enum traffic_class as,
                                     uint8_t ip_version);

#endif
