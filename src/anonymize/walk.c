#include "anonymize/walk.h"

#include <string.h>

enum { WORDS_MODULO = 0xffff };

void anonymize_put(struct anonymize_walk *w, size_t at, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int64_t change = (int64_t)bytes[i] - w->bytes[at + i];
        for (struct anonymize_sum *s = w->sums; s && change; s = s->outer)
            if (at + i >= s->start)
                s->change += (at + i - s->start) % 2 ? change : change * 256;
        w->bytes[at + i] = bytes[i];
    }
}

void anonymize_fill(struct anonymize_walk *w, size_t at, uint8_t byte, size_t n)
{
    for (size_t i = 0; i < n; i++)
        anonymize_put(w, at + i, &byte, 1);
}

int64_t anonymize_put_address(struct anonymize_walk *w, size_t at, size_t n)
{
    uint8_t to[16];
    int64_t change = 0;
    memcpy(to, w->bytes + at, n);
    address_map_bytes(w->a->addresses, to, n);
    for (size_t i = 0; i < n; i++)
        change += ((int64_t)to[i] - w->bytes[at + i]) * (i % 2 ? 1 : 256);
    anonymize_put(w, at, to, n);
    return change;
}

void anonymize_put_mac(struct anonymize_walk *w, size_t at)
{
    uint8_t to[6];
    memcpy(to, w->bytes + at, sizeof to);
    anonymize_mac(w->a, to);
    anonymize_put(w, at, to, sizeof to);
}

void anonymize_sum_open(struct anonymize_walk *w, struct anonymize_sum *s, size_t start, int64_t change)
{
    *s = (struct anonymize_sum){.outer = w->sums, .start = start, .change = change};
    w->sums = s;
}

void anonymize_sum_close(struct anonymize_walk *w, struct anonymize_sum *s, size_t at, bool none_is_zero)
{
    w->sums = s->outer;
    int64_t change = s->change % WORDS_MODULO;
    if (change == 0 || !anonymize_has(w, at, 2))
        return;
    uint16_t old = anonymize_u16(w, at);
    if (none_is_zero && old == 0)
        return;
    uint32_t sum = (uint32_t)(uint16_t)~old + (uint32_t)(change < 0 ? change + WORDS_MODULO : change);
    sum = (sum & 0xffff) + (sum >> 16);
    uint16_t made = (uint16_t)~sum;
    if (none_is_zero && made == 0)
        made = 0xffff;
    const uint8_t bytes[2] = {(uint8_t)(made >> 8), (uint8_t)made};
    anonymize_put(w, at, bytes, sizeof bytes);
}
