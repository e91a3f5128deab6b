#ifndef QOSMARK_BASE_DISJOINT_H
#define QOSMARK_BASE_DISJOINT_H

#include <stddef.h>
#include <stdint.h>

/* Numbers that fall into sets: each points to another of its set, and the least of a set, its root, to itself. */

void disjoint_begin(uint32_t *parent, size_t count); /* each in a set of its own */
uint32_t disjoint_root(uint32_t *parent, uint32_t i);
void disjoint_join(uint32_t *parent, uint32_t a, uint32_t b);

#endif
