#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/placer.h"

static int fail(struct error *error, const char *what, const char *path)
{
    return error_set(error, ERR_IO, "cannot %s %s: %s", what, path, strerror(errno));
}

/* ---- what an interrupt leaves behind ---- */

/* Names of temporary files, for a handler of signals: it may come at any time and in any thread, so these are no
 * pointers to what may be freed meanwhile. */
enum { UNFINISHED_MAX = 4 };
static struct {
    char path[PATH_MAX];
    volatile sig_atomic_t there;
} unfinished[UNFINISHED_MAX];

static const int interrupts[] = {SIGINT, SIGTERM, SIGHUP};
enum { INTERRUPT_COUNT = sizeof interrupts / sizeof interrupts[0] };

void output_interrupted(int number)
{
    for (size_t i = 0; i < UNFINISHED_MAX; i++)
        if (unfinished[i].there)
            (void)unlink(unfinished[i].path);
    (void)signal(number, SIG_DFL);
    (void)raise(number); /* it is held back until this returns */
}

/* From here on no temporary file is left behind. A command that ends in order when it is told to, and a signal that is
 * ignored (nohup), stay as they are. */
static void remember(const char *temporary)
{
    struct sigaction now, action = {.sa_handler = output_interrupted};
    size_t len = strlen(temporary), i = 0;
    while (i < UNFINISHED_MAX && unfinished[i].there)
        i++;
    if (i == UNFINISHED_MAX || len >= sizeof unfinished[i].path)
        return;
    memcpy(unfinished[i].path, temporary, len + 1);
    unfinished[i].there = 1;
    for (i = 0; i < INTERRUPT_COUNT; i++)
        if (sigaction(interrupts[i], NULL, &now) == 0 && now.sa_handler == SIG_DFL)
            (void)sigaction(interrupts[i], &action, NULL);
}

static void forget(const char *temporary)
{
    for (size_t i = 0; i < UNFINISHED_MAX; i++)
        if (unfinished[i].there && strcmp(unfinished[i].path, temporary) == 0)
            unfinished[i].there = 0;
}

/* ---- opening ---- */

/* A file beside `path` whose name says what it is, should the machine stop in the middle: its name is *ret, to be
 * freed. -1 with errno. */
static int make_temporary(const char *path, char **ret)
{
    static const char beside[] = ".unfinished-XXXXXX", alone[] = "qosmark.unfinished-XXXXXX";
    const char *slash = strrchr(path, '/');
    size_t folder = slash ? (size_t)(slash - path) + 1 : 0;
    size_t size = strlen(path) + sizeof beside + sizeof alone;
    sigset_t held, before;
    char *name = malloc(size);
    if (!name)
        return -1;
    (void)sigemptyset(&held);
    for (size_t i = 0; i < INTERRUPT_COUNT; i++)
        (void)sigaddset(&held, interrupts[i]);
    (void)pthread_sigmask(SIG_BLOCK, &held, &before);
    (void)snprintf(name, size, "%s%s", path, beside);
    int fd = mkstemp(name);
    if (fd < 0 && errno == ENAMETOOLONG) {
        (void)snprintf(name, size, "%.*s%s", (int)folder, path, alone);
        fd = mkstemp(name);
    }
    int why = errno;
    if (fd >= 0) {
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
        remember(name);
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (fd < 0) {
        free(name);
        errno = why;
        return -1;
    }
    *ret = name;
    return fd;
}

/* What a name stands for: a link's target is what is replaced, never the link. A name that does not exist is itself. */
static char *resolve(const char *path)
{
    char *real = realpath(path, NULL);
    return real ? real : strdup(path);
}

/* /tmp/report.html may be a link that somebody else put there, to a file that only this user could replace: what
 * kernels refuse with fs.protected_symlinks, which following the link by hand would pass over. */
static bool is_trap(const char *name, const char *folder)
{
    struct stat link, around;
    if (lstat(name, &link) != 0 || !S_ISLNK(link.st_mode) || link.st_uid == geteuid())
        return false;
    return stat(folder, &around) != 0 ||
           ((around.st_mode & S_ISVTX) && (around.st_mode & S_IWOTH) && around.st_uid != link.st_uid);
}

/* Any of the names that the path goes through. Without memory to look at them all, it is not written either. */
static int refuse_trap(const char *path, struct error *error)
{
    bool trap = false;
    char *name = strdup(path), *folder = strdup(*path == '/' ? "/" : ".");
    for (char *at = name; name && folder && at && !trap;) {
        at = strchr(at + strspn(at, "/"), '/');
        if (at)
            *at = '\0';
        trap = is_trap(name, folder);
        free(folder);
        folder = strdup(name);
        if (at)
            *at = '/';
    }
    bool looked = name && folder;
    free(name);
    free(folder);
    if (trap)
        return error_set(error, ERR_IO, "cannot write %s: it is a link of somebody else's", path);
    return looked ? 0 : error_set(error, ERR_MEMORY, "out of memory");
}

/* Neither made nor emptied: should it have become a file meanwhile, that one is left as it is. */
static FILE *open_device(const char *path)
{
    struct stat st;
    int fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) != 0 || S_ISREG(st.st_mode)) {
        (void)close(fd);
        errno = EEXIST;
        return NULL;
    }
    FILE *file = fdopen(fd, "w");
    if (!file)
        (void)close(fd);
    return file;
}

