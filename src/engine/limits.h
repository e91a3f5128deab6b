#ifndef QOSMARK_ENGINE_LIMITS_H
#define QOSMARK_ENGINE_LIMITS_H

#include <stdbool.h>

#include "decode/decoder.h"
#include "model/document.h"
#include "stream/table.h"

/*
 * What a reader must know before taking the figures for the whole truth: a note for each limit of our own that was
 * reached, and for what the capture did not hold. Where a limit kept something from being looked at, the document is
 * `limited`, and its verdict incomplete. False without memory.
 */
bool limits_note(struct document *d, const struct stream_stats *streams, const struct decoder_stats *decode);

#endif
