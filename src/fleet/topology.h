#ifndef QOSMARK_FLEET_TOPOLOGY_H
#define QOSMARK_FLEET_TOPOLOGY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"

/*
 * In which order traffic passes the points, as somebody wrote it down:
 *
 *     version: 1
 *     paths:
 *       - name: berlin
 *         points: [berlin/edge, wan/a, wan/b, hq/core]
 *
 * A point is "SITE/POINT", or the point's name alone where no two sites have one of that name. Traffic may pass a path
 * in both directions.
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

#endif