int output_open(struct output *o, const char *path, struct error *error)
{
    struct stat st;
    *o = (struct output){.file = stdout};
    /* the names that systems have for it: a file put in their place would be no use to anybody */
    if (!path || strcmp(path, "-") == 0 || strcmp(path, "/dev/stdout") == 0 || strcmp(path, "/dev/fd/1") == 0)
        return 0;
    o->file = NULL;
    int r = refuse_trap(path, error);
    if (r < 0)
        return r;
    o->path = resolve(path);
    if (!o->path)
        return error_set(error, ERR_MEMORY, "out of memory");
    path = o->path;
    bool exists = stat(path, &st) == 0;
    if (exists && S_ISDIR(st.st_mode))
        return error_set(error, ERR_IO, "cannot write %s: it is a directory", path);
    if (exists && !S_ISREG(st.st_mode)) {
        o->file = open_device(path);
        return o->file ? 0 : fail(error, "write", path);
    }
    /* rename() would pass over the mode of a file that somebody has protected */
    if (exists && faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0)
        return fail(error, "write", path);
    int fd = make_temporary(path, &o->temporary);
    if (fd < 0)
        return fail(error, "write", path);
    /* mkstemp makes it private; a report gets what the umask leaves of the usual mode, or keeps the old file's */
    mode_t mask = umask(0);
    (void)umask(mask);
    (void)fchmod(fd, exists ? st.st_mode & 0777 : 0666 & ~mask);
    o->file = fdopen(fd, "w");
    if (o->file)
        return 0;
    r = fail(error, "write", path);
    (void)close(fd);
    return r;
}

int output_keep_rights(struct output *o, struct error *error)
{
    return o->temporary ? placer_new(o->temporary, o->path, &o->placer, error) : 0;
}

/* 0, or -1 with errno. */
static int put_in_place(struct output *o)
{
    if (!o->placer)
        return rename(o->temporary, o->path);
    errno = placer_place(o->placer);
    return errno ? -1 : 0;
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
        if (put_in_place(o) != 0)
            return fail(error, "write", name);
        forget(o->temporary);
        free(o->temporary);
        o->temporary = NULL;
    }
    return 0;
}

void output_abandon(struct output *o)
{
    if (o->path && o->file)
        (void)fclose(o->file);
    placer_free(o->placer);
    if (o->temporary) {
        (void)unlink(o->temporary);
        forget(o->temporary);
    }
    free(o->temporary);
    free(o->path);
    *o = (struct output){0};
}

bool output_is_input(const char *output, const char *input)
{
    struct stat x, y;
    if (!output || !input || strcmp(output, "-") == 0 || stat(output, &x) != 0 || !S_ISREG(x.st_mode))
        return false;
    bool known = strcmp(input, "-") == 0 ? fstat(STDIN_FILENO, &y) == 0 : stat(input, &y) == 0;
    return known && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

bool output_is_output(const char *a, const char *b)
{
    const char *const names[] = {a, b};
    const char *last[2];
    struct stat folder[2];
    if (strcmp(a, b) == 0 || output_is_input(a, b))
        return true;
    for (int i = 0; i < 2; i++) {
        const char *slash = strrchr(names[i], '/');
        last[i] = slash ? slash + 1 : names[i];
        char *path = slash ? strndup(names[i], (size_t)(slash - names[i]) + 1) : strdup(".");
        bool there = path && stat(path, &folder[i]) == 0;
        free(path);
        if (!there)
            return false;
    }
    return folder[0].st_dev == folder[1].st_dev && folder[0].st_ino == folder[1].st_ino &&
           strcmp(last[0], last[1]) == 0;
}
