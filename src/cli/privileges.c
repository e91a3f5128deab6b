/* setresuid() and unshare() are behind this in glibc */
#define _GNU_SOURCE

#include "cli/privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/privileges_paths.h"
#include "cli/privileges_syscalls.h"

#ifdef QOSMARK_HAVE_CAPNG
#include <cap-ng.h>
#endif

static void miss(struct privileges *p, const char *what)
{
    size_t len = strlen(p->missing);
    (void)snprintf(p->missing + len, sizeof p->missing - len, "%s%s", len ? "; " : "", what);
}

/* The unprivileged user of systems that have no list of users, as small containers. */
enum { NOBODY = 65534 };

static int find_user(const char *name, uid_t *ret_uid, gid_t *ret_gid, struct error *error)
{
    errno = 0;
    const struct passwd *pw = getpwnam(name ? name : "nobody");
    if (!pw && !name) {
        *ret_uid = *ret_gid = NOBODY;
        return 0;
    }
    if (!pw)
        return error_set(error, ERR_USAGE, "there is no user \"%s\" to become", name);
    if (pw->pw_uid == 0)
        return error_set(error, ERR_USAGE, "--user %s is root again; name a user without privileges",
                         name ? name : "nobody");
    *ret_uid = pw->pw_uid;
    *ret_gid = pw->pw_gid;
    return 0;
}

/* Without CAP_SETUID, or in a user namespace that knows no other user, root cannot become anybody. */
static bool is_root_alone(int number)
{
    return number == EPERM || number == EINVAL;
}

static int become(const char *name, struct privileges *p, struct error *error)
{
    uid_t uid;
    gid_t gid;
    int r = find_user(name, &uid, &gid, error);
    if (r < 0)
        return r;
    if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0) {
        if (name || !is_root_alone(errno))
            return error_set(error, ERR_IO, "cannot become the user %s: %s", name ? name : "nobody", strerror(errno));
        miss(p, "it stays root, without capabilities: this container lets root become nobody else");
        return 0;
    }
    /* that it worked is not taken on trust */
    if (setresuid(0, 0, 0) == 0 || geteuid() != uid || getegid() != gid)
        return error_set(error, ERR_IO, "the system let root back in after it was given up");
    (void)snprintf(p->user, sizeof p->user, "%s", name ? name : "nobody");
    p->done[PRIVILEGES_USER] = true;
    return 0;
}

#ifdef QOSMARK_HAVE_CAPNG
/* The bounding set has to go while the right to change it is still there: before root is given up. */
static void empty_bounding_set(void)
{
    capng_clear(CAPNG_SELECT_BOUNDS);
    (void)capng_apply(CAPNG_SELECT_BOUNDS);
}

static int drop_capabilities(struct privileges *p, struct error *error)
{
    capng_clear(CAPNG_SELECT_ALL);
    if (capng_apply(CAPNG_SELECT_CAPS | CAPNG_SELECT_AMBIENT) < 0)
        return error_set(error, ERR_IO, "cannot give up the capabilities: %s", strerror(errno));
    if (capng_get_caps_process() < 0 || capng_have_capabilities(CAPNG_SELECT_CAPS) != CAPNG_NONE)
        return error_set(error, ERR_IO, "the system left capabilities after they were given up");
    p->done[PRIVILEGES_CAPABILITIES] = true;
    return 0;
}

/* Those that are there, of the ones that root opens the files of others with. */
static void keep_file_capabilities(struct privileges *p)
{
    static const unsigned kept[] = {CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER};
    bool held[sizeof kept / sizeof kept[0]];
    bool known = capng_get_caps_process() == 0;
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        held[i] = known && p->was_root && capng_have_capability(CAPNG_PERMITTED, kept[i]);
    capng_clear(CAPNG_SELECT_ALL);
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        if (held[i])
            (void)capng_update(CAPNG_ADD, (capng_type_t)(CAPNG_EFFECTIVE | CAPNG_PERMITTED), kept[i]);
    p->done[PRIVILEGES_CAPABILITIES] = capng_apply(CAPNG_SELECT_CAPS | CAPNG_SELECT_AMBIENT) == 0;
    if (!p->done[PRIVILEGES_CAPABILITIES])
        miss(p, "the system does not take the capabilities back");
}
#else
static void empty_bounding_set(void) {}

static void keep_file_capabilities(struct privileges *p)
{
    miss(p, "built without libcap-ng: capabilities that were given to this process stay");
}

static int drop_capabilities(struct privileges *p, struct error *error)
{
    (void)error;
    miss(p, "built without libcap-ng: capabilities that were given to this process stay");
    return 0;
}
#endif

int privileges_act_as(const char *user, struct error *error)
{
    uid_t uid;
    gid_t gid;
    if (geteuid() != 0)
        return 0;
    int r = find_user(user, &uid, &gid, error);
    if (r < 0)
        return r;
    if (setegid(gid) == 0 && seteuid(uid) == 0)
        return 0;
    int why = errno;
    if (!user && is_root_alone(why) && setegid(getgid()) == 0)
        return 0; /* it will stay root: become() says so */
    return error_set(error, ERR_IO, "cannot act as the user %s: %s", user ? user : "nobody", strerror(why));
}

void privileges_act_back(void)
{
    /* a process that is not root, or has given that up for good, stays what it is */
    if (getuid() == 0 && geteuid() != 0 && (seteuid(0) < 0 || setegid(getgid()) < 0))
        _exit(3);
}

static void gain_nothing(struct privileges *p)
{
    p->done[PRIVILEGES_NO_NEW] = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
    if (!p->done[PRIVILEGES_NO_NEW])
        miss(p, "this kernel has no no_new_privs");
}

