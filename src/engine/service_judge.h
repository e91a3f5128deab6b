#ifndef QOSMARK_ENGINE_SERVICE_JUDGE_H
#define QOSMARK_ENGINE_SERVICE_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/service_run.h"
#include "model/probe_document.h"

/* What is known of the exchanges beside their packets. */
struct service_facts {
    const struct service_way *way;
    struct service_plan plan;
    uint64_t judged;        /* exchanges in which the server spoke its protocol: only those are evidence */
    const char *unanswered; /* a clause of the last exchange that was not: "the port is closed (refused)"; "" */
    const char *unseen;     /* why the marks of what came back are not known, one sentence; "" where they are */
};

/*
 * Fills in verdict, reasons and findings of a document whose packets are there: classes[0] the marked requests,
 * classes[1] (where there is one) the unmarked ones. Pure.
 *
 * Every packet that came back in answer to either counts, but for RSTs, which are not among the packets. What the
 * server sent before something on the way changed it cannot be seen here, so a wrong mark is a fact and its cause is
 * not: the forward direction is always unknown, the reverse one is `preserved` where what is expected arrives, and
 * otherwise unknown, with a violation. ERR_MEMORY.
 */
int service_judge(struct probe_document *d, const struct service_facts *facts);

#endif
