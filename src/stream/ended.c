#include "stream/ended.h"

#include <stdlib.h>
#include <string.h>

#include "stream/ended_bytes.h"
#include "stream/ended_plain.h"
#include "stream/flow.h"

/*
 * An entry: the head as it is, then what every record has, then words, which are read only
 * where somebody asks for them.
 */
enum { CODEC_INLINE = ENDED_CODECS_MAX + 1, NAME_MAX_BYTES = 1024 };

/* --- words -------------------------------------------------------------------------------------------------------- */

/* Codecs are few, unless somebody invents them: then theirs stand in the entry. */
static size_t codec_number(struct ended *e, const char *codec)
{
    if (codec[0] == '\0')
        return 0;
    for (size_t i = 0; i < e->codec_count; i++)
        if (strcmp(e->codecs[i], codec) == 0)
            return i + 1;
    if (e->codec_count == ENDED_CODECS_MAX || strlen(codec) >= ENDED_CODEC_BYTES)
        return CODEC_INLINE;
    memcpy(e->codecs[e->codec_count], codec, strlen(codec) + 1);
    return ++e->codec_count;
}

static const char *const repair_names[] = {"", "rtx", "fec"};
enum { REPAIR_NAMES = sizeof repair_names / sizeof *repair_names };

static void put_terminated(struct writer *w, const char *text)
{
    size_t len = strlen(text);
    len = len < NAME_MAX_BYTES ? len : NAME_MAX_BYTES;
    put(w, text, len);
    put_byte(w, 0);
}

static void put_words(struct ended *e, struct writer *w, const struct record *r)
{
    uint8_t repairs = REPAIR_NAMES - 1, text[ENDED_TEXT_MAX];
    while (repairs && strcmp(repair_names[repairs], r->repairs) != 0)
        repairs--;
    size_t codec = codec_number(e, r->codec);
    put(w, text, ended_text_write(e, r->evidence, text));
    put_number(w, codec);
    if (codec == CODEC_INLINE)
        put_terminated(w, r->codec);
    put_byte(w, repairs);
    put_terminated(w, r->server_name);
}

static const char *get_terminated(struct reader *from)
{
    const char *text = (const char *)from->at;
    from->at += strlen(text) + 1;
    return text;
}

static void get_words(const struct ended *e, struct reader *from, struct record_scratch *to)
{
    struct record *r = &to->record;
    from->at += ended_text_read(e, from->at, to->evidence, sizeof to->evidence);
    r->evidence = to->evidence;
    uint64_t codec = get_number(from);
    r->codec = codec == CODEC_INLINE ? get_terminated(from) : codec ? e->codecs[codec - 1] : "";
    r->repairs = repair_names[get_byte(from)];
    r->server_name = get_terminated(from);
}

/* --- an entry ----------------------------------------------------------------------------------------------------- */

static uint8_t unknown_number(struct ended *e, const struct record *r)
{
    if (r->confidence != CONFIDENCE_NONE)
        return 0;
    for (size_t i = 0; i < e->unknown_count; i++)
        if (strcmp(e->unknown[i], r->unknown_reason) == 0)
            return (uint8_t)(i + 1);
    if (e->unknown_count == ENDED_UNKNOWN_MAX)
        return UNKNOWN_OTHER;
    memcpy(e->unknown[e->unknown_count], r->unknown_reason, strlen(r->unknown_reason) + 1);
    return (uint8_t)++e->unknown_count;
}

/* Where what every record has begins. */
static size_t plain_at(const struct ended_head *head)
{
    return sizeof *head + (head->flags & ENDED_CNAME ? sizeof(uint64_t) : 0);
}

bool ended_add(struct ended *e, const struct ended_head *given, const struct record *r, uint64_t cname)
{
    struct writer w;
    w.n = plain_at(given);
    struct ended_head head = *given;
    head.kind = (uint8_t)r->kind;
    head.confidence = (uint8_t)r->confidence;
    head.unknown = unknown_number(e, r);
    if (head.flags & ENDED_CNAME)
        memcpy(w.bytes + sizeof head, &cname, sizeof cname);
    ended_plain_put(&w, r);
    head.words = (uint16_t)w.n;
    memcpy(w.bytes, &head, sizeof head);
    put_words(e, &w, r);
    return tape_add(&e->tape, w.bytes, w.n);
}

void ended_head_read(const struct ended *e, uint64_t place, struct ended_head *ret)
{
    size_t len;
    memcpy(ret, tape_at(&e->tape, place, &len), sizeof *ret);
}

void ended_head_session(struct ended *e, uint64_t place, uint32_t session)
{
    size_t len;
    memcpy(tape_at(&e->tape, place, &len) + offsetof(struct ended_head, session), &session, sizeof session);
}

void ended_read(const struct ended *e, uint64_t place, unsigned parts, struct record_scratch *to)
{
    struct ended_head head;
    size_t len;
    const uint8_t *at = tape_at(&e->tape, place, &len);
    memcpy(&head, at, sizeof head);
    struct record *r = &to->record;
    *r = (struct record){.kind = (enum kind)head.kind,
                         .confidence = (enum confidence)head.confidence,
                         .evidence = "",
                         .unknown_reason = "",
                         .codec = "",
                         .repairs = "",
                         .server_name = "",
                         .reason = ""};
    ended_plain_get(&(struct reader){at + plain_at(&head)}, &head, to);
    if (head.unknown && head.unknown != UNKNOWN_OTHER)
        r->unknown_reason = e->unknown[head.unknown - 1];
    if (!(parts & RECORD_WORDS) && !((parts & RECORD_REASON) && head.unknown == UNKNOWN_OTHER))
        return;
    get_words(e, &(struct reader){at + head.words}, to);
    if (head.unknown == UNKNOWN_OTHER)
        r->unknown_reason = to->evidence;
}

void ended_name(const struct ended *e, uint64_t place, struct ended_name *ret)
{
    struct ended_head head;
    struct record ends;
    size_t len;
    const uint8_t *at = tape_at(&e->tape, place, &len);
    memcpy(&head, at, sizeof head);
    memcpy(&ret->cname, at + sizeof head, sizeof ret->cname);
    ended_plain_get_ends(&(struct reader){at + plain_at(&head)}, &ends);
    bool side = head.flags & ENDED_SIDE;
    ret->hosts[side] = ends.src.addr;
    ret->hosts[!side] = ends.dst.addr;
}

size_t ended_whole(const struct ended *e, size_t n)
{
    struct ended_head head;
    uint64_t place;
    uint32_t group = 0;
    size_t i = 0;
    for (bool more = n && tape_first(&e->tape, &place); more; more = tape_next(&e->tape, &place), i++) {
        ended_head_read(e, place, &head);
        if (i >= n && head.group != group)
            break;
        group = head.group;
    }
    return i;
}

void ended_done(struct ended *e)
{
    tape_done(&e->tape);
    ended_text_done(e);
}

size_t ended_bytes(const struct ended *e)
{
    return tape_bytes(&e->tape) + ended_text_bytes(e);
}
