#include "testing.h"

#include "base/hash.h"

/* CPython 3.11 and later hash bytes with SipHash-1-3; with PYTHONHASHSEED=0 the key is zero. What hash() printed,
 * modulo 2^64. */
static void a_zero_key_gives_what_python_gives_with_hash_seed_0(void **state)
{
    (void)state;
    const struct hash_key key = {0, 0};
    uint8_t counting[64], ones[23];
    for (size_t i = 0; i < sizeof counting; i++)
        counting[i] = (uint8_t)i;
    memset(ones, 0xff, sizeof ones);
    assert_int_equal(hash_bytes(&key, "a", 1), 0x407448d2b89b1813u);
    assert_int_equal(hash_bytes(&key, "qosmark", 7), 0x70f41b4275569341u);
    assert_int_equal(hash_bytes(&key, "12345678", 8), 0x3489982430560a87u);
    assert_int_equal(hash_bytes(&key, counting, 15), 0xf30eb725bb91c9eau);
    assert_int_equal(hash_bytes(&key, counting, 64), 0x75e05fd5bbc870c6u);
    assert_int_equal(hash_bytes(&key, ones, 23), 0x757ceb3222e74f4fu);
}

/* With another PYTHONHASHSEED the key is 16 bytes of a linear congruential generator (Python/bootstrap_hash.c,
 * lcg_urandom): the key below is that of seed 42. */
static void a_key_gives_what_python_gives_with_hash_seed_42(void **state)
{
    (void)state;
    const struct hash_key key = {0xdc504fd368cd90afu, 0xb920bb9ffe99e9c1u};
    assert_int_equal(hash_bytes(&key, "a", 1), 0xfe4a47335692551eu);
    assert_int_equal(hash_bytes(&key, "qosmark", 7), 0xdec12bc8b9da04adu);
    assert_int_equal(hash_bytes(&key, "12345678", 8), 0x84eb586ab30cc7f5u);
}

/* The key and messages of the paper's appendix (key bytes 00 01 .. 0f), at 1-3 rounds; the first eight bytes are those
 * that Rust's library tests list for the empty message: dc c4 0f 05 58 01 ac ab. */
static void the_papers_key_gives_the_published_first_vector(void **state)
{
    (void)state;
    const struct hash_key key = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};
    uint8_t message[63];
    for (size_t i = 0; i < sizeof message; i++)
        message[i] = (uint8_t)i;
    assert_int_equal(hash_bytes(&key, NULL, 0), 0xabac0158050fc4dcu);
    assert_int_equal(hash_bytes(&key, message, 1), 0xc9f49bf37d57ca93u);
    assert_int_equal(hash_bytes(&key, message, 7), 0xd3927d989bb11140u);
    assert_int_equal(hash_bytes(&key, message, 8), 0x369095118d299a8eu);
    assert_int_equal(hash_bytes(&key, message, 63), 0x9d199062b7bbb3a8u);
}

static void hash_prefix(void *user, const uint8_t *prefix, size_t len)
{
    uint64_t *seen = user;
    seen[len] = hash_bytes(&(struct hash_key){1, 2}, prefix, len);
}

static void every_length_reads_no_byte_too_far_and_hashes_otherwise(void **state)
{
    (void)state;
    static const uint8_t zeros[40];
    uint64_t seen[41];
    for_each_prefix(zeros, sizeof zeros, hash_prefix, seen);
    for (size_t i = 0; i <= sizeof zeros; i++)
        for (size_t j = 0; j < i; j++)
            assert_true(seen[i] != seen[j]);
}

static void words_hash_as_their_bytes_in_little_endian_order(void **state)
{
    (void)state;
    const struct hash_key key = {0xdc504fd368cd90afu, 0xb920bb9ffe99e9c1u};
    const uint64_t words[3] = {0x0807060504030201u, 0x100f0e0d0c0b0a09u, 0xffeeddccbbaa9988u};
    uint8_t bytes[24];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(words[i / 8] >> (i % 8 * 8));
    for (size_t n = 0; n <= 3; n++)
        assert_int_equal(hash_words(&key, words, n), hash_bytes(&key, bytes, n * 8));
    assert_int_equal(hash_pair(&key, words[0], words[1]), hash_bytes(&key, bytes, 15));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zero_key_gives_what_python_gives_with_hash_seed_0),
        cmocka_unit_test(a_key_gives_what_python_gives_with_hash_seed_42),
        cmocka_unit_test(the_papers_key_gives_the_published_first_vector),
        cmocka_unit_test(every_length_reads_no_byte_too_far_and_hashes_otherwise),
        cmocka_unit_test(words_hash_as_their_bytes_in_little_endian_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
