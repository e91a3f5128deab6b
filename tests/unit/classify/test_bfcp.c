#include "testing.h"

#include "classify/bfcp.h"
#include "classify/h224.h"
#include "classify/ix.h"

/* RFC 8855 §5.1 and §5.2.2 by hand: FloorRequest, conference 1, transaction 2, user 3, FLOOR-ID 1 (mandatory). */
static const uint8_t floor_request[] = {0x40, 0x01, 0x00, 0x01, 0, 0, 0, 1, 0, 2, 0, 3, 0x05, 0x04, 0x00, 0x01};

static enum parse_status parse(const uint8_t *bytes, size_t len, bool stream, struct bfcp_message *m)
{
    return bfcp_parse(cur_make(bytes, len, false), (uint32_t)len, stream, m);
}

static void floor_request_over_udp_is_read(void **state)
{
    (void)state;
    struct bfcp_message m;
    assert_int_equal(parse(floor_request, sizeof floor_request, false, &m), PARSE_OK);
    assert_int_equal(m.version, 2);
    assert_int_equal(m.primitive, 1);
    assert_int_equal(m.conference_id, 1);
    assert_int_equal(m.transaction_id, 2);
    assert_int_equal(m.user_id, 3);
    assert_int_equal(m.message_bytes, 16);
}

static void a_stream_may_go_on_behind_a_message(void **state)
{
    (void)state;
    uint8_t two[2 * sizeof floor_request];
    struct bfcp_message m;
    memcpy(two, floor_request, sizeof floor_request);
    memcpy(two + sizeof floor_request, floor_request, sizeof floor_request);
    two[0] = two[sizeof floor_request] = 0x20; /* version 1 */
    assert_int_equal(parse(two, sizeof two, true, &m), PARSE_OK);
    assert_int_equal(m.message_bytes, 16);
    assert_int_equal(parse(two, sizeof two, false, &m), PARSE_MALFORMED);
    assert_int_equal(parse(two, 14, true, &m), PARSE_TRUNCATED);
}

static void contradictions_are_malformed(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
    } wrong[] = {{0, 0x60}, {0, 0x41}, {0, 0x30}, {1, 0}, {1, 19}, {3, 2}, {12, 0x01}, {12, 0x3f}, {13, 1}, {13, 8}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        uint8_t bytes[sizeof floor_request];
        struct bfcp_message m = {.version = 9};
        memcpy(bytes, floor_request, sizeof bytes);
        bytes[wrong[i].at] = wrong[i].value;
        assert_int_equal(parse(bytes, sizeof bytes, false, &m), PARSE_MALFORMED);
        assert_int_equal(m.version, 9);
    }
}

/* RFC 8855 §5.1: with F set, where the part lies in the message and how long it is, both in units of four bytes. */
static void a_fragment_has_to_lie_within_its_message(void **state)
{
    (void)state;
    static const uint8_t second_half[] = {0x48, 0x08, 0x00, 0x02, 0, 0, 0, 1, 0, 2, 0, 3, 0, 1, 0, 1, 0xaa, 0xaa, 0xaa, 0xaa};
    struct bfcp_message m;
    assert_int_equal(parse(second_half, sizeof second_half, false, &m), PARSE_OK);
    assert_true(m.fragment);
    static const struct {
        size_t at;
        uint8_t value;
    } wrong[] = {{13, 2}, {15, 2}, {15, 0}, {12, 0xaa}, {14, 0xaa}, {3, 1}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        uint8_t bytes[sizeof second_half];
        memcpy(bytes, second_half, sizeof bytes);
        bytes[wrong[i].at] = wrong[i].value;
        assert_int_equal(parse(bytes, sizeof bytes, false, &m), PARSE_MALFORMED);
    }
    /* DNS that was damaged on its way looked like one */
    static const uint8_t noise[] = {0x58, 0x02, 0, 0, 0, 1, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa};
    assert_int_equal(parse(noise, sizeof noise, false, &m), PARSE_MALFORMED);
}

static void parse_prefix(void *user, const uint8_t *prefix, size_t len)
{
    (void)user;
    struct bfcp_message m;
    bool all = len == sizeof floor_request;
    assert_int_equal(parse(prefix, len, false, &m), all ? PARSE_OK : PARSE_MALFORMED);
    assert_int_equal(parse(prefix, len, true, &m), all ? PARSE_OK : PARSE_TRUNCATED);
    (void)bfcp_parse(cur_make(prefix, len, true), sizeof floor_request, false, &m);
    struct ix_packet ix;
    (void)ix_parse(cur_make(prefix, len, false), (uint32_t)len, &ix);
    (void)h224_looks_like(cur_make(prefix, len, false));
}

