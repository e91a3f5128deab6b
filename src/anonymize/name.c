/*
 * Names to tokens: HMAC-SHA-256 of the name and of what sort it is, cut to a few digits. Nobody without the key can try
 * names until one fits.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#ifdef QOSMARK_HAVE_OPENSSL
#include <openssl/evp.h>
#include <openssl/hmac.h>
#endif

#include "anonymize/internal.h"

enum { TOKEN_BYTES = 4, CALL_TOKEN_BYTES = 8, DIGEST_BYTES = 32, HOST_MAX = 255 };

static const char *const prefixes[ANONYMIZE_SORTS] = {
    [ANONYMIZE_USER] = "user-",   [ANONYMIZE_HOST] = "host-",     [ANONYMIZE_NODE] = "node-",
    [ANONYMIZE_SITE] = "site-",   [ANONYMIZE_CALL] = "id-",       [ANONYMIZE_AGENT] = "agent-",
    [ANONYMIZE_INPUT] = "point-", [ANONYMIZE_POLICY] = "policy-", [ANONYMIZE_CODEC] = "codec-",
    [ANONYMIZE_MAC] = "",
};

/* Names in the registry of RTP payload formats (IANA) that conferences use: they say nothing of anybody. */
static const char *const codecs[] = {
    "opus",      "PCMU",          "PCMA",          "G722",     "G7221",     "G722.1",
    "G723",      "G728",          "G729",          "G729D",    "G729E",     "GSM",
    "GSM-EFR",   "iLBC",          "speex",         "AMR",      "AMR-WB",    "EVS",
    "MP4A-LATM", "MPEG4-GENERIC", "mpeg4-generic", "AAC-LD",   "SILK",      "L8",
    "L16",       "L24",           "DVI4",          "CN",       "red",       "telephone-event",
    "tone",      "isac",          "LPC",           "QCELP",    "VDVI",      "MPA",
    "G726-16",   "G726-24",       "G726-32",       "G726-40",  "H261",      "H263",
    "H263-1998", "H263-2000",     "H264",          "H264-SVC", "H265",      "H266",
    "VP8",       "VP9",           "AV1",           "AV1X",     "JPEG",      "MPV",
    "MP2T",      "MP4V-ES",       "x-ulpfecuc",    "x-h264uc", "X-H264UC",  "x-rtvc1",
    "ulpfec",    "flexfec",       "flexfec-03",    "rtx",      "raptorfec", "H224",
    "siren",     "x-msrta",       "x-data",
};

/* Suffixes that say what a file is. */
static const char *const suffixes[] = {".pcapng", ".pcap", ".cap", ".erf", ".json",
                                       ".jsonl",  ".gz",   ".zst", ".xz",  ".lz4"};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

bool anonymizer_digest(const struct anonymizer *a, enum anonymize_sort sort, const char *name, size_t len, uint8_t *ret,
                       size_t ret_len)
{
    uint8_t digest[DIGEST_BYTES] = {0};
    bool ok = false;
#ifdef QOSMARK_HAVE_OPENSSL
    uint8_t key[sizeof a->name_key + 1];
    unsigned written = 0;
    memcpy(key, a->name_key, sizeof a->name_key);
    key[sizeof a->name_key] = (uint8_t)sort;
    ok = HMAC(EVP_sha256(), key, sizeof key, (const uint8_t *)name, len, digest, &written) != NULL &&
         written == DIGEST_BYTES;
#else
    (void)a;
    (void)sort;
    (void)name;
    (void)len;
#endif
    memcpy(ret, digest, ret_len);
    return ok;
}

/* The letters of a host name have no case (RFC 4343), nor have those of a node's or a site's name in a policy. */
static size_t folded(enum anonymize_sort sort, const char *name, char *to, size_t size)
{
    bool fold = sort == ANONYMIZE_HOST || sort == ANONYMIZE_NODE || sort == ANONYMIZE_SITE || sort == ANONYMIZE_CODEC;
    size_t len = strlen(name);
    if (len > size)
        len = size;
    for (size_t i = 0; i < len; i++)
        to[i] = fold && name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] - 'A' + 'a') : name[i];
    return len;
}

