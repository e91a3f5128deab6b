#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "fleet/delta.h"
#include "report/records_words.h"

/* A message comes from whoever may write to the bus: each value is held against what a sensor can say. */
struct reading {
    struct saved_json json;
    const json_t *object;
    struct delta_scratch *to;
};

enum { BLOCK_NUMBER_BITS = 48 };

/* ---- small things ---- */

static uint64_t count(struct reading *x, const char *key, uint64_t max)
{
    return saved_count_wanted(&x->json, x->object, key, max);
}

static bool flag(struct reading *x, const char *key)
{
    return saved_bool(&x->json, x->object, key, false);
}

static int64_t moment(struct reading *x, const char *key)
{
    int64_t ns;
    if (!saved_time(&x->json, x->object, key, &ns))
        saved_fail(&x->json, "\"%s\" is missing", key);
    return ns;
}

static void text(struct reading *x, const char *key, char to[static DELTA_NAME_MAX])
{
    slice_copy(saved_text(&x->json, x->object, key), to, DELTA_NAME_MAX);
}

/* One that goes into subjects and findings. */
static void name(struct reading *x, const char *key, bool (*is_good)(const char *), char to[static DELTA_NAME_MAX])
{
    struct slice given = saved_text(&x->json, x->object, key);
    slice_copy(given, to, DELTA_NAME_MAX);
    if (given.len >= DELTA_NAME_MAX || !is_good(to))
        saved_fail(&x->json, "\"%s\" is no name of a site or point", key);
}

/* ---- what every message has ---- */

static void read_type(struct reading *x)
{
    struct slice type = saved_text_wanted(&x->json, x->object, "type");
    if (!slice_equal(saved_text(&x->json, x->object, "schema"), SLICE("qosmark.delta/1")))
        saved_fail(&x->json, "it is no qosmark.delta/1");
    x->to->delta.type = slice_equal(type, SLICE("interval")) ? DELTA_INTERVAL : DELTA_STREAM;
    if (x->to->delta.type == DELTA_STREAM && !slice_equal(type, SLICE("stream")))
        saved_fail(&x->json, "\"type\" is neither stream nor interval");
}

static void read_head(struct reading *x)
{
    struct delta *d = &x->to->delta;
    name(x, "site", delta_site_is_good, d->site);
    name(x, "point", delta_name_is_good, d->point);
    d->start_ns = moment(x, "start");
    d->interval = count(x, "interval", SAVED_PACKETS_MAX);
    d->from_ns = moment(x, "from");
    d->to_ns = moment(x, "to");
    const json_t *dropped = saved_object(&x->json, x->object, "dropped");
    if (dropped) {
        d->dropped_kernel = saved_count_wanted(&x->json, dropped, "kernel", SAVED_PACKETS_MAX);
        d->dropped_interface = saved_count_wanted(&x->json, dropped, "interface", SAVED_PACKETS_MAX);
    }
    if (d->to_ns < d->from_ns)
        saved_fail(&x->json, "the interval ends before it begins");
}

static void read_interval(struct reading *x)
{
    struct delta *d = &x->to->delta;
    d->partition = (unsigned)count(x, "partition", UINT16_MAX);
    d->partitions = (unsigned)count(x, "partitions", UINT16_MAX);
    d->deltas = count(x, "deltas", SAVED_PACKETS_MAX);
    d->frames = count(x, "frames", SAVED_PACKETS_MAX);
    d->unpublished = count(x, "unpublished", SAVED_PACKETS_MAX);
    d->last = flag(x, "final");
    if (d->partition >= d->partitions)
        saved_fail(&x->json, "\"partition\" is not below \"partitions\"");
}

/* ---- a stream ---- */

/* A hash of 16 digits; null is none. */
static uint64_t read_hash(struct reading *x, const char *key)
{
    struct slice given = saved_text(&x->json, x->object, key);
    uint64_t value = 0;
    if (given.len && (given.len != 16 || !saved_hex(given, &value)))
        saved_fail(&x->json, "\"%s\" is 16 hexadecimal digits, or null", key);
    return value;
}

static void read_identity(struct reading *x)
{
    struct delta *d = &x->to->delta;
    struct saved_json *j = &x->json;
    d->stream = count(x, "stream", INT64_MAX);
    d->proto = saved_protocol(j, x->object);
    d->src = saved_endpoint(j, x->object, "src");
    d->dst = saved_endpoint(j, x->object, "dst");
    d->ssrc = saved_ssrc(j, x->object, &d->has_ssrc);
    d->payload_type_count = saved_payload_types(j, x->object, d->payload_types, sizeof d->payload_types);
    d->kind = saved_kind(j, x->object);
    d->traffic_class = saved_class(j, x->object);
    d->confidence = saved_confidence(j, x->object);
    d->direction = saved_direction(j, x->object);
    text(x, "node", d->node);
    text(x, "peer_site", d->peer_site);
    d->call = read_hash(x, "call");
    if (d->stream == 0)
        saved_fail(j, "\"stream\" is 0");
}

