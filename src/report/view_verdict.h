#ifndef QOSMARK_REPORT_VIEW_VERDICT_H
#define QOSMARK_REPORT_VIEW_VERDICT_H

#include <stdbool.h>

#include "model/document.h"

/* The verdict in words, the same in every format that is for people. */
struct view_verdict {
    const char *word;     /* "FAIL", "PASS", "NOTHING CHECKED" */
    bool incomplete;      /* some of the input was cut or lost, or not looked at, whoever noticed it */
    bool mostly_unjudged; /* more streams could not be judged than could */
    char sentence[240];   /* "28 of 79 checked streams carry wrong marks" */
    char share[96];       /* "48% of packets"; "" where there is nothing to add */
};

struct view_verdict view_verdict(const struct document *d);

/* "28 conform, 3 could not be judged, 14 are not covered by the policy." Appends nothing where there is no rest. */
void view_rest(const struct document *d, struct strbuf *to);

/* Whether the sentence about what is wrong with an input begins with its name, which need not be said twice then. */
bool view_problem_names(const struct input *in);

/* "not read to its end" where nobody said more. */
const char *view_problem(const struct input *in);

#endif
