#include "cli/privileges_syscalls.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

/* With a sanitizer in the program its look for leaks at the end wants system calls that the filter refuses. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

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

bool privileges_limit_syscalls(char *why, size_t size)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int r = filter ? add_rules(filter) : -ENOMEM;
    if (r == 0)
        r = seccomp_load(filter);
    if (filter)
        seccomp_release(filter);
    if (r < 0) {
        (void)snprintf(why, size, "system calls are not limited: %s", strerror(-r));
        return false;
    }
#ifdef SANITIZED
    limited = 1;
#endif
    return true;
}

#else

bool privileges_limit_syscalls(char *why, size_t size)
{
    (void)snprintf(why, size, "built without libseccomp: system calls are not limited");
    return false;
}

#endif
