#include "bus/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"

/*
 *     0     head, first copy            512   head, second copy
 *     4096  the ring: frames, each beginning at a multiple of 32
 *
 * All numbers are little-endian. A head: "qosmark spill 1\n", generation, size of the ring, place and number of the
 * oldest message that was not done, check sum. A frame: number, check sum of it without this, bytes of subject, id and
 * body, then these. One that does not fit before the end of the ring begins at its beginning.
 */
enum {
    HEAD_BYTES = 64,
    HEAD_APART = 512,
    RING_AT = 4096,
    FRAME_HEAD = 24,
    ALIGN = 32,
    HEAD_EVERY = 256, /* messages done between two writings of the head */
};
static const char MAGIC[16] = {'q', 'o', 's', 'm', 'a', 'r', 'k', ' ', 's', 'p', 'i', 'l', 'l', ' ', '1', '\n'};
static const struct hash_key sum_key = {0x716f736d61726b20, 0x7370696c6c203120};

/* A message that was given. */
struct given {
    uint64_t number, end; /* where the next one is */
    bool done;
};

struct spill {
    int fd;
    uint64_t size;       /* of the ring */
    uint64_t generation; /* of the newest head */
    uint64_t head, head_number; /* the oldest message that is not done */
    uint64_t next, next_number; /* the next one to give; without any, that of the tail */
    uint64_t tail, tail_number; /* where the next one goes */
    uint64_t messages, waiting, damaged;
    uint64_t done_since; /* the head was written */
    struct given *given; /* a queue */
    size_t given_first, given_count, given_cap;
    uint8_t *frame; /* one of the largest */
    char problem[160];
};

enum { FRAME_MAX = FRAME_HEAD + SPILL_SUBJECT_MAX + SPILL_ID_MAX + SPILL_BODY_MAX };

/* ---- numbers ---- */

static void put(uint8_t *to, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        to[i] = (uint8_t)(value >> 8 * i);
}

static uint64_t get(const uint8_t *from, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value |= (uint64_t)from[i] << 8 * i;
    return value;
}

