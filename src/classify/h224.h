#ifndef QOSMARK_CLASSIFY_H224_H
#define QOSMARK_CLASSIFY_H224_H

#include <stdbool.h>

#include "base/cursor.h"

/*
 * Far-end camera control: an H.224 frame as an RTP payload (RFC 4573 §4; Q.922 address, UI control, destination and
 * source terminal, client ID of H.224 §8). True where the bytes have that form; says nothing of encrypted payloads.
 */
bool h224_looks_like(struct cursor payload);

#endif
