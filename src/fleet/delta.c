#include "fleet/delta.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "report/report_json.h"
#include "report/view.h"

static const char SCHEMA[] = "qosmark.delta/1";

bool delta_site_is_good(const char *name)
{
    return delta_name_is_good(name) && !strchr(name, '/');
}

bool delta_name_is_good(const char *name)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_:/";
    size_t len = strlen(name);
    return len > 0 && len < DELTA_NAME_MAX && strspn(name, letters) == len;
}

void delta_id(const struct delta *d, char ret[static DELTA_ID_MAX])
{
    uint64_t start = (uint64_t)d->start_ns;
    if (d->type == DELTA_INTERVAL)
        (void)snprintf(ret, DELTA_ID_MAX, "%.63s %.63s %" PRIx64 " %" PRIx64 " p%x", d->site, d->point, start,
                       d->interval, d->partition);
    else
        (void)snprintf(ret, DELTA_ID_MAX, "%.63s %.63s %" PRIx64 " %" PRIx64 " %" PRIx64, d->site, d->point, start,
                       d->interval, d->stream);
}

/* ---- writing ---- */

static bool to_strbuf(void *user, const char *bytes, size_t len)
{
    strbuf_add(user, bytes, len);
    return strbuf_ok(user);
}

static void write_head(struct emit *e, const struct delta *d)
{
    char id[DELTA_ID_MAX];
    delta_id(d, id);
    emit_key(e, "schema");
    emit_text(e, SCHEMA);
    emit_key(e, "type");
    emit_text(e, d->type == DELTA_STREAM ? "stream" : "interval");
    emit_key(e, "id");
    emit_text(e, id);
    emit_key(e, "site");
    emit_text(e, d->site);
    emit_key(e, "point");
    emit_text(e, d->point);
    emit_key(e, "start");
    emit_time(e, true, d->start_ns);
    emit_key(e, "interval");
    emit_count(e, d->interval);
    emit_key(e, "from");
    emit_time(e, true, d->from_ns);
    emit_key(e, "to");
    emit_time(e, true, d->to_ns);
    emit_key(e, "dropped");
    emit_open(e, '{');
    emit_key(e, "kernel");
    emit_count(e, d->dropped_kernel);
    emit_key(e, "interface");
    emit_count(e, d->dropped_interface);
    emit_close(e, '}');
}

static void write_interval(struct emit *e, const struct delta *d)
{
    emit_key(e, "partition");
    emit_count(e, d->partition);
    emit_key(e, "partitions");
    emit_count(e, d->partitions);
    emit_key(e, "deltas");
    emit_count(e, d->deltas);
    emit_key(e, "frames");
    emit_count(e, d->frames);
    emit_key(e, "unpublished");
    emit_count(e, d->unpublished);
    emit_key(e, "final");
    emit_bool(e, d->last);
}

static void write_hash(struct emit *e, uint64_t hash)
{
    char text[17];
    (void)snprintf(text, sizeof text, "%016" PRIx64, hash);
    if (hash)
        emit_text(e, text);
    else
        emit_null(e);
}

static void write_identity(struct emit *e, const struct delta *d)
{
    char proto[VIEW_PROTO_MAX];
    view_proto(d->proto, proto);
    emit_key(e, "stream");
    emit_count(e, d->stream);
    emit_key(e, "proto");
    emit_text(e, proto);
    emit_key(e, "src");
    emit_endpoint(e, &d->src);
    emit_key(e, "dst");
    emit_endpoint(e, &d->dst);
    emit_key(e, "ssrc");
    if (d->has_ssrc)
        emit_ssrc(e, d->ssrc);
    else
        emit_null(e);
    emit_key(e, "payload_types");
    emit_payload_types(e, d->payload_types, d->payload_type_count);
    emit_key(e, "kind");
    emit_text(e, kind_name(d->kind));
    emit_key(e, "class");
    emit_text_or_null(e, class_name(d->traffic_class));
    emit_key(e, "confidence");
    emit_text(e, confidence_name(d->confidence));
    emit_key(e, "direction");
    emit_text(e, direction_name(d->direction));
    emit_key(e, "node");
    emit_text_or_null(e, d->node);
    emit_key(e, "peer_site");
    emit_text_or_null(e, d->peer_site);
    emit_key(e, "call");
    write_hash(e, d->call);
}

static void write_mark(struct emit *e, dscp_t dscp, uint64_t packets)
{
    emit_open(e, '{');
    emit_key(e, "dscp");
    emit_count(e, dscp);
    emit_key(e, "packets");
    emit_count(e, packets);
    emit_close(e, '}');
}

