#include "report/records_saved.h"

#include <stdlib.h>

static void origin_free(void *owned)
{
    struct saved_origin *o = owned;
    if (o)
        free(o->extras);
}

const struct saved_origin *saved_origin_of(const struct document *d)
{
    return d->owned_free == origin_free ? d->owned : NULL;
}

void saved_origin_attach(struct document *d, struct saved_origin *o, struct saved_extra *extras)
{
    o->extras = extras;
    document_own(d, o, origin_free);
}

void saved_origin_strip(struct document *d)
{
    if (d->owned_free != origin_free)
        return;
    origin_free(d->owned);
    document_own(d, NULL, NULL);
}
