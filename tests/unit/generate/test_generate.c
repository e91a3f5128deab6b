#include "testing.h"

#include "base/clock.h"
#include "base/hash.h"
#include "decode/decoder.h"
#include "probe/craft.h"
#include "generate/generate.h"
#include "generate/frame.h"

/* The marks of the reference policy, without a policy. */
static struct generate_marks reference(void)
{
    static const struct {
        enum kind kind;
        enum traffic_class c;
        dscp_t mark;
    } rows[] = {{KIND_RTP_AUDIO, CLASS_VOICE, 46},
                {KIND_RTP_VIDEO, CLASS_MULTIMEDIA, 34},
                {KIND_RTP_SLIDES, CLASS_MULTIMEDIA, 34},
                {KIND_SIP, CLASS_SIGNALING, 26},
                {KIND_XMPP_CLIENT, CLASS_LOW_LATENCY, 26}};
    struct generate_marks m = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (int w = 0; w < 2; w++) {
            m.class_of[rows[i].kind][w] = rows[i].c;
            for (int v = 0; v < 2; v++)
                for (int d = 0; d < DIRECTION_COUNT; d++)
                    m.of[rows[i].kind][v][d][w] = rows[i].mark;
        }
    return m;
}

static struct generate_marks marks;

static struct generate_options usual(void)
{
    marks = reference();
    return (struct generate_options){.seed = 1,
                                     .calls = 4,
                                     .xmpp = 4,
                                     .duration_ns = 6 * NS_PER_S,
                                     .start_ns = 1700000000 * NS_PER_S,
                                     .marks = &marks,
                                     .link_type = GENERATE_LINK_ETHERNET};
}

static struct generator *make(const struct generate_options *o)
{
    struct generator *g = NULL;
    struct error e = {0};
    if (generator_new(o, &g, &e) < 0)
        fail_msg("%s", e.text);
    return g;
}

static void set_fault(struct generate_options *o, const char *text)
{
    assert_int_equal(generate_fault_parse(slice_make(text, strlen(text)), &o->faults[o->fault_count++], NULL), 0);
}

/* All of the output in one number. */
static uint64_t digest(const struct generate_options *o)
{
    struct generator *g = make(o);
    struct generated p;
    struct hash_key key = {1, 2};
    while (generator_next(g, &p) > 0) {
        key.k0 = hash_bytes(&key, p.frame.bytes, p.frame.captured_bytes);
        key.k1 += (uint64_t)p.frame.time_ns;
    }
    generator_free(g);
    return key.k0 ^ key.k1;
}

static void a_seed_is_an_output(void **state)
{
    (void)state;
    struct generate_options o = usual();
    o.webrtc = 1;
    o.network = (struct generate_network){10000, 10000, 10000, 3000000};
    uint64_t first = digest(&o);
    assert_true(first == digest(&o));
    o.seed = 2;
    assert_true(first != digest(&o));
}

/* What the decoder, which is not of this room's making, sees in each frame is what the stream says. */
static void each_frame_is_a_packet_of_its_stream(void **state)
{
    (void)state;
    for (int k = 0; k < 8; k++) {
        struct generate_options o = usual();
        const struct hash_key key = {3, 4};
        const struct decoder_options options = {.key = &key};
        struct decoder *d = decoder_new(&options);
        const struct generate_stream *streams;
        struct generated p;
        struct packet packet;
        int64_t last = 0;
        uint64_t n = 0, counted = 0;
        o.ip = (enum generate_ip)(k % 3);
        o.webrtc = 1;
        o.link_type = k % 2 ? GENERATE_LINK_RAW : GENERATE_LINK_ETHERNET;
        o.vlan = o.link_type == GENERATE_LINK_ETHERNET && k > 4;
        o.vlan_id = 9;
        if (k >= 6)
            set_fault(&o, "tunnel-differs:oslo");
        struct generator *g = make(&o);
        size_t stream_count = generator_streams(g, &streams);
        int r;
        while ((r = generator_next(g, &p)) > 0) {
            const struct generate_stream *s = &streams[p.stream];
            assert_true(p.stream < stream_count && p.frame.time_ns >= last);
            assert_int_equal(p.frame.number, ++n);
            last = p.frame.time_ns;
            enum decode_status status = decoder_frame(d, &p.frame, &packet);
            if (status == DECODE_HELD)
                continue; /* the first fragment of a large INVITE */
            assert_int_equal(status, DECODE_PACKET);
            assert_true(endpoint_equal(&packet.src, &s->src) && endpoint_equal(&packet.dst, &s->dst));
            assert_int_equal(packet.proto, s->proto);
            assert_int_equal(packet.tos, p.tos);
            assert_int_equal(tos_dscp(p.tos), s->mark);
            assert_int_equal(packet.has_vlan, o.vlan);
            if (p.payload)
                assert_memory_equal(p.payload, packet.payload, packet.payload_bytes);
        }
        assert_int_equal(r, 0);
        for (size_t i = 0; i < stream_count; i++)
            counted += streams[i].packets;
        assert_true(counted == n && n > 3000);
        generator_free(g);
        decoder_free(d);
    }
}

/* Packets with `dscp` of all that `pick` chooses, and of how many. */
struct tally {
    uint64_t packets, with;
};

static struct tally count(const char *fault, dscp_t dscp, bool (*pick)(const struct generate_stream *s))
{
    struct generate_options o = usual();
    const struct generate_stream *s;
    struct generated p;
    struct tally t = {0};
    set_fault(&o, fault);
    struct generator *g = make(&o);
    while (generator_next(g, &p) > 0)
        ;
    size_t n = generator_streams(g, &s);
    for (size_t i = 0; i < n; i++) {
        if (!pick(&s[i]))
            continue;
        t.packets += s[i].packets;
        for (unsigned m = 0; m < s[i].mark_count; m++)
            t.with += s[i].marks[m].dscp == dscp ? s[i].marks[m].packets : 0;
    }
    generator_free(g);
    return t;
}