static void no_prefix_is_read_beyond_its_end(void **state)
{
    (void)state;
    for_each_prefix(floor_request, sizeof floor_request, parse_prefix, NULL);
}

/* draft-gg-udt-03 §3.2: header, version 4, datagram socket, sequence, MSS 1500, window 8192, regular, socket, cookie,
 * IP. */
static const uint8_t udt_handshake[64] = {0x80, 0x00, 0x00, 0x00, 0,    0, 0, 0, 0, 0,    0,    5,    0,    0,   0,
                                          0,    0,    0,    0,    4,    0, 0, 0, 1, 0x12, 0x34, 0x56, 0x78, 0,   0,
                                          0x05, 0xdc, 0,    0,    0x20, 0, 0, 0, 0, 1,    0x0a, 0x0b, 0x0c, 0x0d};

static void udt_handshake_is_recognised(void **state)
{
    (void)state;
    struct ix_packet p;
    assert_int_equal(ix_parse(cur_make(udt_handshake, 64, false), 64, &p), PARSE_OK);
    assert_int_equal(p.type, IX_HANDSHAKE);
    assert_true(p.recognised);
    assert_int_equal(p.socket_id, 0);
    uint8_t other[64];
    memcpy(other, udt_handshake, 64);
    other[19] = 5; /* a version that does not exist */
    assert_int_equal(ix_parse(cur_make(other, 64, false), 64, &p), PARSE_OK);
    assert_false(p.recognised);
    assert_int_equal(ix_parse(cur_make(udt_handshake, 63, false), 63, &p), PARSE_MALFORMED);
}

static void other_udt_packets_are_read_but_prove_nothing(void **state)
{
    (void)state;
    struct ix_packet p;
    static const uint8_t keep_alive[20] = {0x80, 0x01};
    static const uint8_t data[20] = {0x00, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9};
    static const uint8_t unknown[20] = {0x80, 0x60};
    assert_int_equal(ix_parse(cur_make(keep_alive, 20, false), 20, &p), PARSE_OK);
    assert_int_equal(p.type, IX_KEEP_ALIVE);
    assert_false(p.recognised);
    assert_int_equal(ix_parse(cur_make(data, 20, false), 20, &p), PARSE_OK);
    assert_int_equal(p.type, IX_DATA);
    assert_int_equal(p.socket_id, 9);
    assert_int_equal(ix_parse(cur_make(unknown, 20, false), 20, &p), PARSE_MALFORMED);
}

static void udt_prefix(void *user, const uint8_t *prefix, size_t len)
{
    (void)user;
    struct ix_packet p;
    (void)ix_parse(cur_make(prefix, len, false), (uint32_t)len, &p);
    assert_int_equal(ix_parse(cur_make(prefix, len, true), 64, &p), len < 16 ? PARSE_TRUNCATED : PARSE_OK);
}

static void no_prefix_of_a_handshake_is_read_beyond_its_end(void **state)
{
    (void)state;
    for_each_prefix(udt_handshake, sizeof udt_handshake, udt_prefix, NULL);
}

/* RFC 4573 §4 and H.224 §8: high priority, UI, to and from terminal 0, client FECC, one segment; pan left. */
static void far_end_camera_control_is_recognised(void **state)
{
    (void)state;
    static const uint8_t fecc[] = {0x00, 0x71, 0x03, 0, 0, 0, 0, 0x01, 0xc0, 0x01, 0x80};
    static const uint8_t not_fecc[] = {0x00, 0x71, 0x13, 0, 0, 0, 0, 0x01, 0xc0, 0x01, 0x80};
    assert_true(h224_looks_like(cur_make(fecc, sizeof fecc, false)));
    assert_false(h224_looks_like(cur_make(not_fecc, sizeof not_fecc, false)));
    assert_false(h224_looks_like(cur_make(fecc, 8, false)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(floor_request_over_udp_is_read),
        cmocka_unit_test(a_stream_may_go_on_behind_a_message),
        cmocka_unit_test(contradictions_are_malformed),
        cmocka_unit_test(a_fragment_has_to_lie_within_its_message),
        cmocka_unit_test(no_prefix_is_read_beyond_its_end),
        cmocka_unit_test(udt_handshake_is_recognised),
        cmocka_unit_test(other_udt_packets_are_read_but_prove_nothing),
        cmocka_unit_test(no_prefix_of_a_handshake_is_read_beyond_its_end),
        cmocka_unit_test(far_end_camera_control_is_recognised),
    };
    return cmocka_run_group_tests_name("bfcp", tests, NULL, NULL);
}
