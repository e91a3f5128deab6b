#ifndef QOSMARK_LIB_HANDLES_H
#define QOSMARK_LIB_HANDLES_H

#include <qosmark/qosmark.h>

#include "base/error.h"
#include "base/text.h"
#include "engine/audit.h"
#include "model/document.h"
#include "policy/policy.h"

/*
 * What is behind the opaque handles, and what all files of this room share. Public structs are filled from those of the
 * rooms field by field, so that the rooms may change theirs.
 */
struct qosmark_policy {
    struct policy *policy;
};

struct qosmark_result {
    struct document *document;
    qosmark_summary summary;
    qosmark_input *inputs;
    const char **notes;
    struct arena arena; /* of their text */
};

/* Takes the document, also when it fails. NULL without memory. */
qosmark_result *result_new(struct document *document, qosmark_error *error);

/* Hands an error on: its sentence, or the name of the code where there is none. Returns `code`. */
int handle_fail(qosmark_error *to, int code, const struct error *from);

/* The same with a sentence of our own. */
int handle_refuse(qosmark_error *to, int code, const char *sentence);

/* Text that came from anywhere as text that is safe to show, in a buffer that it then lies in: "" for NULL. With
 * `lines` the ends of lines stay. */
const char *word_put(struct strbuf *to, const char *text);
const char *word_put_lines(struct strbuf *to, const char *text);

#endif
