#include "base/disjoint.h"

void disjoint_begin(uint32_t *parent, size_t count)
{
    for (size_t i = 0; i < count; i++)
        parent[i] = (uint32_t)i;
}

uint32_t disjoint_root(uint32_t *parent, uint32_t i)
{
    while (parent[i] != i) {
        parent[i] = parent[parent[i]]; /* the next walk is half as long */
        i = parent[i];
    }
    return i;
}

void disjoint_join(uint32_t *parent, uint32_t a, uint32_t b)
{
    uint32_t x = disjoint_root(parent, a), y = disjoint_root(parent, b);
    if (x != y)
        parent[x > y ? x : y] = x > y ? y : x;
}
