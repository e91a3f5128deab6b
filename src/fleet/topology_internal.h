#ifndef QOSMARK_FLEET_TOPOLOGY_INTERNAL_H
#define QOSMARK_FLEET_TOPOLOGY_INTERNAL_H

#include "base/arena.h"
#include "fleet/topology.h"
#include "policy/yaml_tree.h"

/* Shared by topology*.c. */

struct topology_path {
    size_t count;
    const char *points[TOPOLOGY_POINTS_MAX];
};

/* What happens on purpose between two neighbours, one way. */
struct topology_remark {
    const char *from, *to; /* "site/point" */
    dscp_set_t said;       /* marks that become another one */
    dscp_t after[DSCP_COUNT];
    unsigned lines[DSCP_COUNT]; /* where it was said */
};

struct topology {
    struct arena arena;
    struct topology_path **paths;
    size_t path_count;
    struct topology_remark **remarks; /* in the arena; one for each pair of neighbours and way */
    size_t remark_count, remark_cap;
};

struct topology_reading {
    const char *file;
    struct topology *topology;
    struct error *error;
};

/* A sentence with file, line and column. ERR_USAGE. */
int topology_wrong(const struct topology_reading *r, const struct yaml_node *n, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Whether a key of the mapping is there for the first time: 0, or ERR_USAGE. */
int topology_check_key(const struct topology_reading *r, const struct yaml_node *map, const struct yaml_node *value);

/* topology_remarks.c: the list `remarks` of a path whose points are read. */
int topology_read_remarks(const struct topology_reading *r, const struct topology_path *path,
                          const struct yaml_node *list);

#endif