static const char *token(struct anonymizer *a, enum anonymize_sort sort, const char *prefix, const char *name,
                         const char *suffix, struct arena *arena)
{
    static const char digits[] = "0123456789abcdef";
    char text[4096], hex[2 * CALL_TOKEN_BYTES + 1];
    uint8_t digest[CALL_TOKEN_BYTES];
    size_t bytes = sort == ANONYMIZE_CALL ? CALL_TOKEN_BYTES : TOKEN_BYTES;
    if (!anonymizer_digest(a, sort, text, folded(sort, name, text, sizeof text), digest, bytes))
        return NULL;
    for (size_t i = 0; i < bytes; i++) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 15];
    }
    hex[2 * bytes] = '\0';
    return arena_printf(arena, "%s%s%s", prefix, hex, suffix);
}

static bool is_plain(struct anonymizer *a, struct slice text, char to[static ADDR_TEXT_MAX])
{
    struct addr addr;
    if (!addr_parse(text, &addr))
        return false;
    addr = anonymize_addr(a, &addr);
    addr_format(&addr, to);
    return true;
}

/* Where the suffixes of captures begin; the end of the name where there is none. */
static const char *suffix_of(const char *name)
{
    const char *end = name + strlen(name), *at = end;
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < COUNT(suffixes) && !more; i++) {
            size_t len = strlen(suffixes[i]);
            if ((size_t)(at - name) > len && strncasecmp(at - len, suffixes[i], len) == 0) {
                at -= len;
                more = true;
            }
        }
    }
    return at;
}

static const char *input_name(struct anonymizer *a, const char *name, struct arena *arena)
{
    static const char *const plain[] = {"-", "standard input"};
    for (size_t i = 0; i < COUNT(plain); i++)
        if (strcmp(name, plain[i]) == 0)
            return arena_copy(arena, name, strlen(name));
    const char *suffix = suffix_of(name);
    return token(a, ANONYMIZE_INPUT, *suffix ? "capture-" : prefixes[ANONYMIZE_INPUT], name, suffix, arena);
}

/* "opus/48000": the name before the stroke. */
static const char *codec_name(struct anonymizer *a, const char *name, struct arena *arena)
{
    size_t len = strcspn(name, "/");
    const char *rest = name + len;
    char encoding[64];
    for (size_t i = 0; i < COUNT(codecs); i++)
        if (strlen(codecs[i]) == len && strncasecmp(codecs[i], name, len) == 0 &&
            rest[strspn(rest, "/0123456789")] == '\0')
            return arena_copy(arena, name, strlen(name));
    slice_copy(slice_make(name, len), encoding, sizeof encoding);
    return token(a, ANONYMIZE_CODEC, prefixes[ANONYMIZE_CODEC], encoding,
                 rest[strspn(rest, "/0123456789")] == '\0' ? rest : "", arena);
}

const char *anonymize_name(struct anonymizer *a, enum anonymize_sort sort, const char *name, struct arena *arena)
{
    char addr[ADDR_TEXT_MAX];
    if (!name || !*name)
        return "";
    if (sort == ANONYMIZE_INPUT)
        return input_name(a, name, arena);
    if (sort == ANONYMIZE_CODEC)
        return codec_name(a, name, arena);
    if ((sort == ANONYMIZE_HOST || sort == ANONYMIZE_NODE) && is_plain(a, slice_make(name, strlen(name)), addr))
        return arena_copy(arena, addr, strlen(addr));
    return token(a, sort, prefixes[sort], name, "", arena);
}

/* ---- addresses of people ---- */

static struct slice scheme_of(struct slice *rest)
{
    static const char *const schemes[] = {"sip:", "sips:", "tel:", "xmpp:", "h323:", "im:", "pres:", "mailto:"};
    for (size_t i = 0; i < COUNT(schemes); i++) {
        struct slice scheme = slice_make(schemes[i], strlen(schemes[i]));
        if (slice_starts_nocase(*rest, scheme)) {
            struct slice found = {rest->at, scheme.len};
            *rest = slice_make(rest->at + scheme.len, rest->len - scheme.len);
            return found;
        }
    }
    return slice_make(rest->at, 0);
}

/* ":5060" at the end of what follows a host; an IPv6 address without brackets has no port. */
static struct slice port_of(struct slice *host)
{
    size_t at = host->len;
    while (at && host->at[at - 1] >= '0' && host->at[at - 1] <= '9')
        at--;
    struct addr addr;
    if (at == 0 || at == host->len || host->at[at - 1] != ':' || addr_parse(*host, &addr))
        return slice_make(host->at, 0);
    struct slice port = slice_make(host->at + at - 1, host->len - at + 1);
    host->len = at - 1;
    return port;
}

