#include "capture/gunzip.h"

#ifdef QOSMARK_HAVE_ZLIB

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

enum { INPUT_BYTES = 128 * 1024, GZIP_ONLY = 16 + MAX_WBITS };

struct gunzip {
    gunzip_source source;
    void *user;
    z_stream z;
    bool within_member;
    bool ended;
    uint8_t input[INPUT_BYTES];
};

bool gunzip_is_built_in(void)
{
    return true;
}

struct gunzip *gunzip_new(gunzip_source source, void *user)
{
    struct gunzip *g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    g->source = source;
    g->user = user;
    g->within_member = true;
    if (inflateInit2(&g->z, GZIP_ONLY) == Z_OK)
        return g;
    free(g);
    return NULL;
}

void gunzip_free(struct gunzip *g)
{
    if (!g)
        return;
    (void)inflateEnd(&g->z);
    free(g);
}

/* Makes sure that at least `n` bytes of input are there, if there are so many. */
static ssize_t refill(struct gunzip *g, size_t n)
{
    while (g->z.avail_in < n) {
        for (uInt i = 0; i < g->z.avail_in; i++) /* one byte at most */
            g->input[i] = g->z.next_in[i];
        g->z.next_in = g->input;
        ssize_t got = g->source(g->user, g->input + g->z.avail_in, INPUT_BYTES - g->z.avail_in);
        if (got <= 0)
            return got;
        g->z.avail_in += (uInt)got;
    }
    return 1;
}

/* What follows a member is another or padding, of which gzip(1) takes no notice either. */
static ssize_t begin_member(struct gunzip *g)
{
    ssize_t r = refill(g, 2);
    if (r < 0)
        return r;
    g->within_member = r > 0 && g->z.next_in[0] == 0x1f && g->z.next_in[1] == 0x8b;
    g->ended = !g->within_member;
    if (g->within_member)
        (void)inflateReset(&g->z);
    return 0;
}

ssize_t gunzip_read(struct gunzip *g, uint8_t *to, size_t size, const char **ret_why)
{
    uInt room = size < INT_MAX ? (uInt)size : INT_MAX;
    g->z.next_out = to;
    g->z.avail_out = room;
    while (g->z.avail_out == room && !g->ended) {
        if (!g->within_member) {
            if (begin_member(g) < 0)
                return -1;
            continue;
        }
        ssize_t filled = refill(g, 1);
        if (filled < 0)
            return -1;
        if (filled == 0) {
            *ret_why = "it ends early";
            return -1;
        }
        int r = inflate(&g->z, Z_NO_FLUSH);
        if (r == Z_STREAM_END) {
            g->within_member = false;
        } else if (r != Z_OK && r != Z_BUF_ERROR) {
            *ret_why = g->z.msg ? g->z.msg : "out of memory";
            return -1;
        }
    }
    return (ssize_t)(room - g->z.avail_out);
}

#else

bool gunzip_is_built_in(void)
{
    return false;
}

struct gunzip *gunzip_new(gunzip_source source, void *user)
{
    (void)source;
    (void)user;
    return NULL;
}

void gunzip_free(struct gunzip *g)
{
    (void)g;
}

ssize_t gunzip_read(struct gunzip *g, uint8_t *to, size_t size, const char **ret_why)
{
    (void)g;
    (void)to;
    (void)size;
    *ret_why = "built without zlib";
    return -1;
}

#endif
