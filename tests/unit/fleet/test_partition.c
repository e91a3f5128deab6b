#include "testing.h"

#include "fleet/partition.h"

static struct delta rtp(uint32_t ssrc, const char *src, const char *dst)
{
    struct delta d = {.proto = 17, .has_ssrc = true, .ssrc = ssrc, .kind = KIND_RTP_AUDIO};
    assert_true(endpoint_parse(slice_make(src, strlen(src)), 0, &d.src));
    assert_true(endpoint_parse(slice_make(dst, strlen(dst)), 0, &d.dst));
    return d;
}

static void media_is_in_one_partition_on_both_sides_of_a_nat(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 1000; i++) {
        struct delta inside = rtp(i * 2654435761u, "10.0.0.1:5004", "192.0.2.1:6000"),
                     outside = rtp(i * 2654435761u, "198.51.100.1:41000", "192.0.2.1:6000"), rtcp = outside;
        outside.kind = KIND_RTP_UNKNOWN;
        rtcp.kind = KIND_RTCP;
        unsigned p = partition_of(&inside, 32);
        assert_true(p < 32);
        assert_int_equal(partition_of(&outside, 32), p);
        assert_int_equal(partition_of(&rtcp, 32), p);
    }
}

static void both_directions_of_a_connection_are_in_one_partition(void **state)
{
    (void)state;
    for (uint16_t i = 1; i < 1000; i++) {
        struct delta there = rtp(0, "10.0.0.1:5004", "[2001:db8::1]:5061"), back;
        there.has_ssrc = false;
        there.proto = 6;
        there.src.port = i;
        back = there;
        back.src = there.dst;
        back.dst = there.src;
        assert_int_equal(partition_of(&there, 17), partition_of(&back, 17));
    }
}

static void partitions_are_filled_alike(void **state)
{
    unsigned media[32] = {0}, others[32] = {0};
    (void)state;
    for (uint32_t i = 0; i < 32000; i++) {
        struct delta d = rtp(i, "10.0.0.1:5004", "10.0.0.2:5061");
        media[partition_of(&d, 32)]++;
        d.has_ssrc = false;
        d.src.port = (uint16_t)i;
        others[partition_of(&d, 32)]++;
    }
    for (unsigned i = 0; i < 32; i++) { /* 1000 each, give or take six times the deviation */
        assert_in_range(media[i], 800, 1200);
        assert_in_range(others[i], 800, 1200);
    }
}

/* SipHash-1-3 of 'r' and the SSRC with the key of partition.c; worked out in Python. */
static void a_stream_stays_in_its_partition_from_release_to_release(void **state)
{
    struct delta a = rtp(0x00000001, "10.0.0.1:1", "10.0.0.2:2"), b = rtp(0xdeadbeef, "10.0.0.1:1", "10.0.0.2:2");
    (void)state;
    assert_int_equal(partition_of(&a, 32), 9);
    assert_int_equal(partition_of(&b, 32), 7);
}

static void a_call_id_has_one_hash_and_never_0(void **state)
{
    (void)state;
    assert_true(partition_call(SLICE("a84b4c76e66710@pc33")) == partition_call(SLICE("a84b4c76e66710@pc33")));
    assert_true(partition_call(SLICE("a84b4c76e66710@pc33")) != partition_call(SLICE("a84b4c76e66711@pc33")));
    assert_true(partition_call(SLICE("")) != 0);
}

static void subjects_name_partition_site_and_point(void **state)
{
    char subject[SUBJECT_MAX];
    (void)state;
    partition_subject(7, "berlin", "wan-a:eth0", subject);
    assert_string_equal(subject, "qosmark.v1.7.berlin.wan-a:eth0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(media_is_in_one_partition_on_both_sides_of_a_nat),
        cmocka_unit_test(both_directions_of_a_connection_are_in_one_partition),
        cmocka_unit_test(partitions_are_filled_alike),
        cmocka_unit_test(a_stream_stays_in_its_partition_from_release_to_release),
        cmocka_unit_test(a_call_id_has_one_hash_and_never_0),
        cmocka_unit_test(subjects_name_partition_site_and_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
