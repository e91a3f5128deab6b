/* The beginning of an XMPP stream, and stanzas: see wire.h for the first byte. */
#include "wire.h"

#include "classify/xmpp.h"

enum { TAG_BYTES_MAX = 4096 };

static bool is_kind(enum kind kind)
{
    return kind == KIND_XMPP_CLIENT || kind == KIND_XMPP_SERVER || kind == KIND_XMPP_COMPONENT || kind == KIND_OTHER;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_wire w;
    struct xmpp_head whole, part;
    enum kind kind = KIND_COUNT;
    if (!fuzz_wire_take(data, size, &w))
        return 0;
    enum parse_status of_whole = xmpp_head_parse(fuzz_wire_whole(&w), &whole);
    enum parse_status of_part = xmpp_head_parse(fuzz_wire_part(&w), &part);
    FUZZ_CHECK(of_whole != PARSE_MALFORMED && of_part != PARSE_MALFORMED);
    if (of_whole == PARSE_OK) {
        /* bytes come in segments: the first of them may become a stream, or are one; of a tag of many KiB not any more
         */
        FUZZ_CHECK(of_part == PARSE_OK || of_part == PARSE_TRUNCATED || w.len > TAG_BYTES_MAX);
        FUZZ_CHECK(is_kind(whole.kind));
        FUZZ_CHECK(whole.complete || !whole.tls_follows);
    }
    if (xmpp_stanza_begins((const char *)w.bytes, w.len, &kind))
        FUZZ_CHECK(is_kind(kind));
    else
        FUZZ_CHECK(kind == KIND_COUNT);
    fuzz_wire_done(&w);
    return 0;
}
