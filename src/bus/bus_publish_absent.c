#ifndef QOSMARK_HAVE_NATS

#include "bus/bus_publish.h"

/* Built without libnats: bus_publish_start() says so, and nothing else is ever called. */

int bus_publish_start(const struct bus_publish_options *options, struct bus_publish **ret, struct error *error)
{
    (void)options;
    (void)ret;
    return error_set(error, ERR_UNSUPPORTED, "%s", bus_absent);
}

bool bus_publish_add(struct bus_publish *p, struct slice subject, struct slice id, struct slice body)
{
    (void)p;
    (void)subject;
    (void)id;
    (void)body;
    return false;
}

int64_t bus_publish_wait_room(struct bus_publish *p, size_t bytes, int64_t wait_ns)
{
    (void)p;
    (void)bytes;
    return wait_ns;
}

struct bus_publish_stats bus_publish_stats(struct bus_publish *p)
{
    (void)p;
    return (struct bus_publish_stats){0};
}

void bus_publish_finish(struct bus_publish *p, int64_t wait_ns)
{
    (void)p;
    (void)wait_ns;
}

void bus_publish_free(struct bus_publish *p)
{
    (void)p;
}

#else

/* ISO C has no empty translation unit. */
typedef int bus_publish_is_there;

#endif
