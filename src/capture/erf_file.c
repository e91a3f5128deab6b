#include <stdlib.h>

#include "base/clock.h"
#include "capture/erf_record.h"
#include "capture/reader.h"

/*
 * ERF files (Endace DAG cards): records one behind the other, without a file header. Ethernet and IP records are handed
 * out as what they carry, the others whole as LINKTYPE_ERF.
 */

enum { LINKTYPE_ETHERNET = 1, LINKTYPE_ERF = 197, LINKTYPE_IPV4 = 228, LINKTYPE_IPV6 = 229 };

static uint16_t link_type_of(uint8_t type)
{
    switch (type) {
    case ERF_ETH:
    case ERF_COLOR_ETH:
    case ERF_DSM_COLOR_ETH:
    case ERF_COLOR_HASH_ETH: return LINKTYPE_ETHERNET;
    case ERF_IPV4: return LINKTYPE_IPV4;
    case ERF_IPV6: return LINKTYPE_IPV6;
    default: return LINKTYPE_ERF;
    }
}

static int64_t time_of(uint64_t timestamp)
{
    uint64_t fraction = ((timestamp & UINT32_MAX) * (uint64_t)NS_PER_S + (UINT64_C(1) << 31)) >> 32;
    return (int64_t)(timestamp >> 32) * NS_PER_S + (int64_t)fraction;
}

static void fill_frame(struct frame *ret, const uint8_t *bytes, const struct erf_record *record)
{
    ret->link_type = link_type_of(record->type);
    ret->time_ns = time_of(record->timestamp);
    if (ret->link_type == LINKTYPE_ERF) {
        ret->bytes = bytes;
        ret->captured_bytes = record->record_bytes;
        ret->wire_bytes = record->header_bytes + record->wire_bytes;
    } else {
        ret->bytes = bytes + record->header_bytes;
        ret->captured_bytes = record->record_bytes - record->header_bytes;
        ret->wire_bytes = record->wire_bytes;
        /* records are padded to 8 bytes: what is beyond the frame is not part of it */
        if (ret->captured_bytes > ret->wire_bytes && ret->captured_bytes - ret->wire_bytes < 8)
            ret->captured_bytes = ret->wire_bytes;
    }
    if (ret->wire_bytes < ret->captured_bytes)
        ret->wire_bytes = ret->captured_bytes;
}

static enum source_status erf_file_next(struct reader *r, struct frame *ret)
{
    for (;;) {
        const uint8_t *head;
        /* more than the longest chain of extension headers that makes sense; fewer at the end */
        size_t len = unpack_peek(r->bytes, ERF_HEADER_BYTES + 128, &head);
        if (len == 0 && !unpack_problem(r->bytes))
            return SOURCE_END;
        if (len < ERF_HEADER_BYTES)
            return reader_fail_cut(r, true);
        struct erf_record record;
        enum parse_status parsed = erf_record_parse(cur_make(head, len, len < ERF_HEADER_BYTES + 128), &record);
        if (parsed == PARSE_TRUNCATED)
            return reader_fail_cut(r, true);
        if (parsed != PARSE_OK)
            return reader_fail_damaged(r, "the headers of the next record do not fit into it");
        const uint8_t *bytes = unpack_need(r->bytes, record.record_bytes);
        if (!bytes)
            return reader_fail_cut(r, true);
        (void)unpack_skip(r->bytes, record.record_bytes);
        if (record.type == ERF_PAD)
            continue;
        ret->number = ++r->number;
        fill_frame(ret, bytes, &record);
        return SOURCE_FRAME;
    }
}

static void erf_file_free(struct reader *r)
{
    free(r);
}

static const struct reader_ops ops = {.next = erf_file_next, .free = erf_file_free, .frames_stay = true};

struct reader *erf_file_open(struct unpack *bytes, struct error *error)
{
    struct reader *r = calloc(1, sizeof *r);
    if (!r) {
        (void)error_set(error, ERR_MEMORY, "%s: out of memory", unpack_name(bytes));
        return NULL;
    }
    r->ops = &ops;
    r->bytes = bytes;
    return r;
}
