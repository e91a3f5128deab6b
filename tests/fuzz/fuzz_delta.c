/*
 * A message as it comes from the bus. What could be read is written again, and what is written is read back the same,
 * with the same id, and in the same partition.
 */
#include "fuzz.h"

#include <stdlib.h>

#include "fleet/delta.h"
#include "fleet/partition.h"

static struct strbuf written(const struct delta *d)
{
    struct strbuf to = {0};
    FUZZ_CHECK(delta_write(d, &to) == 0);
    for (size_t i = 0; i < to.len; i++)
        FUZZ_CHECK((unsigned char)to.at[i] >= 0x20 && (unsigned char)to.at[i] != 0x7f);
    return to;
}

static void check(const struct delta *d)
{
    uint64_t sum = 0;
    for (uint8_t i = 0; i < d->mark_count; i++)
        sum += d->marks[i].packets;
    FUZZ_CHECK(sum == d->packets);
    for (size_t i = 0; i < d->block_count; i++)
        FUZZ_CHECK(d->blocks[i].packets <= DELTA_BLOCK_PACKETS && d->blocks[i].mark_count <= DELTA_BLOCK_MARKS_MAX);
    FUZZ_CHECK(partition_of(d, 32) < 32);
    FUZZ_CHECK(d->digest_count <= DELTA_DIGESTS_MAX && d->digest_count <= d->packets);
    for (uint8_t i = 1; i < d->digest_count; i++)
        FUZZ_CHECK(d->digests[i] > d->digests[i - 1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct delta_scratch first, second;
    struct error why = {0};
    int r = delta_read((const char *)data, size, &first, &why);
    if (r < 0) {
        FUZZ_CHECK(r == ERR_FORMAT && why.text[0]);
        return 0;
    }
    check(&first.delta);
    struct strbuf once = written(&first.delta);
    /* a name that had to be escaped has become longer, and may be cut: so the second time is compared with the third */
    FUZZ_CHECK(delta_read(once.at, once.len, &second, &why) == 0);
    struct strbuf twice = written(&second.delta);
    FUZZ_CHECK(delta_read(twice.at, twice.len, &first, &why) == 0);
    struct strbuf again = written(&first.delta);
    FUZZ_CHECK(again.len == twice.len && memcmp(again.at, twice.at, twice.len) == 0);
    FUZZ_CHECK(partition_of(&first.delta, 32) == partition_of(&second.delta, 32));
    strbuf_done(&once);
    strbuf_done(&twice);
    strbuf_done(&again);
    return 0;
}
