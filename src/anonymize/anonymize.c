#include "anonymize/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "policy/policy_rename.h"

enum {
    KEY_DIGITS = 2 * ADDRESS_MAP_KEY_BYTES,
    KEY_FILE_MAX = KEY_DIGITS + 4, /* with 0x and the end of a line */
};

/* ---- the key ---- */

/* 64 hexadecimal digits, with or without 0x before and white space after them; else 32 bytes as they are. */
static bool key_parse(const uint8_t *bytes, size_t len, uint8_t key[static ADDRESS_MAP_KEY_BYTES])
{
    const uint8_t *digits = bytes;
    size_t count = len;
    if (len == ADDRESS_MAP_KEY_BYTES) {
        memcpy(key, bytes, len);
        return true;
    }
    while (count && (digits[count - 1] == '\n' || digits[count - 1] == '\r' || digits[count - 1] == ' '))
        count--;
    if (count > 2 && digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X')) {
        digits += 2;
        count -= 2;
    }
    if (count != KEY_DIGITS)
        return false;
    for (size_t i = 0; i < ADDRESS_MAP_KEY_BYTES; i++) {
        int high = text_hex_digit((char)digits[2 * i]), low = text_hex_digit((char)digits[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        key[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static int key_read(const char *path, uint8_t key[static ADDRESS_MAP_KEY_BYTES], struct error *error)
{
    uint8_t bytes[KEY_FILE_MAX + 1];
    struct stat st;
    FILE *f = fopen(path, "rb");
    if (!f && errno == ENOMEM)
        return error_set(error, ERR_MEMORY, "out of memory");
    if (!f)
        return error_set(error, ERR_IO, "cannot read the key %s: %s", path, strerror(errno));
    if (fstat(fileno(f), &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & S_IRWXO)) {
        (void)fclose(f);
        return error_set(error, ERR_USAGE,
                         "%s can be read or changed by every user of this machine, and holds a secret: chmod o= %s",
                         path, path);
    }
    (void)setvbuf(f, NULL, _IONBF, 0); /* no copy of the key is left in a buffer */
    size_t len = fread(bytes, 1, sizeof bytes, f);
    int why = ferror(f) ? errno : 0;
    (void)fclose(f);
    if (why)
        return error_set(error, ERR_IO, "cannot read the key %s: %s", path, strerror(why));
    bool parsed = len <= KEY_FILE_MAX && key_parse(bytes, len, key);
    explicit_bzero(bytes, sizeof bytes);
    if (!parsed)
        return error_set(error, ERR_USAGE,
                         "%s is no key: it holds %s%zu bytes, and a key is 32 bytes or 64 hexadecimal digits "
                         "((umask 077; head -c 32 /dev/urandom > %s) makes one)",
                         path, len > KEY_FILE_MAX ? "more than " : "", len > KEY_FILE_MAX ? (size_t)KEY_FILE_MAX : len,
                         path);
    return 0;
}

static int with_key(const uint8_t key[static ADDRESS_MAP_KEY_BYTES], struct anonymizer **ret, struct error *error)
{
    static const char purpose[] = "qosmark names";
    struct anonymizer *a = calloc(1, sizeof *a);
    if (!a)
        return error_set(error, ERR_MEMORY, "out of memory");
    memcpy(a->key, key, sizeof a->key);
    /* OpenSSL fails in one way for whatever reason; where the first has no memory, it may be the second that fails of it */
    errno = 0;
    int r = address_map_new(key, false, &a->addresses, error);
    /* what becomes of names is to say nothing of what becomes of addresses */
    memcpy(a->name_key, key, sizeof a->name_key);
    if (r == 0 && !anonymizer_digest(a, ANONYMIZE_SORTS, purpose, sizeof purpose - 1, a->name_key, sizeof a->name_key))
        r = errno == ENOMEM ? error_set(error, ERR_MEMORY, "out of memory")
                            : error_set(error, ERR_UNSUPPORTED,
                                        "OpenSSL has no HMAC-SHA-256 here, which --anonymize is made with");
    if (r < 0) {
        anonymizer_free(a);
        return r;
    }
    *ret = a;
    return 0;
}

int anonymizer_new(const char *key_file, struct anonymizer **ret, struct error *error)
{
    uint8_t key[ADDRESS_MAP_KEY_BYTES];
    int r = 0;
    if (key_file)
        r = key_read(key_file, key, error);
    else if (getrandom(key, sizeof key, 0) != (ssize_t)sizeof key)
        r = error_set(error, ERR_IO, "the system gives no random numbers: %s", strerror(errno));
    if (r == 0)
        r = with_key(key, ret, error);
    explicit_bzero(key, sizeof key);
    return r;
}

struct anonymizer *anonymizer_copy(const struct anonymizer *a)
{
    struct anonymizer *copy = NULL;
    return with_key(a->key, &copy, NULL) < 0 ? NULL : copy;
}

void anonymizer_free(struct anonymizer *a)
{
    if (!a)
        return;
    address_map_free(a->addresses);
    explicit_bzero(a, sizeof *a);
    free(a);
}

struct addr anonymize_addr(struct anonymizer *a, const struct addr *addr)
{
    return address_map_get(a->addresses, addr);
}

/* ---- policies ---- */

static struct addr rename_address(void *user, const struct addr *addr)
{
    return anonymize_addr(user, addr);
}

static struct prefix rename_prefix(void *user, const struct prefix *p)
{
    const struct anonymizer *a = user;
    return address_map_prefix(a->addresses, p);
}

static const char *rename_node(void *user, const char *name, struct arena *arena)
{
    return anonymize_name(user, ANONYMIZE_NODE, name, arena);
}

static const char *rename_site(void *user, const char *name, struct arena *arena)
{
    return anonymize_name(user, ANONYMIZE_SITE, name, arena);
}

static const char *rename_policy(void *user, const char *name, struct arena *arena)
{
    return anonymize_name(user, ANONYMIZE_POLICY, name, arena);
}

int anonymize_policy(struct anonymizer *a, const struct policy *p, struct policy **ret)
{
    const struct policy_renaming r = {.user = a,
                                      .address = rename_address,
                                      .prefix = rename_prefix,
                                      .node = rename_node,
                                      .site = rename_site,
                                      .policy = rename_policy};
    return policy_rename(p, &r, ret);
}
