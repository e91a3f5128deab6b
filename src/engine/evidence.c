#include "engine/evidence.h"

#include <stdlib.h>
#include <string.h>

#include "anonymize/anonymize.h"
#include "base/clock.h"
#include "engine/evidence_comment.h"
#include "engine/evidence_files.h"
#include "engine/evidence_right.h"
#include "policy/marks.h"
#include "stream/table.h"

enum {
    DEFAULT_FILES = 4,
    ALIGN_BYTES = 8,
    FRAGMENT_SHARE = 16, /* of the buffer, for fragments whose datagram is not whole yet */
};
#define DEFAULT_MAX_BYTES    (64ULL << 20)
#define DEFAULT_BUFFER_BYTES ((size_t)64 << 20)
#define DEFAULT_KEEP_NS      (5 * NS_PER_S)

/* A frame that waits, and its bytes behind it. Addresses and ports are those of the packet, to know its stream by. */
struct waiting {
    struct frame frame; /* `bytes` is not used */
    struct endpoint src, dst;
    uint32_t token;
    uint32_t size; /* of this and the bytes, aligned */
    dscp_t dscp;
    uint8_t proto;
};

/* Frames one behind the other. */
struct queue {
    uint8_t *at;
    size_t used, size;
};

struct evidence {
    struct evidence_options options;
    struct evidence_files files;
    struct queue packets, fragments;
    struct evidence_right right;
    struct evidence_lost lost;
    struct evidence_comments *comments;
    struct record_scratch scratch;
    int64_t newest_ns; /* time of the newest frame */
    struct evidence_stats stats;
    struct error problem; /* why it failed */
};

static size_t aligned(size_t n)
{
    return (n + ALIGN_BYTES - 1) & ~(size_t)(ALIGN_BYTES - 1);
}

/* Grows up to `most`: what is never needed is never taken. */
static bool queue_room(struct queue *q, size_t n, size_t most)
{
    size_t size = q->size ? q->size : (size_t)64 * 1024;
    while (size < q->used + n && size < most)
        size *= 2;
    size = size < most ? size : most;
    if (q->used + n > size)
        return false;
    if (size == q->size)
        return true;
    uint8_t *at = realloc(q->at, size);
    if (!at)
        return false;
    q->at = at;
    q->size = size;
    return true;
}

static bool queue_add(struct queue *q, const struct waiting *head, const uint8_t *bytes, size_t most)
{
    struct waiting w = *head;
    size_t size = aligned(sizeof w + w.frame.captured_bytes);
    if (size > UINT32_MAX || !queue_room(q, size, most))
        return false;
    w.size = (uint32_t)size;
    memcpy(q->at + q->used, &w, sizeof w);
    if (w.frame.captured_bytes)
        memcpy(q->at + q->used + sizeof w, bytes, w.frame.captured_bytes);
    q->used += size;
    return true;
}

static struct waiting queue_get(const struct queue *q, size_t at)
{
    struct waiting w;
    memcpy(&w, q->at + at, sizeof w);
    w.frame.bytes = q->at + at + sizeof w;
    return w;
}

/* ---- opening and closing ---- */

int evidence_open(const struct evidence_options *options, struct evidence **ret, struct error *error)
{
    struct evidence *e = calloc(1, sizeof *e);
    int r = e ? 0 : ERR_MEMORY;
    if (!e)
        return error_set(error, r, "out of memory");
    e->options = *options;
    if (!e->options.buffer_bytes)
        e->options.buffer_bytes = DEFAULT_BUFFER_BYTES;
    if (!e->options.keep_ns)
        e->options.keep_ns = DEFAULT_KEEP_NS;
    e->comments = calloc(1, sizeof *e->comments);
    e->files = (struct evidence_files){.max_bytes = options->max_bytes ? options->max_bytes : DEFAULT_MAX_BYTES,
                                       .files = options->files ? options->files : DEFAULT_FILES,
                                       .names = options->points,
                                       .name_count = options->point_count,
                                       .anonymizer = options->anonymizer};
    r = evidence_files_open(&e->files, options->path, error);
    if (r == 0 && !e->comments)
        r = ERR_MEMORY;
    if (r < 0) {
        if (r == ERR_MEMORY)
            (void)error_set(error, r, "out of memory");
        evidence_close(e);
        return r;
    }
    *ret = e;
    return 0;
}

