#include "anonymize/address.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#ifdef QOSMARK_HAVE_OPENSSL
#include <openssl/evp.h>
#endif

enum {
    BLOCK_BYTES = 16,
    BITS_MAX = 128,
    V4_BITS = 32,
    CACHE_ENTRIES = 16384, /* addresses whose replacement is remembered; a power of two */
};

/* A range that stays where it is. */
struct kept {
    uint8_t version;
    uint8_t len;   /* of the range */
    uint8_t fixed; /* bits of an address in it that are never flipped, from the first one on; at least `len` */
    uint8_t bytes[16];
    bool
        turned; /* the bit after those is always flipped: the range is small, and nobody is to be replaced by himself */
};

static const struct kept kept[] = {
    {4, 8, 32, {0}, false},
    {4, 8, 32, {127}, false},
    {4, 8, 8, {10}, true},
    {4, 12, 12, {172, 16}, true},
    {4, 16, 16, {192, 168}, true},
    {4, 10, 10, {100, 64}, true},
    {4, 16, 16, {169, 254}, true},
    {4, 4, 4, {224}, false},
    {4, 24, 32, {224, 0, 0}, false},
    {4, 8, 8, {232}, false},
    {4, 8, 8, {239}, false},
    {4, 32, 32, {255, 255, 255, 255}, false},
    {6, 127, 128, {0}, false}, /* :: and ::1 */
    {6, 96, 96, {[10] = 0xff, [11] = 0xff}, false},
    {6, 96, 96, {0x00, 0x64, 0xff, 0x9b}, false},
    {6, 3, 3, {0x20}, false},
    {6, 8, 8, {0xfc}, false},
    {6, 8, 8, {0xfd}, false},
    {6, 64, 64, {0xfe, 0x80}, false},
    {6, 8, 16, {0xff}, false},
    {6, 112, 128, {0xff, 0x01}, false},
    {6, 112, 128, {0xff, 0x02}, false},
    {6, 112, 128, {0xff, 0x05}, false},
};
enum { KEPT_COUNT = sizeof kept / sizeof kept[0] };

/* IPv6 ranges whose last 32 bits are an IPv4 address (RFC 4291 §2.5.5.2, RFC 6052 §2.1). */
static const uint8_t with_v4[][12] = {
    {[10] = 0xff, [11] = 0xff},
    {0x00, 0x64, 0xff, 0x9b},
};

struct cached {
    struct addr from, to;
};

struct address_map {
#ifdef QOSMARK_HAVE_OPENSSL
    EVP_CIPHER_CTX *aes;
#endif
    uint8_t pad[BLOCK_BYTES];
    bool plain;
    struct cached cache[CACHE_ENTRIES];
};

#ifdef QOSMARK_HAVE_OPENSSL

static bool encrypt(struct address_map *m, uint8_t *to, const uint8_t *from, int len)
{
    int written = 0;
    return EVP_EncryptUpdate(m->aes, to, &written, from, len) == 1 && written == len;
}

int address_map_new(const uint8_t key[static ADDRESS_MAP_KEY_BYTES], bool plain, struct address_map **ret,
                    struct error *error)
{
    struct address_map *m = calloc(1, sizeof *m);
    if (!m)
        return error_set(error, ERR_MEMORY, "out of memory");
    m->plain = plain;
    errno = 0; /* OpenSSL fails in one way for whatever reason */
    m->aes = EVP_CIPHER_CTX_new();
    if (!m->aes || EVP_EncryptInit_ex(m->aes, EVP_aes_128_ecb(), NULL, key, NULL) != 1 ||
        EVP_CIPHER_CTX_set_padding(m->aes, 0) != 1 || !encrypt(m, m->pad, key + BLOCK_BYTES, BLOCK_BYTES)) {
        bool no_memory = errno == ENOMEM;
        address_map_free(m);
        if (no_memory)
            return error_set(error, ERR_MEMORY, "out of memory");
        return error_set(error, ERR_UNSUPPORTED, "OpenSSL has no AES-128 here, which --anonymize is made with");
    }
    *ret = m;
    return 0;
}

void address_map_free(struct address_map *m)
{
    if (!m)
        return;
    EVP_CIPHER_CTX_free(m->aes);
    free(m);
}

#else

static bool encrypt(struct address_map *m, uint8_t *to, const uint8_t *from, int len)
{
    (void)m;
    (void)to;
    (void)from;
    (void)len;
    return false;
}

int address_map_new(const uint8_t key[static ADDRESS_MAP_KEY_BYTES], bool plain, struct address_map **ret,
                    struct error *error)
{
    (void)key;
    (void)plain;
    (void)ret;
    return error_set(error, ERR_UNSUPPORTED, "--anonymize needs OpenSSL, which this program was built without");
}

void address_map_free(struct address_map *m)
{
    free(m);
}

#endif

static unsigned bit_of(const uint8_t *bytes, unsigned i)
{
    return (unsigned)bytes[i / 8] >> (7 - i % 8) & 1U;
}

/* How many of the first `most` bits are the same. */
static unsigned common_bits(const uint8_t *a, const uint8_t *b, unsigned most)
{
    unsigned n = 0;
    while (n < most && bit_of(a, n) == bit_of(b, n))
        n++;
    return n;
}

