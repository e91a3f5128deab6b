#ifndef QOSMARK_BASE_PAGES_H
#define QOSMARK_BASE_PAGES_H

#include <stdbool.h>
#include <stddef.h>

/* What a processor maps as one huge page: a table of many such is walked through without a miss of the TLB at each
 * step. */
#define PAGES_HUGE_BYTES 0x200000 /* 2 MiB */

/* Zeroed memory from the system, whole huge pages that begin at a multiple of their size where `bytes` is one; pages
 * that are never touched cost nothing. `huge` asks for huge pages, which are touched as a whole. NULL without memory.
 */
void *pages_new(size_t bytes, bool huge);
void pages_free(void *at, size_t bytes); /* takes NULL */

#endif
