#ifndef QOSMARK_LIVE_PUBLISH_H
#define QOSMARK_LIVE_PUBLISH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "model/live.h"
#include "model/packet.h"

struct stream_table; /* stream/table.h */

/*
 * A live check as a sensor of a fleet: what each stream did in an interval, as messages (fleet/delta.h). The counts
 * come from packets and their tokens, what the streams are from the look at the end of the interval. Intervals end at
 * multiples of their length by the clock, at the first look after it.
 */
struct live_publish;

/* Where messages go; whoever takes them must not wait. False: it was dropped. */
typedef bool (*live_publish_sink)(void *user, struct slice subject, struct slice id, struct slice body);

struct live_publish_options {
    const char *site;
    const char *const *points; /* names, by input; good names, as delta_name_is_good() has it. Borrowed, as the site */
    size_t point_count;
    unsigned partitions; /* 0: PARTITIONS_DEFAULT */
    int64_t interval_ns, idle_ns; /* as the live check has them; 0 for its defaults */
    uint32_t tell_max;            /* streams told at one look; 0: 20,000 */
    int64_t start_ns;             /* since 1970: tells this run from those before and after it */
    live_publish_sink sink;
    void (*state)(void *user, struct live_publishing *ret); /* what became of the messages; NULL: nothing is known */
    void *user;
};

struct live_publish *live_publish_new(const struct live_publish_options *options); /* NULL without memory */
void live_publish_free(struct live_publish *p);                                     /* takes NULL */

/* A packet that counted to the token's stream; STREAM_TOKEN_NONE is none. */
void live_publish_packet(struct live_publish *p, uint32_t token, const struct packet *packet);

/*
 * A look at the table: `d` is the judged document of it, `points` the state of the points. Messages come of it where
 * an interval is over, or where `last`. `now_ns` is the present by the clock of the packets. ERR_MEMORY: something of
 * it is missing.
 */
int live_publish_look(struct live_publish *p, const struct stream_table *t, const struct document *d,
                      const struct live_point *points, int64_t now_ns, bool last);

/* What became of the messages, and a sentence for the document where that is worth one. */
const struct live_publishing *live_publish_state(struct live_publish *p);
bool live_publish_note(struct live_publish *p, struct document *d); /* false without memory */

struct live_publish_stats {
    uint64_t intervals, deltas;
    uint64_t lost; /* packets that are in no message, for want of memory or since their stream left early */
};
struct live_publish_stats live_publish_stats(const struct live_publish *p);

#endif
