/*
 * The table of streams, fed with a conference that a byte stream describes (traffic.h). Two tables get the same
 * packets: one packet by packet with looks in between, the other in batches without. In the end both know the same, and
 * each packet is counted once.
 */
#include "traffic.h"

enum { BATCH = 32 };

struct pair {
    struct stream_table *looked, *batched;
    struct packet batch[BATCH];
    uint8_t *payloads[BATCH];
    size_t waiting;
    uint64_t fed;
    size_t max_streams;
};

static void flush(struct pair *p)
{
    stream_table_packets(p->batched, p->batch, p->waiting);
    for (size_t i = 0; i < p->waiting; i++)
        free(p->payloads[i]);
    p->waiting = 0;
}

static void feed(struct pair *p, const struct packet *packet, uint8_t *payload)
{
    struct packet one = *packet;
    one.payload = payload;
    stream_table_packet(p->looked, &one);
    p->fed++;
    p->payloads[p->waiting] = payload;
    p->batch[p->waiting++] = one;
    if (p->waiting == BATCH)
        flush(p);
}

static void check_record(const struct record *r)
{
    uint64_t marked = 0, ecn = 0;
    for (uint32_t i = 0; i < r->mark_count; i++) {
        const struct record_mark *m = &r->marks[i];
        FUZZ_CHECK(m->dscp < DSCP_COUNT && m->packets > 0);
        marked += m->packets;
    }
    for (int i = 0; i < 4; i++)
        ecn += r->ecn[i];
    FUZZ_CHECK(r->packets > 0 && marked == r->packets && ecn == r->packets);
    FUZZ_CHECK(r->kind < KIND_COUNT && r->confidence <= CONFIDENCE_CERTAIN);
    FUZZ_CHECK(r->first.frame > 0);
    FUZZ_CHECK(r->copies_differ <= r->packets && r->payload_type_count <= sizeof r->payload_types);
    FUZZ_CHECK(kind_is_rtp(r->kind) || !r->rtp);
    FUZZ_CHECK(!r->rtp || r->rtp->lost <= r->rtp->expected);
    for (const char *at = r->evidence; *at; at++)
        FUZZ_CHECK((unsigned char)*at >= 0x20 && *at != 0x7f);
}

/* Each record by itself; returns the packets of all. */
static uint64_t check_document(const struct document *d)
{
    struct record_scratch scratch;
    uint64_t packets = 0;
    memset(&scratch, 0, sizeof scratch);
    for (size_t i = 0; i < d->record_count; i++) {
        const struct record *r = document_record(d, i, RECORD_ALL, &scratch);
        check_record(r);
        FUZZ_CHECK(r->call <= d->call_count);
        packets += r->packets;
    }
    FUZZ_CHECK(!scratch.failed);
    record_scratch_done(&scratch);
    return packets;
}

static void look(struct pair *p)
{
    struct document *d = document_new();
    FUZZ_CHECK(d);
    FUZZ_CHECK(stream_table_export(p->looked, d) == 0);
    uint64_t packets = check_document(d);
    document_free(d);
    FUZZ_CHECK(packets <= p->fed);
    FUZZ_CHECK(p->max_streams == 0 || stream_table_stats(p->looked).streams <= p->max_streams);
}

static void expire(struct pair *p, int64_t now_ns)
{
    flush(p);
    FUZZ_CHECK(stream_table_expire(p->looked, now_ns) == 0);
    FUZZ_CHECK(stream_table_expire(p->batched, now_ns) == 0);
}

static struct document *finish(struct stream_table *t, uint64_t fed)
{
    struct document *d = document_new();
    FUZZ_CHECK(d);
    stream_table_finish(t);
    FUZZ_CHECK(stream_table_export(t, d) == 0);
    FUZZ_CHECK(check_document(d) + stream_table_stats(t).untracked_packets == fed);
    FUZZ_CHECK(document_link_calls(d));
    return d;
}

static void check_same(const struct document *a, const struct document *b)
{
    struct record_scratch of_a, of_b;
    memset(&of_a, 0, sizeof of_a);
    memset(&of_b, 0, sizeof of_b);
    FUZZ_CHECK(a->record_count == b->record_count && a->call_count == b->call_count);
    for (size_t i = 0; i < a->record_count; i++) {
        const struct record *x = document_record(a, i, RECORD_ALL, &of_a);
        const struct record *y = document_record(b, i, RECORD_ALL, &of_b);
        FUZZ_CHECK(endpoint_equal(&x->src, &y->src) && endpoint_equal(&x->dst, &y->dst) && x->proto == y->proto);
        FUZZ_CHECK(x->kind == y->kind && x->confidence == y->confidence && x->ssrc == y->ssrc);
        FUZZ_CHECK(strcmp(x->evidence, y->evidence) == 0 && x->call == y->call);
        FUZZ_CHECK(x->packets == y->packets && x->bytes == y->bytes && x->mark_count == y->mark_count);
        for (uint32_t m = 0; m < x->mark_count; m++)
            FUZZ_CHECK(x->marks[m].dscp == y->marks[m].dscp && x->marks[m].packets == y->marks[m].packets);
    }
    record_scratch_done(&of_a);
    record_scratch_done(&of_b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor c = cur_make(data, size, false);
    uint8_t flags = cur_u8(&c);
    struct stream_options o = {.key = {1, 2},
                               .ignore_signalling = flags & 1,
                               .mask_payload_types = flags & 2,
                               .max_streams = flags & 4 ? 8 : 0,
                               .idle_ns = flags & 8 ? 1000 * MS : 0,
                               .by_input = flags & 16};
    struct pair p = {.looked = stream_table_new(&o), .batched = stream_table_new(&o), .max_streams = o.max_streams};
    struct traffic t = {.frame = 0};
    FUZZ_CHECK(p.looked && p.batched);
    for (int i = 0; i < STEPS_MAX && cur_left(&c); i++) {
        struct packet packet;
        uint8_t *payload = NULL;
        switch (traffic_next(&t, &c, &packet, &payload)) {
        case TRAFFIC_PACKET:
            feed(&p, &packet, payload);
            break;
        case TRAFFIC_LOOK:
            look(&p);
            break;
        case TRAFFIC_EXPIRE:
            expire(&p, t.time_ns);
            break;
        }
    }
    flush(&p);
    struct document *looked = finish(p.looked, p.fed), *batched = finish(p.batched, p.fed);
    check_same(looked, batched);
    document_free(looked);
    document_free(batched);
    stream_table_free(p.looked);
    stream_table_free(p.batched);
    return 0;
}
