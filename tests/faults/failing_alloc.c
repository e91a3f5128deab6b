/*
 * Runs a program again and again, each time with another allocation failing: preloaded before it (LD_PRELOAD), it stops
 * the program just before main(), and for each order that comes in starts a copy by fork(). So a run costs no loading,
 * and what is tried is the program as it is shipped, third-party libraries included.
 *
 * An order is a line "FIRST COUNT STACK": allocations FIRST .. FIRST+COUNT-1 fail (from 1). With STACK, FIRST is the
 * first allocation of that stack: for programs whose threads ask in another order each time; then allocations of libnats
 * never fail (nats_Open() waits for itself for ever where one does). With FIRST and STACK 0 none
 * fails; with COUNT besides, `trace` gets two numbers for each allocation (struct traced). The copy's standard
 * output and error are the files `out` and `err` of the working directory, the stack of the first allocation that failed is
 * in `site`, and that of a crash or a hang in `crash`. The answer is a line "STATUS ALLOCATIONS MAPPED": what waitpid()
 * gave, how many allocations there were, and the bytes of anonymous mappings that were left at the end.
 *
 * The environment names the file descriptors of both: QOSMARK_FAULTS="ORDERS ANSWERS".
 *
 * Counted are malloc, calloc, realloc, the aligned ones, strdup, strndup, and anonymous mmap that can be written to.
 * Works below AddressSanitizer's runtime where that is a shared library (gcc; verify_asan_link_order=0): then leaks
 * after a failure are found as well.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum {
    WAIT_SECONDS_MAX = 20, /* a copy that takes longer hangs, */
    WORK_SECONDS_MAX = 2,  /* and one that works as long: it does its work in a hundredth of that. AddressSanitizer is slower. */
    CRASH_STACK_BYTES = 65536,
    DEPTH_MAX = 40,
    EARLY_BYTES = 65536,
};

struct shared {
    _Atomic long calls, mapped;
};

/* Of an allocation: the same number for the same stack of the program's own, in every run of it, 0 for one of libnats; and
 * whether libseccomp asked, which does so two thousand times to make a filter. */
struct traced {
    uint64_t stack, seccomp;
};

static struct shared *shared; /* NULL until the first order: nothing fails, nothing is counted */
static _Atomic long fail_first;
static long fail_count;
static uint64_t fail_stack;
static uintptr_t own_begin, own_end, seccomp_begin, seccomp_end, nats_begin, nats_end; /* where the code of each is */
static int orders, answers, site = -1, trace = -1, crash = -1;

static struct {
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void *(*memalign)(size_t, size_t);
    void (*free)(void *);
    void *(*mmap)(void *, size_t, int, int, int, off_t);
    int (*munmap)(void *, size_t);
} next;

/* dlsym() may allocate before its answer is there */
static _Alignas(64) char early[EARLY_BYTES];
static size_t early_used;

static bool is_early(const void *at)
{
    return (const char *)at >= early && (const char *)at < early + sizeof early;
}

static void *early_new(size_t bytes)
{
    size_t at = early_used;
    early_used += (bytes + 63) / 64 * 64;
    return early_used <= sizeof early ? early + at : NULL;
}

static bool resolving;

static bool resolved(void)
{
    if (next.malloc || resolving)
        return next.malloc != NULL;
    resolving = true;
    /* POSIX wants a pointer to a function to fit into one to an object; C does not say so */
    *(void **)&next.calloc = dlsym(RTLD_NEXT, "calloc");
    *(void **)&next.realloc = dlsym(RTLD_NEXT, "realloc");
    *(void **)&next.memalign = dlsym(RTLD_NEXT, "memalign");
    *(void **)&next.free = dlsym(RTLD_NEXT, "free");
    *(void **)&next.mmap = dlsym(RTLD_NEXT, "mmap");
    *(void **)&next.munmap = dlsym(RTLD_NEXT, "munmap");
    *(void **)&next.malloc = dlsym(RTLD_NEXT, "malloc");
    resolving = false;
    return true;
}

static void note_site(void)
{
    void *stack[DEPTH_MAX];
    backtrace_symbols_fd(stack, backtrace(stack, DEPTH_MAX), site);
}

