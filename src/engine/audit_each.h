#ifndef QOSMARK_ENGINE_AUDIT_EACH_H
#define QOSMARK_ENGINE_AUDIT_EACH_H

#include "engine/audit.h"

/*
 * What became of one file: as audit_run() would have said it, `status` its result. The document, where there is one, is
 * the taker's to free.
 */
typedef void (*audit_taker)(void *user, size_t file, int status, struct document *document, const struct error *error);

/*
 * Audits each of options->files by itself, options->jobs of them at a time. The results are handed over in the order of
 * the files, in the caller's thread, each as soon as those before it are there; few are kept until then. 0 or
 * ERR_MEMORY, in which case some were not handed over.
 */
int audit_each(const struct audit_options *options, audit_taker take, void *user);

#endif