void evidence_close(struct evidence *e)
{
    if (!e)
        return;
    evidence_files_done(&e->files);
    evidence_right_done(&e->right);
    evidence_lost_done(&e->lost);
    if (e->comments)
        evidence_comments_done(e->comments);
    record_scratch_done(&e->scratch);
    free(e->comments);
    free(e->packets.at);
    free(e->fragments.at);
    free(e);
}

/* ---- frames ---- */

static void keep(struct evidence *e, const struct waiting *w, const uint8_t *bytes)
{
    if (!queue_add(&e->packets, w, bytes, e->options.buffer_bytes))
        evidence_lost_add(&e->lost, w->token, w->dscp);
}

static struct waiting waiting_of(const struct packet *p, uint32_t token, tos_t tos)
{
    return (struct waiting){.src = p->src, .dst = p->dst, .token = token, .dscp = tos_dscp(tos), .proto = p->proto};
}

void evidence_frame(struct evidence *e, const struct frame *frame, const struct packet *packet, uint32_t token)
{
    e->newest_ns = frame->time_ns > e->newest_ns ? frame->time_ns : e->newest_ns;
    if (token == STREAM_TOKEN_NONE || e->stats.failed ||
        evidence_right_has(&e->right, token, tos_dscp(packet->tos), frame->time_ns))
        return;
    struct waiting w = waiting_of(packet, token, packet->tos);
    w.frame = *frame;
    keep(e, &w, frame->bytes);
}

void evidence_fragment(struct evidence *e, const struct frame *frame)
{
    struct waiting w = {.frame = *frame, .token = STREAM_TOKEN_NONE};
    e->newest_ns = frame->time_ns > e->newest_ns ? frame->time_ns : e->newest_ns;
    if (!e->stats.failed)
        (void)queue_add(&e->fragments, &w, frame->bytes, e->options.buffer_bytes / FRAGMENT_SHARE);
}

static bool find_fragment(const struct evidence *e, const struct packet_part *part, struct waiting *ret)
{
    for (size_t at = 0; at < e->fragments.used; at += ret->size) {
        *ret = queue_get(&e->fragments, at);
        if (ret->frame.number == part->frame && ret->frame.input == part->input)
            return true;
    }
    return false;
}

void evidence_datagram(struct evidence *e, const struct packet *packet, uint32_t token)
{
    if (token == STREAM_TOKEN_NONE || e->stats.failed)
        return;
    for (uint32_t i = 0; i < packet->part_count; i++) {
        const struct packet_part *part = &packet->parts[i];
        struct waiting found;
        if (evidence_right_has(&e->right, token, tos_dscp(part->tos), part->time_ns))
            continue;
        struct waiting w = waiting_of(packet, token, part->tos);
        if (find_fragment(e, part, &found)) {
            w.frame = found.frame;
            keep(e, &w, found.frame.bytes);
        } else {
            evidence_lost_add(&e->lost, token, w.dscp);
        }
    }
}

/* ---- looks ---- */

/* Another stream may have taken the number of one that ended. */
static bool is_of(const struct waiting *w, const struct record *r)
{
    return r->proto == w->proto && addr_equal(&r->src.addr, &w->src.addr) && addr_equal(&r->dst.addr, &w->dst.addr) &&
           r->src.port == w->src.port && r->dst.port == w->dst.port;
}

enum fate { FATE_RIGHT, FATE_WRONG, FATE_WAITS };

struct look {
    struct evidence *e;
    const struct stream_table *table;
    const struct document *document;
};

