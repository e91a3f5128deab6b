#include "probe/stamp_key.h"

#include <string.h>

#include "base/secret_file.h"
#include "base/text.h"

static int take_hex(const char *path, struct slice digits, uint8_t *key, size_t *ret_len, struct error *error)
{
    if (digits.len == 0 || digits.len % 2)
        return error_set(error, ERR_USAGE, "%s: behind \"hex:\" stand two digits a byte", path);
    if (digits.len / 2 > STAMP_KEY_MAX)
        return error_set(error, ERR_USAGE, "%s: a key has at most %d bytes", path, (int)STAMP_KEY_MAX);
    for (size_t i = 0; i < digits.len / 2; i++) {
        int high = text_hex_digit(digits.at[2 * i]), low = text_hex_digit(digits.at[2 * i + 1]);
        if (high < 0 || low < 0)
            return error_set(error, ERR_USAGE, "%s: behind \"hex:\" stand hexadecimal digits only", path);
        key[i] = (uint8_t)(high << 4 | low);
    }
    *ret_len = digits.len / 2;
    return 0;
}

static int take_text(const char *path, struct slice text, uint8_t *key, size_t *ret_len, struct error *error)
{
    const char *newline = memchr(text.at, '\n', text.len);
    if (newline && newline != text.at + text.len - 1)
        return error_set(error, ERR_USAGE, "%s has more than one line; a key file holds one key", path);
    text.len -= newline != NULL;
    if (text.len && text.at[text.len - 1] == '\r')
        text.len--;
    if (slice_starts(text, SLICE("hex:")))
        return take_hex(path, slice_trim(slice_make(text.at + 4, text.len - 4)), key, ret_len, error);
    if (text.len == 0)
        return error_set(error, ERR_USAGE, "%s is empty; a key file holds one key", path);
    if (text.len > STAMP_KEY_MAX)
        return error_set(error, ERR_USAGE, "%s: a key has at most %d bytes", path, (int)STAMP_KEY_MAX);
    memcpy(key, text.at, text.len);
    *ret_len = text.len;
    return 0;
}

int stamp_key_read(const char *path, uint8_t key[static STAMP_KEY_MAX], size_t *ret_len, struct error *error)
{
    char text[2 * STAMP_KEY_MAX + 8]; /* all of a hexadecimal key, and more than any other */
    size_t len = 0;
    int r = secret_file_read(path, true, text, sizeof text, &len, error);
    if (r == 0 && len == sizeof text)
        r = error_set(error, ERR_USAGE, "%s: a key has at most %d bytes", path, (int)STAMP_KEY_MAX);
    if (r == 0)
        r = take_text(path, slice_make(text, len), key, ret_len, error);
    explicit_bzero(text, sizeof text);
    return r;
}
