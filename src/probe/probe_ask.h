#ifndef QOSMARK_PROBE_PROBE_ASK_H
#define QOSMARK_PROBE_PROBE_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/dscp.h"

/*
 * "Which mark does your reply leave with?" RFC 8972 has no field for it: a reflector that replies unmarked whatever it
 * is asked for, and a path that bleaches every reply, look alike to the sender. This TLV asks, in the range for private
 * use (RFC 8972 section 5.1: 252 to 254). A reflector that does not know it sends it back with U set, as any unknown
 * TLV.
 *
 *     Flags(1) Type 253(1) Length 8(2) "qosm"(4) TOS(1) Answered(1) 0(2)
 */
enum { PROBE_ASK_TYPE = 253, PROBE_ASK_BYTES = 8 };

/* The value of the question. */
void probe_ask_write(uint8_t value[static PROBE_ASK_BYTES]);

/* For the reflector: turns the value of a question into the answer, `tos` being the byte that the reply leaves with.
 * False, with the value untouched, where it is no such question (then U is to be set). */
bool probe_ask_answer(uint8_t *value, size_t len, tos_t tos);

/* What a value that came back says; false where it says nothing. */
bool probe_ask_read(const uint8_t *value, size_t len, tos_t *ret);

#endif
