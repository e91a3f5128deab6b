#ifndef QOSMARK_STREAM_LEAVE_H
#define QOSMARK_STREAM_LEAVE_H

#include "stream/flow.h"

/* A flow on its way out of the table. */
struct leaving {
    int64_t last_ns; /* of its group: they leave in this order */
    uint32_t group;  /* the same for flows that leave together */
    uint32_t flow;
};

/* Settles these flows, decides about them, puts their streams on t->ended and takes them out of the table. They are
 * sorted in place. ERR_MEMORY: they left all the same, and what could not be kept counts as untracked. */
int flows_leave(struct stream_table *t, struct leaving *flows, size_t count);

/* Makes room where the cap on streams is near, by the packets' time `now_ns`. */
void stream_make_room(struct stream_table *t, int64_t now_ns);

#endif
