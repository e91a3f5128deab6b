#include "probe/probe_ask.h"

#include <string.h>

static const uint8_t magic[4] = {'q', 'o', 's', 'm'};

void probe_ask_write(uint8_t value[static PROBE_ASK_BYTES])
{
    memset(value, 0, PROBE_ASK_BYTES);
    memcpy(value, magic, sizeof magic);
}

bool probe_ask_answer(uint8_t *value, size_t len, tos_t tos)
{
    if (len != PROBE_ASK_BYTES || memcmp(value, magic, sizeof magic) != 0)
        return false;
    value[4] = tos;
    value[5] = 1;
    return true;
}

bool probe_ask_read(const uint8_t *value, size_t len, tos_t *ret)
{
    if (len != PROBE_ASK_BYTES || memcmp(value, magic, sizeof magic) != 0 || value[5] != 1)
        return false;
    *ret = value[4];
    return true;
}
