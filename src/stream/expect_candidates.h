#ifndef QOSMARK_STREAM_EXPECT_CANDIDATES_H
#define QOSMARK_STREAM_EXPECT_CANDIDATES_H

#include "base/clock.h"
#include "stream/dialog.h"

/* Who may have announced a stream: m-lines at its ends, with its SSRC, or with its two ports. For expect*.c alone. */

enum { HITS_MAX = 64, CANDIDATES_MAX = 128, VISITS_MAX = 2048 };

/* Media may be captured a little before the SDP that announces it, and runs on a little after the BYE. */
#define EARLY_NS (2 * NS_PER_S)
#define LATE_NS  (5 * NS_PER_S)

enum rank { RANK_NONE = 0, RANK_PORTS, RANK_SSRC, RANK_SENDER, RANK_RECEIVER, RANK_BOTH };

struct candidate {
    const struct expect_line *sender, *receiver; /* one may be NULL */
    enum rank rank;
    enum line_role role;
    int64_t from_ns, until_ns;
    const struct expect_format *format; /* of the most frequent payload type; NULL without */
    bool by_receiver;                   /* the format is in the receiver's list, as RFC 3264 §5.1 wants it */
    bool all_listed;                    /* and so are the other payload types */
};

struct candidates {
    struct candidate at[CANDIDATES_MAX];
    size_t count;
    bool too_many; /* some were not looked at */
};

/* Those at its ends; where there are none, those with its SSRC; where there are none either, those with its ports. */
void expect_candidates_find(const struct expect_table *t, const struct expect_query *q, struct candidates *ret);

static inline const struct expect_description *description_of(const struct expect_table *t,
                                                              const struct expect_line *line)
{
    return &t->descriptions[line->description];
}

#endif
