#ifndef QOSMARK_CLI_INTERRUPT_H
#define QOSMARK_CLI_INTERRUPT_H

#include <signal.h>
#include <stdbool.h>

/* SIGINT and SIGTERM for the commands that end in order: what was found until then is reported. */

/* From here on both are noted. A second SIGINT, from an impatient person, ends the program at once; SIGTERM does not:
 * timeout(1) sends it twice, and means it once. */
void interrupt_catch(void);

bool interrupt_came(void);
bool interrupt_stops(void *user);                  /* the same, for whoever asks with a pointer */
const volatile sig_atomic_t *interrupt_flag(void); /* not 0 once one came */

#endif
