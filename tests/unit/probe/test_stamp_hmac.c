#include "testing.h"

#include "probe/stamp_hmac.h"

/* RFC 4231 §4.2, §4.3, §4.6 (the one made for truncation) and §4.8, cut to 128 bits. */
static const struct {
    const char *key, *text;
    size_t key_len;
    uint8_t digest[STAMP_HMAC_BYTES];
} vectors[] = {
    {"\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b",
     "Hi There",
     20,
     {0xb0, 0x34, 0x4c, 0x61, 0xd8, 0xdb, 0x38, 0x53, 0x5c, 0xa8, 0xaf, 0xce, 0xaf, 0x0b, 0xf1, 0x2b}},
    {"Jefe",
     "what do ya want for nothing?",
     4,
     {0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24, 0x26, 0x08, 0x95, 0x75, 0xc7}},
    {"\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c",
     "Test With Truncation",
     20,
     {0xa3, 0xb6, 0x16, 0x74, 0x73, 0x10, 0x0e, 0xe0, 0x6e, 0x0c, 0x79, 0x6c, 0x29, 0x55, 0x55, 0x2b}},
};

static struct stamp_hmac *hmac_of(const void *key, size_t len)
{
    struct stamp_hmac *h = NULL;
    struct error error = {0};
    if (stamp_hmac_new(key, len, &h, &error) == ERR_UNSUPPORTED) {
        print_message("%s\n", error.text);
        skip();
    }
    assert_non_null(h);
    return h;
}

static void the_vectors_of_rfc_4231_in_one_part_and_in_two(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        struct stamp_hmac *h = hmac_of(vectors[i].key, vectors[i].key_len);
        size_t len = strlen(vectors[i].text);
        for (size_t cut = 0; cut <= len; cut++) {
            uint8_t made[STAMP_HMAC_BYTES];
            assert_int_equal(stamp_hmac_sign(h, vectors[i].text, cut, vectors[i].text + cut, len - cut, made), 0);
            assert_memory_equal(made, vectors[i].digest, sizeof made);
        }
        stamp_hmac_free(h);
    }
}

static void a_single_bit_off_is_refused(void **state)
{
    (void)state;
    struct stamp_hmac *h = hmac_of("Jefe", 4);
    for (size_t bit = 0; bit < 8 * STAMP_HMAC_BYTES; bit++) {
        uint8_t wrong[STAMP_HMAC_BYTES];
        memcpy(wrong, vectors[1].digest, sizeof wrong);
        assert_true(stamp_hmac_verify(h, vectors[1].text, strlen(vectors[1].text), NULL, 0, wrong));
        wrong[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_false(stamp_hmac_verify(h, vectors[1].text, strlen(vectors[1].text), NULL, 0, wrong));
    }
    stamp_hmac_free(h);
}

static void a_key_has_a_length(void **state)
{
    (void)state;
    static const uint8_t key[STAMP_KEY_MAX + 1];
    struct stamp_hmac *h = NULL;
    struct error error = {0};
    stamp_hmac_free(hmac_of(key, STAMP_KEY_MAX));
    assert_int_equal(stamp_hmac_new(key, 0, &h, &error), ERR_USAGE);
    assert_int_equal(stamp_hmac_new(key, sizeof key, &h, &error), ERR_USAGE);
    assert_null(h);
    stamp_hmac_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_rfc_4231_in_one_part_and_in_two),
        cmocka_unit_test(a_single_bit_off_is_refused),
        cmocka_unit_test(a_key_has_a_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
