#include "fleet/partition.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"

/* The same at every sensor and collector, for good: which partition a stream is in must not change with a release. */
static const struct hash_key stream_key = {0x716f736d61726b31, 0x706172746974696f},
                             call_key = {0x716f736d61726b31, 0x63616c6c2d696400};

static size_t add_end(uint8_t *to, const struct endpoint *e)
{
    to[0] = e->addr.version;
    memcpy(to + 1, e->addr.bytes, sizeof e->addr.bytes);
    to[17] = (uint8_t)(e->port >> 8);
    to[18] = (uint8_t)e->port;
    return 19;
}

unsigned partition_of(const struct delta *d, unsigned partitions)
{
    uint8_t key[64];
    size_t n = 0;
    if (d->has_ssrc) {
        key[n++] = 'r';
        for (unsigned i = 0; i < 4; i++)
            key[n++] = (uint8_t)(d->ssrc >> (24 - 8 * i));
    } else {
        bool in_order = endpoint_compare(&d->src, &d->dst) <= 0;
        key[n++] = 'a';
        key[n++] = d->proto;
        n += add_end(key + n, in_order ? &d->src : &d->dst);
        n += add_end(key + n, in_order ? &d->dst : &d->src);
    }
    return (unsigned)(hash_bytes(&stream_key, key, n) % partitions);
}

uint64_t partition_call(struct slice call_id)
{
    uint64_t hash = hash_bytes(&call_key, call_id.at, call_id.len);
    return hash ? hash : 1;
}

void partition_subject(unsigned partition, const char *site, const char *point, char ret[static SUBJECT_MAX])
{
    (void)snprintf(ret, SUBJECT_MAX, "qosmark.v1.%u.%.63s.%.63s", partition, site, point);
}