/* Whether each bit is to be flipped, as the bits of `flips`: the first bit of what AES makes of the bits before it.
 * The paper (section 4.2) fills those up with the bits of the pad: where the next bit is as the pad has it, two blocks
 * are the same, and with three chances in four a bit is flipped where the one before it is. So one public address in
 * twenty keeps its first two bytes. Unless `plain`, a single 1 ends the bits instead, and no two blocks are the same.
 */
static bool flips_of(struct address_map *m, const uint8_t *bytes, unsigned bits, uint8_t *flips)
{
    uint8_t in[BITS_MAX * BLOCK_BYTES], out[BITS_MAX * BLOCK_BYTES];
    uint8_t block[BLOCK_BYTES];
    memcpy(block, m->pad, sizeof block);
    for (unsigned i = 0; i < bits; i++) {
        uint8_t mask = (uint8_t)(0x80U >> (i % 8)), *next = in + (size_t)i * BLOCK_BYTES;
        memcpy(next, block, sizeof block);
        if (m->plain) {
            block[i / 8] = (uint8_t)((block[i / 8] & ~mask) | (bytes[i / 8] & mask));
        } else {
            next[i / 8] ^= mask;
            block[i / 8] ^= bytes[i / 8] & mask;
        }
    }
    if (!encrypt(m, out, in, (int)(bits * BLOCK_BYTES)))
        return false;
    memset(flips, 0, bits / 8);
    for (unsigned i = 0; i < bits; i++)
        flips[i / 8] = (uint8_t)(flips[i / 8] | (out[(size_t)i * BLOCK_BYTES] & 0x80U) >> (i % 8));
    return true;
}

/* How many of the first bits are not to be flipped: those that keep a range where it is. */
static unsigned fixed_bits(uint8_t version, const uint8_t *bytes, bool *ret_turned)
{
    unsigned most = 0;
    *ret_turned = false;
    for (size_t i = 0; i < KEPT_COUNT; i++) {
        const struct kept *k = &kept[i];
        if (k->version != version)
            continue;
        unsigned common = common_bits(bytes, k->bytes, k->len);
        /* the bit in which it differs from the range goes with the range's own */
        unsigned fixed = common == k->len ? k->fixed : common + 1;
        most = fixed > most ? fixed : most;
        *ret_turned |= common == k->len && k->turned;
    }
    return most;
}

static void replace(struct address_map *m, uint8_t version, uint8_t *bytes)
{
    unsigned bits = version == 4 ? V4_BITS : BITS_MAX;
    uint8_t flips[BITS_MAX / 8], mapped[BITS_MAX / 8];
    if (!flips_of(m, bytes, bits, flips)) {
        memset(bytes, 0, bits / 8); /* nothing rather than the original */
        return;
    }
    bool turned = false;
    unsigned fixed = m->plain ? 0 : fixed_bits(version, bytes, &turned);
    memcpy(mapped, bytes, bits / 8);
    if (turned)
        flips[fixed / 8] = (uint8_t)(flips[fixed / 8] | 0x80U >> (fixed % 8));
    for (unsigned i = fixed; i < bits; i++)
        mapped[i / 8] = (uint8_t)(mapped[i / 8] ^ (flips[i / 8] & 0x80U >> (i % 8)));
    for (size_t i = 0; version == 6 && !m->plain && i < sizeof with_v4 / sizeof with_v4[0]; i++) {
        if (memcmp(bytes, with_v4[i], sizeof with_v4[i]) == 0) {
            memcpy(mapped + 12, bytes + 12, 4);
            replace(m, 4, mapped + 12);
        }
    }
    memcpy(bytes, mapped, bits / 8);
}

/* Where an address is remembered: any spread will do, since a collision only costs time. */
static struct cached *place_of(struct address_map *m, const struct addr *a)
{
    uint64_t high, low;
    memcpy(&high, a->bytes, sizeof high);
    memcpy(&low, a->bytes + 8, sizeof low);
    uint64_t mixed = (high ^ low * 0x9e3779b97f4a7c15ULL ^ a->version) * 0xff51afd7ed558ccdULL;
    return &m->cache[mixed >> 32 & (CACHE_ENTRIES - 1)];
}

struct addr address_map_get(struct address_map *m, const struct addr *a)
{
    if (a->version != 4 && a->version != 6)
        return *a;
    struct cached *c = place_of(m, a);
    if (!addr_equal(&c->from, a)) {
        struct addr to = *a;
        replace(m, a->version, to.bytes);
        *c = (struct cached){*a, to};
    }
    return c->to;
}

struct prefix address_map_prefix(struct address_map *m, const struct prefix *p)
{
    struct prefix to = {address_map_get(m, &p->addr), p->len};
    unsigned bits = to.addr.version == 4 ? V4_BITS : BITS_MAX;
    for (unsigned i = p->len; i < bits; i++)
        to.addr.bytes[i / 8] = (uint8_t)(to.addr.bytes[i / 8] & ~(0x80U >> (i % 8)));
    return to;
}

void address_map_bytes(struct address_map *m, uint8_t *bytes, size_t len)
{
    struct addr from = len == 4 ? addr_v4(bytes) : addr_v6(bytes), to = address_map_get(m, &from);
    memcpy(bytes, to.bytes, len);
}
