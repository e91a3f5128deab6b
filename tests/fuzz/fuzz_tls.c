/* The beginning of a TLS connection, and DTLS datagrams: see wire.h for the first byte. */
#include "wire.h"

#include "classify/dtls.h"
#include "classify/tls.h"

static bool is_plain(const char *text, size_t room)
{
    size_t n = strnlen(text, room);
    if (n == room)
        return false;
    for (size_t i = 0; i < n; i++) {
        char c = text[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && !strchr(".-_/?", c))
            return false;
    }
    return true;
}

static void check_hello(const struct tls_hello *h)
{
    FUZZ_CHECK(is_plain(h->server_name, sizeof h->server_name));
    FUZZ_CHECK(h->alpn_count <= TLS_ALPN_MAX);
    for (size_t i = 0; i < h->alpn_count; i++)
        FUZZ_CHECK(is_plain(h->alpn[i], sizeof h->alpn[i]));
}

static void check_tls(const struct fuzz_wire *w)
{
    struct tls_hello whole, part;
    uint8_t type;
    bool begins = tls_record_begins(w->bytes, w->len, &type);
    enum parse_status of_whole = tls_hello_parse(fuzz_wire_whole(w), &whole);
    enum parse_status of_part = tls_hello_parse(fuzz_wire_part(w), &part);
    FUZZ_CHECK(!begins || (type >= 20 && type <= 24));
    if (of_whole == PARSE_OK) {
        FUZZ_CHECK(begins && type == 22);
        /* bytes come in segments: the first of them are never called anything else */
        FUZZ_CHECK(of_part == PARSE_OK || of_part == PARSE_TRUNCATED);
        check_hello(&whole);
    }
    if (of_part == PARSE_OK)
        check_hello(&part);
}

static void check_dtls(const struct fuzz_wire *w)
{
    struct dtls_datagram whole, part;
    enum parse_status of_whole = dtls_parse(fuzz_wire_whole(w), (uint32_t)w->len, &whole);
    enum parse_status of_part = dtls_parse(fuzz_wire_part(w), (uint32_t)w->len, &part);
    fuzz_wire_check(of_whole, of_part);
    if (of_whole == PARSE_OK)
        FUZZ_CHECK(whole.record_count > 0 && whole.content_type >= 20 && whole.content_type <= 63);
    if (of_whole == PARSE_OK && of_part == PARSE_OK)
        FUZZ_CHECK(whole.content_type == part.content_type && whole.version == part.version);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_wire w;
    if (!fuzz_wire_take(data, size, &w))
        return 0;
    check_tls(&w);
    check_dtls(&w);
    fuzz_wire_done(&w);
    return 0;
}
