/* fopencookie() is how libpcap, which reads a FILE *, gets at decompressed bytes */
#define _GNU_SOURCE

#include "capture/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/gunzip.h"

enum {
    RAW_BYTES = 128 * 1024,    /* one read from the file */
    /* To begin with. Large enough that a read costs little beside the copying, small enough that what was read is in
     * the second cache when it is looked at: with 4 MiB a loop over packets takes a fifth longer. */
    WINDOW_BYTES = 256 * 1024,
    READ_MIN_BYTES = 64 * 1024, /* less room than this behind what a window holds is not worth a read */
    MAGIC_BYTES = 8,
};

struct packing {
    const char *name;
    uint8_t magic_len;
    uint8_t magic[6];
    int (*enable)(struct archive *);
};

/* clang-format off */
static const struct packing packings[] = {
    {"gzip",     2, {0x1f, 0x8b},                         archive_read_support_filter_gzip},
    {"zstd",     4, {0x28, 0xb5, 0x2f, 0xfd},             archive_read_support_filter_zstd},
    {"xz",       6, {0xfd, '7', 'z', 'X', 'Z', 0},        archive_read_support_filter_xz},
    {"lz4",      4, {0x04, 0x22, 0x4d, 0x18},             archive_read_support_filter_lz4},
    {"lz4",      4, {0x02, 0x21, 0x4c, 0x18},             archive_read_support_filter_lz4}, /* legacy frames */
    {"bzip2",    3, {'B', 'Z', 'h'},                      archive_read_support_filter_bzip2},
    {"lzip",     4, {'L', 'Z', 'I', 'P'},                 archive_read_support_filter_lzip},
    {"compress", 2, {0x1f, 0x9d},                         archive_read_support_filter_compress},
};
/* clang-format on */

struct unpack {
    const char *name;
    int fd;
    bool owns_fd;
    bool regular;
    uint64_t file_bytes, read_bytes; /* of the file itself */

    const struct packing *packing;
    struct archive *archive; /* at most one of the two; none where the file is read as it is */
    struct gunzip *gunzip;
    uint8_t *raw;    /* what libarchive is fed with; and for both the bytes that were read to find out the format */
    size_t raw_held; /* how many of those were not taken yet */
    size_t raw_at;

    struct chunk_store *store;
    struct chunk *chunk; /* the window: */
    uint8_t *window;
    size_t at, end, cap;
    uint64_t taken; /* bytes that have left the window */
    bool ended;
    struct error problem;
};

/* -1: failed, with a problem set. 0: the end. */
static ssize_t read_file(struct unpack *u, uint8_t *to, size_t size)
{
    ssize_t n;
    do
        n = read(u->fd, to, size);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        (void)error_set(&u->problem, ERR_IO, "%s", strerror(errno));
    else
        u->read_bytes += (uint64_t)n;
    return n;
}

/* Bytes as the capture format sees them; as read_file(). */
static ssize_t produce(struct unpack *u, uint8_t *to, size_t size)
{
    if (u->ended)
        return u->problem.text[0] ? -1 : 0;
    ssize_t n;
    if (u->gunzip) {
        const char *why = "out of memory";
        n = gunzip_read(u->gunzip, to, size, &why);
        if (n < 0 && !u->problem.text[0])
            (void)error_set(&u->problem, ERR_FORMAT, "%s", why);
    } else if (!u->archive) {
        n = read_file(u, to, size);
    } else {
        n = archive_read_data(u->archive, to, size);
        if (n < 0 && !u->problem.text[0]) {
            const char *why = archive_error_string(u->archive);
            (void)error_set(&u->problem, ERR_FORMAT, "%s", why ? why : "the compressed data is damaged");
        }
    }
    if (n <= 0)
        u->ended = true;
    return n;
}

