#include "report/records_read.h"

#include <stdio.h>
#include <string.h>

#include "report/records_words.h"

struct reading {
    struct record_set *set;
    struct saved_json json;
    const json_t *object; /* of the record */
    uint32_t point;       /* text */
};

/* --- small things ---------------------------------------------------------------------------------------------------
 */

static const char *word(struct reading *x, const char *key)
{
    return record_set_word(x->set, saved_text(&x->json, x->object, key));
}

/* The number of a name + 1; 0 for none. */
static uint32_t name(struct reading *x, const char *key)
{
    struct slice text = saved_text(&x->json, x->object, key);
    return text.len ? record_set_text(x->set, text) + 1 : 0;
}

/* A frame's number, and the file in which it counts: the point, where the record says no other. */
static struct frame_ref frame(struct reading *x, const json_t *o, const char *key, const char *file_key)
{
    struct frame_ref f = {saved_count(&x->json, o, key, INT64_MAX, 0), x->point};
    struct slice file = saved_text(&x->json, o, file_key);
    if (f.frame && file.len)
        f.input = record_set_text(x->set, file);
    if (!f.frame)
        f.input = 0;
    return f;
}

/* --- marks ----------------------------------------------------------------------------------------------------------
 */

static void *room(struct reading *x, size_t n, size_t item_bytes)
{
    void *at = arena_alloc(&x->set->arena, n * item_bytes);
    if (!at)
        x->set->failed = x->json.failed = true;
    return at;
}

static const json_t *marks_list(struct reading *x, const char *key, size_t *ret_count)
{
    const json_t *array = saved_array(&x->json, x->object, key);
    *ret_count = json_array_size(array);
    if (*ret_count > DSCP_COUNT)
        saved_fail(&x->json, "\"%s\" lists %zu marks, and there are 64", key, *ret_count);
    for (size_t i = 0; i < *ret_count && !x->json.failed; i++)
        if (!json_is_object(json_array_get(array, i)))
            saved_fail(&x->json, "\"%s\" is a list of objects", key);
    return x->json.failed ? NULL : array;
}

static void read_mark(struct reading *x, const json_t *o, const struct record *r, struct record_mark *m)
{
    struct saved_json *j = &x->json;
    m->dscp = (dscp_t)saved_count_wanted(j, o, "dscp", DSCP_COUNT - 1);
    m->packets = saved_count_wanted(j, o, "packets", SAVED_PACKETS_MAX);
    m->bytes = saved_count(j, o, "bytes", SAVED_BYTES_MAX, 0);
    m->first = frame(x, o, "first_frame", "first_file");
    m->last = frame(x, o, "last_frame", "last_file");
    if (!saved_time(j, o, "first", &m->first_ns))
        m->first_ns = r->first_ns;
    if (!saved_time(j, o, "last", &m->last_ns))
        m->last_ns = r->last_ns;
    if (m->first_ns > m->last_ns)
        saved_fail(j, "the mark %u ends before it begins", (unsigned)m->dscp);
}

static void read_marks(struct reading *x, struct record *r)
{
    size_t n;
    dscp_set_t seen = 0;
    uint64_t sum = 0;
    const json_t *array = marks_list(x, "dscp", &n);
    struct record_mark *marks = array ? room(x, n + (n == 0), sizeof *marks) : NULL;
    for (size_t i = 0; marks && i < n && !x->json.failed; i++) {
        read_mark(x, json_array_get(array, i), r, &marks[i]);
        if (dscp_set_has(seen, marks[i].dscp))
            saved_fail(&x->json, "\"dscp\" lists %u twice", (unsigned)marks[i].dscp);
        seen |= dscp_set_of(marks[i].dscp);
        sum += marks[i].packets;
    }
    if (sum != r->packets)
        saved_fail(&x->json, "\"dscp\" counts %llu packets, and \"packets\" says %llu", (unsigned long long)sum,
                   (unsigned long long)r->packets);
    r->marks = marks;
    r->mark_count = marks ? (uint32_t)n : 0;
}

/* Marks of the header that was not judged: no more than their packets is known of them. */
static void read_other_marks(struct reading *x, const char *key, struct record *r)
{
    size_t n;
    const json_t *array = marks_list(x, key, &n);
    struct record_mark *marks = array && n ? room(x, n, sizeof *marks) : NULL;
    for (size_t i = 0; marks && i < n; i++) {
        const json_t *o = json_array_get(array, i);
        marks[i].dscp = (dscp_t)saved_count_wanted(&x->json, o, "dscp", DSCP_COUNT - 1);
        marks[i].packets = saved_count_wanted(&x->json, o, "packets", SAVED_PACKETS_MAX);
    }
    r->outer = marks;
    r->outer_count = marks ? (uint32_t)n : 0;
}

