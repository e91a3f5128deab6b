#include "testing.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "probe/stamp_key.h"

static char path[] = "/tmp/qosmark-key-XXXXXX";

static int make_file(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 || close(fd) < 0;
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static int read_key(const char *text, size_t len, uint8_t *key, size_t *ret_len)
{
    struct error error = {0};
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
    int r = stamp_key_read(path, key, ret_len, &error);
    assert_int_equal(error.text[0] != 0, r < 0);
    return r;
}

static void a_line_is_a_key(void **state)
{
    (void)state;
    static const struct {
        const char *text, *key;
        size_t len;
    } good[] = {{"secret", "secret", 6},
                {"secret\n", "secret", 6},
                {"secret\r\n", "secret", 6},
                {" two words \n", " two words ", 11},
                {"hex:00ff7F\n", "\x00\xff\x7f", 3},
                {"hex: 0a \n", "\n", 1}};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        uint8_t key[STAMP_KEY_MAX];
        size_t len = 0;
        assert_int_equal(read_key(good[i].text, strlen(good[i].text), key, &len), 0);
        assert_int_equal(len, good[i].len);
        assert_memory_equal(key, good[i].key, len);
    }
}

static void anything_else_is_not(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "\n", "a\nb", "a\nb\n", "hex:", "hex:0", "hex:0g", "hex:0 0"};
    uint8_t key[STAMP_KEY_MAX];
    size_t len;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(read_key(bad[i], strlen(bad[i]), key, &len), ERR_USAGE);
}

static void a_key_has_a_greatest_length(void **state)
{
    (void)state;
    static char text[3 * STAMP_KEY_MAX];
    uint8_t key[STAMP_KEY_MAX];
    size_t len = 0;
    memset(text, 'a', sizeof text);
    assert_int_equal(read_key(text, STAMP_KEY_MAX, key, &len), 0);
    assert_int_equal(len, STAMP_KEY_MAX);
    assert_int_equal(read_key(text, STAMP_KEY_MAX + 1, key, &len), ERR_USAGE);
    assert_int_equal(read_key(text, sizeof text, key, &len), ERR_USAGE);
    memcpy(text, "hex:", 4);
    assert_int_equal(read_key(text, 4 + 2 * STAMP_KEY_MAX, key, &len), 0);
    assert_int_equal(len, STAMP_KEY_MAX);
    assert_int_equal(read_key(text, 4 + 2 * STAMP_KEY_MAX + 2, key, &len), ERR_USAGE);
}

static void a_secret_that_everybody_can_read_is_refused(void **state)
{
    (void)state;
    static const mode_t open_modes[] = {0604, 0602, 0644, 0777};
    uint8_t key[STAMP_KEY_MAX];
    size_t len;
    for (size_t i = 0; i < sizeof open_modes / sizeof open_modes[0]; i++) {
        assert_int_equal(chmod(path, open_modes[i]), 0);
        assert_int_equal(read_key("secret", 6, key, &len), ERR_USAGE);
    }
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(read_key("secret", 6, key, &len), 0);
}

static void what_is_no_file_is_refused(void **state)
{
    (void)state;
    uint8_t key[STAMP_KEY_MAX];
    size_t len;
    struct error error = {0};
    assert_int_equal(stamp_key_read("/tmp", key, &len, &error), ERR_USAGE);
    assert_int_equal(stamp_key_read("/nowhere/at/all", key, &len, &error), ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_a_key),
        cmocka_unit_test(anything_else_is_not),
        cmocka_unit_test(a_key_has_a_greatest_length),
        cmocka_unit_test(a_secret_that_everybody_can_read_is_refused),
        cmocka_unit_test(what_is_no_file_is_refused),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