int privileges_drop_rights(const char *user, struct privileges *ret, struct error *error)
{
    struct privileges p = {.was_root = geteuid() == 0};
    int r;

    if (user && !p.was_root)
        return error_set(error, ERR_USAGE, "--user needs root: only root can become somebody else");
    empty_bounding_set();
    /* root's capabilities go with root, those of another user (systemd's AmbientCapabilities) need telling */
    if (p.was_root && (r = become(user, &p, error)) < 0)
        return r;
    if ((r = drop_capabilities(&p, error)) < 0)
        return r;
    gain_nothing(&p);
    *ret = p;
    return 0;
}

void privileges_gain_nothing(struct privileges *ret)
{
    struct privileges p = {.was_root = geteuid() == 0};
    gain_nothing(&p);
    *ret = p;
}

void privileges_limit(enum privileges_work work, struct privileges *p)
{
    char why[256] = "";
    p->done[PRIVILEGES_SYSCALLS] = privileges_limit_syscalls(work, why, sizeof why);
    if (!p->done[PRIVILEGES_SYSCALLS])
        miss(p, why);
}

int privileges_drop(const char *user, struct privileges *ret, struct error *error)
{
    struct privileges p;
    int r = privileges_drop_rights(user, &p, error);
    if (r < 0)
        return r;
    privileges_limit_writing(NULL, 0, &p);
    privileges_limit(PRIVILEGES_ANSWER, &p);
    *ret = p;
    return 0;
}

void privileges_limit_writing(const char *const *paths, size_t count, struct privileges *p)
{
    p->done[PRIVILEGES_WRITING] = privileges_limit_paths(paths, count, p->folders, sizeof p->folders);
}

void privileges_keep_to_files(struct privileges *ret)
{
    struct privileges p = {.was_root = geteuid() == 0};
    empty_bounding_set();
    keep_file_capabilities(&p);
    gain_nothing(&p);
    *ret = p;
}

bool privileges_are_the_users_own(void)
{
    return getuid() == geteuid() && getgid() == getegid();
}

void privileges_hide_memory(void)
{
#ifndef SANITIZED
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

/* ---- what must not work any more; each returns whether it did ---- */

static bool opens_file(void)
{
    int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        (void)close(fd);
    return fd >= 0;
}

static bool creates_file(void)
{
    int fd = open("/tmp", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    if (fd >= 0)
        (void)close(fd);
    return fd >= 0;
}

static bool opens_socket(int family, int type)
{
    int fd = socket(family, type | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        (void)close(fd);
    return fd >= 0;
}

static bool opens_raw_socket(void)
{
    return opens_socket(AF_INET, SOCK_RAW);
}

static bool opens_tcp_socket(void)
{
    return opens_socket(AF_INET, SOCK_STREAM);
}

static bool opens_packet_socket(void)
{
    return opens_socket(AF_PACKET, SOCK_RAW);
}

/* What a terminal would take for a key pressed, once this process is gone. */
static bool types_into_terminal(void)
{
    char letter = ' ';
    return ioctl(STDIN_FILENO, TIOCSTI, &letter) == 0;
}

static bool traces_process(void)
{
    return ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0;
}

static bool becomes_root(void)
{
    return setresuid(0, 0, 0) == 0;
}

static bool starts_process(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    if (child > 0)
        (void)waitpid(child, NULL, 0);
    return child > 0;
}

static bool runs_program(void)
{
    /* where it works this process is another program: `true` would end it with status 0, so it has to be `false` */
    char name[] = "false";
    char *const arguments[] = {name, NULL};
    char *const environment[] = {NULL};
    (void)execve("/bin/false", arguments, environment);
    return false;
}

static bool makes_namespace(void)
{
    return unshare(CLONE_NEWUSER) == 0;
}

bool privileges_try_forbidden(enum privileges_work work, void (*report)(void *user, const char *attempt, bool refused),
                              void *user)
{
    static const struct {
        const char *attempt;
        bool (*works)(void);
        enum privileges_work from, until; /* what it is tried of, and forbidden to */
    } attempts[] = {
        {"become root again", becomes_root, PRIVILEGES_ANSWER, PRIVILEGES_WATCH_PUBLISHING},
        {"open a file", opens_file, PRIVILEGES_ANSWER, PRIVILEGES_ANSWER},
        {"create a file", creates_file, PRIVILEGES_ANSWER, PRIVILEGES_WATCH},
        {"open a raw socket", opens_raw_socket, PRIVILEGES_ANSWER, PRIVILEGES_WATCH_PUBLISHING},
        {"open a packet socket", opens_packet_socket, PRIVILEGES_WATCH, PRIVILEGES_WATCH_PUBLISHING},
        {"open a TCP socket", opens_tcp_socket, PRIVILEGES_ANSWER, PRIVILEGES_WATCH_WRITING},
        {"type into the terminal", types_into_terminal, PRIVILEGES_WATCH, PRIVILEGES_WATCH_PUBLISHING},
        {"trace a process", traces_process, PRIVILEGES_WATCH, PRIVILEGES_WATCH_PUBLISHING},
        {"start a process", starts_process, PRIVILEGES_ANSWER, PRIVILEGES_WATCH_PUBLISHING},
        {"make a namespace", makes_namespace, PRIVILEGES_ANSWER, PRIVILEGES_WATCH_PUBLISHING},
        {"run a program", runs_program, PRIVILEGES_ANSWER, PRIVILEGES_WATCH_PUBLISHING},
    };
    bool all = true;
    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
        if (work < attempts[i].from || work > attempts[i].until)
            continue;
        bool refused = !attempts[i].works();
        report(user, attempts[i].attempt, refused);
        all = all && refused;
    }
    return all;
}
