#ifndef QOSMARK_CLI_CONFINE_H
#define QOSMARK_CLI_CONFINE_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/output.h"
#include "cli/privileges.h"

/*
 * What the commands call that end with a report, when everything is open that takes rights, and before the first byte
 * of a capture or of the network is parsed. `outputs` are those that are open (NULL among them is nothing). What could
 * not be done is said in a sentence on standard error where this is root, or where `verbose`.
 */

/* `audit`, `compare`, `report`, `generate` into a file: no program is run, no socket is opened, no file is opened to be
 * written, and files are made only beside the outputs. Root stays root, with the capabilities that open files alone. */
void confine_files(struct output *const *outputs, size_t count, bool verbose);

/* `policy`, before it reads one that somebody else may have written: the same; where that may name a domain to be asked
 * for (`asks`), UDP and TCP sockets stay. `output` may be NULL. */
void confine_policy(struct output *output, bool asks);

/* `doctor` tries what this process may do, so all it gives up before that is writing elsewhere; for what it says
 * afterwards, the same as the others. What is missing of it is among what it says. */
void confine_doctor(struct output *output);
void confine_doctor_report(struct output *output);

/*
 * `probe`, `trace`, `generate` onto a network: the same, and root becomes nobody, without any capability; an output is
 * put in its place by a child that stays root and does nothing else (cli/placer.h).
 *
 * In two steps, for who begins a thread between them: `ret` of the first is what the second takes.
 */
int confine_rights(struct output *const *outputs, size_t count, struct privileges *ret, struct error *error);
void confine_network(enum privileges_work work, struct privileges *p, bool verbose);

#endif
