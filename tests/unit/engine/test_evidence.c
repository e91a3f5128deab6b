#include "testing.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "capture/source.h"
#include "engine/evidence.h"
#include "model/document.h"
#include "policy/diagnose.h"
#include "policy/judge.h"
#include "policy/policy.h"
#include "stream/table.h"

enum { RTP_BYTES = 12, PAYLOAD = 160, FRAME_BYTES = 28 + RTP_BYTES + PAYLOAD, LINK_RAW = 101, EF = 46 };

/* A stream of PCMA from a telephone to a node, a packet every 20 ms. */
struct fixture {
    char folder[64], path[128];
    struct policy *policy;
    struct stream_table *table;
    struct evidence *evidence;
    int64_t now_ns;
    uint64_t frames;
};

static int setup(void **state)
{
    struct fixture *x = calloc(1, sizeof *x);
    struct stream_options options = {.key = {1, 2}};
    assert_non_null(x);
    (void)snprintf(x->folder, sizeof x->folder, "/tmp/qosmark-evidence-XXXXXX");
    assert_non_null(mkdtemp(x->folder));
    (void)snprintf(x->path, sizeof x->path, "%s/wrong.pcapng", x->folder);
    x->policy = policy_new_default(NULL);
    x->table = stream_table_new(&options);
    assert_non_null(x->policy);
    assert_non_null(x->table);
    assert_int_equal(policy_add_node(x->policy, "cms-01=10.1.1.11", NULL), 0);
    x->now_ns = 1000 * NS_PER_S;
    *state = x;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *x = *state;
    char name[512];
    DIR *d = opendir(x->folder);
    for (struct dirent *e = readdir(d); e; e = readdir(d)) {
        (void)snprintf(name, sizeof name, "%s/%s", x->folder, e->d_name);
        (void)unlink(name);
    }
    (void)closedir(d);
    (void)rmdir(x->folder);
    evidence_close(x->evidence);
    stream_table_free(x->table);
    policy_free(x->policy);
    free(x);
    return 0;
}

static void open_evidence(struct fixture *x, struct evidence_options options)
{
    static const char *const points[] = {"eth0", "eth1"};
    options.path = x->path;
    options.points = points;
    options.point_count = 2;
    assert_int_equal(evidence_open(&options, &x->evidence, NULL), 0);
}

static struct packet media_packet(const struct fixture *x, uint16_t port, dscp_t dscp, uint8_t *bytes)
{
    static const uint8_t from[4] = {10, 2, 0, 7}, to[4] = {10, 1, 1, 11};
    uint8_t *rtp = bytes + 28;
    memset(bytes, 0x55, FRAME_BYTES);
    bytes[0] = 0x45;
    bytes[1] = dscp_tos(dscp);
    rtp[0] = 0x80;
    rtp[1] = 8;
    store_be16(rtp + 2, (uint32_t)x->frames);
    store_be32(rtp + 4, (uint32_t)x->frames * 160);
    store_be32(rtp + 8, port);
    return (struct packet){.frame = x->frames + 1,
                           .time_ns = x->now_ns,
                           .ip_bytes = FRAME_BYTES,
                           .src = {addr_v4(from), port},
                           .dst = {addr_v4(to), 4000},
                           .proto = PROTO_UDP,
                           .tos = dscp_tos(dscp),
                           .ttl = 64,
                           .layer_count = 1,
                           .layer_tos = {dscp_tos(dscp)},
                           .layer_version = {4},
                           .ports_known = true,
                           .payload = rtp,
                           .payload_bytes = RTP_BYTES + PAYLOAD,
                           .payload_wire_bytes = RTP_BYTES + PAYLOAD};
}

static struct frame frame_of(const struct packet *p, const uint8_t *bytes, uint32_t len)
{
    return (struct frame){.bytes = bytes,
                          .captured_bytes = len,
                          .wire_bytes = len + 4,
                          .time_ns = p->time_ns,
                          .number = p->frame,
                          .link_type = LINK_RAW};
}

static void send(struct fixture *x, uint16_t port, dscp_t dscp, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        uint8_t bytes[FRAME_BYTES];
        struct packet p = media_packet(x, port, dscp, bytes);
        struct frame f = frame_of(&p, bytes, sizeof bytes);
        uint32_t token;
        stream_table_packets_to(x->table, &p, 1, &token);
        evidence_frame(x->evidence, &f, &p, token);
        x->frames++;
        x->now_ns += 20 * NS_PER_MS;
    }
}

static void look(struct fixture *x)
{
    struct error error = {0};
    struct document *d = document_new();
    assert_non_null(d);
    assert_int_equal(stream_table_export(x->table, d), 0);
    assert_int_equal(judge_document(d, x->policy), 0);
    assert_int_equal(diagnose_document(d, x->policy), 0);
    assert_int_equal(evidence_look(x->evidence, x->table, d, &error), 0);
    document_free(d);
}

