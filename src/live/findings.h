#ifndef QOSMARK_LIVE_FINDINGS_H
#define QOSMARK_LIVE_FINDINGS_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "model/live.h"

/*
 * Findings as they open and close. A document tells what is wrong with the whole life of its streams; whether it is
 * wrong now shows in whether wrong packets keep coming.
 */
struct live_findings;

struct live_findings *live_findings_new(void);    /* NULL without memory */
void live_findings_free(struct live_findings *f); /* takes NULL */

/* What the document of this look says. `now_ns` is the time of the look, since 1970; `clock_ns` that of a clock that
 * never steps. `rebase`: what was wrong before is judged anew, and its packets say nothing. 0 or ERR_MEMORY. */
struct live_moment {
    int64_t now_ns, clock_ns;
    bool rebase;
};
int live_findings_look(struct live_findings *f, const struct document *d, const struct live_moment *m);

/* As live_view has them; they and their words lie in the arena. 0 or ERR_MEMORY. */
int live_findings_view(const struct live_findings *f, struct arena *arena, const struct live_finding **ret,
                       size_t *ret_count);

#endif