static bool from_berlin(const struct generate_stream *s)
{
    return s->site == 0 && s->direction == DIRECTION_TO_NODE;
}

static bool not_from_berlin(const struct generate_stream *s)
{
    return !from_berlin(s);
}

static bool voice_of_berlin(const struct generate_stream *s)
{
    return from_berlin(s) && s->kind == KIND_RTP_AUDIO;
}

static bool video_of_node(const struct generate_stream *s)
{
    return s->direction == DIRECTION_FROM_NODE && s->kind == KIND_RTP_VIDEO;
}

static bool rtcp_of_voice_of_berlin(const struct generate_stream *s)
{
    return from_berlin(s) && s->kind == KIND_RTCP && s->mark == 46;
}

static void faults_hit_what_they_are_about(void **state)
{
    (void)state;
    struct tally t = count("bleached", 0, from_berlin);
    assert_true(t.packets > 0 && t.with == t.packets);
    t = count("bleached", 0, not_from_berlin);
    assert_true(t.packets > 0 && t.with == 0);
    t = count("tos-precedence-bleached", 46 & 7, voice_of_berlin);
    assert_true(t.packets > 0 && t.with == t.packets);
    t = count("low-bits-bleached", 40, voice_of_berlin);
    assert_true(t.packets > 0 && t.with == t.packets);
    t = count("tos-precedence-remarked:2", 2 << 3 | 6, voice_of_berlin);
    assert_true(t.packets > 0 && t.with == t.packets);
    t = count("unshifted", 34 >> 2, video_of_node);
    assert_true(t.packets > 0 && t.with == t.packets);
    t = count("class-swapped", 46, video_of_node);
    assert_true(t.packets > 0 && t.with == t.packets);
    t = count("unmarked-start:4", 0, voice_of_berlin);
    assert_int_equal(t.with, 2 * 4); /* two participants */
    t = count("rtcp-differs", 0, rtcp_of_voice_of_berlin);
    assert_true(t.packets > 0 && t.with == t.packets);
    t = count("rtcp-differs", 0, voice_of_berlin);
    assert_int_equal(t.with, 0);
    t = count("changed-midstream:3s", 0, voice_of_berlin);
    assert_in_range(t.with * 100 / t.packets, 45, 60); /* they talk from 0.7 s to 5.6 s */
    t = count("intermittent:25%", 0, voice_of_berlin);
    assert_in_range(t.with * 100 / t.packets, 15, 35);
}

static void what_cannot_be_is_refused_with_a_sentence(void **state)
{
    (void)state;
    static const struct {
        const char *fault, *word;
        uint32_t calls;
    } cases[] = {{"bleached:rome", "rome", 4},
                 {"bleached", "two participants", 2},
                 {"bleached:cms-01", "site", 4},
                 {"never-marked:oslo", "node", 4},
                 {"one-way", "another participant", 1},
                 {"unshifted:oslo", "no participant", 1},
                 {"changed-midstream:6s", "after the conference", 4},
                 {"unmarked-start:20", "--duration of 14s", 4}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct generate_options o = usual();
        struct generator *g = NULL;
        struct error e = {0};
        o.calls = o.xmpp = cases[i].calls;
        set_fault(&o, cases[i].fault);
        assert_int_equal(generator_new(&o, &g, &e), ERR_USAGE);
        assert_null(g);
        assert_non_null(strstr(e.text, cases[i].word));
    }
    struct generate_options o = usual();
    struct generator *g = NULL;
    struct error e = {0};
    const struct generate_site small = {"small", {{.addr = {4, {10, 5, 0, 0}}, .len = 28}}};
    o.sites = &small;
    o.site_count = 1;
    o.calls = 10;
    assert_int_equal(generator_new(&o, &g, &e), ERR_USAGE);
    assert_non_null(strstr(e.text, "not enough"));
    o.ip = GENERATE_IPV6;
    assert_int_equal(generator_new(&o, &g, &e), ERR_USAGE);
    assert_non_null(strstr(e.text, "no IPv6 prefix"));
}

static void bulk_has_the_packets_that_were_asked_for(void **state)
{
    (void)state;
    struct generate_options o = usual();
    const struct generate_stream *s;
    struct generated p;
    uint64_t n = 0;
    o.bulk = (struct generate_bulk){.streams = 700, .packets = 11, .size = 33};
    struct generator *g = make(&o);
    while (generator_next(g, &p) > 0) {
        assert_int_equal(p.frame.captured_bytes, 14 + 20 + 8 + 12 + 33);
        n++;
    }
    assert_int_equal(n, 7700);
    assert_int_equal(generator_streams(g, &s), 700);
    for (size_t i = 0; i < 700; i++) {
        assert_int_equal(s[i].packets, 11);
        for (size_t k = 0; k < i; k++)
            assert_false(endpoint_equal(&s[i].src, &s[k].src) && endpoint_equal(&s[i].dst, &s[k].dst));
    }
    generator_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seed_is_an_output),
        cmocka_unit_test(each_frame_is_a_packet_of_its_stream),
        cmocka_unit_test(faults_hit_what_they_are_about),
        cmocka_unit_test(what_cannot_be_is_refused_with_a_sentence),
        cmocka_unit_test(bulk_has_the_packets_that_were_asked_for),
    };
    if (!craft_available()) {
        print_message("skipped: built without libnet\n");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
