#ifndef QOSMARK_POLICY_PLACES_H
#define QOSMARK_POLICY_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/document.h"

/* Lengths of prefixes that there can be: 0..32 and 0..128. */
#define PLACES_RUNS_MAX (33 + 129)

struct place_address {
    struct addr addr;
    uint32_t node; /* index + 1 */
};

struct place_prefix {
    struct prefix prefix;
    uint32_t site; /* index + 1 */
};

/* Which node an address belongs to, and which site (the longest prefix wins), in logarithmic time. */
struct places {
    struct place_address *addresses;
    size_t address_count;
    struct place_prefix *prefixes; /* by IP version, longest first, then by address */
    size_t prefix_count;
    size_t runs[PLACES_RUNS_MAX + 1]; /* where the prefixes of one version and length begin; then prefix_count */
    size_t run_count;
};

/* From the document's nodes and sites. False without memory; places_done() is safe then too. */
bool places_init(struct places *p, const struct document *d);
void places_done(struct places *p);

uint32_t places_node(const struct places *p, const struct addr *a); /* index + 1, 0 for none */
uint32_t places_site(const struct places *p, const struct addr *a); /* index + 1, 0 for none */

/* The address with all bits after the first `len` cleared. */
struct addr places_masked(const struct addr *a, unsigned len);

#endif
