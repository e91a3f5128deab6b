#include "base/grow.h"

#include <stdint.h>
#include <stdlib.h>

bool grow(void **items, size_t *cap, size_t count, size_t item_bytes)
{
    if (count < *cap)
        return true;
    size_t more = *cap ? *cap * 2 : 8;
    if (more > SIZE_MAX / 2 / item_bytes)
        return false;
    void *at = realloc(*items, more * item_bytes);
    if (!at)
        return false;
    *items = at;
    *cap = more;
    return true;
}