static la_ssize_t feed_archive(struct archive *archive, void *user, const void **ret)
{
    struct unpack *u = user;
    *ret = u->raw;
    if (u->raw_held) {
        size_t n = u->raw_held;
        u->raw_held = 0;
        return (la_ssize_t)n;
    }
    ssize_t n = read_file(u, u->raw, RAW_BYTES);
    if (n < 0)
        archive_set_error(archive, EIO, "%s", u->problem.text);
    return n;
}

static ssize_t feed_gunzip(void *user, uint8_t *to, size_t size)
{
    struct unpack *u = user;
    if (u->raw_held == 0)
        return read_file(u, to, size);
    size_t n = u->raw_held < size ? u->raw_held : size;
    memcpy(to, u->raw + u->raw_at, n);
    u->raw_at += n;
    u->raw_held -= n;
    return (ssize_t)n;
}

/* The rest of the window moves to the beginning of a chunk of `size` bytes. */
static bool change_chunk(struct unpack *u, size_t size)
{
    struct chunk *b = chunk_take(u->store, size);
    if (!b) {
        (void)error_set(&u->problem, ERR_MEMORY, "out of memory");
        u->ended = true;
        return false;
    }
    if (u->chunk)
        memcpy(b->bytes, u->window + u->at, u->end - u->at);
    chunk_drop(u->chunk);
    u->chunk = b;
    u->window = b->bytes;
    u->cap = b->size;
    return true;
}

/* Makes room for `n` bytes from `at` on. Grows only as bytes arrive (by doubling), so that a length field that lies
 * costs nothing. Bytes that somebody holds stay where they are. */
static bool make_room(struct unpack *u, size_t n)
{
    size_t held = u->end - u->at;
    bool fits = n <= u->cap - u->at;
    if (u->end < u->cap && (fits ? u->cap - u->end >= READ_MIN_BYTES : u->at == 0))
        return true;
    if (u->at > 0 || held < u->cap) {
        if (u->chunk->holders > 1) {
            if (!change_chunk(u, WINDOW_BYTES > held * 2 ? WINDOW_BYTES : held * 2))
                return false;
        } else {
            memmove(u->window, u->window + u->at, held);
        }
        u->taken += u->at;
        u->end = held;
        u->at = 0;
        return true;
    }
    return change_chunk(u, u->cap * 2);
}

static bool fill(struct unpack *u, size_t n)
{
    while (u->end - u->at < n) {
        if (!make_room(u, n))
            return false;
        ssize_t got = produce(u, u->window + u->end, u->cap - u->end);
        if (got <= 0)
            return false;
        u->end += (size_t)got;
    }
    return true;
}

const uint8_t *unpack_need(struct unpack *u, size_t n)
{
    if (u->end - u->at < n && !fill(u, n))
        return NULL;
    return u->window + u->at;
}

size_t unpack_peek(struct unpack *u, size_t n, const uint8_t **ret)
{
    if (u->end - u->at < n)
        (void)fill(u, n);
    *ret = u->window + u->at;
    return u->end - u->at < n ? u->end - u->at : n;
}

struct cursor unpack_held(const struct unpack *u)
{
    return cur_make(u->window + u->at, u->end - u->at, false);
}

struct chunk *unpack_chunk(const struct unpack *u)
{
    return u->chunk;
}

bool unpack_skip(struct unpack *u, uint64_t n)
{
    for (;;) {
        size_t held = u->end - u->at;
        if (n <= held) {
            u->at += (size_t)n;
            return true;
        }
        n -= held;
        u->at = u->end;
        if (!fill(u, 1))
            return false;
    }
}

void unpack_replace(struct unpack *u, size_t offset, const uint8_t *bytes, size_t n)
{
    if (offset <= u->end - u->at && n <= u->end - u->at - offset)
        memcpy(u->window + u->at + offset, bytes, n);
}