static const char *host_token(struct anonymizer *a, struct slice host, struct arena *arena)
{
    char name[HOST_MAX + 1];
    bool brackets = host.len > 2 && host.at[0] == '[' && host.at[host.len - 1] == ']';
    if (brackets)
        host = slice_make(host.at + 1, host.len - 2);
    slice_copy(host, name, sizeof name);
    const char *to = anonymize_name(a, ANONYMIZE_HOST, name, arena);
    return to && brackets ? arena_printf(arena, "[%s]", to) : to;
}

const char *anonymize_uri(struct anonymizer *a, const char *uri, struct arena *arena)
{
    char user[256];
    struct slice rest = slice_trim(slice_make(uri ? uri : "", uri ? strlen(uri) : 0));
    if (rest.len && rest.at[0] == '<')
        rest = slice_make(rest.at + 1, rest.len - 1);
    if (rest.len == 0)
        return "";
    struct slice scheme = scheme_of(&rest);
    const char *at = memchr(rest.at, '@', rest.len);
    struct slice name = slice_make(rest.at, at ? (size_t)(at - rest.at) : 0);
    struct slice host = at ? slice_make(at + 1, rest.len - name.len - 1) : rest;
    for (size_t i = 0; i < host.len; i++)
        if (strchr(";?>/ \t", host.at[i]))
            host.len = i;
    if (slice_equal_nocase(scheme, SLICE("tel:"))) {
        name = host;
        host.len = 0;
    }
    slice_copy(name, user, sizeof user);
    struct slice port = port_of(&host);
    const char *who = anonymize_name(a, ANONYMIZE_USER, user, arena), *where = host_token(a, host, arena);
    if (!who || !where)
        return NULL;
    return arena_printf(arena, "%.*s%s%s%s%.*s", (int)scheme.len, scheme.at, who, *who && *where ? "@" : "", where,
                        (int)port.len, port.at);
}

/* ---- sentences ---- */

static bool is_word_char(char c)
{
    return !strchr(" \t\r\n\"'()<>{},;=", c);
}

const char *anonymize_sentence(struct anonymizer *a, const char *text, struct arena *arena)
{
    struct strbuf to = {0};
    struct arena words = {0};
    bool ok = true;
    for (const char *at = text ? text : ""; *at && ok;) {
        size_t len = 0;
        while (at[len] && is_word_char(at[len]))
            len++;
        struct slice word = slice_make(at, len), host = word;
        while (host.len && strchr(".:?!", host.at[host.len - 1]))
            host.len--;
        struct slice rest = slice_make(host.at + host.len, word.len - host.len), bare = host;
        char plain[ADDR_TEXT_MAX];
        (void)port_of(&bare);
        if (bare.len > 2 && bare.at[0] == '[' && bare.at[bare.len - 1] == ']')
            bare = slice_make(bare.at + 1, bare.len - 2);
        if (host.len && (is_plain(a, bare, plain) || memchr(host.at, '@', host.len))) {
            const char *copy = arena_copy(&words, host.at, host.len);
            const char *token_text = copy ? anonymize_uri(a, copy, &words) : NULL;
            ok = token_text != NULL;
            strbuf_adds(&to, ok ? token_text : "");
            strbuf_add(&to, rest.at, rest.len);
        } else {
            strbuf_add(&to, word.at, word.len);
        }
        at += len;
        if (*at)
            strbuf_addc(&to, *at++);
    }
    const char *made = ok && strbuf_ok(&to) ? arena_copy(arena, strbuf_text(&to), to.len) : NULL;
    strbuf_done(&to);
    arena_done(&words);
    return made;
}

void anonymize_mac(struct anonymizer *a, uint8_t bytes[static 6])
{
    static const uint8_t all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, none[6];
    uint8_t to[6];
    if (memcmp(bytes, all, 6) == 0 || memcmp(bytes, none, 6) == 0)
        return;
    uint8_t group = bytes[0] & 1;
    (void)anonymizer_digest(a, ANONYMIZE_MAC, (const char *)bytes, 6, to, sizeof to);
    to[0] = (uint8_t)((to[0] & 0xfc) | 2 | group);
    memcpy(bytes, to, sizeof to);
}