static void read_layers(struct reading *x, struct record *r)
{
    struct saved_json *j = &x->json;
    const json_t *o = x->object, *differs = saved_has(o, "outer_differs");
    struct slice layer = saved_text(j, o, "judged_layer");
    if (slice_equal(layer, SLICE("outer"))) {
        r->judged_version = (uint8_t)saved_count(j, o, "judged_version", 6, r->src.addr.version);
        r->judged_at = (uint8_t)saved_count(j, o, "judged_at", UINT8_MAX, 1);
        if (r->judged_version != 4 && r->judged_version != 6)
            saved_fail(j, "\"judged_version\" is 4 or 6");
    } else if (layer.len && !slice_equal(layer, SLICE("inner"))) {
        saved_fail(j, "\"judged_layer\" is inner or outer");
    }
    read_other_marks(x, r->judged_version ? "inner_dscp" : "outer_dscp", r);
    saved_ecn(j, o, false, r->ecn);
    if (differs) {
        r->outer_differs = saved_count(j, differs, "packets", r->packets, 0);
        r->outer_differs_first = frame(x, differs, "first_frame", "first_file");
    }
    r->tunnel_depth = (uint8_t)saved_count(j, o, "tunnel_depth", UINT8_MAX, 0);
    r->fragmented = saved_bool(j, o, "fragmented", false);
    r->vlan_pcp = saved_has(o, "vlan_pcp") ? (int16_t)saved_count(j, o, "vlan_pcp", 7, 0) : -1;
    r->mpls_tc = saved_has(o, "mpls_tc") ? (int16_t)saved_count(j, o, "mpls_tc", 7, 0) : -1;
}

/* --- what it is ------------------------------------------------------------------------------------------------------
 */

static void read_types(struct reading *x, struct record *r)
{
    const json_t *array = saved_array(&x->json, x->object, "media");
    r->payload_type_count = saved_payload_types(&x->json, x->object, r->payload_types, sizeof r->payload_types);
    for (size_t i = 0; i < json_array_size(array) && !x->json.failed; i++) {
        const json_t *value = json_array_get(array, i);
        enum kind kind;
        if (!json_is_string(value) ||
            !kind_parse(slice_make(json_string_value(value), json_string_length(value)), &kind))
            saved_fail(&x->json, "\"media\" lists what is no kind of traffic");
        else
            r->media_kinds |= 1u << kind;
    }
}

/* The features of --explain, a line each. */
static const char *read_explanation(struct reading *x)
{
    const json_t *array = saved_array(&x->json, x->object, "explanation");
    struct strbuf b = {0};
    for (size_t i = 0; i < json_array_size(array) && !x->json.failed; i++) {
        const json_t *value = json_array_get(array, i);
        if (!json_is_string(value))
            saved_fail(&x->json, "\"explanation\" is a list of texts");
        else
            strbuf_addf(&b, "%s\n", json_string_value(value));
    }
    const char *text = b.len ? record_set_word(x->set, slice_make(b.at, b.len)) : NULL;
    x->set->failed = x->set->failed || !strbuf_ok(&b);
    strbuf_done(&b);
    return text;
}

static void read_meaning(struct reading *x, struct record *r)
{
    struct saved_json *j = &x->json;
    const json_t *o = x->object;
    r->kind = saved_kind(j, o);
    r->traffic_class = saved_class(j, o);
    r->confidence = saved_confidence(j, o);
    r->evidence = word(x, "evidence");
    r->ssrc = saved_ssrc(j, o, &r->has_ssrc);
    read_types(x, r);
    r->codec = word(x, "codec");
    r->repairs = word(x, "repairs");
    if (*r->repairs && strcmp(r->repairs, "rtx") != 0 && strcmp(r->repairs, "fec") != 0)
        saved_fail(j, "\"repairs\" is rtx, fec or null");
    r->decided_after_packets = (uint32_t)saved_count(j, o, "decided_after_packets", UINT32_MAX, 0);
    r->unknown_reason = word(x, "unknown_reason");
    r->explanation = read_explanation(x);
    r->server_name = word(x, "server_name");
    r->over_turn = saved_bool(j, o, "over_turn", false);
    r->turn_channels = saved_bool(j, o, "turn_channels", false);
    r->shares_connection = saved_bool(j, o, "shares_connection", false);
    r->webrtc = saved_bool(j, o, "webrtc", false);
    r->from_initiator = saved_bool(j, o, "from_initiator", false);
    r->conversation = (uint32_t)saved_count(j, o, "conversation", UINT32_MAX, 0);
}