static ssize_t stream_read(void *cookie, char *to, size_t size)
{
    struct unpack *u = cookie;
    size_t held = u->end - u->at;
    if (held) {
        size_t n = held < size ? held : size;
        memcpy(to, u->window + u->at, n);
        u->at += n;
        return (ssize_t)n;
    }
    /* straight into the stream's own buffer */
    ssize_t n = produce(u, (uint8_t *)to, size);
    if (n > 0)
        u->taken += (uint64_t)n;
    else if (n < 0)
        errno = EIO;
    return n;
}

FILE *unpack_stream(struct unpack *u)
{
    FILE *f = fopencookie(u, "r", (cookie_io_functions_t){.read = stream_read});
    if (f)
        (void)setvbuf(f, NULL, _IOFBF, WINDOW_BYTES);
    return f;
}

const char *unpack_name(const struct unpack *u)
{
    return u->name;
}

const char *unpack_packing(const struct unpack *u)
{
    return u->packing ? u->packing->name : NULL;
}

uint64_t unpack_length(const struct unpack *u)
{
    return u->taken + u->end;
}

const char *unpack_problem(const struct unpack *u)
{
    return u->problem.text[0] ? u->problem.text : NULL;
}

void unpack_progress(const struct unpack *u, uint64_t *ret_done, uint64_t *ret_total)
{
    *ret_done = u->read_bytes;
    *ret_total = u->regular ? u->file_bytes : 0;
}

bool unpack_can_reopen(const struct unpack *u)
{
    return u->regular && u->owns_fd;
}

/* A skippable frame (zstd: RFC 8878 §3.1.2; lz4 has the same) carries no data; pzstd begins its files with one, which
 * libarchive does not know. */
static void skip_skippable(struct unpack *u)
{
    const uint8_t *p;
    while ((p = unpack_need(u, 8)) != NULL && (p[0] & 0xf0) == 0x50 && p[1] == 0x2a && p[2] == 0x4d && p[3] == 0x18) {
        uint64_t len = (uint64_t)p[4] | (uint64_t)p[5] << 8 | (uint64_t)p[6] << 16 | (uint64_t)p[7] << 24;
        if (!unpack_skip(u, 8 + len))
            return;
    }
}

static const struct packing *find_packing(struct unpack *u)
{
    skip_skippable(u);
    const uint8_t *p;
    size_t n = unpack_peek(u, MAGIC_BYTES, &p);
    for (size_t i = 0; i < sizeof packings / sizeof *packings; i++)
        if (n >= packings[i].magic_len && memcmp(p, packings[i].magic, packings[i].magic_len) == 0)
            return &packings[i];
    return NULL;
}

/* What libarchive makes of the file's beginning. Damage is told when the bytes are asked for. */
static void read_beginning(struct unpack *u)
{
    errno = 0;
    (void)archive_read_support_format_raw(u->archive);
    (void)archive_read_support_format_empty(u->archive);
    struct archive_entry *entry;
    int r = archive_read_open(u->archive, u, NULL, feed_archive, NULL);
    if (r == ARCHIVE_OK)
        r = archive_read_next_header(u->archive, &entry);
    u->ended = r == ARCHIVE_EOF || r < ARCHIVE_WARN;
    if (r < ARCHIVE_WARN && r != ARCHIVE_EOF) {
        const char *why = archive_error_string(u->archive);
        bool no_memory = errno == ENOMEM || archive_errno(u->archive) == ENOMEM;
        (void)error_set(&u->problem, ERR_FORMAT, "%s",
                        no_memory ? "out of memory" : why ? why : "the compressed data is damaged");
    }
}

/* 1 or 0, or ERR_MEMORY. Asked of an archive of its own: anything but ARCHIVE_OK means that libarchive would run a
 * program to do it, and once asked for it cannot be told not to. */
static int is_built_in(const struct packing *p)
{
    struct archive *a = archive_read_new();
    if (!a)
        return ERR_MEMORY;
    int r = p->enable(a);
    bool no_memory = r != ARCHIVE_OK && archive_errno(a) == ENOMEM;
    (void)archive_read_free(a);
    return no_memory ? ERR_MEMORY : r == ARCHIVE_OK;
}