/* One of a list of marks, each of which may be there once. */
static struct delta_count mark_of(struct reading *x, const json_t *value, dscp_set_t *seen, uint64_t max)
{
    struct delta_count c = {0};
    if (!json_is_object(value)) {
        saved_fail(&x->json, "\"dscp\" is a list of objects");
        return c;
    }
    c.dscp = (dscp_t)saved_count_wanted(&x->json, value, "dscp", DSCP_COUNT - 1);
    c.packets = saved_count_wanted(&x->json, value, "packets", max);
    if (dscp_set_has(*seen, c.dscp))
        saved_fail(&x->json, "\"dscp\" lists %u twice", (unsigned)c.dscp);
    *seen |= dscp_set_of(c.dscp);
    return c;
}

static void read_marks(struct reading *x)
{
    struct delta *d = &x->to->delta;
    const json_t *array = saved_array(&x->json, x->object, "dscp");
    dscp_set_t seen = 0;
    uint64_t sum = 0;
    for (size_t i = 0; i < json_array_size(array) && !x->json.failed; i++) {
        struct delta_count c = mark_of(x, json_array_get(array, i), &seen, SAVED_PACKETS_MAX);
        if (x->json.failed)
            return;
        d->marks[d->mark_count++] = c;
        sum += c.packets;
    }
    if (sum != d->packets)
        saved_fail(&x->json, "\"dscp\" and \"packets\" count differently");
}

static void read_counts(struct reading *x)
{
    struct delta *d = &x->to->delta;
    struct saved_json *j = &x->json;
    d->began = flag(x, "began");
    d->ended = flag(x, "ended");
    d->packets = count(x, "packets", SAVED_PACKETS_MAX);
    d->bytes = count(x, "bytes", SAVED_BYTES_MAX);
    bool timed = saved_time(j, x->object, "first", &d->first_ns);
    timed = saved_time(j, x->object, "last", &d->last_ns) && timed;
    read_marks(x);
    saved_ecn(j, x->object, true, d->ecn);
    d->expected = saved_marks(j, x->object, "expected", &d->preferred);
    d->verdict = saved_verdict(j, x->object);
    if (timed != (d->packets > 0) || d->last_ns < d->first_ns)
        saved_fail(j, "\"first\" and \"last\" do not go with \"packets\"");
}

static void read_path(struct reading *x)
{
    struct delta *d = &x->to->delta;
    struct saved_json *j = &x->json;
    const json_t *ttl = saved_has(x->object, "ttl");
    d->copies_differ = flag(x, "copies_differ");
    d->over_turn = flag(x, "over_turn");
    d->tunnel_depth = (uint8_t)saved_count(j, x->object, "tunnel_depth", UINT8_MAX, 0);
    if (ttl) {
        d->ttl_lowest = (uint8_t)saved_count_wanted(j, ttl, "lowest", UINT8_MAX);
        d->ttl_highest = (uint8_t)saved_count_wanted(j, ttl, "highest", UINT8_MAX);
    }
    d->clock_rate = (uint32_t)saved_count(j, x->object, "clock_rate", UINT32_MAX, 0);
    d->jitter_ms = saved_ms(j, x->object, "jitter_ms");
    if (d->ttl_lowest > d->ttl_highest)
        saved_fail(j, "the lowest hop limit is above the highest");
}

/* Sensors before them have none. */
static void read_digests(struct reading *x)
{
    struct delta *d = &x->to->delta;
    const json_t *array = saved_has(x->object, "digests") ? saved_array(&x->json, x->object, "digests") : NULL;
    size_t n = json_array_size(array);
    if (n > DELTA_DIGESTS_MAX || n > d->packets)
        saved_fail(&x->json, "\"digests\" lists %zu, and at most %d may be, and one a packet", n, DELTA_DIGESTS_MAX);
    for (size_t i = 0; i < n && !x->json.failed; i++) {
        const json_t *value = json_array_get(array, i);
        json_int_t digest = json_is_integer(value) ? json_integer_value(value) : -1;
        if (digest < 0 || digest > UINT32_MAX || (i && digest <= d->digests[i - 1]))
            saved_fail(&x->json, "\"digests\" are ascending numbers of 32 bits");
        else
            d->digests[d->digest_count++] = (uint32_t)digest;
    }
}

/* ---- blocks ---- */

/* The set of numbers seen, held against how many there are. */
static void read_seen(struct reading *x, const json_t *o, struct delta_block *b)
{
    struct slice given = saved_text(&x->json, o, "seen");
    unsigned bits = 0;
    bool ok = given.len == 2 * sizeof b->seen;
    if (given.len == 0 && b->packets == DELTA_BLOCK_PACKETS) {
        memset(b->seen, 0xff, sizeof b->seen);
        return;
    }
    for (size_t i = 0; ok && i < sizeof b->seen; i++) {
        uint64_t byte = 0;
        ok = saved_hex(slice_make(given.at + 2 * i, 2), &byte);
        b->seen[i] = (uint8_t)(ok ? byte : 0);
        for (unsigned v = b->seen[i]; v; v &= v - 1)
            bits++;
    }
    if (!ok || bits != b->packets)
        saved_fail(&x->json, "\"seen\" is not 64 hexadecimal digits with \"packets\" bits");
}

