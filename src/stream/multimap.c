#include "stream/multimap.h"

#include <stdlib.h>
#include <string.h>

#include "base/grow.h"

enum { HEADS_MIN = 256 };

static void chain_all(struct multimap *m)
{
    for (size_t i = 0; i < m->count; i++) { /* oldest first, so that the newest ends up in front again */
        uint32_t *head = &m->heads[m->nodes[i].hash & (m->head_count - 1)];
        m->nodes[i].next = *head;
        *head = (uint32_t)(i + 1);
    }
}

static bool rehash(struct multimap *m)
{
    size_t heads = m->head_count ? m->head_count * 2 : HEADS_MIN;
    uint32_t *grown = calloc(heads, sizeof *grown);
    if (!grown)
        return false;
    free(m->heads);
    m->heads = grown;
    m->head_count = heads;
    chain_all(m);
    return true;
}

bool multimap_add(struct multimap *m, uint64_t hash, uint32_t value)
{
    if (m->count >= UINT32_MAX - 1 || (m->count >= m->head_count && !rehash(m)) ||
        !grow((void **)&m->nodes, &m->cap, m->count, sizeof *m->nodes)) {
        m->failed = true;
        return false;
    }
    uint32_t *head = &m->heads[hash & (m->head_count - 1)];
    m->nodes[m->count] = (struct multimap_node){hash, value, *head};
    *head = (uint32_t)++m->count;
    return true;
}

static uint32_t seek(const struct multimap *m, uint32_t place, uint64_t hash, uint32_t *ret_value)
{
    while (place && m->nodes[place - 1].hash != hash)
        place = m->nodes[place - 1].next;
    if (place)
        *ret_value = m->nodes[place - 1].value;
    return place;
}

uint32_t multimap_first(const struct multimap *m, uint64_t hash, uint32_t *ret_value)
{
    return m->head_count ? seek(m, m->heads[hash & (m->head_count - 1)], hash, ret_value) : 0;
}

uint32_t multimap_next(const struct multimap *m, uint32_t place, uint32_t *ret_value)
{
    const struct multimap_node *node = &m->nodes[place - 1];
    return seek(m, node->next, node->hash, ret_value);
}

void multimap_renumber(struct multimap *m, bool (*renumber)(const void *context, uint32_t *value), const void *context)
{
    size_t kept = 0;
    for (size_t i = 0; i < m->count; i++) {
        struct multimap_node node = m->nodes[i];
        if (renumber(context, &node.value))
            m->nodes[kept++] = node;
    }
    m->count = kept;
    if (m->heads)
        memset(m->heads, 0, m->head_count * sizeof *m->heads);
    chain_all(m);
}

void multimap_done(struct multimap *m)
{
    free(m->heads);
    free(m->nodes);
    *m = (struct multimap){0};
}
