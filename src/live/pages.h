#ifndef QOSMARK_LIVE_PAGES_H
#define QOSMARK_LIVE_PAGES_H

#include "base/error.h"
#include "model/address.h"
#include "model/live.h"

/*
 * What a live check publishes over HTTP (`--listen`):
 *
 *     /metrics       for Prometheus, new at each look
 *     /healthz       200 while frames are taken and looks are made, 503 with the reason otherwise
 *     /              the report as a page, as of the look after the request
 *     /api/summary   qosmark.summary/1, likewise
 *     /api/streams   qosmark.streams/1: records of the contract, ?limit= (at most 1000) and ?offset=
 *
 * The server has one thread of its own, made by live_pages_start(): call it before privileges are dropped, and allow
 * that thread the system calls it needs. It never touches a view: the large pages are made by who looks, in
 * live_pages_publish(), when somebody waits for one; at most one of them a look, so that capturing goes on.
 */
struct live_pages;

struct live_pages_options {
    struct endpoint listen;
    const char *version; /* of the program; borrowed */
};

/* ERR_UNSUPPORTED without libmicrohttpd; ERR_USAGE where the address or port cannot be had; ERR_MEMORY. */
int live_pages_start(const struct live_pages_options *options, struct live_pages **ret, struct error *error);

/* To be called at each look. 0 or ERR_MEMORY; then the pages of before stay, and grow stale visibly. */
int live_pages_publish(struct live_pages *p, const struct live_view *view);

void live_pages_stop(struct live_pages *p); /* NULL is fine */

#endif