static void read_anchor(struct reading *x, const json_t *o, struct delta_block *b)
{
    struct saved_json *j = &x->json;
    const json_t *anchor = saved_object(j, o, "anchor");
    if (!anchor)
        return;
    if (!saved_time(j, anchor, "at", &b->anchor_ns))
        saved_fail(j, "\"at\" is missing");
    b->anchor_rtp = (uint32_t)saved_count_wanted(j, anchor, "rtp", UINT32_MAX);
    b->anchor_sequence = (uint16_t)saved_count_wanted(j, anchor, "sequence", UINT16_MAX);
    unsigned i = b->anchor_sequence % DELTA_BLOCK_PACKETS;
    if (b->anchor_sequence / DELTA_BLOCK_PACKETS != b->number % DELTA_BLOCK_PACKETS || !(b->seen[i / 8] >> i % 8 & 1))
        saved_fail(j, "the anchor is not in its block");
}

static void read_block(struct reading *x, const json_t *o, struct delta_block *b)
{
    struct saved_json *j = &x->json;
    *b = (struct delta_block){0};
    if (!json_is_object(o)) {
        saved_fail(j, "\"blocks\" is a list of objects");
        return;
    }
    b->number = saved_count_wanted(j, o, "number", ((uint64_t)1 << BLOCK_NUMBER_BITS) - 1);
    b->packets = (uint16_t)saved_count_wanted(j, o, "packets", DELTA_BLOCK_PACKETS);
    read_seen(x, o, b);
    read_anchor(x, o, b);
    const json_t *marks = saved_array(j, o, "dscp");
    size_t n = json_array_size(marks), sum;
    dscp_set_t seen = 0;
    if (n > DELTA_BLOCK_MARKS_MAX)
        saved_fail(j, "a block lists %zu marks, and at most %d are told apart", n, DELTA_BLOCK_MARKS_MAX);
    b->other = (uint16_t)saved_count(j, o, "other", DELTA_BLOCK_PACKETS, 0);
    b->copies = (uint32_t)saved_count(j, o, "copies", UINT32_MAX, 0);
    b->late = saved_bool(j, o, "late", false);
    sum = b->other;
    for (size_t i = 0; i < n && !j->failed; i++) {
        struct delta_count c = mark_of(x, json_array_get(marks, i), &seen, DELTA_BLOCK_PACKETS);
        b->marks[b->mark_count].dscp = c.dscp;
        b->marks[b->mark_count++].packets = (uint16_t)c.packets;
        sum += c.packets;
    }
    if (sum != b->packets)
        saved_fail(j, "the marks of a block do not add up to its packets");
}

static void read_blocks(struct reading *x)
{
    struct delta *d = &x->to->delta;
    const json_t *array = saved_array(&x->json, x->object, "blocks");
    size_t n = json_array_size(array);
    if (n > DELTA_BLOCKS_MAX)
        saved_fail(&x->json, "\"blocks\" lists %zu of them, and at most %d may be", n, DELTA_BLOCKS_MAX);
    if (n && !d->has_ssrc)
        saved_fail(&x->json, "there are \"blocks\" and no \"ssrc\"");
    for (size_t i = 0; i < n && !x->json.failed; i++)
        read_block(x, json_array_get(array, i), &x->to->blocks[i]);
    d->blocks = x->to->blocks;
    d->block_count = n;
    d->unblocked = saved_count(&x->json, x->object, "unblocked", SAVED_PACKETS_MAX, 0);
}

static void check_id(struct reading *x)
{
    char id[DELTA_ID_MAX];
    delta_id(&x->to->delta, id);
    if (!x->json.failed && !slice_equal(saved_text(&x->json, x->object, "id"), slice_make(id, strlen(id))))
        saved_fail(&x->json, "\"id\" is not that of what the message says");
}

int delta_read(const char *bytes, size_t len, struct delta_scratch *ret, struct error *error)
{
    json_error_t why;
    if (len > DELTA_BYTES_MAX)
        return error_set(error, ERR_FORMAT, "a message of %zu bytes is more than a sensor sends", len);
    errno = 0; /* jansson does not always say that it was memory */
    json_t *object = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, &why);
    if (!object && (json_error_code(&why) == json_error_out_of_memory || errno == ENOMEM))
        return error_set(error, ERR_MEMORY, "out of memory");
    struct reading x = {.json = {.error = error}, .object = object, .to = ret};
    memset(&ret->delta, 0, sizeof ret->delta);
    if (!json_is_object(object))
        saved_fail(&x.json, "a message is a JSON object");
    else
        read_type(&x);
    if (!x.json.failed)
        read_head(&x);
    if (!x.json.failed && ret->delta.type == DELTA_INTERVAL) {
        read_interval(&x);
    } else if (!x.json.failed) {
        read_identity(&x);
        read_counts(&x);
        read_path(&x);
        read_digests(&x);
        read_blocks(&x);
    }
    check_id(&x);
    json_decref(object);
    return x.json.failed ? ERR_FORMAT : 0;
}
