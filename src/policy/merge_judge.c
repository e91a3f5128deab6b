#include "policy/merge_judge.h"

#include <stdlib.h>

#include "policy/judge_internal.h"

int judge_saved(struct document *d)
{
    struct judging j = {.d = d};
    free(d->judged);
    free(d->expectations);
    d->expectations = NULL;
    d->expectation_count = 0;
    d->verdicts = (struct record_layer){0};
    d->judged = malloc((d->record_count + 1) * sizeof *d->judged);
    struct summing *sum = d->judged ? summing_new(d) : NULL;
    bool ok = sum != NULL;
    for (size_t i = 0; ok && i < d->record_count; i++) {
        const struct record *r = &d->records[i];
        judged_keep(&j, i, r, REASON_NONE, 0);
        /* why it was judged so is in the record's words, and nowhere else */
        d->judged[i].flags &= (uint8_t) ~(JUDGED_REASON_ALIKE | JUDGED_REASON_OWN);
        ok = !j.failed && summing_add(sum, r);
    }
    ok = ok && summing_finish(sum) && document_link_calls(d);
    summing_free(sum);
    return ok ? 0 : ERR_MEMORY;
}
