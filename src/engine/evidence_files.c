#include "engine/evidence_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FRAME_EXTRA_BYTES = 128 /* of a block about a frame, at most, and of its interface */ };

/* The name of the file that is `age` files old; 0 is the one being written. To be freed. */
static char *name_of(const struct evidence_files *f, unsigned age)
{
    size_t size = strlen(f->stem) + strlen(f->suffix) + 16;
    char *name = malloc(size);
    if (name && age)
        (void)snprintf(name, size, "%s.%u%s", f->stem, age, f->suffix);
    else if (name)
        (void)snprintf(name, size, "%s%s", f->stem, f->suffix);
    return name;
}

static int fail(const struct evidence_files *f, int why, const char *what, struct error *error)
{
    return error_set(error, ERR_IO, "cannot %s %s%s: %s", what, f->stem, f->suffix, strerror(why));
}

static bool split_name(struct evidence_files *f, const char *path)
{
    static const char *const suffixes[] = {".pcapng", ".pcap", ".ntar"};
    size_t len = strlen(path), suffix = 0;
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0] && !suffix; i++) {
        size_t n = strlen(suffixes[i]);
        if (len > n && path[len - n - 1] != '/' && strcasecmp(path + len - n, suffixes[i]) == 0)
            suffix = n;
    }
    f->stem = strndup(path, len - suffix);
    f->suffix = strdup(path + len - suffix);
    return f->stem && f->suffix;
}

static bool put(void *user, const char *bytes, size_t len)
{
    struct evidence_files *f = user;
    while (len) {
        ssize_t n = write(f->fd, bytes, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            f->why = n < 0 ? errno : EIO;
            return false;
        }
        f->bytes += (uint64_t)n;
        f->total_bytes += (uint64_t)n;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

/* Half a packet at the end would make the whole file look damaged. */
static int give_up(struct evidence_files *f, struct error *error)
{
    if (f->fd >= 0 && f->bytes > f->whole_bytes && ftruncate(f->fd, (off_t)f->whole_bytes) == 0) {
        f->total_bytes -= f->bytes - f->whole_bytes;
        f->bytes = f->whole_bytes;
    }
    return fail(f, f->why, "write", error);
}

/* Each file becomes one older, the oldest goes. A file of no bytes is nothing that anybody would miss. */
static int move_on(struct evidence_files *f, struct error *error)
{
    struct stat st;
    char *newest = name_of(f, 0);
    int r = newest ? 0 : ERR_MEMORY;
    bool is_there = newest && stat(newest, &st) == 0;
    if (is_there && !S_ISREG(st.st_mode))
        r = error_set(error, ERR_USAGE, "cannot keep wrong packets in %s: it is not a file", newest);
    free(newest);
    if (r < 0 || !is_there || st.st_size == 0)
        return r;
    for (unsigned age = f->files - 1; r == 0; age--) {
        char *from = name_of(f, age), *to = name_of(f, age + 1);
        bool last = age == f->files - 1;
        if (!from || !to)
            r = ERR_MEMORY;
        else if (last && age && unlink(from) == 0)
            f->removed++;
        else if (!last && rename(from, to) != 0 && errno != ENOENT)
            r = fail(f, errno, "move on", error);
        free(from);
        free(to);
        if (age == 0)
            break;
    }
    return r;
}

static int begin(struct evidence_files *f, struct error *error)
{
    char *name = name_of(f, 0);
    if (!name)
        return ERR_MEMORY;
    f->bytes = f->frames = f->whole_bytes = f->whole_frames = 0;
    f->fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    int why = errno;
    free(name);
    if (f->fd < 0)
        return fail(f, why, "write", error);
    if (evidence_writer_init(&f->writer, put, f, f->names, f->name_count, f->anonymizer) < 0)
        return ERR_MEMORY;
    return evidence_files_flush(f, error);
}

static void end(struct evidence_files *f)
{
    if (f->fd >= 0)
        (void)close(f->fd);
    f->fd = -1;
    evidence_writer_done(&f->writer);
}

int evidence_files_open(struct evidence_files *f, const char *path, struct error *error)
{
    f->fd = -1;
    if (!split_name(f, path))
        return ERR_MEMORY;
    int r = move_on(f, error);
    return r < 0 ? r : begin(f, error);
}

static int next_file(struct evidence_files *f, struct error *error)
{
    int r = evidence_files_flush(f, error);
    if (r < 0)
        return r;
    end(f);
    r = move_on(f, error);
    f->rotated++;
    return r < 0 ? r : begin(f, error);
}

int evidence_files_add(struct evidence_files *f, const struct frame *frame, enum kind kind, const char *comment,
                       struct error *error)
{
    uint64_t room = frame->captured_bytes + strlen(comment) + FRAME_EXTRA_BYTES;
    if (f->frames && f->writer.bytes + room > f->max_bytes) {
        int r = next_file(f, error);
        if (r < 0)
            return r;
    }
    int r = evidence_writer_add(&f->writer, frame, kind, comment);
    if (r < 0)
        return r == ERR_IO ? give_up(f, error) : r;
    f->frames++;
    return 0;
}

int evidence_files_flush(struct evidence_files *f, struct error *error)
{
    if (capture_writer_flush(f->writer.writer) < 0)
        return give_up(f, error);
    f->whole_bytes = f->bytes;
    f->whole_frames = f->frames;
    return 0;
}

void evidence_files_done(struct evidence_files *f)
{
    if (f->writer.writer)
        (void)evidence_files_flush(f, NULL);
    end(f);
    free(f->stem);
    free(f->suffix);
}
