/*
 * Every prefix of every packet: cut short, a packet must never show another mark, nor be accused of what it is not
 * accused of when whole.
 *
 *     cut_packets [--all] CAPTURE...
 *
 * Each capture is judged by the policy beside it (NAME.policy.yaml), or by the built-in one. Each piece lies in a block
 * of its own of exactly its size, so that AddressSanitizer sees a byte read too many. Of each frame that is tried, every
 * length is tried twice: as a capture that was cut (the wire says more) and as a frame that was so short on the wire.
 * Then whole captures are cut at each of many snapshot lengths. Without --all one frame of each shape is tried, and of
 * long frames not each length.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "capture/source.h"
#include "decode/decoder.h"
#include "engine/audit_feed.h"
#include "engine/audit.h"
#include "model/document.h"
#include "policy/policy.h"

enum {
    SHAPES_MAX = 4096,
    EACH_BELOW = 160, /* lengths that are all tried */
    STEP = 13,        /* and beyond, without --all */
    SNAP_FIRST = 14,
    SNAP_LAST = 130,
    SNAP_STEP = 4,
    SAID_MOST = 20,
};

static const struct hash_key key = {0x0123456789abcdef, 0xfedcba9876543210};
static bool all;
static unsigned long faults, frames_tried, pieces, audits;

/* ---- frames of a capture, kept ---- */

struct kept {
    struct frame *frames;
    size_t count, cap;
};

static void *must(void *at)
{
    if (!at) {
        (void)fprintf(stderr, "out of memory\n");
        exit(2);
    }
    return at;
}

static uint8_t *copy_bytes(const uint8_t *bytes, uint32_t n)
{
    uint8_t *at = must(malloc(n ? n : 1));
    if (n)
        memcpy(at, bytes, n);
    return at;
}

static bool keep(const char *path, struct kept *to)
{
    struct error error = {0};
    struct source *s = source_open_file(path, &error);
    struct frame f;
    if (!s) {
        (void)printf("%s: %s\n", path, error.text);
        return false;
    }
    while (source_next(s, &f) == SOURCE_FRAME) {
        if (to->count == to->cap) {
            to->cap = to->cap ? to->cap * 2 : 256;
            to->frames = must(realloc(to->frames, to->cap * sizeof *to->frames));
        }
        f.bytes = copy_bytes(f.bytes, f.captured_bytes);
        f.input = 0;
        to->frames[to->count++] = f;
    }
    source_free(s);
    return true;
}

static void drop(struct kept *k)
{
    for (size_t i = 0; i < k->count; i++)
        free((void *)(uintptr_t)k->frames[i].bytes);
    free(k->frames);
    *k = (struct kept){0};
}

/* ---- audits ---- */

static struct audit_feed *feed_open(const struct policy *policy)
{
    struct audit_options options = {.policy = policy, .key = key};
    struct audit_feed *feed = NULL;
    struct error error = {0};
    if (audit_feed_open(&options, "cut", &feed, &error) < 0)
        must(NULL);
    audits++;
    return feed;
}

static struct document *feed_close(struct audit_feed *feed)
{
    struct document *d = NULL;
    struct error error = {0};
    if (audit_feed_finish(feed, &d, &error) < 0)
        must(NULL);
    audit_feed_free(feed);
    return d;
}

/* The first `n` bytes of a frame, in a block of that size. */
static void feed_piece(struct audit_feed *feed, const struct frame *whole, uint32_t n, bool short_on_wire, int64_t time_ns)
{
    struct frame f = *whole;
    struct error error = {0};
    uint8_t *bytes = malloc(n); /* of no byte: a block that must not be read at all */
    if (n)
        memcpy(must(bytes), whole->bytes, n);
    f.bytes = bytes;
    f.captured_bytes = n;
    f.wire_bytes = short_on_wire ? n : whole->wire_bytes;
    f.time_ns = time_ns;
    if (audit_feed_frame(feed, &f, &error) < 0)
        must(NULL);
    pieces++;
    free(bytes);
}

static void say(const char *path, uint64_t frame, const char *what, const struct record *r)
{
    char src[ADDR_TEXT_MAX], dst[ADDR_TEXT_MAX];
    if (++faults > SAID_MOST)
        return;
    (void)printf("%s, frame %llu: %s", path, (unsigned long long)frame, what);
    if (r) {
        addr_format(&r->src.addr, src);
        addr_format(&r->dst.addr, dst);
        (void)printf(": %s port %u to %s port %u, %s, %s, marks", src, r->src.port, dst, r->dst.port, kind_name(r->kind),
                     class_name(r->traffic_class));
        for (size_t i = 0; i < r->mark_count; i++)
            (void)printf(" %u", r->marks[i].dscp);
    }
    (void)printf("\n");
}

/* ---- one frame ---- */

