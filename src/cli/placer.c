#include "cli/placer.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/privileges.h"

struct placer {
    int fd;
    pid_t child;
};

/* Nothing but the one descriptor is left open: whoever reads what the parent writes must see its end. */
static void close_others(int fd)
{
    long most = sysconf(_SC_OPEN_MAX);
    for (int other = 0; other < (most > 0 && most < 4096 ? (int)most : 4096); other++)
        if (other != fd)
            (void)close(other);
}

/* The child: a byte, a rename, its errno; or the end of the parent. */
_Noreturn static void serve(int fd, const char *temporary, const char *path)
{
    struct privileges privileges;
    char order;
    int why = 0;
    ssize_t n;
    close_others(fd);
    privileges_keep_to_files(&privileges);
    privileges_limit(PRIVILEGES_PLACE, &privileges);
    do
        n = read(fd, &order, 1);
    while (n < 0 && errno == EINTR);
    if (n == 1) {
        why = rename(temporary, path) == 0 ? 0 : errno;
        (void)!write(fd, &why, sizeof why);
    }
    if (n != 1 || why)
        (void)unlink(temporary);
    _exit(0);
}

int placer_new(const char *temporary, const char *path, struct placer **ret, struct error *error)
{
    int fds[2];
    sigset_t all, before;
    struct placer *p = malloc(sizeof *p);
    if (!p)
        return error_set(error, ERR_MEMORY, "out of memory");
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0) {
        free(p);
        return error_set(error, ERR_IO, "cannot write %s: %s", path, strerror(errno));
    }
    /* what interrupts the parent must not end the child before it has cleaned up */
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, &before);
    p->child = fork();
    int why = errno;
    if (p->child == 0)
        serve(fds[1], temporary, path);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    (void)close(fds[1]);
    if (p->child < 0) {
        (void)close(fds[0]);
        free(p);
        return error_set(error, ERR_IO, "cannot write %s: %s", path, strerror(why));
    }
    p->fd = fds[0];
    *ret = p;
    return 0;
}

int placer_place(struct placer *p)
{
    int why = EIO;
    ssize_t n = send(p->fd, "p", 1, MSG_NOSIGNAL);
    if (n != 1)
        return EIO;
    do
        n = recv(p->fd, &why, sizeof why, MSG_WAITALL);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof why ? why : EIO;
}

void placer_free(struct placer *p)
{
    if (!p)
        return;
    /* its end is what the child waits for; when that is gone, so is the file. wait() is refused by then */
    char rest[8];
    ssize_t n;
    (void)shutdown(p->fd, SHUT_WR);
    do
        n = recv(p->fd, rest, sizeof rest, 0);
    while (n > 0 || (n < 0 && errno == EINTR));
    (void)close(p->fd);
    free(p);
}
