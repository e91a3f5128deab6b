#ifndef QOSMARK_CLI_PARTS_H
#define QOSMARK_CLI_PARTS_H

#include <stdbool.h>
#include <stddef.h>

/* Libraries that a build can do without, and what goes without them. */
struct part {
    const char *library, *purpose;
    const char *package; /* of Debian and its kin, to build with */
    bool there;
};

extern const struct part parts[];
extern const size_t part_count;

#endif
