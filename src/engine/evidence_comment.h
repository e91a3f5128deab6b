#ifndef QOSMARK_ENGINE_EVIDENCE_COMMENT_H
#define QOSMARK_ENGINE_EVIDENCE_COMMENT_H

#include "base/text.h"
#include "model/document.h"
#include "model/frame.h"

/*
 * What a wrong packet's comment says, in one line of printable UTF-8:
 *
 *     voice from cms-01 to 10.2.0.11 (rtp-audio): EF expected, CS0 seen. bleached: 99 of 99 packets of rtp-audio carry
 *     CS0 instead of EF, consistent with... [frame 123 of a.pcapng]
 *
 * All but the end is the same for the packets of one stream with one mark, and is made once.
 */
enum { COMMENTS_KEPT = 256 };

struct evidence_comments {
    const struct document *document;
    struct record_scratch scratch;
    struct evidence_comment {
        size_t record; /* + 1; 0: none */
        dscp_t dscp;
        struct strbuf text;
    } kept[COMMENTS_KEPT];
    struct strbuf whole;
};

/* Zeroed, with its document, is the first state. */
void evidence_comments_done(struct evidence_comments *c);

/* Before the document changes. */
void evidence_comments_forget(struct evidence_comments *c);

/* For one frame with this mark, of this record. Good until the next call; "" without memory. */
const char *evidence_comment(struct evidence_comments *c, size_t record, dscp_t dscp, const struct frame *frame);

/* The marks that are wrong in a record: none unless its verdict is violating. */
dscp_set_t evidence_wrong_marks(const struct document *d, size_t record, struct record_scratch *scratch);

#endif
