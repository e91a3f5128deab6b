/* One datagram that may be RTP: see wire.h for the first byte. */
#include "wire.h"

#include "classify/h224.h"
#include "classify/rtp.h"

static void check_header(const struct rtp_header *h, size_t wire)
{
    FUZZ_CHECK(h->header_bytes >= 12 + 4u * h->csrc_count + h->extension_bytes);
    FUZZ_CHECK((uint64_t)h->header_bytes + h->payload_bytes == wire);
    FUZZ_CHECK(h->payload_type <= 127 && h->csrc_count <= 15);
    FUZZ_CHECK(h->extension || (h->extension_profile == 0 && h->extension_bytes == 0));
    FUZZ_CHECK(h->extension_bytes % 4 == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_wire w;
    struct rtp_header whole, part, plausible;
    if (!fuzz_wire_take(data, size, &w))
        return 0;
    uint32_t wire = (uint32_t)w.len;
    enum parse_status of_whole = rtp_parse(fuzz_wire_whole(&w), wire, &whole);
    enum parse_status of_part = rtp_parse(fuzz_wire_part(&w), wire, &part);
    fuzz_wire_check(of_whole, of_part);
    if (of_whole == PARSE_OK) {
        check_header(&whole, w.len);
        (void)h224_looks_like(cur_make(w.bytes + whole.header_bytes, whole.payload_bytes, false));
    }
    if (of_part == PARSE_OK)
        check_header(&part, w.len);
    if (of_whole == PARSE_OK && of_part == PARSE_OK)
        FUZZ_CHECK(whole.ssrc == part.ssrc && whole.sequence == part.sequence && whole.timestamp == part.timestamp &&
                   whole.marker == part.marker && whole.payload_type == part.payload_type);
    if (rtp_plausible(fuzz_wire_whole(&w), wire, &plausible)) {
        FUZZ_CHECK(of_whole == PARSE_OK && plausible.ssrc == whole.ssrc);
        FUZZ_CHECK(plausible.payload_type < 64 || plausible.payload_type > 95);
    }
    FUZZ_CHECK(of_whole != PARSE_OK || media_byte_of(w.bytes, wire) == MEDIA_BYTE_RTP ||
               media_byte_of(w.bytes, wire) == MEDIA_BYTE_RTCP);
    fuzz_wire_done(&w);
    return 0;
}
