/* CLONE_THREAD is behind this in glibc */
#define _GNU_SOURCE

#include "cli/privileges_syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#ifdef SANITIZED
static int limited;
/* asked by the sanitizer itself */
int __lsan_is_turned_off(void);
__attribute__((visibility("default"))) int __lsan_is_turned_off(void)
{
    return limited;
}
#endif

#ifdef QOSMARK_HAVE_SECCOMP

#include <seccomp.h>

/* Receiving, answering, waiting; writing to what is open; memory; the clock; ending. Nothing that opens anything. */
static const int allowed[] = {
    SCMP_SYS(recvmsg),
    SCMP_SYS(recvmmsg),
    SCMP_SYS(sendmsg),
    SCMP_SYS(sendmmsg),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(read),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(close),
    SCMP_SYS(fstat),
    SCMP_SYS(fsync),
    SCMP_SYS(lseek),
    SCMP_SYS(brk),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(futex),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(nanosleep),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(getuid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getegid),
    SCMP_SYS(getrandom),
    SCMP_SYS(sched_yield),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
};

/* 32-bit machines have these for the same */
static const int allowed_elsewhere[] = {SCMP_SYS(clock_gettime64), SCMP_SYS(ppoll_time64), SCMP_SYS(recvmmsg_time64),
                                        SCMP_SYS(futex_time64),    SCMP_SYS(fstat64),      SCMP_SYS(newfstatat)};

/* Besides: rings and their counters, clients that come, timers, reading a file, a terminal. */
static const int allowed_to_watch[] = {
    SCMP_SYS(recvfrom),        SCMP_SYS(sendto),      SCMP_SYS(accept4),
    SCMP_SYS(accept),          SCMP_SYS(shutdown),    SCMP_SYS(getsockopt),
    SCMP_SYS(setsockopt),      SCMP_SYS(getsockname), SCMP_SYS(getpeername),
    SCMP_SYS(epoll_wait),      SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_ctl),
    SCMP_SYS(select),          SCMP_SYS(pselect6),    SCMP_SYS(timerfd_settime),
    SCMP_SYS(fcntl),           SCMP_SYS(pread64),     SCMP_SYS(readv),
    SCMP_SYS(preadv),          SCMP_SYS(stat),        SCMP_SYS(lstat),
    SCMP_SYS(newfstatat),      SCMP_SYS(statx),       SCMP_SYS(access),
    SCMP_SYS(faccessat),       SCMP_SYS(faccessat2),  SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),      SCMP_SYS(getcwd),      SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigpending),   SCMP_SYS(sysinfo),     SCMP_SYS(sched_getaffinity),
    SCMP_SYS(uname),           SCMP_SYS(getrusage),   SCMP_SYS(clock_getres),
    SCMP_SYS(getppid),         SCMP_SYS(membarrier),  SCMP_SYS(rseq),
    SCMP_SYS(set_robust_list),
};

static const int allowed_to_write[] = {
    SCMP_SYS(openat),   SCMP_SYS(rename),  SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(unlink),
    SCMP_SYS(unlinkat), SCMP_SYS(umask),   SCMP_SYS(fchmod),   SCMP_SYS(ftruncate), SCMP_SYS(fdatasync),
    SCMP_SYS(pwrite64), SCMP_SYS(pwritev), SCMP_SYS(open),
};

/* Besides watching: what was opened before is put in its place, or removed; a file is read in large pieces. */
static const int allowed_to_finish[] = {
    SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(unlink), SCMP_SYS(unlinkat),
    SCMP_SYS(fadvise64), SCMP_SYS(fdatasync), SCMP_SYS(ftruncate), SCMP_SYS(getdents64),
};

/* Besides: sockets that ask others. Which ones, the arguments say. */
static const int allowed_to_send[] = {SCMP_SYS(bind), SCMP_SYS(connect)};

/* The child that puts an output in its place (cli/placer.h), and nothing else. */
static const int allowed_to_place[] = {
    SCMP_SYS(read),      SCMP_SYS(write),  SCMP_SYS(close),    SCMP_SYS(rename), SCMP_SYS(renameat),
    SCMP_SYS(renameat2), SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(exit),   SCMP_SYS(exit_group),
};

