#include "engine/limits.h"

bool limits_note(struct document *d, const struct stream_stats *streams, const struct decoder_stats *decode)
{
    const struct {
        uint64_t count;
        bool limit; /* ours: not the capture's doing */
        const char *words;
    } limits[] = {
        {streams->untracked_packets, true, "packets belong to streams beyond the cap on streams and were not judged"},
        {streams->evicted, true,
         "streams were ended before their time because the cap on streams was reached: what they carried later counts "
         "as streams of its own"},
        {streams->tcp_overflows, true,
         "TCP segments could not be put in order within the memory set aside for it: signalling may have been missed"},
        {streams->sip_too_long, true,
         "SIP messages have more of header or body than qosmark reads: what they announce was not taken into account"},
        {streams->sip_untracked, true,
         "SIP calls and media lines of SDP are beyond the cap on them: what they announce was not taken into account"},
        {decode->nested_too_deep, true,
         "packets have more headers in each other than qosmark looks through: what is inside was not judged"},
        {decode->tunnels_cut, false,
         "packets in tunnels are cut before the inner IP header ends: what they carry was not judged"},
    };
    bool ok = true;
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        if (limits[i].count == 0)
            continue;
        d->limited |= limits[i].limit;
        ok = document_note(d, "%llu %s", (unsigned long long)limits[i].count, limits[i].words) && ok;
    }
    if (streams->memory_failed) {
        d->limited = true;
        ok = document_note(d, "memory ran out at some time: some packets, or what signalling announced, are missing here") && ok;
    }
    d->limited |= decode->fragments_evicted > 0;
    if (decode->fragments_expired)
        ok = document_note(d,
                           "%llu fragmented datagrams stayed incomplete (%llu because the cap on memory was reached): "
                           "their marks count, their content was not read",
                           (unsigned long long)decode->fragments_expired,
                           (unsigned long long)decode->fragments_evicted) &&
             ok;
    return ok;
}