static uint64_t aligned(uint64_t bytes)
{
    return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

/* ---- bytes ---- */

static bool read_at(int fd, void *to, size_t bytes, uint64_t at)
{
    uint8_t *p = to;
    while (bytes) {
        ssize_t n = pread(fd, p, bytes, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n;
        at += (uint64_t)n;
        bytes -= (size_t)n;
    }
    return true;
}

static bool write_at(int fd, const void *from, size_t bytes, uint64_t at)
{
    const uint8_t *p = from;
    while (bytes) {
        ssize_t n = pwrite(fd, p, bytes, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            errno = n == 0 ? ENOSPC : errno;
            return false;
        }
        p += n;
        at += (uint64_t)n;
        bytes -= (size_t)n;
    }
    return true;
}

/* ---- heads ---- */

static bool head_write(struct spill *s)
{
    uint8_t head[HEAD_BYTES] = {0};
    memcpy(head, MAGIC, sizeof MAGIC);
    put(head + 16, ++s->generation, 8);
    put(head + 24, s->size, 8);
    put(head + 32, s->head, 8);
    put(head + 40, s->head_number, 8);
    put(head + 48, hash_bytes(&sum_key, head, 48), 8);
    s->done_since = 0;
    return write_at(s->fd, head, sizeof head, s->generation % 2 * HEAD_APART);
}

/* Of the copies the whole one that was written last. False where there is none. */
static bool head_read(struct spill *s)
{
    bool found = false;
    for (unsigned i = 0; i < 2; i++) {
        uint8_t head[HEAD_BYTES];
        if (!read_at(s->fd, head, sizeof head, (uint64_t)i * HEAD_APART) || memcmp(head, MAGIC, sizeof MAGIC) != 0 ||
            get(head + 48, 8) != hash_bytes(&sum_key, head, 48) || (found && get(head + 16, 8) <= s->generation))
            continue;
        s->generation = get(head + 16, 8);
        s->size = get(head + 24, 8);
        s->head = get(head + 32, 8);
        s->head_number = get(head + 40, 8);
        found = true;
    }
    return found && s->size >= SPILL_BYTES_MIN && s->size % ALIGN == 0 && s->size < INT64_MAX / 2 &&
           s->head < s->size && s->head % ALIGN == 0;
}

/* ---- frames ---- */

/* The frame at `at` is read into s->frame, if there is one, whole, of a number from `number` to `most`. */
static bool frame_read(struct spill *s, uint64_t at, uint64_t number, uint64_t most, uint64_t *ret_bytes)
{
    uint8_t *f = s->frame;
    if (s->size - at < FRAME_HEAD || !read_at(s->fd, f, FRAME_HEAD, RING_AT + at))
        return false;
    uint64_t subject = get(f + 16, 2), id = get(f + 18, 2), body = get(f + 20, 4);
    uint64_t bytes = FRAME_HEAD + subject + id + body;
    if (get(f, 8) < number || get(f, 8) > most || subject > SPILL_SUBJECT_MAX || id > SPILL_ID_MAX ||
        body > SPILL_BODY_MAX || bytes > s->size - at)
        return false;
    if (!read_at(s->fd, f + FRAME_HEAD, (size_t)bytes - FRAME_HEAD, RING_AT + at + FRAME_HEAD))
        return false;
    uint64_t sum = get(f + 8, 8);
    put(f + 8, 0, 8);
    if (sum != hash_bytes(&sum_key, f, (size_t)bytes))
        return false;
    *ret_bytes = aligned(bytes);
    return true;
}

/* How far `to` is from `from`, going forward. */
static uint64_t distance(const struct spill *s, uint64_t from, uint64_t to)
{
    return to >= from ? to - from : s->size - from + to;
}

/* Whether something at `f` could be the beginning of such a frame: most bytes are not, and need no reading. */
static bool could_begin(const uint8_t *f, uint64_t number, uint64_t most)
{
    return get(f, 8) >= number && get(f, 8) <= most && get(f + 16, 2) <= SPILL_SUBJECT_MAX &&
           get(f + 18, 2) <= SPILL_ID_MAX && get(f + 20, 4) <= SPILL_BODY_MAX;
}

/* Looks through the ring from `at` to `end`. */
static bool frame_search(struct spill *s, uint64_t at, uint64_t end, uint64_t number, uint64_t most, uint64_t *ret_at,
                         uint64_t *ret_bytes)
{
    uint8_t part[64 * ALIGN];
    while (at < end) {
        uint64_t want = end - at < sizeof part ? end - at : sizeof part;
        ssize_t n = pread(s->fd, part, (size_t)want, (off_t)(RING_AT + at));
        if (n < 0 && errno == EINTR)
            continue;
        for (ssize_t i = 0; i + FRAME_HEAD <= n; i += ALIGN) {
            *ret_at = at + (uint64_t)i;
            if (could_begin(part + i, number, most) && frame_read(s, *ret_at, number, most, ret_bytes))
                return true;
        }
        if (n < (ssize_t)want) /* the end of the file */
            return false;
        at += want;
    }
    return false;
}

/*
 * Looks from `at` on, for at most `far` bytes, for the message `number` or else the next one after it that is whole.
 * One that did not fit before the end of the ring is at its beginning.
 */
static bool frame_find(struct spill *s, uint64_t at, uint64_t far, uint64_t number, uint64_t most, uint64_t *ret_at,
                       uint64_t *ret_bytes)
{
    uint64_t end = s->size - at < far ? s->size : at + far;
    *ret_at = at;
    if (frame_read(s, at, number, number, ret_bytes))
        return true;
    *ret_at = 0;
    if (far > s->size - at && frame_read(s, 0, number, number, ret_bytes))
        return true;
    if (frame_search(s, at, end, number, most, ret_at, ret_bytes))
        return true;
    return far > s->size - at && frame_search(s, 0, far - (s->size - at), number, most, ret_at, ret_bytes);
}

static uint64_t after(const struct spill *s, uint64_t at, uint64_t bytes)
{
    return at + bytes >= s->size ? 0 : at + bytes;
}

/* Where the messages end. A gap is looked over for a whole round once: it is where a message was damaged, or the end.
 * */
static void find_tail(struct spill *s)
{
    uint64_t at = s->head, gone = 0, number = s->head_number, most = number + s->size / ALIGN, found, bytes;
    while (gone < s->size && frame_find(s, at, s->size - gone, number, most, &found, &bytes)) {
        uint64_t got = get(s->frame, 8);
        gone += distance(s, at, found) + bytes;
        at = after(s, found, bytes);
        number = got + 1;
    }
    s->tail = at;
    s->tail_number = number;
    s->waiting = s->messages = number - s->head_number; /* those among them that are damaged are passed over later */
}

/* ---- opening ---- */

static void begin_again(struct spill *s)
{
    s->head = s->next = s->tail = 0;
    s->head_number = s->next_number = s->tail_number;
    s->messages = s->waiting = 0;
    s->given_first = s->given_count = 0;
}

static int read_old(struct spill *s, const char *path, uint64_t file_bytes, struct error *error)
{
    char begin[sizeof MAGIC];
    if (head_read(s)) {
        find_tail(s);
    } else {
        /* ours, and both heads are damaged: nothing says where its messages are. Somebody else's is not touched. */
        bool ours = (read_at(s->fd, begin, sizeof begin, 0) && memcmp(begin, MAGIC, sizeof MAGIC) == 0) ||
                    (read_at(s->fd, begin, sizeof begin, HEAD_APART) && memcmp(begin, MAGIC, sizeof MAGIC) == 0);
        if (!ours && file_bytes)
            return error_set(error, ERR_USAGE, "%s is there already, and no file of messages that wait", path);
        s->damaged = ours;
        s->tail_number = s->head_number = 1;
        s->generation = 0;
    }
    s->next = s->head;
    s->next_number = s->head_number;
    return 0;
}

static int prepare(struct spill *s, const char *path, uint64_t max_bytes, struct error *error)
{
    struct stat st;
    if (fstat(s->fd, &st) < 0 || !S_ISREG(st.st_mode))
        return error_set(error, ERR_USAGE, "%s is not a regular file", path);
    if (flock(s->fd, LOCK_EX | LOCK_NB) < 0)
        return error_set(error, ERR_USAGE, "%s is used by another process", path);
    int r = read_old(s, path, (uint64_t)st.st_size, error);
    if (r < 0)
        return r;
    uint64_t size = (max_bytes < SPILL_BYTES_MIN ? SPILL_BYTES_MIN : max_bytes) / ALIGN * ALIGN;
    /* the places of messages depend on the size: an empty ring alone can have another one */
    if (s->messages == 0) {
        s->size = size;
        begin_again(s);
    }
    return head_write(s) ? 0 : error_set(error, ERR_IO, "%s: %s", path, strerror(errno));
}

int spill_open(const char *path, uint64_t max_bytes, struct spill **ret, struct error *error)
{
    struct spill *s = calloc(1, sizeof *s);
    if (!s)
        return error_set(error, ERR_MEMORY, "out of memory");
    s->frame = malloc(FRAME_MAX);
    s->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    int r = !s->frame   ? error_set(error, ERR_MEMORY, "out of memory")
            : s->fd < 0 ? error_set(error, ERR_IO, "%s: %s", path, strerror(errno))
                        : prepare(s, path, max_bytes, error);
    if (r < 0) {
        if (s->fd >= 0)
            (void)close(s->fd);
        free(s->frame);
        free(s);
        return r;
    }
    *ret = s;
    return 0;
}

void spill_close(struct spill *s)
{
    if (!s)
        return;
    if (s->messages == 0) {
        begin_again(s);
        if (head_write(s))
            (void)!ftruncate(s->fd, RING_AT);
    } else {
        (void)head_write(s);
    }
    (void)fdatasync(s->fd);
    (void)close(s->fd);
    free(s->given);
    free(s->frame);
    free(s);
}

/* ---- in ---- */

static int fail(struct spill *s, int code, const char *why)
{
    (void)snprintf(s->problem, sizeof s->problem, "%s", why);
    return code;
}

/* Where a frame of `bytes` can go; false where there is no room. */
static bool find_room(const struct spill *s, uint64_t bytes, uint64_t *ret)
{
    *ret = s->tail;
    if (s->messages && s->tail <= s->head) /* the free part is between them; full where they are the same */
        return s->head - s->tail >= bytes;
    if (s->size - s->tail >= bytes)
        return true;
    *ret = 0;
    return s->head >= bytes;
}

int spill_put(struct spill *s, struct slice subject, struct slice id, struct slice body)
{
    uint8_t *f = s->frame;
    size_t bytes = FRAME_HEAD + subject.len + id.len + body.len;
    uint64_t at;
    if (subject.len > SPILL_SUBJECT_MAX || id.len > SPILL_ID_MAX || body.len > SPILL_BODY_MAX)
        return fail(s, ERR_LIMIT, "a message is too large to be kept");
    if (s->messages == 0 && s->given_count == 0)
        begin_again(s);
    if (!find_room(s, aligned(bytes), &at))
        return fail(s, ERR_LIMIT, "the file is full");
    put(f, s->tail_number, 8);
    put(f + 8, 0, 8);
    put(f + 16, subject.len, 2);
    put(f + 18, id.len, 2);
    put(f + 20, body.len, 4);
    memcpy(f + FRAME_HEAD, subject.at, subject.len);
    memcpy(f + FRAME_HEAD + subject.len, id.at, id.len);
    memcpy(f + FRAME_HEAD + subject.len + id.len, body.at, body.len);
    put(f + 8, hash_bytes(&sum_key, f, bytes), 8);
    if (!write_at(s->fd, f, bytes, RING_AT + at))
        return fail(s, ERR_IO, strerror(errno));
    if (s->messages == 0) { /* the head says where it is before it could be missed */
        s->head = s->next = at;
        s->head_number = s->next_number = s->tail_number;
        if (!head_write(s))
            return fail(s, ERR_IO, strerror(errno));
    }
    s->tail = after(s, at, aligned(bytes));
    s->tail_number++;
    s->messages++;
    s->waiting++;
    s->problem[0] = '\0';
    return 0;
}

/* ---- out ---- */

static bool given_add(struct spill *s, uint64_t number, uint64_t end)
{
    if (s->given_first + s->given_count == s->given_cap && s->given_first) {
        memmove(s->given, s->given + s->given_first, s->given_count * sizeof *s->given);
        s->given_first = 0;
    }
    if (s->given_count == s->given_cap) {
        size_t cap = s->given_cap ? 2 * s->given_cap : 256;
        struct given *more = realloc(s->given, cap * sizeof *more);
        if (!more)
            return false;
        s->given = more;
        s->given_cap = cap;
    }
    s->given[s->given_first + s->given_count++] = (struct given){number, end, false};
    return true;
}

/* The room up to `end` is free. */
static void move_head(struct spill *s, uint64_t number, uint64_t end)
{
    s->head = end;
    s->head_number = number + 1;
    if (++s->done_since >= HEAD_EVERY || s->messages == 0)
        (void)head_write(s); /* an older one has what was done come again, no more */
}

bool spill_next(struct spill *s, struct spill_message *ret)
{
    uint64_t at, bytes;
    if (s->waiting == 0)
        return false;
    if (!frame_find(s, s->next, s->size, s->next_number, s->tail_number - 1, &at, &bytes)) {
        /* none of those that wait is whole any more */
        s->damaged += s->waiting;
        s->messages -= s->waiting;
        s->waiting = 0;
        s->next = s->tail;
        s->next_number = s->tail_number;
        return false;
    }
    const uint8_t *f = s->frame;
    uint64_t number = get(f, 8), gap = number - s->next_number;
    size_t subject = (size_t)get(f + 16, 2), id = (size_t)get(f + 18, 2), body = (size_t)get(f + 20, 4);
    if (!given_add(s, number, after(s, at, bytes)))
        return false;
    gap = gap < s->waiting ? gap : s->waiting - 1;
    s->damaged += gap;
    s->messages -= gap;
    s->waiting -= gap + 1;
    s->next = after(s, at, bytes);
    s->next_number = number + 1;
    ret->number = number;
    ret->subject = slice_make(f + FRAME_HEAD, subject);
    ret->id = slice_make(f + FRAME_HEAD + subject, id);
    ret->body = slice_make(f + FRAME_HEAD + subject + id, body);
    return true;
}

void spill_done(struct spill *s, uint64_t number)
{
    for (size_t i = s->given_first; i < s->given_first + s->given_count; i++) {
        if (s->given[i].number == number) {
            s->given[i].done = true;
            break;
        }
    }
    while (s->given_count && s->given[s->given_first].done) {
        struct given g = s->given[s->given_first++];
        s->given_count--;
        s->messages--;
        move_head(s, g.number, g.end);
    }
}

void spill_rewind(struct spill *s)
{
    s->next = s->head;
    s->next_number = s->head_number;
    s->waiting += s->given_count;
    s->given_first = s->given_count = 0;
}

struct spill_stats spill_stats(const struct spill *s)
{
    uint64_t bytes = s->messages == 0 ? 0 : s->tail == s->head ? s->size : distance(s, s->head, s->tail);
    return (struct spill_stats){s->messages, bytes, s->waiting, s->damaged};
}

const char *spill_problem(const struct spill *s)
{
    return s->problem;
}
