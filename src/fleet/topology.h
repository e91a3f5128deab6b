#ifndef QOSMARK_FLEET_TOPOLOGY_H
#define QOSMARK_FLEET_TOPOLOGY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "model/compare_document.h"

/*
 * In which order traffic passes the points, as somebody wrote it down:
 *
 *     version: 1
 *     paths:
 *       - name: berlin
 *         points: [berlin/edge, wan/a, wan/b, hq/core]
 *         remarks:
 *           - {from: wan/a, to: wan/b, marks: {EF: CS5}}
 *           - {from: wan/b, to: wan/a, marks: {CS5: EF}}
 *
 * A point is "SITE/POINT", or the point's name alone where no two sites have one of that name. Traffic may pass a path
 * in both directions. `remarks` are marks that something between two neighbours changes on purpose, one way: there
 * points have their site, for the name alone might be that of another site's point one day.
 */
struct topology;

/* ERR_USAGE with "file:line:column: sentence", ERR_MEMORY. */
int topology_read(struct slice text, const char *file, struct topology **ret, struct error *error);
void topology_free(struct topology *t); /* NULL is fine */

enum { TOPOLOGY_POINTS_MAX = 64 };

/*
 * Of the points that saw a stream, those of one path in the order of that path: of the path that has most of them, the
 * first such. `names` are "site/point"; `order` gets their indices. How many; fewer than two: no path tells.
 */
size_t topology_order(const struct topology *t, const char *const *names, size_t count,
                      size_t order[static TOPOLOGY_POINTS_MAX]);

size_t topology_path_count(const struct topology *t);

/* What is wanted between two points, by way: forward from the first to the second. */
struct topology_wanted {
    bool said[2];                    /* some mark becomes another one */
    dscp_set_t marks[2][DSCP_COUNT]; /* what each may become; none where nothing is said of the way */
};

/* Of a path that has both points: what all that is said between them makes together. Where several paths have both, any
 * of them. NULL is a topology that says nothing. */
void topology_wanted(const struct topology *t, const char *first, const char *second, struct topology_wanted *ret);

/* Whether that mark became this one on purpose. `doubtful`: which way it went is not known, and either may be it. */
bool topology_wants(const struct topology_wanted *w, enum compare_way way, bool doubtful, dscp_t before, dscp_t after);

/* Whether that mark was to become another one, and has been kept. */
bool topology_is_unmet(const struct topology_wanted *w, enum compare_way way, bool doubtful, dscp_t mark);

#endif
