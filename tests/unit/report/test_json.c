#include "sample.h"

#include <jansson.h>

static json_t *member(const json_t *o, const char *key)
{
    json_t *v = json_object_get(o, key);
    if (!v)
        print_error("no key \"%s\"\n", key);
    assert_non_null(v);
    return v;
}

static void assert_text(const json_t *o, const char *key, const char *expected)
{
    json_t *v = member(o, key);
    assert_true(json_is_string(v));
    assert_string_equal(json_string_value(v), expected);
}

static void assert_count(const json_t *o, const char *key, long long expected)
{
    json_t *v = member(o, key);
    assert_true(json_is_integer(v));
    assert_int_equal(json_integer_value(v), expected);
}

static void assert_null_key(const json_t *o, const char *key)
{
    assert_true(json_is_null(member(o, key)));
}

static void assert_flag(const json_t *o, const char *key, bool expected)
{
    assert_true(json_is_boolean(member(o, key)));
    assert_int_equal(json_is_true(member(o, key)), expected);
}

static void assert_numbers(const json_t *array, size_t n, const int *expected)
{
    assert_true(json_is_array(array));
    assert_int_equal(json_array_size(array), n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(json_integer_value(json_array_get(array, i)), expected[i]);
}

/* The keys named appear, in this order; others may stand between. */
static void assert_order(json_t *o, const char *const *keys, size_t n)
{
    size_t at = 0;
    const char *key;
    json_t *value;
    json_object_foreach(o, key, value)
    {
        if (at < n && strcmp(key, keys[at]) == 0)
            at++;
    }
    if (at < n)
        print_error("\"%s\" is missing or not in its place\n", keys[at]);
    assert_int_equal(at, n);
}

static json_t *load(const char *text, size_t len)
{
    json_error_t error;
    json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    if (!root)
        print_error("%s at byte %d\n", error.text, error.position);
    assert_non_null(root);
    return root;
}

static json_t *audit(const struct document *d)
{
    struct strbuf b = sample_write(d, &(struct report_options){.format = REPORT_JSON});
    json_t *root = load(b.at, b.len);
    assert_int_equal(b.at[b.len - 1], '\n');
    strbuf_done(&b);
    return root;
}

static void the_document_has_the_keys_of_the_contract_in_order(void **state)
{
    static const char *const top[] = {"schema",  "policy", "inputs",   "summary", "by_class",
                                      "by_site", "calls",  "findings", "streams"};
    static const char *const summary[] = {"verdict",      "complete",        "streams",
                                          "checked",      "conforming",      "violating",
                                          "undetermined", "packets_checked", "packets_violating"};
    static const char *const input[] = {"file", "packets", "bytes", "first", "last", "skipped", "dropped", "complete"};
    static const char *const row[] = {"class", "direction", "node", "streams", "packets", "violating_packets", "dscp"};
    static const char *const site_row[] = {"site", "direction", "streams", "packets", "violating_packets"};
    static const char *const call[] = {"id", "call_id", "from", "to", "first", "last", "verdict", "streams"};
    struct sample *s = *state;
    json_t *root = audit(s->document);
    assert_text(root, "schema", "qosmark.audit/1");
    assert_order(root, top, 9);
    assert_order(member(root, "summary"), summary, 9);
    assert_order(json_array_get(member(root, "inputs"), 0), input, 8);
    assert_order(json_array_get(member(root, "by_class"), 0), row, 7);
    assert_order(json_array_get(member(root, "by_site"), 0), site_row, 5);
    assert_order(json_array_get(member(root, "calls"), 0), call, 8);
    json_decref(root);
}

static void the_record_has_the_keys_of_the_contract_in_order(void **state)
{
    static const char *const record[] = {
        "schema",   "point",   "proto",  "src",        "dst",         "node", "direction",     "site",
        "call",     "kind",    "class",  "confidence", "evidence",    "ssrc", "payload_types", "codec",
        "packets",  "bytes",   "first",  "last",       "first_frame", "dscp", "ecn",           "outer_dscp",
        "expected", "verdict", "reason", "rtp",        "findings",
    };
    static const char *const mark[] = {"dscp", "name", "packets", "first_frame"};
    static const char *const ecn[] = {"not_ect", "ect0", "ect1", "ce"};
    static const char *const rtp[] = {"clock_rate", "expected",  "lost",      "reordered",
                                      "duplicates", "jitter_ms", "max_gap_ms"};
    static const char *const finding[] = {"code", "message", "packets", "first_frame", "wireshark"};
    struct sample *s = *state;
    json_t *root = audit(s->document);
    json_t *r = json_array_get(member(root, "streams"), 0);
    assert_order(r, record, sizeof record / sizeof record[0]);
    assert_order(json_array_get(member(r, "dscp"), 0), mark, 4);
    assert_order(member(r, "ecn"), ecn, 4);
    assert_order(member(r, "rtp"), rtp, 7);
    assert_order(json_array_get(member(r, "findings"), 0), finding, 5);
    json_decref(root);
}

static void policy_inputs_and_summary_say_what_the_document_says(void **state)
{
    struct sample *s = *state;
    json_t *root = audit(s->document);
    json_t *policy = member(root, "policy");
    assert_text(policy, "name", "reference");
    assert_text(policy, "source", "built in");
    json_t *expect = member(policy, "expect");
    assert_int_equal(json_object_size(expect), 2);
    assert_numbers(member(expect, "voice"), 1, (const int[]){46});
    assert_numbers(member(expect, "signaling"), 2, (const int[]){26, 24}); /* the preferred one first */

    json_t *in = json_array_get(member(root, "inputs"), 1);
    assert_text(in, "file", "b.pcapng");
    assert_count(in, "packets", 200);
    assert_count(in, "bytes", 4400);
    assert_text(in, "first", "2026-11-22T09:00:00.000000000Z");
    assert_text(in, "last", "2026-11-22T09:00:03.000000000Z");
    assert_count(in, "dropped", 42);
    assert_flag(in, "complete", false);
    assert_text(in, "problem", "the file ends in the middle of packet 201");
    json_t *skipped = member(json_array_get(member(root, "inputs"), 0), "skipped");
    assert_count(skipped, "truncated", 3);
    assert_count(skipped, "malformed", 1);
    assert_count(skipped, "unsupported", 20);

    json_t *summary = member(root, "summary");
    assert_text(summary, "verdict", "fail");
    assert_flag(summary, "complete", false);
    assert_count(summary, "streams", 4);
    assert_count(summary, "checked", 2);
    assert_count(summary, "conforming", 1);
    assert_count(summary, "violating", 1);
    assert_count(summary, "undetermined", 1);
    assert_count(summary, "unchecked", 1);
    assert_count(summary, "packets_checked", 1500);
    assert_count(summary, "packets_violating", 10);
    json_decref(root);
}

static void rows_list_their_marks_most_packets_first(void **state)
{
    struct sample *s = *state;
    json_t *root = audit(s->document);
    json_t *rows = member(root, "by_class");
    assert_int_equal(json_array_size(rows), 3);
    json_t *row = json_array_get(rows, 0);
    assert_text(row, "class", "voice");
    assert_text(row, "direction", "to-node");
    assert_text(row, "node", "cms-01");
    assert_count(row, "streams", 1);
    assert_count(row, "packets", 1000);
    assert_count(row, "violating_packets", 10);
    json_t *dscp = member(row, "dscp");
    assert_int_equal(json_array_size(dscp), 2);
    assert_count(json_array_get(dscp, 0), "dscp", 46);
    assert_text(json_array_get(dscp, 0), "name", "EF");
    assert_count(json_array_get(dscp, 0), "packets", 990);
    assert_count(json_array_get(dscp, 1), "dscp", 0);
    assert_count(json_array_get(dscp, 1), "packets", 10);
    row = json_array_get(rows, 2);
    assert_null_key(row, "class");
    assert_null_key(row, "node");
    assert_text(row, "direction", "unattributed");
    row = json_array_get(member(root, "by_site"), 0);
    assert_text(row, "site", "berlin");
    assert_count(row, "violating_packets", 10);
    json_decref(root);
}

static void calls_findings_nodes_sites_quality_and_notes_are_whole(void **state)
{
    struct sample *s = *state;
    json_t *root = audit(s->document);
    json_t *call = json_array_get(member(root, "calls"), 0);
    assert_text(call, "id", "call-1");
    assert_text(call, "call_id", "a84b4c76e66710");
    assert_text(call, "from", "sip:alice@example.com");
    assert_text(call, "to", "sip:room@conf.example.com");
    assert_text(call, "first", "2026-11-22T09:00:00.000000000Z");
    assert_text(call, "last", "2026-11-22T09:12:03.000000000Z");
    assert_text(call, "verdict", "violating");
    assert_numbers(member(call, "streams"), 2, (const int[]){0, 1});

    json_t *f = json_array_get(member(root, "findings"), 0);
    assert_text(f, "code", "bleached");
    assert_text(f, "message", "What comes from site berlin loses its mark: consistent with Bleach-DSCP.");
    assert_text(f, "advice", "Trust DSCP on the uplink of berlin.");
    assert_text(f, "subject", "site berlin");
    assert_count(f, "packets", 10);
    assert_count(f, "first_frame", 700);
    assert_text(f, "file", "a.pcapng");
    assert_text(f, "wireshark", "ip.src == 10.2.0.7 && ip.dsfield.dscp == 0");
    assert_text(f, "confidence", "high");
    assert_numbers(member(f, "streams"), 1, (const int[]){0});

    json_t *node = json_array_get(member(root, "nodes"), 0);
    assert_text(node, "name", "cms-01");
    assert_string_equal(json_string_value(json_array_get(member(node, "addresses"), 1)), "2001:db8::11");
    assert_int_equal(json_array_size(member(node, "roles")), 2);
    assert_string_equal(json_string_value(json_array_get(member(node, "roles"), 0)), "callbridge");
    assert_flag(node, "inferred", true);
    assert_text(node, "evidence", "answers SIP on 5060");
    json_t *site = json_array_get(member(root, "sites"), 0);
    assert_string_equal(json_string_value(json_array_get(member(site, "prefixes"), 0)), "10.2.0.0/16");
    json_t *right = member(member(root, "quality"), "right"), *wrong = member(member(root, "quality"), "wrong");
    assert_null_key(right, "jitter_ms");
    assert_count(wrong, "packets_lost", 3);
    assert_true(json_real_value(member(wrong, "jitter_ms")) > 0.4099 &&
                json_real_value(member(wrong, "jitter_ms")) < 0.4101);
    assert_string_equal(json_string_value(json_array_get(member(root, "notes"), 0)), "1 node was inferred.");
    json_decref(root);
}

static void a_stream_says_who_what_and_how_it_was_judged(void **state)
{
    struct sample *s = *state;
    json_t *root = audit(s->document);
    json_t *r = json_array_get(member(root, "streams"), 0);
    assert_text(r, "schema", "qosmark.stream/1");
    assert_text(r, "point", "a.pcapng");
    assert_text(r, "proto", "udp");
    assert_text(member(r, "src"), "addr", "10.2.0.7");
    assert_count(member(r, "src"), "port", 34904);
    assert_text(member(r, "dst"), "addr", "10.1.1.11");
    assert_count(member(r, "dst"), "port", 20000);
    assert_text(r, "node", "cms-01");
    assert_text(r, "direction", "to-node");
    assert_text(r, "site", "berlin");
    assert_text(r, "call", "call-1");
    assert_text(r, "kind", "rtp-audio");
    assert_text(r, "class", "voice");
    assert_text(r, "confidence", "certain");
    assert_text(r, "evidence", "SDP m=audio, frame 12");
    assert_text(r, "ssrc", "0x1234abcd");
    assert_numbers(member(r, "payload_types"), 2, (const int[]){108, 101});
    assert_text(r, "codec", "opus/48000");
    assert_count(r, "packets", 1000);
    assert_count(r, "bytes", 172000);
    assert_text(r, "first", "2026-11-22T09:00:00.000000000Z");
    assert_text(r, "last", "2026-11-22T09:00:20.000000000Z");
    assert_count(r, "first_frame", 15);
    assert_numbers(member(r, "expected"), 1, (const int[]){46});
    assert_text(r, "verdict", "violating");
    assert_text(r, "reason", "");
    assert_count(r, "violating_packets", 10);
    assert_null_key(r, "decided_after_packets");
    json_t *f = json_array_get(member(r, "findings"), 0);
    assert_text(f, "code", "bleached");
    assert_count(f, "packets", 10);
    assert_count(f, "first_frame", 700);
    assert_text(f, "wireshark", "udp.srcport == 34904 && ip.dsfield.dscp == 0");
    assert_null_key(f, "subject");
    json_decref(root);
}

static void marks_come_in_order_of_appearance_and_ecn_by_its_codepoints(void **state)
{
    struct sample *s = *state;
    json_t *root = audit(s->document);
    json_t *r = json_array_get(member(root, "streams"), 0);
    json_t *dscp = member(r, "dscp");
    assert_int_equal(json_array_size(dscp), 2);
    json_t *mark = json_array_get(dscp, 1);
    assert_count(mark, "dscp", 0);
    assert_text(mark, "name", "CS0");
    assert_count(mark, "packets", 10);
    assert_count(mark, "first_frame", 700);
    assert_text(mark, "first_file", "a.pcapng");
    assert_count(mark, "last_frame", 709);
    assert_text(mark, "first", "2026-11-22T09:00:07.000000000Z");
    json_t *ecn = member(r, "ecn");
    assert_count(ecn, "not_ect", 900);
    assert_count(ecn, "ect0", 90);
    assert_count(ecn, "ect1", 1);
    assert_count(ecn, "ce", 9);
    /* a mark without a name is its number */
    mark = json_array_get(member(json_array_get(member(root, "streams"), 3), "dscp"), 0);
    assert_count(mark, "dscp", 11);
    assert_text(mark, "name", "11");
    json_decref(root);
}

static void rtp_figures_are_rounded_and_null_where_not_known(void **state)
{
    struct sample *s = *state;
    s->rtp[0].jitter_ms = 0.1 + 0.2; /* 0.30000000000000004 */
    s->rtp[0].max_gap_ms = 3600000.0004;
    struct strbuf b = sample_write(s->document, &(struct report_options){.format = REPORT_JSON});
    assert_non_null(strstr(b.at, "\"jitter_ms\": 0.3, \"max_gap_ms\": 3600000.0}"));
    json_t *root = load(b.at, b.len);
    json_t *rtp = member(json_array_get(member(root, "streams"), 0), "rtp");
    assert_count(rtp, "clock_rate", 48000);
    assert_count(rtp, "expected", 1003);
    assert_count(rtp, "lost", 3);
    assert_count(rtp, "reordered", 1);
    assert_count(rtp, "duplicates", 2);
    rtp = member(json_array_get(member(root, "streams"), 1), "rtp");
    assert_null_key(rtp, "clock_rate");
    assert_null_key(rtp, "jitter_ms");
    assert_true(json_is_real(member(rtp, "max_gap_ms")));
    assert_null_key(json_array_get(member(root, "streams"), 2), "rtp");
    json_decref(root);
    strbuf_done(&b);
}

static void what_is_not_known_is_null_and_not_an_empty_name(void **state)
{
    struct sample *s = *state;
    json_t *root = audit(s->document);
    json_t *r = json_array_get(member(root, "streams"), 3);
    static const char *const nulls[] = {"node", "site",      "call",     "class",   "ssrc",        "codec",
                                        "rtp",  "peer_node", "vlan_pcp", "mpls_tc", "server_name", "repairs"};
    for (size_t i = 0; i < sizeof nulls / sizeof nulls[0]; i++)
        assert_null_key(r, nulls[i]);
    assert_text(r, "direction", "unattributed");
    assert_int_equal(json_array_size(member(r, "expected")), 0);
    assert_text(r, "reason", "the policy has no class for dns");
    json_decref(root);
}

static void an_unknown_stream_says_why_and_an_ssrc_of_zero_is_one(void **state)
{
    struct sample *s = *state;
    json_t *root = audit(s->document);
    json_t *r = json_array_get(member(root, "streams"), 2);
    assert_text(r, "ssrc", "0x00000000");
    assert_text(r, "point", "b.pcapng");
    assert_text(r, "first_file", "b.pcapng");
    assert_count(r, "decided_after_packets", 16);
    assert_text(r, "confidence", "none");
    assert_text(r, "verdict", "undetermined");
    assert_text(r, "reason", "9 packets are too few to tell voice from video");
    assert_text(member(r, "src"), "addr", "2001:db8:2::7");
    assert_int_equal(json_array_size(member(r, "media")), 2);
    assert_string_equal(json_string_value(json_array_get(member(r, "media"), 1)), "rtp-video");
    json_decref(root);
}

static void the_preferred_mark_comes_first_and_the_outer_ones_apart(void **state)
{
    struct sample *s = *state;
    json_t *root = audit(s->document);
    json_t *r = json_array_get(member(root, "streams"), 1);
    assert_numbers(member(r, "expected"), 3, (const int[]){34, 8, 46});
    assert_int_equal(json_array_size(member(r, "outer_dscp")), 1);
    json_t *outer = json_array_get(member(r, "outer_dscp"), 0);
    assert_count(outer, "dscp", 0);
    assert_text(outer, "name", "CS0");
    assert_count(outer, "packets", 500);
    assert_count(member(r, "outer_differs"), "packets", 500);
    assert_count(member(r, "outer_differs"), "first_frame", 16);
    assert_count(r, "tunnel_depth", 1);
    assert_count(r, "vlan_pcp", 5);
    assert_count(r, "mpls_tc", 0);
    json_decref(root);
}

static void a_single_input_needs_no_file_beside_its_frames(void **state)
{
    struct sample *s = *state;
    s->document->input_count = 1;
    json_t *root = audit(s->document);
    assert_null(json_object_get(json_array_get(member(root, "findings"), 0), "file"));
    assert_null(json_object_get(json_array_get(member(root, "streams"), 0), "first_file"));
    /* an index beyond the inputs is no input, and no crash */
    assert_text(json_array_get(member(root, "streams"), 2), "point", "");
    json_decref(root);
}

static void every_word_of_every_enum_is_the_contracts(void **state)
{
    static const char *const verdicts[] = {"unchecked", "conforming", "violating", "undetermined"};
    static const char *const directions[] = {"unattributed", "from-node", "to-node", "between-nodes"};
    static const char *const summaries[] = {"nothing-checked", "pass", "fail"};
    static const char *const kinds[] = {
        "rtp-audio",   "rtp-video", "rtp-slides", "rtp-unknown", "rtp-data",
        "rtcp",        "stun",      "turn",       "dtls",        "bfcp",
        "ix",          "sip",       "sip-tls",    "xmpp-client", "xmpp-component",
        "xmpp-server", "xmpp-tls",  "web",        "database",    "ldap",
        "ssh",         "dns",       "ntp",        "rtmp",        "h323",
        "trunk",       "other",
    };
    static const struct {
        uint8_t number;
        const char *name;
    } protos[] = {{17, "udp"}, {6, "tcp"}, {1, "icmp"}, {58, "icmpv6"}, {132, "sctp"}, {253, "ip-253"}, {0, "ip-0"}};
    struct sample *s = *state;
    struct record *r = &s->document->records[0];
    for (size_t i = 0; i < 4; i++) {
        r->verdict = (enum verdict)i;
        r->direction = (enum direction)i;
        s->document->summary.verdict = (enum summary_verdict)(i % 3);
        json_t *root = audit(s->document);
        assert_text(json_array_get(member(root, "streams"), 0), "verdict", verdicts[i]);
        assert_text(json_array_get(member(root, "streams"), 0), "direction", directions[i]);
        assert_text(member(root, "summary"), "verdict", summaries[i % 3]);
        json_decref(root);
    }
    size_t found = 0;
    for (int k = 0; k < KIND_COUNT; k++) {
        r->kind = (enum kind)k;
        json_t *root = audit(s->document);
        const char *name = json_string_value(member(json_array_get(member(root, "streams"), 0), "kind"));
        for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
            found += strcmp(kinds[i], name) == 0;
        json_decref(root);
    }
    assert_int_equal(found, sizeof kinds / sizeof kinds[0]);
    for (size_t i = 0; i < sizeof protos / sizeof protos[0]; i++) {
        r->proto = protos[i].number;
        json_t *root = audit(s->document);
        assert_text(json_array_get(member(root, "streams"), 0), "proto", protos[i].name);
        json_decref(root);
    }
}

/* No control character and nothing that reorders in any string of the value. */
static void assert_inert(json_t *v)
{
    if (json_is_string(v)) {
        for (const unsigned char *p = (const unsigned char *)json_string_value(v); *p; p++)
            assert_true(*p >= 0x20 && *p != 0x7f);
        assert_null(strstr(json_string_value(v), "\xe2\x80\xae"));
    }
    for (void *at = json_object_iter(v); at; at = json_object_iter_next(v, at))
        assert_inert(json_object_iter_value(at));
    for (size_t i = 0; i < json_array_size(v); i++)
        assert_inert(json_array_get(v, i));
}

static void hostile_text_is_escaped_and_the_document_stays_valid(void **state)
{
    struct sample *s = *state;
    sample_make_hostile(s);
    json_t *root = audit(s->document);
    assert_inert(root);
    assert_text(json_array_get(member(root, "calls"), 0), "from",
                "\\x1B[2J\\x1B]0;owned\\x07=cmd|'/c calc'!A1,\"quoted\"\\x0D\\x0APASS: all fine\\x0A"
                "<script>alert(1)</script>\\xFF\\xC3(\\xE2\\x80\\xAEgnp\\x09\\x9B31m");
    json_decref(root);
}

static void json_lines_are_one_record_a_line_and_nothing_else(void **state)
{
    struct sample *s = *state;
    sample_make_hostile(s);
    struct strbuf b = sample_write(s->document, &(struct report_options){.format = REPORT_JSONL});
    struct slice rest = slice_make(b.at, b.len);
    size_t lines = 0;
    while (rest.len) {
        struct slice line = slice_next(&rest, '\n');
        json_t *r = load(line.at, line.len);
        assert_text(r, "schema", "qosmark.stream/1");
        assert_int_equal(json_integer_value(member(r, "packets")), s->document->records[lines].packets);
        json_decref(r);
        lines++;
    }
    assert_int_equal(lines, 4);
    assert_int_equal(b.at[b.len - 1], '\n');
    strbuf_done(&b);
}

static void an_empty_document_is_valid_in_both_forms(void **state)
{
    (void)state;
    struct document *d = document_new();
    json_t *root = audit(d);
    assert_text(member(root, "summary"), "verdict", "nothing-checked");
    assert_int_equal(json_array_size(member(root, "streams")), 0);
    assert_true(json_is_null(member(root, "quality")));
    json_decref(root);
    struct strbuf b = sample_write(d, &(struct report_options){.format = REPORT_JSONL});
    assert_int_equal(b.len, 0);
    strbuf_done(&b);
    document_free(d);
}

/* A layer whose words could not be made. */
static void fill_without_memory(void *own, const struct document *d, size_t i, unsigned parts, struct record_scratch *s)
{
    const size_t *left = own;
    (void)d;
    s->record = (struct record){.proto = 17, .evidence = "", .unknown_reason = "", .reason = ""};
    s->failed = s->failed || ((parts & RECORD_WORDS) && i >= *left);
}

static void a_record_that_could_not_be_made_is_an_error_and_not_a_shorter_report(void **state)
{
    (void)state;
    static const uint8_t kinds[5];
    for (size_t left = 0; left <= 5; left++) {
        for (int lines = 0; lines < 2; lines++) {
            struct document *d = document_new();
            struct strbuf b = {0};
            struct error error = {.text = ""};
            d->record_count = 5;
            d->kinds = kinds;
            d->streams = (struct record_layer){.own = &left, .fill = fill_without_memory};
            int r = report_write(d, &(struct report_options){.format = lines ? REPORT_JSONL : REPORT_JSON}, sample_sink, &b, &error);
            assert_int_equal(r, left < 5 ? ERR_MEMORY : 0);
            assert_true(r == 0 || strstr(error.text, "memory"));
            strbuf_done(&b);
            document_free(d);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SAMPLE(the_document_has_the_keys_of_the_contract_in_order),
        WITH_SAMPLE(the_record_has_the_keys_of_the_contract_in_order),
        WITH_SAMPLE(policy_inputs_and_summary_say_what_the_document_says),
        WITH_SAMPLE(rows_list_their_marks_most_packets_first),
        WITH_SAMPLE(calls_findings_nodes_sites_quality_and_notes_are_whole),
        WITH_SAMPLE(a_stream_says_who_what_and_how_it_was_judged),
        WITH_SAMPLE(marks_come_in_order_of_appearance_and_ecn_by_its_codepoints),
        WITH_SAMPLE(rtp_figures_are_rounded_and_null_where_not_known),
        WITH_SAMPLE(what_is_not_known_is_null_and_not_an_empty_name),
        WITH_SAMPLE(an_unknown_stream_says_why_and_an_ssrc_of_zero_is_one),
        WITH_SAMPLE(the_preferred_mark_comes_first_and_the_outer_ones_apart),
        WITH_SAMPLE(a_single_input_needs_no_file_beside_its_frames),
        WITH_SAMPLE(every_word_of_every_enum_is_the_contracts),
        WITH_SAMPLE(hostile_text_is_escaped_and_the_document_stays_valid),
        WITH_SAMPLE(json_lines_are_one_record_a_line_and_nothing_else),
        cmocka_unit_test(an_empty_document_is_valid_in_both_forms),
        cmocka_unit_test(a_record_that_could_not_be_made_is_an_error_and_not_a_shorter_report),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
