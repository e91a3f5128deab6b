#include "stream/sip_stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/grow.h"

enum { MESSAGE_BYTES_MAX = 256 * 1024, TAIL_BYTES_MAX = 8192, MARKS_MAX = 4096 };

/* Which segment brought the bytes from here on. */
struct mark {
    uint64_t at; /* position in the whole stream */
    uint64_t frame;
    int64_t time_ns;
};

struct sip_stream {
    uint8_t *bytes;
    size_t len, cap;
    uint64_t base; /* position in the whole stream of bytes[0] */
    struct mark *marks;
    size_t mark_count, mark_cap;
    bool in_place;    /* bytes[0] is where a message begins, as far as known */
    size_t looked_at; /* bytes searched for the end of the headers without finding it */
    size_t needed;    /* bytes below which the message cannot be whole */
    uint64_t given_up; /* messages beyond the caps */
    bool failed;       /* some were lost for want of memory */
};

struct sip_stream *sip_stream_new(void)
{
    return calloc(1, sizeof(struct sip_stream));
}

void sip_stream_free(struct sip_stream *s)
{
    if (!s)
        return;
    free(s->bytes);
    free(s->marks);
    free(s);
}

static void drop(struct sip_stream *s, size_t n)
{
    if (n && n < s->len)
        memmove(s->bytes, s->bytes + n, s->len - n);
    s->len -= n;
    s->base += n;
    s->looked_at = 0;
    s->needed = 0;
    size_t old = 0;
    while (old + 1 < s->mark_count && s->marks[old + 1].at <= s->base)
        old++;
    if (old) {
        memmove(s->marks, s->marks + old, (s->mark_count - old) * sizeof *s->marks);
        s->mark_count -= old;
    }
}

static void drop_all(struct sip_stream *s)
{
    drop(s, s->len);
    s->mark_count = 0;
    s->in_place = false;
}

/* Segments smaller than a message's share of marks go under the mark before them: memory before precision. */
static void mark(struct sip_stream *s, uint64_t frame, int64_t time_ns)
{
    if (s->mark_count && s->marks[s->mark_count - 1].at == s->base + s->len)
        s->mark_count--;
    if (s->mark_count == MARKS_MAX)
        return;
    if (!grow((void **)&s->marks, &s->mark_cap, s->mark_count, sizeof *s->marks)) {
        s->failed = true;
        return;
    }
    s->marks[s->mark_count++] = (struct mark){s->base + s->len, frame, time_ns};
}

static struct mark mark_at(const struct sip_stream *s, size_t offset)
{
    struct mark found = s->mark_count ? s->marks[0] : (struct mark){0};
    for (size_t i = 0; i < s->mark_count && s->marks[i].at <= s->base + offset; i++)
        found = s->marks[i];
    return found;
}

static size_t append(struct sip_stream *s, const uint8_t *bytes, size_t len)
{
    size_t take = len < MESSAGE_BYTES_MAX - s->len ? len : MESSAGE_BYTES_MAX - s->len;
    if (s->len + take > s->cap) {
        size_t cap = s->cap ? s->cap : 2048;
        while (cap < s->len + take)
            cap *= 2;
        uint8_t *grown = realloc(s->bytes, cap);
        if (!grown) {
            s->failed = true;
            return 0;
        }
        s->bytes = grown;
        s->cap = cap;
    }
    if (take)
        memcpy(s->bytes + s->len, bytes, take);
    s->len += take;
    return take;
}

/* Finds the next start line. Without one, the line that is still growing is kept: it may become one. */
static bool find_place(struct sip_stream *s)
{
    size_t at = sip_resync(s->bytes, s->len);
    if (at < s->len) {
        drop(s, at);
        s->in_place = true;
        return true;
    }
    size_t tail = 0;
    while (tail < s->len && s->bytes[s->len - 1 - tail] != '\n')
        tail++;
    drop(s, tail > TAIL_BYTES_MAX ? s->len : s->len - tail);
    return false;
}