static enum fate fate_of(const struct look *l, const struct waiting *w, size_t *ret_record)
{
    struct evidence *e = l->e;
    size_t i = stream_table_record(l->table, l->document, w->token);
    *ret_record = i;
    if (i >= l->document->record_count)
        return FATE_WAITS;
    const struct record *r = document_record(l->document, i, RECORD_PLAIN, &e->scratch);
    /* the record of an anonymous document has other addresses */
    struct waiting mapped = *w;
    if (e->options.anonymizer) {
        mapped.src.addr = anonymize_addr(e->options.anonymizer, &w->src.addr);
        mapped.dst.addr = anonymize_addr(e->options.anonymizer, &w->dst.addr);
    }
    if (!is_of(&mapped, r))
        return FATE_RIGHT;
    evidence_right_set(&e->right, w->token, r, l->document->priority, e->newest_ns, e->options.keep_ns);
    if (r->verdict == VERDICT_VIOLATING && dscp_set_has(marks_wrong(r, l->document->priority), w->dscp))
        return FATE_WRONG;
    return evidence_is_open(r, e->options.keep_ns) ? FATE_WAITS : FATE_RIGHT;
}

static int take_waiting(struct look *l, const struct waiting *w, bool *ret_stays, struct error *error)
{
    struct evidence *e = l->e;
    size_t record;
    enum fate fate = fate_of(l, w, &record);
    *ret_stays = fate == FATE_WAITS && e->newest_ns - w->frame.time_ns <= e->options.keep_ns;
    if (fate != FATE_WRONG)
        return 0;
    const char *comment = evidence_comment(e->comments, record, w->dscp, &w->frame);
    int r = evidence_files_add(&e->files, &w->frame, document_kind(l->document, record), comment, error);
    e->stats.written += r == 0;
    return r;
}

/* Of those for which there was no room: how many were wrong. */
static void take_lost(struct look *l)
{
    struct evidence *e = l->e;
    for (size_t i = 0; i < e->lost.count; i++) {
        const struct evidence_lost_one *one = &e->lost.all[i];
        size_t record = stream_table_record(l->table, l->document, one->token);
        if (record < l->document->record_count &&
            dscp_set_has(evidence_wrong_marks(l->document, record, &e->scratch), one->dscp))
            e->stats.not_kept += one->frames;
    }
    e->stats.not_known += e->lost.beyond;
    evidence_lost_clear(&e->lost);
}

/* Fragments wait for the rest of their datagram no longer than the decoder does. */
static void forget_fragments(struct evidence *e)
{
    size_t to = 0, size;
    for (size_t at = 0; at < e->fragments.used; at += size) {
        struct waiting w = queue_get(&e->fragments, at);
        size = w.size;
        if (e->newest_ns - w.frame.time_ns > e->options.keep_ns)
            continue;
        memmove(e->fragments.at + to, e->fragments.at + at, size);
        to += size;
    }
    e->fragments.used = to;
}

int evidence_look(struct evidence *e, const struct stream_table *table, const struct document *document,
                  struct error *error)
{
    struct look l = {e, table, document};
    size_t to = 0, size;
    int r = 0;
    if (e->stats.failed)
        return 0;
    e->comments->document = document;
    for (size_t at = 0; at < e->packets.used && r == 0; at += size) {
        struct waiting w = queue_get(&e->packets, at);
        bool stays = false;
        size = w.size;
        r = take_waiting(&l, &w, &stays, &e->problem);
        if (!stays)
            continue;
        memmove(e->packets.at + to, e->packets.at + at, size);
        to += size;
    }
    e->packets.used = to;
    evidence_comments_forget(e->comments);
    take_lost(&l);
    forget_fragments(e);
    if (r == 0)
        r = evidence_files_flush(&e->files, &e->problem);
    if (r == 0)
        return 0;
    e->stats.failed = true;
    e->stats.written -= e->files.frames - e->files.whole_frames;
    if (!e->problem.text[0])
        (void)error_set(&e->problem, r, "%s", error_name(r));
    return error_set(error, r, "%s", e->problem.text);
}

const struct error *evidence_problem(const struct evidence *e)
{
    return &e->problem;
}

struct evidence_stats evidence_stats(const struct evidence *e)
{
    struct evidence_stats s = e->stats;
    s.bytes = e->files.total_bytes;
    s.rotated = e->files.rotated;
    s.removed = e->files.removed;
    return s;
}