/* The first object is the program itself. */
static int note_object(struct dl_phdr_info *info, size_t size, void *user)
{
    (void)size;
    uintptr_t begin = UINTPTR_MAX, end = 0;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        uintptr_t from = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr, to = from + info->dlpi_phdr[i].p_memsz;
        if (info->dlpi_phdr[i].p_type != PT_LOAD)
            continue;
        begin = from < begin ? from : begin;
        end = to > end ? to : end;
    }
    bool *program = user;
    if (*program) {
        own_begin = begin;
        own_end = end;
    } else if (info->dlpi_name && strstr(info->dlpi_name, "libseccomp.so")) {
        seccomp_begin = begin;
        seccomp_end = end;
    } else if (info->dlpi_name && strstr(info->dlpi_name, "libnats.so")) {
        nats_begin = begin;
        nats_end = end;
    }
    *program = false;
    return 0;
}

static struct traced stack_now(void)
{
    void *stack[DEPTH_MAX];
    int depth = backtrace(stack, DEPTH_MAX);
    struct traced t = {.stack = 14695981039346656037u}; /* FNV-1a, an address at a time */
    for (int i = 0; i < depth; i++) {
        uintptr_t at = (uintptr_t)stack[i];
        if (at >= own_begin && at < own_end)
            t.stack = (t.stack ^ (uint64_t)(at - own_begin)) * 1099511628211u;
        else if (at >= seccomp_begin && at < seccomp_end)
            t.seccomp = 1;
        else if (at >= nats_begin && at < nats_end)
            return (struct traced){0};
    }
    return t;
}

static void trace_stack(void)
{
    struct traced t = stack_now();
    if (write(trace, &t, sizeof t) != (ssize_t)sizeof t)
        abort();
}

/* Where a crash is, or a hang: what failed before may have been another's. The second signal, or the instruction again,
 * then ends the copy. */
static void note_crash(int signal_number, siginfo_t *info, void *user)
{
    void *stack[DEPTH_MAX];
    (void)signal_number;
    (void)info;
#ifdef __x86_64__
    /* a stack that was written over cannot be walked: the place by itself, first */
    stack[0] = (void *)((const ucontext_t *)user)->uc_mcontext.gregs[REG_RIP];
    backtrace_symbols_fd(stack, 1, crash);
#else
    (void)user;
#endif
    backtrace_symbols_fd(stack, backtrace(stack, DEPTH_MAX), crash);
}

static void watch(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGALRM, SIGPROF};
    static char room[CRASH_STACK_BYTES];
    bool sanitized = dlsym(RTLD_DEFAULT, "__asan_init") != NULL; /* which has handlers of its own */
    struct itimerval wait = {.it_value.tv_sec = WAIT_SECONDS_MAX, .it_interval.tv_sec = 1};
    struct itimerval work = {.it_value.tv_sec = sanitized ? WAIT_SECONDS_MAX : WORK_SECONDS_MAX, .it_interval.tv_sec = 1};
    (void)setitimer(ITIMER_REAL, &wait, NULL);
    (void)setitimer(ITIMER_PROF, &work, NULL);
    if (sanitized)
        return;
    stack_t other = {.ss_sp = room, .ss_size = sizeof room};
    (void)sigaltstack(&other, NULL);
    struct sigaction action = {.sa_sigaction = note_crash, .sa_flags = (int)SA_RESETHAND | SA_ONSTACK | SA_SIGINFO};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        (void)sigaction(signals[i], &action, NULL);
    crash = open("crash", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600); /* the program may forbid itself to open files */
}

/* Whether this allocation is one that is to fail. */
static bool fails(void)
{
    static _Thread_local bool inside; /* what is said about a failure may allocate */
    if (!shared || inside)
        return false;
    long n = atomic_fetch_add(&shared->calls, 1) + 1;
    if (trace >= 0) {
        inside = true;
        trace_stack();
        inside = false;
    }
    long first = atomic_load(&fail_first);
    if (fail_stack) {
        inside = true;
        uint64_t stack = stack_now().stack;
        inside = false;
        if (stack == 0)
            return false;
        if (stack == fail_stack && first == 0 && atomic_compare_exchange_strong(&fail_first, &first, n))
            first = n;
    }
    if (first == 0 || n < first || n - first >= fail_count)
        return false;
    if (n == first) {
        inside = true;
        note_site();
        inside = false;
    }
    errno = ENOMEM;
    return true;
}

void *malloc(size_t bytes)
{
    if (!resolved())
        return early_new(bytes);
    return fails() ? NULL : next.malloc(bytes);
}

void *calloc(size_t n, size_t bytes)
{
    if (!resolved())
        return early_new(n * bytes);
    return fails() ? NULL : next.calloc(n, bytes);
}

