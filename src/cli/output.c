#include "cli/output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(struct error *error, const char *what, const char *path)
{
    return error_set(error, ERR_IO, "cannot %s %s: %s", what, path, strerror(errno));
}

/* What a name stands for: a link's target is what is replaced, never the link. A name that does not exist is itself. */
static char *resolve(const char *path)
{
    char *real = realpath(path, NULL);
    return real ? real : strdup(path);
}

int output_open(struct output *o, const char *path, struct error *error)
{
    struct stat st;
    *o = (struct output){.file = stdout};
    /* the names that systems have for it: a file put in their place would be no use to anybody */
    if (!path || strcmp(path, "-") == 0 || strcmp(path, "/dev/stdout") == 0 || strcmp(path, "/dev/fd/1") == 0)
        return 0;
    o->file = NULL;
    o->path = resolve(path);
    if (!o->path)
        return error_set(error, ERR_MEMORY, "out of memory");
    path = o->path;
    bool exists = stat(path, &st) == 0;
    if (exists && S_ISDIR(st.st_mode))
        return error_set(error, ERR_IO, "cannot write %s: it is a directory", path);
    if (exists && !S_ISREG(st.st_mode)) {
        o->file = fopen(path, "w");
        return o->file ? 0 : fail(error, "write", path);
    }
    size_t size = strlen(path) + sizeof ".XXXXXX";
    o->temporary = malloc(size);
    if (!o->temporary)
        return error_set(error, ERR_MEMORY, "out of memory");
    (void)snprintf(o->temporary, size, "%s.XXXXXX", path);
    int fd = mkstemp(o->temporary);
    if (fd < 0) {
        int r = fail(error, "write", path);
        free(o->temporary);
        o->temporary = NULL;
        return r;
    }
    /* mkstemp makes it private; a report gets what the umask leaves of the usual mode, or keeps the old file's */
    mode_t mask = umask(0);
    (void)umask(mask);
    (void)fchmod(fd, exists ? st.st_mode & 0777 : 0666 & ~mask);
    o->file = fdopen(fd, "w");
    return o->file ? 0 : fail(error, "write", path);
}

bool output_write(void *output, const char *bytes, size_t len)
{
    struct output *o = output;
    o->written = true;
    if (fwrite(bytes, 1, len, o->file) != len && !o->failed) {
        o->failed = true;
        o->why = errno;
    }
    return !o->failed;
}

int output_commit(struct output *o, struct error *error)
{
    const char *name = o->path ? o->path : "standard output";
    if (o->why)
        errno = o->why; /* said by the write that failed: others have come between */
    if (o->why || fflush(o->file) != 0 || ferror(o->file))
        return fail(error, "write", name);
    if (o->failed)
        return error_set(error, ERR_IO, "%s is not whole", name);
    if (!o->path)
        return 0;
    if (o->temporary && fsync(fileno(o->file)) != 0)
        return fail(error, "write", name);
    int closed = fclose(o->file);
    o->file = NULL;
    if (closed != 0)
        return fail(error, "write", name);
    if (o->temporary) {
        if (rename(o->temporary, o->path) != 0)
            return fail(error, "write", name);
        free(o->temporary);
        o->temporary = NULL;
    }
    return 0;
}

void output_abandon(struct output *o)
{
    if (o->path && o->file)
        (void)fclose(o->file);
    if (o->temporary)
        (void)unlink(o->temporary);
    free(o->temporary);
    free(o->path);
    *o = (struct output){0};
}
