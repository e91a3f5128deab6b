#ifndef QOSMARK_PROBE_PROBE_READS_H
#define QOSMARK_PROBE_PROBE_READS_H

#include "base/error.h"
#include "model/probe_document.h"

/*
 * Does the reflector read the marks that it reports (DSCP2)? Two broken ones would be believed otherwise:
 *
 *   - one that sends TLVs back as they came but with U cleared, as if it had answered them: all marks seem to have
 *     arrived as CS0, and the way there seems to bleach;
 *   - one that copies DSCP1 into DSCP2: all marks seem to arrive as they were sent, and a way there that bleaches
 *     passes.
 *
 * Witnesses tell: packets that are unmarked, ask for another mark than theirs, carry ECT(0), and hold the question of
 * probe_ask.h, to which a reflector either knows the answer or sets U.
 */

/* What witnesses could tell about the marks that arrived. */
enum probe_reads_ask {
    PROBE_READS_SETTLED,   /* nothing: no mark was reported, or marks arrived differently and not as the replies' wishes
                            */
    PROBE_READS_SAME_MARK, /* packets with different marks all arrived with one: does it look at them? */
    PROBE_READS_ALL_KEPT,  /* all arrived as they were sent, which is also what they ask for: does it look, or copy? */
};

enum probe_reads_ask probe_reads_ask(const struct probe_document *d);

/*
 * Takes the witnesses' word: sets reflector.reads (NO: nothing shows it, UNKNOWN: it was not asked), and where they say
 * that the marks reported are none, makes `arrived` and `replied` of all packets unknown, with the reason. May be
 * called again when there are more packets.
 */
void probe_reads_decide(struct probe_document *d);

#endif
