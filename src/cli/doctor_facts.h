#ifndef QOSMARK_CLI_DOCTOR_FACTS_H
#define QOSMARK_CLI_DOCTOR_FACTS_H

#include <stddef.h>

#include "base/arena.h"
#include "capture/adapter.h"

/* What `qosmark doctor` finds out about this machine, this user and this build. */

enum fact_status {
    FACT_FINE,
    FACT_NOTE,    /* works, with something to know */
    FACT_MISSING, /* something that this build can do does not work here */
};

enum fact_area { AREA_RIGHTS, AREA_KERNEL, AREA_CLOCK, AREA_TERMINAL, AREA_BUILD, AREA_INTERFACE, AREA_COUNT };

struct fact {
    enum fact_area area;
    enum fact_status status;
    const char *name; /* "capture"; of an interface its name */
    const char *text; /* one sentence */
    const char *todo; /* what to do about it; "" for nothing */
};

struct facts {
    struct arena arena;
    struct fact *all;
    size_t count, room;
    bool failed; /* out of memory */
};

void facts_find(struct facts *f);
void facts_done(struct facts *f);

const char *fact_area_name(enum fact_area area);
const char *fact_status_name(enum fact_status status);

#endif