#ifdef SANITIZED
/* The look for leaks at the end stops all threads and reads their memory. */
static const int allowed_to_sanitizer[] = {
    SCMP_SYS(clone), SCMP_SYS(ptrace), SCMP_SYS(prctl), SCMP_SYS(wait4), SCMP_SYS(tgkill),
    SCMP_SYS(kill),  SCMP_SYS(getdents), SCMP_SYS(getdents64), SCMP_SYS(prlimit64), SCMP_SYS(arch_prctl),
};
#endif

/* What is asked of a terminal or of an interface. TIOCSTI, which types into the terminal for others, is none of these.
 */
static const unsigned long allowed_ioctls[] = {TCGETS,      TCSETS,     TCSETSW,       TCSETSF,      TIOCGWINSZ,
                                               TIOCGPGRP,   FIONREAD,   FIONBIO,       SIOCGIFFLAGS, SIOCGIFINDEX,
                                               SIOCGIFNAME, SIOCGIFMTU, SIOCGIFHWADDR, SIOCETHTOOL,  SIOCGSTAMP};

static int add_all(scmp_filter_ctx filter, const int *calls, size_t count)
{
    int r = 0;
    /* a call that this machine does not have (open, stat on arm64) is no loss */
    for (size_t i = 0; r == 0 && i < count; i++)
        if ((r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0)) == -EDOM)
            r = 0;
    return r;
}

/* Files can be opened to be read, not to be made or changed. */
static int add_reading(scmp_filter_ctx filter)
{
    int r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
                             SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY));
    if (r == 0)
        r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(open), 1,
                             SCMP_A1(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY));
    return r == -EDOM ? 0 : r;
}

static int add_watching(scmp_filter_ctx filter, bool writing)
{
    int r = add_all(filter, allowed_to_watch, sizeof allowed_to_watch / sizeof allowed_to_watch[0]);
    for (size_t i = 0; r == 0 && i < sizeof allowed_ioctls / sizeof allowed_ioctls[0]; i++)
        r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_EQ, allowed_ioctls[i], 0));
    if (r == 0 && writing)
        r = add_all(filter, allowed_to_write, sizeof allowed_to_write / sizeof allowed_to_write[0]);
    else if (r == 0)
        r = add_reading(filter);
    /* raising a signal against itself: abort(), and an interrupt that is meant */
    if (r == 0)
        r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                             SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
    return r;
}

/* Threads, but no processes. clone3() has its flags in memory, where no filter sees them: as on a kernel without it,
 * the C library takes clone(). */
static int add_threads(scmp_filter_ctx filter)
{
#ifdef __s390__
    int r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                             SCMP_A1(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
#else
    int r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                             SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
#endif
    if (r == 0)
        r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    /* how large a stack may be; not changing it */
    if (r == 0)
        r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2, SCMP_A0(SCMP_CMP_EQ, 0, 0),
                             SCMP_A2(SCMP_CMP_EQ, 0, 0));
    return r;
}

/* The usual protocol of the type, by its number or as 0: others would have the kernel load a module for them. */
static int add_socket(scmp_filter_ctx filter, int family, int type)
{
    enum { TYPE_MASK = 0xf }; /* without SOCK_CLOEXEC and SOCK_NONBLOCK */
    const int protocols[] = {0, type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP};
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof protocols / sizeof protocols[0]; i++)
        r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 3,
                             SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)family, 0),
                             SCMP_A1(SCMP_CMP_MASKED_EQ, TYPE_MASK, (scmp_datum_t)type),
                             SCMP_A2(SCMP_CMP_EQ, (scmp_datum_t)protocols[i], 0));
    return r;
}

static int add_sending(scmp_filter_ctx filter, bool connections)
{
    int r = add_all(filter, allowed_to_send, sizeof allowed_to_send / sizeof allowed_to_send[0]);
    if (r == 0)
        r = add_socket(filter, AF_INET, SOCK_DGRAM);
    if (r == 0)
        r = add_socket(filter, AF_INET6, SOCK_DGRAM);
    if (r == 0 && connections)
        r = add_socket(filter, AF_INET, SOCK_STREAM);
    if (r == 0 && connections)
        r = add_socket(filter, AF_INET6, SOCK_STREAM);
    /* asking for addresses and routes; changing them takes a capability, which is gone */
    if (r == 0)
        r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2, SCMP_A0(SCMP_CMP_EQ, AF_NETLINK, 0),
                             SCMP_A2(SCMP_CMP_EQ, NETLINK_ROUTE, 0));
    return r;
}

