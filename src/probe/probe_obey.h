#ifndef QOSMARK_PROBE_PROBE_OBEY_H
#define QOSMARK_PROBE_PROBE_OBEY_H

#include <stdbool.h>

#include "base/error.h"
#include "model/probe_document.h"

/*
 * Does the reflector reply with the mark that it is asked for (DSCP1)? RP = 0 claims so, but a reflector that has never
 * heard of that claims the same, and then its own mark would be blamed on the path back. So a mark that came back
 * changed is held against the path only where something shows that the reply left with the mark asked for:
 *
 *   - replies that differ although their requests arrived alike, because other marks were asked for; or
 *   - requests that arrived with the mark they ask for, where replies differ: whether it obeys or copies is then the
 * same; or
 *   - the reflector's own word (probe_ask.h).
 *
 * Sets reflector.obeys, and for each packet `replied` and `why_reverse`. `*ret_ask`, where not NULL: witnesses (packets
 * that arrive alike and ask for different marks) would tell more. 0 or ERR_MEMORY.
 */
int probe_obey_decide(struct probe_document *d, bool *ret_ask);

#endif