static void write_counts(struct emit *e, const struct delta *d)
{
    emit_key(e, "began");
    emit_bool(e, d->began);
    emit_key(e, "ended");
    emit_bool(e, d->ended);
    emit_key(e, "packets");
    emit_count(e, d->packets);
    emit_key(e, "bytes");
    emit_count(e, d->bytes);
    emit_key(e, "first");
    emit_time(e, d->packets > 0, d->first_ns);
    emit_key(e, "last");
    emit_time(e, d->packets > 0, d->last_ns);
    emit_key(e, "dscp");
    emit_open(e, '[');
    for (uint8_t i = 0; i < d->mark_count; i++)
        write_mark(e, d->marks[i].dscp, d->marks[i].packets);
    emit_close(e, ']');
    emit_key(e, "ecn");
    emit_ecn(e, d->ecn);
    emit_key(e, "expected");
    emit_marks(e, d->expected, d->preferred);
    emit_key(e, "verdict");
    emit_text(e, verdict_name(d->verdict));
}

static void write_path(struct emit *e, const struct delta *d)
{
    emit_key(e, "copies_differ");
    emit_bool(e, d->copies_differ);
    emit_key(e, "over_turn");
    emit_bool(e, d->over_turn);
    emit_key(e, "tunnel_depth");
    emit_count(e, d->tunnel_depth);
    emit_key(e, "ttl");
    if (d->packets) {
        emit_open(e, '{');
        emit_key(e, "lowest");
        emit_count(e, d->ttl_lowest);
        emit_key(e, "highest");
        emit_count(e, d->ttl_highest);
        emit_close(e, '}');
    } else {
        emit_null(e);
    }
    emit_key(e, "clock_rate");
    if (d->clock_rate)
        emit_count(e, d->clock_rate);
    else
        emit_null(e);
    emit_key(e, "jitter_ms");
    emit_ms(e, d->jitter_ms);
}

/* Of most streams none. */
static void write_digests(struct emit *e, const struct delta *d)
{
    if (!d->digest_count)
        return;
    emit_key(e, "digests");
    emit_open(e, '[');
    for (uint8_t i = 0; i < d->digest_count; i++)
        emit_count(e, d->digests[i]);
    emit_close(e, ']');
}

static void write_seen(struct emit *e, const struct delta_block *b)
{
    static const char hex[] = "0123456789abcdef";
    char text[2 * sizeof b->seen];
    for (size_t i = 0; i < sizeof b->seen; i++) {
        text[2 * i] = hex[b->seen[i] >> 4];
        text[2 * i + 1] = hex[b->seen[i] & 15];
    }
    emit_slice(e, slice_make(text, sizeof text));
}

static void write_block(struct emit *e, const struct delta_block *b)
{
    emit_open(e, '{');
    emit_key(e, "number");
    emit_count(e, b->number);
    emit_key(e, "anchor");
    emit_open(e, '{');
    emit_key(e, "at");
    emit_time(e, true, b->anchor_ns);
    emit_key(e, "rtp");
    emit_count(e, b->anchor_rtp);
    emit_key(e, "sequence");
    emit_count(e, b->anchor_sequence);
    emit_close(e, '}');
    emit_key(e, "packets");
    emit_count(e, b->packets);
    if (b->packets < DELTA_BLOCK_PACKETS) {
        emit_key(e, "seen");
        write_seen(e, b);
    }
    emit_key(e, "dscp");
    emit_open(e, '[');
    for (uint8_t i = 0; i < b->mark_count; i++)
        write_mark(e, b->marks[i].dscp, b->marks[i].packets);
    emit_close(e, ']');
    /* nearly always none */
    if (b->other) {
        emit_key(e, "other");
        emit_count(e, b->other);
    }
    if (b->copies) {
        emit_key(e, "copies");
        emit_count(e, b->copies);
    }
    if (b->late) {
        emit_key(e, "late");
        emit_bool(e, true);
    }
    emit_close(e, '}');
}

static void write_blocks(struct emit *e, const struct delta *d)
{
    emit_key(e, "blocks");
    emit_open(e, '[');
    for (size_t i = 0; i < d->block_count; i++)
        write_block(e, &d->blocks[i]);
    emit_close(e, ']');
    emit_key(e, "unblocked");
    emit_count(e, d->unblocked);
}

int delta_write(const struct delta *d, struct strbuf *to)
{
    struct out out;
    out_init(&out, to_strbuf, to);
    struct emit e = {.out = &out};
    emit_open(&e, '{');
    write_head(&e, d);
    if (d->type == DELTA_INTERVAL) {
        write_interval(&e, d);
    } else {
        write_identity(&e, d);
        write_counts(&e, d);
        write_path(&e, d);
        write_digests(&e, d);
        write_blocks(&e, d);
    }
    emit_close(&e, '}');
    int r = out_finish(&out);
    emit_done(&e);
    return r < 0 ? ERR_MEMORY : 0;
}