void *realloc(void *at, size_t bytes)
{
    if (!resolved() || is_early(at)) {
        void *to = malloc(bytes);
        if (to && at)
            memcpy(to, at, bytes < (size_t)(early + sizeof early - (char *)at) ? bytes : (size_t)(early + sizeof early - (char *)at));
        return to;
    }
    return fails() ? NULL : next.realloc(at, bytes);
}

void free(void *at)
{
    if (at && !is_early(at) && resolved())
        next.free(at);
}

void *memalign(size_t align, size_t bytes)
{
    return !resolved() || fails() ? NULL : next.memalign(align, bytes);
}

void *aligned_alloc(size_t align, size_t bytes)
{
    return memalign(align, bytes);
}

int posix_memalign(void **ret, size_t align, size_t bytes)
{
    void *at = memalign(align, bytes);
    if (!at)
        return ENOMEM;
    *ret = at;
    return 0;
}

/* AddressSanitizer has its own, which would not come by here. */
char *strndup(const char *text, size_t most)
{
    size_t len = strnlen(text, most);
    char *copy = malloc(len + 1);
    if (copy) {
        memcpy(copy, text, len);
        copy[len] = '\0';
    }
    return copy;
}

char *strdup(const char *text)
{
    return strndup(text, strlen(text));
}

void *mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset)
{
    if (!resolved())
        return MAP_FAILED;
    bool counted = (flags & MAP_ANONYMOUS) && (protection & PROT_WRITE) && !(flags & (MAP_STACK | MAP_FIXED | MAP_NORESERVE));
    if (counted && fails())
        return MAP_FAILED;
    void *made = next.mmap(at, bytes, protection, flags, fd, offset);
    if (counted && shared && made != MAP_FAILED)
        (void)atomic_fetch_add(&shared->mapped, (long)bytes);
    return made;
}

int munmap(void *at, size_t bytes)
{
    if (!resolved())
        return -1;
    if (shared)
        (void)atomic_fetch_sub(&shared->mapped, (long)bytes);
    return next.munmap(at, bytes);
}

/* ---- orders ---- */

static void redirect(int fd, const char *path)
{
    int to = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (to < 0 || dup2(to, fd) < 0)
        _exit(126);
    (void)close(to);
}

/* In the copy: true. In the server it returns when no more orders come. */
static bool serve(struct shared *counts)
{
    char line[64];
    size_t at = 0;
    void *warm[2];
    bool program = true;
    (void)dl_iterate_phdr(note_object, &program);
    (void)backtrace(warm, 2); /* loads a library at its first call */
    while (at + 1 < sizeof line && read(orders, line + at, 1) == 1) {
        if (line[at++] != '\n')
            continue;
        line[at] = '\0';
        at = 0;
        char *rest;
        fail_first = strtol(line, &rest, 10);
        fail_count = strtol(rest, &rest, 10);
        fail_stack = strtoull(rest, NULL, 10);
        atomic_store(&counts->calls, 0);
        atomic_store(&counts->mapped, 0);
        pid_t pid = fork();
        if (pid == 0) {
            redirect(1, "out");
            redirect(2, "err");
            (void)close(orders);
            (void)close(answers);
            watch();
            if (fail_first == 0 && fail_stack == 0 && fail_count > 0)
                trace = open("trace", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
            if (fail_first || fail_stack)
                site = open("site", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
            shared = counts;
            return true;
        }
        int status = -1;
        while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
            continue;
        (void)dprintf(answers, "%d %ld %ld\n", status, atomic_load(&counts->calls), atomic_load(&counts->mapped));
    }
    return false;
}

typedef int main_function(int, char **, char **);

/* What the program's first instructions call, after the libraries are ready and before anything of its own runs. */
int __libc_start_main(main_function *program, int argc, char **argv, void (*init)(void), void (*fini)(void),
                      void (*rtld_fini)(void), void *stack_end);

int __libc_start_main(main_function *program, int argc, char **argv, void (*init)(void), void (*fini)(void),
                      void (*rtld_fini)(void), void *stack_end)
{
    int (*real)(main_function *, int, char **, void (*)(void), void (*)(void), void (*)(void), void *);
    *(void **)&real = dlsym(RTLD_NEXT, "__libc_start_main");
    (void)resolved();
    const char *descriptors = getenv("QOSMARK_FAULTS");
    if (descriptors) {
        char *rest;
        orders = (int)strtol(descriptors, &rest, 10);
        answers = (int)strtol(rest, NULL, 10);
        void *at = next.mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (at == MAP_FAILED || !serve(at))
            _exit(at == MAP_FAILED ? 126 : 0);
    }
    return real(program, argc, argv, init, fini, rtld_fini, stack_end);
}
