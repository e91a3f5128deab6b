#include "classify/dns.h"

enum { NAME_BYTES_MAX = 255, LABEL_BYTES_MAX = 63, RECORD_BYTES_MIN = 11, QUESTION_BYTES_MIN = 5 };

/* A name in a question is never compressed. Labels are what resolvers accept: bytes that print, and "_". */
static bool name_parse(struct cursor *c, size_t *ret_labels)
{
    size_t bytes = 0, labels = 0;
    for (;;) {
        uint8_t length = cur_u8(c);
        bytes += 1u + length;
        if (c->failed || length > LABEL_BYTES_MAX || bytes > NAME_BYTES_MAX)
            return false;
        if (length == 0)
            break;
        struct cursor label = cur_child(c, length);
        while (cur_left(&label)) {
            uint8_t ch = cur_u8(&label);
            if (ch <= ' ' || ch == 0x7f)
                return false;
        }
        if (c->failed)
            return false;
        labels++;
    }
    *ret_labels = labels;
    return true;
}

/* Types in use: those of RFC 1035 and the registry up to its last block, the meta types, URI, CAA, DLV and WINS. */
static bool type_known(uint16_t type)
{
    return (type >= 1 && type <= 65) || (type >= 99 && type <= 109) || (type >= 249 && type <= 261) || type == 32768 ||
           type == 32769 || type == 65281 || type == 65282;
}

static bool class_known(uint16_t value)
{
    uint16_t class = value & 0x7fff; /* the top bit is mDNS's wish for a unicast answer (RFC 6762 §5.4) */
    return class == 1 || class == 3 || class == 4 || class == 254 || class == 255;
}

enum parse_status dns_parse(struct cursor c, struct dns_message *ret)
{
    cur_skip(&c, 2);
    uint16_t flags = cur_u16(&c), questions = cur_u16(&c);
    unsigned answers = cur_u16(&c), authorities = cur_u16(&c), additional = cur_u16(&c);
    if (cur_status(&c) != PARSE_OK)
        return PARSE_TRUNCATED;
    unsigned opcode = flags >> 11 & 15, code = flags & 15;
    struct dns_message m = {.response = flags >> 15};
    if (opcode > 6 || opcode == 3 || (flags & 0x40) || questions > 32)
        return PARSE_UNSUPPORTED;
    if (!m.response && opcode == 0 && (code != 0 || (questions == 0 && answers == 0)))
        return PARSE_UNSUPPORTED;
    if (m.response && code > 11)
        return PARSE_UNSUPPORTED;
    size_t records = answers + authorities + additional;
    if (cur_left(&c) < questions * QUESTION_BYTES_MIN || records > 1000)
        return PARSE_UNSUPPORTED;
    if (questions == 0 && records == 0 && cur_left(&c))
        return PARSE_UNSUPPORTED;
    if (questions) {
        size_t labels;
        if (!name_parse(&c, &labels))
            return PARSE_UNSUPPORTED;
        uint16_t type = cur_u16(&c), class = cur_u16(&c);
        if (cur_status(&c) != PARSE_OK || !type_known(type) || !class_known(class))
            return PARSE_UNSUPPORTED;
        if (questions == 1 && records == 0 && cur_left(&c) >= RECORD_BYTES_MIN)
            return PARSE_UNSUPPORTED;
        m.has_question = true;
    }
    *ret = m;
    return PARSE_OK;
}