/* Frames of a file, by the reader of captures; -1 where there is no such file. Checks that each is as it was sent. */
static int frames_in(const char *path)
{
    struct frame f;
    int n = 0;
    if (access(path, F_OK) != 0)
        return -1;
    struct source *s = source_open_file(path, NULL);
    if (!s)
        return 0;
    for (enum source_status status = source_next(s, &f); status != SOURCE_END; status = source_next(s, &f), n++) {
        assert_int_equal(status, SOURCE_FRAME);
        assert_int_equal(f.link_type, LINK_RAW);
        assert_int_equal(f.wire_bytes, f.captured_bytes + 4);
        assert_int_equal(f.time_ns % (20 * NS_PER_MS), 0);
    }
    assert_true(source_input(s, 0)->complete);
    source_free(s);
    return n;
}

static int frames_in_older(const struct fixture *x, unsigned age)
{
    char path[160];
    (void)snprintf(path, sizeof path, "%s/wrong.%u.pcapng", x->folder, age);
    return frames_in(path);
}

static bool file_has(const char *path, const char *text)
{
    char bytes[65536];
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(bytes, 1, sizeof bytes, f), len = strlen(text);
    (void)fclose(f);
    for (size_t i = 0; i + len <= n; i++)
        if (memcmp(bytes + i, text, len) == 0)
            return true;
    return false;
}

static void wrong_packets_are_written_and_right_ones_are_not(void **state)
{
    struct fixture *x = *state;
    open_evidence(x, (struct evidence_options){0});
    assert_int_equal(frames_in(x->path), 0);
    send(x, 5000, EF, 100);
    send(x, 5002, 0, 40);
    look(x);
    assert_int_equal(frames_in(x->path), 40); /* as it is while the run goes on */
    send(x, 5000, EF, 100);
    send(x, 5000, 34, 7);
    send(x, 5002, 0, 3);
    look(x);
    assert_int_equal(frames_in(x->path), 50);
    struct evidence_stats s = evidence_stats(x->evidence);
    assert_int_equal(s.written, 50);
    assert_int_equal(s.not_kept + s.not_known + s.rotated, 0);
    assert_true(file_has(x->path, "voice from 10.2.0.7 to cms-01 (rtp-audio): EF expected, CS0 seen."));
    assert_true(file_has(x->path, "[frame 101 of ")); /* the first unmarked one */
    assert_true(file_has(x->path, "EF expected, AF41 seen."));
    assert_true(file_has(x->path, "eth0"));
}

static void files_are_bounded_and_the_newest_stay(void **state)
{
    struct fixture *x = *state;
    struct stat st;
    open_evidence(x, (struct evidence_options){.max_bytes = 20000, .files = 3});
    send(x, 5002, 0, 40);
    look(x);
    send(x, 5002, 0, 400);
    look(x);
    struct evidence_stats s = evidence_stats(x->evidence);
    assert_int_equal(s.written, 440);
    assert_true(s.rotated >= 4);
    assert_int_equal(s.removed, s.rotated - 2);
    assert_int_equal(stat(x->path, &st), 0);
    assert_true(st.st_size <= 20000);
    int newest = frames_in(x->path), older = frames_in_older(x, 1), oldest = frames_in_older(x, 2);
    assert_true(newest > 0);
    assert_true(older > 20);
    assert_int_equal(older, oldest); /* all frames are of one size */
    assert_int_equal(frames_in_older(x, 3), -1);
    assert_true(file_has(x->path, "[frame 440 of "));
}

static void what_a_run_before_left_is_moved_on(void **state)
{
    struct fixture *x = *state;
    open_evidence(x, (struct evidence_options){0});
    send(x, 5002, 0, 20);
    look(x);
    evidence_close(x->evidence);
    open_evidence(x, (struct evidence_options){0});
    assert_int_equal(frames_in(x->path), 0);
    assert_int_equal(frames_in_older(x, 1), 20);
}

static void one_file_alone_begins_anew(void **state)
{
    struct fixture *x = *state;
    open_evidence(x, (struct evidence_options){.max_bytes = 10000, .files = 1});
    send(x, 5002, 0, 200);
    look(x);
    assert_int_equal(frames_in_older(x, 1), -1);
    assert_true(file_has(x->path, "[frame 200 of "));
    assert_false(file_has(x->path, "[frame 1 of "));
}

static void what_found_no_room_is_counted(void **state)
{
    struct fixture *x = *state;
    open_evidence(x, (struct evidence_options){.buffer_bytes = 10000});
    send(x, 5000, EF, 100);
    send(x, 5002, 0, 100);
    look(x);
    struct evidence_stats s = evidence_stats(x->evidence);
    assert_int_equal(s.written + s.not_kept, 100); /* the right ones are not missed */
    assert_true(s.not_kept > 0);
    assert_int_equal(s.not_known, 0);
}