/* Puts a decompressor between the file and the window. What is in the window already is what it gets first. */
static int start_unpacking(struct unpack *u, struct error *error)
{
    size_t held = u->end - u->at;
    u->raw = malloc(held > RAW_BYTES ? held : RAW_BYTES);
    if (!u->raw)
        return error_set(error, ERR_MEMORY, "%s: out of memory", u->name);
    memcpy(u->raw, u->window + u->at, held);
    u->raw_held = held;
    u->at = u->end = 0;
    u->taken = 0;
    u->ended = false;
    if (u->packing->enable == archive_read_support_filter_gzip && gunzip_is_built_in()) {
        u->gunzip = gunzip_new(feed_gunzip, u);
        return u->gunzip ? 0 : error_set(error, ERR_MEMORY, "%s: out of memory", u->name);
    }
    u->archive = archive_read_new();
    if (!u->archive)
        return error_set(error, ERR_MEMORY, "%s: out of memory", u->name);
    /* all of them, for what was compressed twice */
    for (size_t i = 0; i < sizeof packings / sizeof *packings; i++) {
        int built_in = is_built_in(&packings[i]);
        if (built_in < 0 || (built_in && packings[i].enable(u->archive) != ARCHIVE_OK))
            return error_set(error, ERR_MEMORY, "%s: out of memory", u->name);
        if (!built_in && &packings[i] == u->packing)
            return error_set(error, ERR_UNSUPPORTED,
                             "%s is compressed with %s, which this libarchive was built without", u->name,
                             u->packing->name);
    }
    read_beginning(u);
    return 0;
}

static int open_file(struct unpack *u, const char *path, struct error *error)
{
    if (strcmp(path, "-") == 0) {
        u->name = "standard input";
        u->fd = STDIN_FILENO;
    } else {
        u->name = path;
        u->fd = open(path, O_RDONLY | O_CLOEXEC);
        u->owns_fd = true;
    }
    if (u->fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return error_set(error, ERR_IO, "%s does not exist", u->name);
    struct stat st;
    if (u->fd < 0 || fstat(u->fd, &st) != 0)
        return error_set(error, ERR_IO, "%s cannot be opened: %s", u->name, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return error_set(error, ERR_FORMAT, "%s is a directory, not a capture", u->name);
    u->regular = S_ISREG(st.st_mode);
    u->file_bytes = u->regular && st.st_size > 0 ? (uint64_t)st.st_size : 0;
    if (u->regular)
        (void)posix_fadvise(u->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return 0;
}

struct unpack *unpack_open(const char *path, struct error *error)
{
    struct unpack *u = calloc(1, sizeof *u);
    if (!u) {
        (void)error_set(error, ERR_MEMORY, "%s: out of memory", path);
        return NULL;
    }
    u->fd = -1;
    int r = open_file(u, path, error);
    if (r < 0)
        goto fail;
    u->store = chunk_store_new();
    if (!u->store || !change_chunk(u, WINDOW_BYTES)) {
        (void)error_set(error, ERR_MEMORY, "%s: out of memory", path);
        goto fail;
    }
    u->packing = find_packing(u);
    if (u->problem.text[0]) {
        (void)error_set(error, ERR_IO, "%s cannot be read: %s", u->name, u->problem.text);
        goto fail;
    }
    if (u->packing && start_unpacking(u, error) < 0)
        goto fail;
    return u;

fail:
    unpack_free(u);
    return NULL;
}

void unpack_free(struct unpack *u)
{
    if (!u)
        return;
    if (u->archive)
        (void)archive_read_free(u->archive);
    gunzip_free(u->gunzip);
    if (u->owns_fd && u->fd >= 0)
        (void)close(u->fd);
    free(u->raw);
    chunk_drop(u->chunk);
    chunk_store_free(u->store);
    free(u);
}
