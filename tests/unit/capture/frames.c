/*
 * Prints what a source hands out, one frame a line: number, time in nanoseconds, wire bytes, captured bytes, link type,
 * and a checksum of the bytes. For against_tshark.py, which builds and runs it; no part of the test run.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/source.h"

static uint32_t checksum(const uint8_t *bytes, size_t len)
{
    uint32_t v = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < len; i++)
        v = (v ^ bytes[i]) * 16777619u;
    return v;
}

int main(int argc, char **argv)
{
    bool quiet = argc > 1 && strcmp(argv[1], "-q") == 0;
    const char *const *paths = (const char *const *)argv + 1 + quiet;
    size_t count = (size_t)argc - 1 - quiet;
    struct error error = {.text = ""};
    struct source *s = count == 1 ? source_open_file(paths[0], &error) : source_open_series(paths, count, &error);
    if (!s) {
        (void)printf("# not opened: %s\n", error.text);
        return 1;
    }
    struct frame f;
    enum source_status status;
    while ((status = source_next(s, &f)) != SOURCE_END) {
        if (status == SOURCE_FRAME && !quiet)
            (void)printf("%" PRIu64 " %" PRId64 " %" PRIu32 " %" PRIu32 " %u %08" PRIx32 " %" PRIu32 "\n", f.number,
                         f.time_ns, f.wire_bytes, f.captured_bytes, f.link_type, checksum(f.bytes, f.captured_bytes),
                         f.input);
    }
    for (size_t i = 0; i < source_input_count(s); i++) {
        const struct source_input *in = source_input(s, i);
        (void)printf("# %s: %" PRIu64 " frames, %" PRIu64 " bytes, %" PRIu64 " unsupported, %" PRIu64
                     " dropped, %s %s\n",
                     in->name, in->frames, in->bytes, in->unsupported, in->dropped,
                     in->complete ? "complete" : "incomplete:", in->problem.text);
    }
    source_free(s);
    return 0;
}
