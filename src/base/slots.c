#include "base/slots.h"

#include "base/pages.h"

enum { SLOTS_MIN = 1024 };

static size_t table_bytes(const struct slots *s)
{
    return s->at ? ((size_t)s->mask + 1) * sizeof *s->at : 0;
}

static void put(struct slot *at, uint32_t mask, struct slot slot)
{
    uint32_t place = slot.tag & mask;
    while (at[place].item)
        place = (place + 1) & mask;
    at[place] = slot;
}

static bool slots_grow(struct slots *s)
{
    uint64_t count = s->at ? ((uint64_t)s->mask + 1) * 2 : SLOTS_MIN;
    size_t bytes = (size_t)count * sizeof(struct slot);
    struct slot *at = count <= UINT32_MAX / 2 ? pages_new(bytes, bytes >= PAGES_HUGE_BYTES) : NULL;
    if (!at)
        return false;
    uint32_t mask = (uint32_t)(count - 1);
    if (s->at)
        for (uint64_t i = 0; i <= s->mask; i++)
            if (s->at[i].item)
                put(at, mask, s->at[i]);
    pages_free(s->at, table_bytes(s));
    s->at = at;
    s->mask = mask;
    return true;
}

bool slots_add(struct slots *s, uint32_t tag, uint32_t number)
{
    uint64_t room = s->at ? (uint64_t)s->mask + 1 : 0;
    bool full = s->used + (uint64_t)1 > room - room / 4;
    if (full && !slots_grow(s) && s->used + (uint64_t)1 >= room) {
        s->failed = true;
        return false; /* a free slot must be left for searches to end */
    }
    put(s->at, s->mask, (struct slot){tag, number + 1});
    s->used++;
    return true;
}

/* What comes behind a hole, and could not lie there before, moves into it (Knuth, TAOCP 6.4 algorithm R). */
static void close_hole(struct slots *s, uint32_t hole)
{
    for (uint32_t place = (hole + 1) & s->mask; s->at[place].item; place = (place + 1) & s->mask) {
        uint32_t home = s->at[place].tag & s->mask;
        if (((place - home) & s->mask) >= ((place - hole) & s->mask)) {
            s->at[hole] = s->at[place];
            hole = place;
        }
    }
    s->at[hole] = (struct slot){0};
}

void slots_remove(struct slots *s, uint32_t tag, uint32_t number)
{
    if (!s->at)
        return;
    for (uint32_t place = tag & s->mask; s->at[place].item; place = (place + 1) & s->mask) {
        if (s->at[place].tag == tag && s->at[place].item == number + 1) {
            close_hole(s, place);
            s->used--;
            return;
        }
    }
}

void slots_done(struct slots *s)
{
    pages_free(s->at, table_bytes(s));
    *s = (struct slots){0};
}