static void skip_keep_alives(struct sip_stream *s)
{
    size_t n = 0;
    while (n < s->len && (s->bytes[n] == '\r' || s->bytes[n] == '\n' || s->bytes[n] == 0))
        n++;
    if (n)
        drop(s, n);
}

/* Where the empty line behind the headers ends, 0 while it is not there; no byte is searched twice. */
static size_t headers_end(struct sip_stream *s)
{
    for (size_t i = s->looked_at > 3 ? s->looked_at - 3 : 0; i + 1 < s->len; i++) {
        if (s->bytes[i] != '\n')
            continue;
        if (s->bytes[i + 1] == '\n')
            return i + 2;
        if (s->bytes[i + 1] == '\r' && i + 2 < s->len && s->bytes[i + 2] == '\n')
            return i + 3;
    }
    s->looked_at = s->len;
    return 0;
}

static bool may_become_message(const struct sip_stream *s)
{
    if (memchr(s->bytes, '\n', s->len < TAIL_BYTES_MAX ? s->len : TAIL_BYTES_MAX))
        return sip_looks_like(s->bytes, s->len);
    return s->len < TAIL_BYTES_MAX;
}

/* The body is still coming: how much must be there before it is worth looking again. */
static void wait_for_body(struct sip_stream *s, size_t headers)
{
    uint64_t body;
    struct slice length = sip_header(slice_make(s->bytes, s->len), "Content-Length", 'l');
    if (slice_number(length, MESSAGE_BYTES_MAX, &body))
        s->needed = headers + (size_t)body;
    if (s->needed < s->len + 1)
        s->needed = s->len + 1;
}

/* What begins here is no message: one may begin behind its first line. */
static void skip_line(struct sip_stream *s)
{
    const uint8_t *lf = memchr(s->bytes, '\n', s->len);
    drop(s, lf ? (size_t)(lf - s->bytes) + 1 : s->len);
    s->in_place = false;
}

/* One message, or one step towards the next place where one may begin; false when more bytes are needed. */
static bool step(struct sip_stream *s, sip_stream_sink sink, void *user)
{
    if (!s->in_place && !find_place(s))
        return false;
    skip_keep_alives(s);
    if (s->len == 0 || s->len < s->needed)
        return false;
    if (!may_become_message(s)) {
        skip_line(s);
        return true;
    }
    size_t headers = headers_end(s);
    if (headers == 0)
        return false;
    struct sip_message m;
    enum parse_status status = sip_parse(cur_make(s->bytes, s->len, false), true, &m);
    if (status == PARSE_TRUNCATED) {
        wait_for_body(s, headers);
        return false;
    }
    if (status == PARSE_UNSUPPORTED) {
        /* Its headers go as a whole: behind each of their lines another start line may stand, and so on. */
        s->given_up++;
        drop(s, headers);
        s->in_place = false;
        return true;
    }
    if (status != PARSE_OK) {
        skip_line(s);
        return true;
    }
    s->given_up += m.body_unread;
    struct mark at = mark_at(s, 0);
    sink(user, &m, at.frame, at.time_ns);
    drop(s, m.message_bytes);
    return s->len > 0;
}

uint64_t sip_stream_bytes(struct sip_stream *s, const uint8_t *bytes, size_t len, bool gap, uint64_t frame, int64_t time_ns,
                          sip_stream_sink sink, void *user)
{
    uint64_t before = s->given_up;
    if (gap)
        drop_all(s);
    while (len) {
        mark(s, frame, time_ns);
        size_t taken = append(s, bytes, len);
        if (taken == 0) {
            /* full with a message that never ends, or no memory */
            s->given_up += s->in_place;
            drop_all(s);
            if (!append(s, bytes, 1))
                break;
            taken = 1;
        }
        bytes += taken;
        len -= taken;
        while (step(s, sink, user))
            continue;
    }
    return s->given_up - before;
}

bool sip_stream_failed(const struct sip_stream *s)
{
    return s->failed;
}
