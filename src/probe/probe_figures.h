#ifndef QOSMARK_PROBE_PROBE_FIGURES_H
#define QOSMARK_PROBE_PROBE_FIGURES_H

#include "base/error.h"
#include "model/probe_document.h"

/*
 * Counts the packets of the document into its classes: marks, matrix, loss each way, delay, jitter, and the comparison
 * with the control. Also says whether the reflector counts for itself (reflector.stateful). Marks are judged elsewhere.
 * 0 or ERR_MEMORY.
 */
int probe_figures_count(struct probe_document *d);

/* probe_figures_delay.c: delays, jitter and the comparison; part of the above. */
int probe_figures_delays(struct probe_document *d);

/* probe_figures_loss.c: loss each way; part of the above. */
int probe_figures_losses(struct probe_document *d);

#endif