static void read_rtp(struct reading *x, struct record *r)
{
    struct saved_json *j = &x->json;
    const json_t *o = saved_has(x->object, "rtp") ? saved_object(j, x->object, "rtp") : NULL;
    struct rtp_figures *f = o ? room(x, 1, sizeof *f) : NULL;
    if (!f)
        return;
    f->clock_rate = (uint32_t)saved_count(j, o, "clock_rate", UINT32_MAX, 0);
    f->expected = saved_count(j, o, "expected", SAVED_PACKETS_MAX, 0);
    f->lost = saved_count(j, o, "lost", SAVED_PACKETS_MAX, 0);
    f->reordered = saved_count(j, o, "reordered", SAVED_PACKETS_MAX, 0);
    f->duplicates = saved_count(j, o, "duplicates", SAVED_PACKETS_MAX, 0);
    f->jitter_ms = saved_ms(j, o, "jitter_ms");
    f->max_gap_ms = saved_ms(j, o, "max_gap_ms");
    if (f->lost > f->expected)
        saved_fail(j, "\"rtp\" has lost more packets than it expected");
    r->rtp = f;
}

/* --- how it was judged -----------------------------------------------------------------------------------------------
 */

/* A verdict has to follow from the marks beside it, whoever wrote it. */
static void check_verdict(struct reading *x, const struct record *r)
{
    bool judged = r->verdict == VERDICT_CONFORMING || r->verdict == VERDICT_VIOLATING;
    uint64_t outside = 0;
    for (uint32_t i = 0; i < r->mark_count; i++)
        outside += dscp_set_has(r->expected, r->marks[i].dscp) ? 0 : r->marks[i].packets;
    if (r->verdict == VERDICT_CONFORMING && !r->expected)
        saved_fail(&x->json, "\"verdict\" is conforming, and \"expected\" is empty");
    else if (r->verdict == VERDICT_VIOLATING && r->violating_packets == 0)
        saved_fail(&x->json, "\"verdict\" is violating, and no packet is");
    else if (judged && r->expected && r->violating_packets != outside)
        saved_fail(&x->json, "\"violating_packets\" is %llu, and %llu packets are outside \"expected\"",
                   (unsigned long long)r->violating_packets, (unsigned long long)outside);
}

static void read_judgement(struct reading *x, struct record *r)
{
    struct saved_json *j = &x->json;
    const json_t *o = x->object;
    r->node = name(x, "node");
    r->peer_node = name(x, "peer_node");
    r->site = name(x, "site");
    r->direction = saved_direction(j, o);
    if ((r->node == 0) != (r->direction == DIRECTION_UNATTRIBUTED))
        saved_fail(j, "\"direction\" and \"node\" contradict each other");
    r->expected = saved_marks(j, o, "expected", &r->preferred);
    r->verdict = saved_verdict(j, o);
    r->reason = word(x, "reason");
    r->violating_packets = saved_count(j, o, "violating_packets", r->packets, 0);
    /* made anew, over all records together; but what is no list of findings is no record either */
    const json_t *findings = saved_array(j, o, "findings");
    for (size_t i = 0; i < json_array_size(findings) && !j->failed; i++)
        (void)saved_text_wanted(j, json_array_get(findings, i), "code");
    check_verdict(x, r);
}

/* --- its call --------------------------------------------------------------------------------------------------------
 */

/* A SIP call is the same at every point; a session without signalling is known by its ends and its first packet; where
 * a record of an older version says neither, by its point and its id there. */
static uint32_t read_call(struct reading *x)
{
    struct saved_json *j = &x->json;
    const json_t *o = x->object;
    struct slice id = saved_text(j, o, "call"), call_id = saved_text(j, o, "call_id");
    struct saved_call call = {.call_id = word(x, "call_id"),
                              .from = word(x, "from"),
                              .to = word(x, "to"),
                              .user_agent = word(x, "user_agent")};
    bool timed = saved_time(j, o, "call_first", &call.first_ns);
    call.has_last = saved_time(j, o, "call_last", &call.last_ns);
    if (call.has_last && (!timed || call.first_ns > call.last_ns))
        saved_fail(j, "\"call_last\" is before \"call_first\"");
    if (id.len == 0 || j->failed)
        return 0;
    struct strbuf key = {0};
    if (call_id.len)
        strbuf_addf(&key, "S%s", call.call_id);
    else if (timed)
        strbuf_addf(&key, "M%s %s %lld", call.from, call.to, (long long)call.first_ns);
    else
        strbuf_addf(&key, "P%s %s", x->set->texts[x->point], json_string_value(json_object_get(o, "call")));
    uint32_t number = strbuf_ok(&key) ? record_set_call(x->set, slice_make(key.at, key.len), &call) : 0;
    x->set->failed = x->set->failed || !strbuf_ok(&key);
    strbuf_done(&key);
    return number;
}

