#ifndef QOSMARK_CLI_UNITS_H
#define QOSMARK_CLI_UNITS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/address.h"

/* Values with their units, as people write them on a command line. False on anything else, or out of range. */

bool units_duration(const char *text, int64_t *ret_ns);    /* 500ms, 10s, 5m, 2h, 1d, 100us; above 0 */
bool units_milliseconds(const char *text, double *ret_ms); /* the same, for limits: 0.5ms too; 0 is allowed */
bool units_bits_per_second(const char *text, double *ret); /* 800kbit, 20mbit, 1gbit */
bool units_size(const char *text, uint64_t *ret_bytes);    /* 172, 172B, 64KiB, 1kB */
bool units_share(const char *text, double *ret);           /* 0.5%, 1% */
bool units_count(const char *text, uint64_t least, uint64_t most, uint64_t *ret); /* 100, 100k is not one */
/* Where to listen: 127.0.0.1:9464, [::1]:9464, or 9464, which is that port of 127.0.0.1. */
bool units_listen(const char *text, struct endpoint *ret);

#endif
