#ifndef QOSMARK_REPORT_CSV_H
#define QOSMARK_REPORT_CSV_H

#include "base/text.h"
#include "report/out.h"

/* A field is made in a buffer of its own and then put into its row: RFC 4180. */

/* Text that may come from somebody else: printable, and nothing that a spreadsheet takes for a formula. */
void csv_add_text(struct strbuf *field, const char *text);

/* The field as it stands in a row: in quotes where it must be. */
void csv_put(struct out *out, const struct strbuf *field);

#endif
