/* One datagram that may be RTCP or SRTCP: see wire.h for the first byte. */
#include "wire.h"

#include "classify/rtcp.h"

static void check_packet(const struct rtcp_packet *p, const uint8_t *bytes, size_t len)
{
    FUZZ_CHECK(p->first_type >= 192 && p->first_type <= 213);
    FUZZ_CHECK(p->report_count <= RTCP_REPORTS_MAX);
    FUZZ_CHECK(fuzz_within(p->cname.at, p->cname.len, bytes, len));
    FUZZ_CHECK(!(p->encrypted && p->has_sender_report));
    FUZZ_CHECK(!(p->encrypted && (p->report_count || p->cname.len || p->bye)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_wire w;
    struct rtcp_packet whole, part;
    if (!fuzz_wire_take(data, size, &w))
        return 0;
    enum parse_status of_whole = rtcp_parse(fuzz_wire_whole(&w), (uint32_t)w.len, &whole);
    enum parse_status of_part = rtcp_parse(fuzz_wire_part(&w), (uint32_t)w.len, &part);
    fuzz_wire_check(of_whole, of_part);
    if (of_whole == PARSE_OK)
        check_packet(&whole, w.bytes, w.len);
    if (of_part == PARSE_OK)
        check_packet(&part, w.part, w.part_len);
    if (of_whole == PARSE_OK && of_part == PARSE_OK)
        FUZZ_CHECK(whole.first_type == part.first_type);
    fuzz_wire_done(&w);
    return 0;
}