static dscp_set_t marks_of(const struct packet *p)
{
    dscp_set_t marks = dscp_set_of(tos_dscp(p->tos));
    for (uint8_t i = 0; i < p->layer_count; i++)
        marks |= dscp_set_of(tos_dscp(p->layer_tos[i]));
    return marks;
}

/* What the decoder says of each prefix. The marks of the whole one are returned; 0 where it shows none. */
static dscp_set_t decode_prefixes(const char *path, const struct frame *f)
{
    struct decoder_options options = {.key = &key};
    struct decoder *d = must(decoder_new(&options));
    struct packet whole, part;
    dscp_set_t marks = 0;
    if (decoder_frame(d, f, &whole) == DECODE_PACKET && whole.part_count == 0)
        marks = marks_of(&whole);
    decoder_free(d);
    for (uint32_t n = 0; n <= f->captured_bytes && marks; n++) {
        for (int short_on_wire = 0; short_on_wire < 2; short_on_wire++) {
            struct frame cut = *f;
            uint8_t *bytes = malloc(n);
            if (n)
                memcpy(must(bytes), f->bytes, n);
            cut.bytes = bytes;
            cut.captured_bytes = n;
            cut.wire_bytes = short_on_wire ? n : f->wire_bytes;
            d = must(decoder_new(&options));
            pieces++;
            if (decoder_frame(d, &cut, &part) == DECODE_PACKET) {
                if (marks_of(&part) & ~marks)
                    say(path, f->number, "a prefix shows a mark that the whole one has not", NULL);
                else if (part.layer_count == whole.layer_count &&
                         (part.tos != whole.tos || !addr_equal(&part.src.addr, &whole.src.addr) ||
                          !addr_equal(&part.dst.addr, &whole.dst.addr)))
                    say(path, f->number, "a prefix is another packet than the whole one", NULL);
            }
            decoder_free(d);
            free(bytes);
        }
        if (!all && n >= EACH_BELOW)
            n += STEP - 1;
    }
    return marks;
}

static size_t count_violating(const struct document *d)
{
    size_t n = 0;
    for (size_t i = 0; i < d->record_count; i++)
        n += document_verdict(d, i) == VERDICT_VIOLATING;
    return n;
}

static void try_frame(const char *path, const struct policy *policy, const struct frame *f)
{
    struct audit_feed *cut = feed_open(policy), *whole = feed_open(policy);
    struct record_scratch scratch = {0};
    int64_t now_ns = f->time_ns;
    dscp_set_t marks = decode_prefixes(path, f);
    frames_tried++;
    for (uint32_t n = 0; n <= f->captured_bytes; n++) {
        for (int short_on_wire = 0; short_on_wire < 2; short_on_wire++, now_ns += 20 * NS_PER_MS) {
            feed_piece(cut, f, n, short_on_wire, now_ns);
            feed_piece(whole, f, f->captured_bytes, false, now_ns);
        }
        if (!all && n >= EACH_BELOW)
            n += STEP - 1;
    }
    struct document *c = feed_close(cut), *w = feed_close(whole);
    bool may_accuse = count_violating(w) > 0;
    for (size_t i = 0; i < c->record_count; i++) {
        const struct record *r = document_record(c, i, RECORD_PLAIN, &scratch);
        dscp_set_t seen = 0;
        for (size_t m = 0; m < r->mark_count; m++)
            seen |= dscp_set_of(r->marks[m].dscp);
        if (marks && seen & ~marks)
            say(path, f->number, "pieces of it make a stream with a mark that the whole one has not", r);
        else if (document_verdict(c, i) == VERDICT_VIOLATING && !may_accuse)
            say(path, f->number, "pieces of it are accused, and it is not", r);
    }
    record_scratch_done(&scratch);
    document_free(c);
    document_free(w);
}

/* What a frame's way through the decoders depends on, as a number. */
static uint64_t shape_of(const struct frame *f)
{
    struct decoder_options options = {.key = &key};
    struct decoder *d = must(decoder_new(&options));
    struct packet p;
    uint64_t words[6] = {f->link_type, (uint64_t)decoder_frame(d, f, &p)};
    if (words[1] == DECODE_PACKET) {
        uint16_t low = p.src.port < p.dst.port ? p.src.port : p.dst.port;
        words[2] = (uint64_t)p.layer_count << 16 | (uint64_t)p.layer_version[p.layer_count - 1] << 8 | p.proto;
        words[3] = low < 10000 ? low : 10000;
        words[4] = p.payload_bytes > 1 ? (uint64_t)p.payload[0] << 8 | (p.payload[1] & 0x7f) : p.payload_bytes;
        words[5] = (uint64_t)p.has_vlan << 1 | p.has_mpls;
    }
    decoder_free(d);
    return hash_words(&key, words, sizeof words / sizeof words[0]);
}

