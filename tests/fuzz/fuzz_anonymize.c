/*
 * Wrong packets written for others' eyes: a frame loses its identities, and stays the packet that it was.
 *
 * Input: as fuzz_link.c has it (link type 2, options 1, frame); of the options, bit 0: cut by the snapshot length, the
 * rest chooses what the packet is said to be.
 */
#include <sys/stat.h>

#include "anonymize/anonymize.h"
#include "anonymize/frame.h"
#include "memory_file.h"
#include "packets.h"

enum { OPTION_CUT = 1, MEDIA_HEAD_MAX = 4 + 20, TCP_OPTIONS_MAX = 40 };

static const uint8_t key_bytes[32] = "0123456789abcdef0123456789abcdef";

static bool is_media(enum kind kind)
{
    return kind >= KIND_RTP_AUDIO && kind <= KIND_DTLS;
}

/* The packet of a frame; false where there is none, or one in fragments. */
static bool decode(const struct frame *frame, struct decoder *d, struct packet *ret)
{
    return decoder_frame(d, frame, ret) == DECODE_PACKET;
}

static void check(struct anonymizer *a, struct decoder *d, const struct frame *frame, const struct frame *out,
                  enum kind kind)
{
    struct packet before, after;
    FUZZ_CHECK(out->captured_bytes <= frame->captured_bytes && out->wire_bytes <= frame->wire_bytes);
    FUZZ_CHECK(out->captured_bytes <= out->wire_bytes);
    FUZZ_CHECK(out->number == frame->number && out->time_ns == frame->time_ns);
    fuzz_touch(out->bytes, out->captured_bytes);
    if (!decode(frame, d, &before) || !before.ports_known || (before.proto != PROTO_UDP && before.proto != PROTO_TCP))
        return;
    /* of what is no media nothing is left, of media its head */
    size_t gone = frame->wire_bytes - out->wire_bytes; /* what stood before the packet that is written by itself */
    size_t head = (size_t)(before.payload - frame->bytes) - (out->link_type == frame->link_type ? 0 : gone);
    size_t options = before.proto == PROTO_TCP ? TCP_OPTIONS_MAX : 0; /* of a header that claims more than there is */
    FUZZ_CHECK(out->captured_bytes <= head + options + (is_media(kind) ? MEDIA_HEAD_MAX : 0));
    if (!decode(out, d, &after) || after.layer_count != (out->link_type == frame->link_type ? before.layer_count : 1))
        return;
    struct addr src = anonymize_addr(a, &before.src.addr), dst = anonymize_addr(a, &before.dst.addr);
    FUZZ_CHECK(addr_equal(&after.src.addr, &src) && addr_equal(&after.dst.addr, &dst));
    FUZZ_CHECK(after.tos == before.tos && after.ttl == before.ttl);
    /* extension headers are blanked, or end the frame, and then its ports are not there */
    FUZZ_CHECK(!after.ports_known || after.proto == before.proto);
    FUZZ_CHECK(!after.ports_known || (after.src.port == before.src.port && after.dst.port == before.dst.port));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct anonymizer *a;
    struct cursor c = cur_make(data, size, false);
    uint16_t link_type = cur_u16(&c);
    uint8_t options = cur_u8(&c);
    if (c.failed)
        return 0;
    if (!a) {
        struct memory_file key_file = memory_file_new(key_bytes, sizeof key_bytes);
        FUZZ_CHECK(fchmod(key_file.fd, 0600) == 0);
        int status = anonymizer_new(key_file.path, &a, NULL);
        FUZZ_CHECK(status == 0 || status == ERR_UNSUPPORTED); /* built without OpenSSL */
        memory_file_free(&key_file);
    }
    size_t len;
    uint8_t *bytes = fuzz_block(&c, cur_left(&c), &len);
    struct frame frame = {.bytes = bytes,
                          .captured_bytes = (uint32_t)len,
                          .wire_bytes = (uint32_t)len + (options & OPTION_CUT ? 1000 : 0),
                          .number = 1,
                          .link_type = link_type},
                 out;
    enum kind kind = (enum kind)((options >> 1) % KIND_COUNT);
    struct frame_anonymizer *f = a ? frame_anonymizer_new(a) : NULL;
    struct decoder *d = decoder_new(&(struct decoder_options){.defer_fragments = true});
    FUZZ_CHECK(d && (f || !a));
    if (f) {
        anonymize_frame(f, &frame, kind, &out);
        check(a, d, &frame, &out, kind);
    }
    frame_anonymizer_free(f);
    decoder_free(d);
    free(bytes);
    return 0;
}
