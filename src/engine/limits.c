#include "engine/limits.h"

bool limits_note(struct document *d, const struct stream_stats *streams, const struct decoder_stats *decode)
{
    const struct {
        uint64_t count;
        bool limit; /* ours: not the capture's doing */
        const char *one, *many;
    } limits[] = {
        {streams->untracked_packets, true,
         "packet belongs to a stream beyond the cap on streams and was not judged",
         "packets belong to streams beyond the cap on streams and were not judged"},
        {streams->evicted, true,
         "stream was ended before its time because the cap on streams was reached: what it carried later counts as a "
         "stream of its own",
         "streams were ended before their time because the cap on streams was reached: what they carried later counts "
         "as streams of its own"},
        {streams->tcp_overflows, true,
         "TCP segment could not be put in order within the memory set aside for it: signalling may have been missed",
         "TCP segments could not be put in order within the memory set aside for it: signalling may have been missed"},
        {streams->sip_too_long, true,
         "SIP message has more of header or body than qosmark reads: what it announces was not taken into account",
         "SIP messages have more of header or body than qosmark reads: what they announce was not taken into account"},
        {streams->sip_untracked, true,
         "SIP call or media line of SDP is beyond the cap on them: what it announces was not taken into account",
         "SIP calls and media lines of SDP are beyond the cap on them: what they announce was not taken into account"},
        {streams->sdp_unanswered, true,
         "stream has more media lines of SDP at its ends than qosmark compares: what SDP says of it was not taken into "
         "account",
         "streams have more media lines of SDP at their ends than qosmark compares: what SDP says of them was not "
         "taken into account"},
        {streams->probation_full, true,
         "packet that looks like RTP came while as many SSRCs of its direction as qosmark keeps were not proven yet: "
         "media of its SSRC was not judged",
         "packets that look like RTP came while as many SSRCs of their direction as qosmark keeps were not proven yet: "
         "media among them was not judged"},
        {decode->nested_too_deep, true,
         "packet has more headers in each other than qosmark looks through: what is inside was not judged",
         "packets have more headers in each other than qosmark looks through: what is inside was not judged"},
        {decode->tunnels_cut, false,
         "packet in a tunnel is cut before the inner IP header ends: what it carries was not judged",
         "packets in tunnels are cut before the inner IP header ends: what they carry was not judged"},
    };
    bool ok = true;
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        unsigned long long n = limits[i].count;
        if (n == 0)
            continue;
        d->limited |= limits[i].limit;
        ok = document_note(d, "%llu %s", n, n == 1 ? limits[i].one : limits[i].many) && ok;
    }
    if (streams->memory_failed) {
        d->limited = true;
        ok = document_note(d, "memory ran out at some time: some packets, or what signalling announced, are missing "
                              "here") &&
             ok;
    }
    d->limited |= decode->fragments_evicted > 0;
    if (decode->fragments_expired)
        ok = document_note(d,
                           decode->fragments_expired == 1
                               ? "%llu fragmented datagram stayed incomplete (%llu because the cap on memory was "
                                 "reached): its marks count, its content was not read"
                               : "%llu fragmented datagrams stayed incomplete (%llu because the cap on memory was "
                                 "reached): their marks count, their content was not read",
                           (unsigned long long)decode->fragments_expired,
                           (unsigned long long)decode->fragments_evicted) &&
             ok;
    return ok;
}