/* What the commands do that read files, or ask the network, and end with a report. */
static int add_reporting(scmp_filter_ctx filter, enum privileges_work work)
{
    int r = add_watching(filter, work == PRIVILEGES_KEEP || work == PRIVILEGES_COLLECT);
    if (r == 0)
        r = add_all(filter, allowed_to_finish, sizeof allowed_to_finish / sizeof allowed_to_finish[0]);
    if (r == 0)
        r = add_threads(filter);
    if (r == 0 && work != PRIVILEGES_FILES && work != PRIVILEGES_KEEP)
        r = add_sending(filter, work != PRIVILEGES_SEND);
#ifdef SANITIZED
    if (r == 0)
        r = add_all(filter, allowed_to_sanitizer, sizeof allowed_to_sanitizer / sizeof allowed_to_sanitizer[0]);
#endif
    return r;
}

static int add_rules(scmp_filter_ctx filter)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof allowed / sizeof allowed[0]; i++)
        r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
    for (size_t i = 0; i < sizeof allowed_elsewhere / sizeof allowed_elsewhere[0]; i++)
        (void)seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed_elsewhere[i], 0);
    /* memory, but none that could be run */
    if (r == 0)
        r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                             SCMP_A2(SCMP_CMP_MASKED_EQ, 4 /* PROT_EXEC */, 0));
    if (r == 0)
        r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, 4, 0));
    /* the mark of a reply, where the kernel takes it no other way */
    if (r == 0)
        r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(setsockopt), 2, SCMP_A1(SCMP_CMP_EQ, IPPROTO_IP, 0),
                             SCMP_A2(SCMP_CMP_EQ, IP_TOS, 0));
    if (r == 0)
        r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(setsockopt), 2, SCMP_A1(SCMP_CMP_EQ, IPPROTO_IPV6, 0),
                             SCMP_A2(SCMP_CMP_EQ, IPV6_TCLASS, 0));
    /* reading how good the clock is; setting it takes a capability, which is gone */
    if (r == 0)
        r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(adjtimex), 0);
    if (r == 0)
        r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clock_adjtime), 1,
                             SCMP_A0(SCMP_CMP_EQ, 0 /* CLOCK_REALTIME */, 0));
    return r;
}

/* Whether the work goes on for as long as somebody wants it to: then a sanitizer's look for leaks at the end has to
 * stay out, since what it takes is refused. */
static bool is_service(enum privileges_work work)
{
    return work == PRIVILEGES_ANSWER || work == PRIVILEGES_WATCH || work == PRIVILEGES_WATCH_WRITING ||
           work == PRIVILEGES_WATCH_PUBLISHING;
}

static int add_work(scmp_filter_ctx filter, enum privileges_work work)
{
    if (work == PRIVILEGES_PLACE)
        return add_all(filter, allowed_to_place, sizeof allowed_to_place / sizeof allowed_to_place[0]);
    int r = add_rules(filter);
    if (r == 0 && !is_service(work))
        return add_reporting(filter, work);
    if (r == 0 && work != PRIVILEGES_ANSWER)
        r = add_watching(filter, work != PRIVILEGES_WATCH);
    /* a connection that is made again has threads of its own */
    if (r == 0 && work == PRIVILEGES_WATCH_PUBLISHING)
        r = add_threads(filter);
    if (r == 0 && work == PRIVILEGES_WATCH_PUBLISHING)
        r = add_sending(filter, true);
    return r;
}

bool privileges_limit_syscalls(enum privileges_work work, char *why, size_t size)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int r = filter ? add_work(filter, work) : -ENOMEM;
    if (r == 0 && work != PRIVILEGES_ANSWER)
        r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
#if SCMP_VER_MAJOR > 2 || (SCMP_VER_MAJOR == 2 && SCMP_VER_MINOR >= 5)
    /* kernels before 5.16 slow loads and stores down under a filter, against code that a sandbox lets in: none is */
    if (r == 0)
        (void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
#endif
    if (r == 0)
        r = seccomp_load(filter);
    if (filter)
        seccomp_release(filter);
    if (r < 0) {
        (void)snprintf(why, size, "system calls are not limited: %s", strerror(-r));
        return false;
    }
#ifdef SANITIZED
    limited = limited || is_service(work);
    if (!is_service(work))
        (void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* becoming another user has hidden the memory */
#endif
    return true;
}

#else

bool privileges_limit_syscalls(enum privileges_work work, char *why, size_t size)
{
    (void)work;
    (void)snprintf(why, size, "built without libseccomp: system calls are not limited");
    return false;
}

#endif