/* --- a record
 * --------------------------------------------------------------------------------------------------------- */

static void read_extra(struct reading *x, const struct record *r, struct saved_extra *extra)
{
    const json_t *overlap = saved_has(x->object, "overlap");
    *extra = (struct saved_extra){.cover_first_ns = r->first_ns,
                                  .cover_last_ns = r->last_ns,
                                  .latest_first_ns = r->first_ns,
                                  .earliest_last_ns = r->last_ns};
    extra->incomplete = !saved_bool(&x->json, x->object, "input_complete", true);
    if (!overlap)
        return;
    if (!saved_time(&x->json, overlap, "first", &extra->cover_first_ns) ||
        !saved_time(&x->json, overlap, "last", &extra->cover_last_ns))
        saved_fail(&x->json, "\"overlap\" has a \"first\" and a \"last\"");
    extra->outvoted = saved_bool(&x->json, overlap, "violating", false);
    (void)saved_time(&x->json, overlap, "latest_first", &extra->latest_first_ns);
    (void)saved_time(&x->json, overlap, "earliest_last", &extra->earliest_last_ns);
    if (extra->cover_first_ns > r->first_ns || extra->cover_last_ns < r->last_ns ||
        extra->latest_first_ns < r->first_ns || extra->earliest_last_ns > r->last_ns)
        saved_fail(&x->json, "\"overlap\" does not cover the record");
}

static void read_copies(struct saved_json *j, const json_t *o, struct record *r)
{
    const json_t *marks = saved_has(o, "copies");
    dscp_t first;
    r->copies_differ = saved_count(j, o, "copies_differ", r->packets, 0);
    if (marks && !json_is_object(marks))
        saved_fail(j, "\"copies\" is not an object");
    else if (marks)
        r->copies =
            (struct copied_marks){.before = (dscp_t)saved_count(j, marks, "before", DSCP_COUNT - 1, 0),
                                  .after = (dscp_t)saved_count(j, marks, "after", DSCP_COUNT - 1, 0),
                                  .in_order = saved_bool(j, marks, "in_order", false),
                                  .before_hops = (uint8_t)saved_count(j, marks, "before_hop_limit", UINT8_MAX, 0),
                                  .after_hops = (uint8_t)saved_count(j, marks, "after_hop_limit", UINT8_MAX, 0)};
    if (!saved_has(o, "data_dscp"))
        return;
    r->data_marks = saved_marks(j, o, "data_dscp", &first);
    r->no_data = r->data_marks == 0;
}

void records_read_record(struct record_set *s, const json_t *o, struct saved_json *json, struct record *r,
                         struct saved_extra *extra)
{
    struct reading x = {.set = s, .json = *json, .object = o};
    struct saved_json *j = &x.json;
    *r = (struct record){0};
    x.point = record_set_text(s, saved_text_wanted(j, o, "point"));
    r->proto = saved_protocol(j, o);
    r->src = saved_endpoint(j, o, "src");
    r->dst = saved_endpoint(j, o, "dst");
    r->input = x.point;
    r->packets = saved_count_wanted(j, o, "packets", SAVED_PACKETS_MAX);
    r->bytes = saved_count_wanted(j, o, "bytes", SAVED_BYTES_MAX);
    bool timed = saved_time(j, o, "first", &r->first_ns) && saved_time(j, o, "last", &r->last_ns);
    if (!timed || r->packets == 0)
        saved_fail(j, "a record has packets, and a first and a last time");
    if (r->first_ns > r->last_ns)
        saved_fail(j, "\"last\" is before \"first\"");
    r->first = frame(&x, o, "first_frame", "first_file");
    read_meaning(&x, r);
    read_marks(&x, r);
    r->mark_changes = (uint32_t)saved_count(j, o, "mark_changes", UINT32_MAX, 0);
    read_copies(j, o, r);
    read_layers(&x, r);
    read_rtp(&x, r);
    read_judgement(&x, r);
    read_extra(&x, r, extra);
    if (!j->failed)
        r->call = read_call(&x);
    *json = *j;
}