static void a_stream_that_is_right_needs_no_room(void **state)
{
    struct fixture *x = *state;
    open_evidence(x, (struct evidence_options){.buffer_bytes = 64 * 1024});
    send(x, 5000, EF, 50);
    send(x, 5002, 0, 50);
    look(x);
    x->now_ns -= 100 * 20 * NS_PER_MS; /* so much at once that it would not fit */
    for (int i = 0; i < 1000; i++) {
        send(x, 5000, EF, 1);
        x->now_ns -= 19 * NS_PER_MS;
    }
    send(x, 5000, 0, 30);
    look(x);
    struct evidence_stats s = evidence_stats(x->evidence);
    assert_int_equal(s.written, 80);
    assert_int_equal(s.not_kept, 0);
}

static void a_stream_that_is_judged_otherwise_later_is_noticed(void **state)
{
    struct fixture *x = *state;
    open_evidence(x, (struct evidence_options){0});
    send(x, 5000, EF, 50);
    look(x);
    assert_int_equal(policy_apply_mmp_text(x->policy, SLICE("dscp 4 voice 0x22\n"), "test", NULL), 0);
    for (int i = 0; i < 60; i++) {
        send(x, 5000, EF, 25);
        look(x);
    }
    struct evidence_stats s = evidence_stats(x->evidence);
    assert_true(s.written >= 25 * 60 / 2); /* what came before anybody asked again is not there */
    assert_int_equal(s.written, frames_in(x->path));
}

static void an_undecided_stream_waits_for_its_verdict(void **state)
{
    struct fixture *x = *state;
    open_evidence(x, (struct evidence_options){0});
    send(x, 5002, 0, 1); /* one packet is no stream of RTP yet */
    look(x);
    uint64_t first = evidence_stats(x->evidence).written;
    send(x, 5002, 0, 60);
    look(x);
    assert_int_equal(evidence_stats(x->evidence).written, 61);
    assert_int_equal(first, 0);
}

static void each_fragment_that_is_wrong_is_kept(void **state)
{
    struct fixture *x = *state;
    uint8_t bytes[FRAME_BYTES];
    open_evidence(x, (struct evidence_options){0});
    send(x, 5002, EF, 50);
    for (int i = 0; i < 10; i++) {
        struct packet p = media_packet(x, 5002, EF, bytes);
        struct packet_part parts[3];
        uint32_t token;
        for (uint32_t k = 0; k < 3; k++) {
            struct frame f = frame_of(&p, bytes, 60);
            f.number = p.frame + k;
            parts[k] = (struct packet_part){
                .frame = f.number, .time_ns = p.time_ns, .ip_bytes = 60, .tos = dscp_tos(k == 1 ? 0 : EF)};
            evidence_fragment(x->evidence, &f);
        }
        p.parts = parts;
        p.part_count = 3;
        stream_table_packets_to(x->table, &p, 1, &token);
        evidence_datagram(x->evidence, &p, token);
        x->frames += 3;
        x->now_ns += 20 * NS_PER_MS;
    }
    look(x);
    assert_int_equal(evidence_stats(x->evidence).written, 10);
    assert_int_equal(evidence_stats(x->evidence).not_kept, 0);
    assert_true(file_has(x->path, "[frame 52 of "));
    assert_false(file_has(x->path, "[frame 51 of "));
}

static void a_place_that_cannot_be_written_is_said(void **state)
{
    struct fixture *x = *state;
    struct evidence *e = NULL;
    struct error error = {0};
    struct evidence_options options = {.path = "/nonexistent/x.pcapng"};
    assert_int_equal(evidence_open(&options, &e, &error), ERR_IO);
    assert_non_null(strstr(error.text, "/nonexistent/x.pcapng"));
    options.path = x->folder;
    assert_true(evidence_open(&options, &e, &error) < 0);
    assert_null(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(wrong_packets_are_written_and_right_ones_are_not, setup, teardown),
        cmocka_unit_test_setup_teardown(files_are_bounded_and_the_newest_stay, setup, teardown),
        cmocka_unit_test_setup_teardown(what_a_run_before_left_is_moved_on, setup, teardown),
        cmocka_unit_test_setup_teardown(one_file_alone_begins_anew, setup, teardown),
        cmocka_unit_test_setup_teardown(what_found_no_room_is_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stream_that_is_right_needs_no_room, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stream_that_is_judged_otherwise_later_is_noticed, setup, teardown),
        cmocka_unit_test_setup_teardown(an_undecided_stream_waits_for_its_verdict, setup, teardown),
        cmocka_unit_test_setup_teardown(each_fragment_that_is_wrong_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(a_place_that_cannot_be_written_is_said, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
