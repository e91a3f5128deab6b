#ifndef QOSMARK_TESTS_FLEET_PATH_H
#define QOSMARK_TESTS_FLEET_PATH_H

#include "seen.h"

/* One path: a, b and c, where the test says what happens to each packet on the way. */

struct path {
    struct world w;
    struct world_sensor a, b, c;
    struct world_stream sa, sb, sc;
    struct world_packet at_a[PACKETS], at_b[PACKETS], at_c[PACKETS];
    struct seen seen;
};

static inline struct path *path_new(void)
{
    struct path *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->a = sensor("a");
    p->b = sensor("b");
    p->c = sensor("c");
    p->b.phase_ns += 3 * NS_PER_S; /* nobody begins intervals together */
    p->b.from_ns = p->b.from_ns - 7 * NS_PER_S;
    p->c.phase_ns += 6 * NS_PER_S;
    p->c.from_ns = p->c.from_ns - 4 * NS_PER_S;
    p->sa = voice(64);
    p->sb = voice(62);
    p->sc = voice(60);
    send(p->at_a, PACKETS, 65000, 46, 0);
    send(p->at_b, PACKETS, 65000, 46, 5 * NS_PER_MS);
    send(p->at_c, PACKETS, 65000, 46, 9 * NS_PER_MS);
    return p;
}

static inline void path_run(struct path *p)
{
    world_see(&p->w, &p->a, &p->sa, p->at_a, PACKETS);
    world_see(&p->w, &p->b, &p->sb, p->at_b, PACKETS);
    world_see(&p->w, &p->c, &p->sc, p->at_c, PACKETS);
    world_present(&p->w, &p->a);
    world_present(&p->w, &p->b);
    world_present(&p->w, &p->c);
}

static inline void path_free(struct path *p)
{
    world_done(&p->w);
    free(p);
}

#endif