static bool is_new_shape(const struct frame *f)
{
    static uint64_t seen[SHAPES_MAX];
    static size_t count;
    uint64_t shape = shape_of(f);
    for (size_t i = 0; i < count; i++)
        if (seen[i] == shape)
            return false;
    if (count < SHAPES_MAX)
        seen[count++] = shape;
    return true;
}

/* ---- a whole capture, cut ---- */

static struct document *cut_capture(const struct kept *k, const struct policy *policy, uint32_t snap)
{
    struct audit_feed *feed = feed_open(policy);
    for (size_t i = 0; i < k->count; i++) {
        const struct frame *f = &k->frames[i];
        feed_piece(feed, f, f->captured_bytes < snap ? f->captured_bytes : snap, false, f->time_ns);
    }
    return feed_close(feed);
}

static bool same_ends(const struct record *a, const struct record *b, bool ports)
{
    return addr_equal(&a->src.addr, &b->src.addr) && addr_equal(&a->dst.addr, &b->dst.addr) &&
           (!ports || (a->proto == b->proto && a->src.port == b->src.port && a->dst.port == b->dst.port));
}

/* The marks that the whole capture shows between the same ends, and whether it accuses one of its streams. */
static dscp_set_t marks_between(const struct document *whole, const struct record *r, bool ports, bool *ret_accused)
{
    struct record_scratch scratch = {0};
    dscp_set_t marks = 0;
    *ret_accused = false;
    for (size_t i = 0; i < whole->record_count; i++) {
        const struct record *w = document_record(whole, i, RECORD_PLAIN, &scratch);
        if (!same_ends(w, r, ports))
            continue;
        for (size_t m = 0; m < w->mark_count; m++)
            marks |= dscp_set_of(w->marks[m].dscp);
        for (size_t m = 0; m < w->outer_count; m++)
            marks |= dscp_set_of(w->outer[m].dscp);
        *ret_accused = *ret_accused || document_verdict(whole, i) == VERDICT_VIOLATING;
    }
    record_scratch_done(&scratch);
    return marks;
}

static void compare(const char *path, const struct document *whole, const struct document *cut, uint32_t snap)
{
    struct record_scratch scratch = {0};
    char what[80];
    for (size_t i = 0; i < cut->record_count; i++) {
        const struct record *r = document_record(cut, i, RECORD_PLAIN, &scratch);
        bool accused;
        dscp_set_t seen = 0, there = marks_between(whole, r, true, &accused);
        bool known = there != 0 && (r->src.port || r->dst.port);
        if (!known) /* cut before the ports, or before what a tunnel carries: the mark is that of the header outside */
            (void)marks_between(whole, r, false, &accused);
        for (size_t m = 0; m < r->mark_count; m++)
            seen |= dscp_set_of(r->marks[m].dscp);
        (void)snprintf(what, sizeof what, "cut at %u bytes, a stream %s", snap,
                       known && seen & ~there ? "has a mark that it has not when whole" : "is accused that is not when whole");
        if ((known && seen & ~there) || (document_verdict(cut, i) == VERDICT_VIOLATING && !accused))
            say(path, r->first.frame, what, r);
    }
    record_scratch_done(&scratch);
}

static void try_snapshots(const char *path, const struct kept *k, const struct policy *policy)
{
    struct document *whole = cut_capture(k, policy, UINT32_MAX);
    for (uint32_t snap = all ? 0 : SNAP_FIRST; snap <= (all ? 400 : SNAP_LAST); snap += all ? 1 : SNAP_STEP) {
        struct document *cut = cut_capture(k, policy, snap);
        compare(path, whole, cut, snap);
        document_free(cut);
    }
    document_free(whole);
}

static struct policy *policy_beside(const char *path)
{
    char name[4096];
    struct error error = {0};
    size_t n = strlen(path);
    const char *dot = strrchr(path, '.');
    (void)snprintf(name, sizeof name, "%.*s.policy.yaml", (int)(dot ? (size_t)(dot - path) : n), path);
    struct policy *p = policy_load(name, &error);
    return p ? p : must(policy_new_default(&error));
}

int main(int argc, char **argv)
{
    int first = 1;
    if (argc > 1 && strcmp(argv[1], "--all") == 0) {
        all = true;
        first = 2;
    }
    for (int i = first; i < argc; i++) {
        struct kept k = {0};
        struct policy *policy = policy_beside(argv[i]);
        if (keep(argv[i], &k)) {
            for (size_t n = 0; n < k.count; n++)
                if (all || is_new_shape(&k.frames[n]))
                    try_frame(argv[i], policy, &k.frames[n]);
            try_snapshots(argv[i], &k, policy);
        }
        drop(&k);
        policy_free(policy);
    }
    (void)printf("%d captures, %lu frames cut at every length, %lu audits, %lu pieces: %lu at fault\n", argc - first, frames_tried, audits,
                 pieces, faults);
    return faults != 0;
}
