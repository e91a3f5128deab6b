#include "cli/doctor_facts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <unistd.h>

#include "capture/live.h"
#include "cli/parts.h"
#include "cli/reflect_arguments.h"
#include "cli/screen/backend.h"
#include "cli/terminal.h"
#include "live/run.h"
#include "probe/stamp.h"

static void add(struct facts *f, enum fact_area area, enum fact_status status, const char *name, const char *todo,
                const char *format, ...) __attribute__((format(printf, 6, 7)));

static void add(struct facts *f, enum fact_area area, enum fact_status status, const char *name, const char *todo,
                const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct fact fact = {area, status, arena_printf(&f->arena, "%s", name), arena_vprintf(&f->arena, format, args),
                        arena_printf(&f->arena, "%s", todo)};
    va_end(args);
    if (f->count == f->room) {
        size_t room = f->room ? f->room * 2 : 32;
        struct fact *all = realloc(f->all, room * sizeof *all);
        f->failed = f->failed || !all;
        if (!all)
            return;
        f->all = all;
        f->room = room;
    }
    f->failed = f->failed || !fact.name || !fact.text || !fact.todo;
    if (!f->failed)
        f->all[f->count++] = fact;
}

/* A number in a file of /proc/sys; -1 where there is none. */
static long setting(const char *path)
{
    long value = -1;
    FILE *file = fopen(path, "re");
    if (!file)
        return -1;
    if (fscanf(file, "%ld", &value) != 1)
        value = -1;
    (void)fclose(file);
    return value;
}

/* ---- rights ---- */

static const char *may_capture(void)
{
    if (geteuid() == 0)
        return "This root has no CAP_NET_RAW, as in a container: start that with --cap-add NET_RAW.";
    return "Run it as root (which it gives up at once), or once: "
           "sudo setcap cap_net_raw+ep \"$(command -v qosmark)\"";
}

static void add_capture(struct facts *f)
{
    struct live *live = NULL;
    struct error error = {0};
    struct live_options options = {.interface = "lo", .buffer_bytes = LIVE_RUN_BUFFER_BYTES,
                                   .gather_ms = LIVE_RUN_GATHER_MS};
    int r = live_open(&options, &live, &error);
    live_free(live);
    if (r == 0) {
        add(f, AREA_RIGHTS, FACT_FINE, "capture", "",
            "This user may capture: live, and the marks of TCP in probe --service.");
        add(f, AREA_KERNEL, FACT_FINE, "ring", "", "The kernel gives a ring of %d MiB, which is what live asks for.",
            LIVE_RUN_BUFFER_BYTES >> 20);
    } else if (r == ERR_UNSUPPORTED) {
        add(f, AREA_RIGHTS, FACT_MISSING, "capture", may_capture(),
            "This user may not capture (CAP_NET_RAW): no live, and no marks of TCP in probe --service.");
    } else {
        add(f, AREA_RIGHTS, FACT_MISSING, "capture", "", "A capture on lo does not begin: %s", error.text);
    }
}

static void add_raw(struct facts *f)
{
    int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
    if (fd >= 0)
        add(f, AREA_RIGHTS, FACT_FINE, "raw packets", "",
            "This user may send raw packets: trace, probe --engine libnet, generate --interface.");
    else if (errno == EPERM || errno == EACCES)
        add(f, AREA_RIGHTS, FACT_MISSING, "raw packets", may_capture(),
            "This user may not send raw packets (CAP_NET_RAW): no trace of marks. "
            "Probes with --engine udp, which is the default, do without.");
    else
        add(f, AREA_RIGHTS, FACT_MISSING, "raw packets", "", "No raw socket can be opened: %s.", strerror(errno));
    if (fd >= 0)
        (void)close(fd);
}

/* The port is tried on loopback; where another program has it, that is told apart. */
static void add_port(struct facts *f)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons(STAMP_PORT),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int r = fd < 0 ? -1 : bind(fd, (const struct sockaddr *)&at, sizeof at), why = errno;
    if (r == 0)
        add(f, AREA_RIGHTS, FACT_FINE, "port 862", "", "This user may open the port of STAMP, 862: reflect.");
    else if (why == EADDRINUSE)
        add(f, AREA_RIGHTS, FACT_NOTE, "port 862", "Use it, or reflect --port with another number.",
            "Another program has the port of STAMP, 862; perhaps a reflector already.");
    else
        add(f, AREA_RIGHTS, FACT_NOTE, "port 862",
            "Run reflect as root (which it gives up at once), or with --port 8620, and probe --port 8620.",
            "This user may not open the port of STAMP, 862: %s.", strerror(why));
    if (fd >= 0)
        (void)close(fd);
}

/* ---- what the kernel has ---- */

static void add_guards(struct facts *f)
{
    uint32_t action = SECCOMP_RET_ERRNO;
    if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0)
        add(f, AREA_KERNEL, FACT_FINE, "seccomp", "", "System calls can be filtered.");
    else
        add(f, AREA_KERNEL, FACT_NOTE, "seccomp", "In a container: allow the system call seccomp.",
            "System calls cannot be filtered here: the commands run without that guard.");
#ifdef SYS_landlock_create_ruleset
    long landlock = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
#else
    long landlock = -1;
#endif
    if (landlock > 0)
        add(f, AREA_KERNEL, FACT_FINE, "landlock", "", "Writing can be kept to the folders named (Landlock %ld).",
            landlock);
    else
        add(f, AREA_KERNEL, FACT_NOTE, "landlock", "Linux 5.13 or later, started with landlock in its list of LSMs.",
            "Writing cannot be kept to the folders named (no Landlock): the commands run without that guard.");
}

static void add_kernel(struct facts *f)
{
    char todo[128];
    add_guards(f);
    long most = setting("/proc/sys/net/core/rmem_max");
    (void)snprintf(todo, sizeof todo,
                   "For reflect at more than some thousand packets a second: sudo sysctl -w net.core.rmem_max=%d",
                   REFLECT_RECEIVE_BYTES);
    if (most >= REFLECT_RECEIVE_BYTES || geteuid() == 0)
        add(f, AREA_KERNEL, FACT_FINE, "socket buffers", "",
            "Sockets can have the buffers that a busy reflector asks for.");
    else if (most >= 0)
        add(f, AREA_KERNEL, FACT_NOTE, "socket buffers", todo,
            "Sockets of this user have at most %ld KiB of buffer (net.core.rmem_max).", most / 1024);
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    add(f, AREA_KERNEL, FACT_FINE, "processors", "", "%ld processor%s.", processors, processors == 1 ? "" : "s");
}

static void add_clock(struct facts *f)
{
    struct timex t = {0};
    int state = adjtimex(&t);
    if (state >= 0 && state != TIME_ERROR && !(t.status & STA_UNSYNC))
        add(f, AREA_CLOCK, FACT_FINE, "synchronised", "",
            "The clock is kept in step, to within %ld ms by its own estimate.", t.maxerror / 1000);
    else
        add(f, AREA_CLOCK, FACT_NOTE, "synchronised",
            "Run chrony or systemd-timesyncd, so that times of several points can be read side by side.",
            "The clock is not kept in step by anybody. Verdicts do not depend on it.");
}

static void add_terminal(struct facts *f)
{
    const char *term = getenv("TERM");
    if (!isatty(STDOUT_FILENO))
        add(f, AREA_TERMINAL, FACT_FINE, "screen", "", "Standard output is no terminal: live writes lines.");
    else if (!backend_available())
        add(f, AREA_TERMINAL, FACT_NOTE, "screen", "", "This build has no screen: live writes lines.");
    else if (!term || !*term || strcmp(term, "dumb") == 0)
        add(f, AREA_TERMINAL, FACT_NOTE, "screen", "Set TERM to what the terminal is, such as xterm-256color.",
            "TERM does not say what terminal this is: live writes lines.");
    else
        add(f, AREA_TERMINAL, FACT_FINE, "screen", "", "live has its screen here.");
    if (terminal_utf8())
        add(f, AREA_TERMINAL, FACT_FINE, "characters", "", "UTF-8.");
    else
        add(f, AREA_TERMINAL, FACT_NOTE, "characters", "Set a UTF-8 locale, such as LC_CTYPE=C.UTF-8.",
            "The locale is not UTF-8: signs and lines are drawn in ASCII.");
}

static void add_build(struct facts *f)
{
    char todo[192];
    for (size_t i = 0; i < part_count; i++) {
        (void)snprintf(todo, sizeof todo, "Build it with %s installed.", parts[i].package);
        if (parts[i].there)
            add(f, AREA_BUILD, FACT_FINE, parts[i].library, "", "Built in: %s.", parts[i].purpose);
        else
            add(f, AREA_BUILD, FACT_MISSING, parts[i].library, todo, "Left out of this build: %s.", parts[i].purpose);
    }
}

/* ---- interfaces ---- */

static void add_offloads(struct facts *f, const struct adapter *a)
{
    bool joins = a->offloads & (ADAPTER_GRO | ADAPTER_LRO), splits = a->offloads & (ADAPTER_TSO | ADAPTER_GSO);
    char todo[192], todo_lro[128];
    (void)snprintf(todo_lro, sizeof todo_lro, "For TCP as it is on the wire: sudo ethtool -K %s lro off", a->name);
    (void)snprintf(todo, sizeof todo,
                   "Only where packets have to be counted as on the wire: "
                   "sudo ethtool -K %s gro off lro off tso off gso off",
                   a->name);
    if (a->offloads & ADAPTER_LRO)
        add(f, AREA_INTERFACE, FACT_NOTE, a->name, todo_lro,
            "The card joins TCP segments that arrive (LRO), and what it joins may not be alike.");
    if (joins || splits)
        add(f, AREA_INTERFACE, FACT_FINE, a->name, todo,
            "Captures show TCP in larger pieces than the wire has (%s%s%s). "
            "Marks are right, and media over UDP is as on the wire.",
            joins ? "joined on arrival" : "", joins && splits ? ", " : "", splits ? "split after leaving" : "");
}

static void add_link(struct facts *f, const struct adapter *a)
{
    char speed[32] = "", driver[48] = "";
    bool unplugged = a->up && !a->link;
    if (a->mbit_per_s > 0)
        (void)snprintf(speed, sizeof speed, ", %lld Mbit/s", (long long)a->mbit_per_s);
    if (*a->driver)
        (void)snprintf(driver, sizeof driver, ", driver %s", a->driver);
    /* one that is switched off is nobody's trouble: most machines have some */
    add(f, AREA_INTERFACE, unplugged ? FACT_NOTE : FACT_FINE, a->name,
        unplugged ? "Plug it in, or look at its other end." : "", "%s%s, MTU %u%s; time stamps by %s.",
        unplugged ? "Up, but without a link"
        : a->up   ? "Up"
                  : "Switched off",
        speed, a->mtu, driver, a->hardware_time ? "the card (live --hardware-time) or the host" : "the host");
}

static void add_interface(struct facts *f, const struct adapter *a)
{
    char ring[160];
    add_link(f, a);
    if (a->loopback || !a->up)
        return;
    add_offloads(f, a);
    (void)snprintf(ring, sizeof ring, "Where live says that the interface dropped packets: sudo ethtool -G %s rx %u",
                   a->name, a->ring_most);
    if (a->ring && a->ring < a->ring_most)
        add(f, AREA_INTERFACE, FACT_FINE, a->name, ring, "Its receive ring has %u descriptors and could have %u.",
            a->ring, a->ring_most);
    /* one in ten thousand, ever: that is no burst when it was switched on */
    if (a->dropped > 100 && a->dropped > a->received / 10000)
        add(f, AREA_INTERFACE, FACT_NOTE, a->name,
            "If the number grows while you capture, what is captured has holes; live says so.",
            "It has dropped %llu of %llu received packets since it is there.", (unsigned long long)a->dropped,
            (unsigned long long)a->received);
}

static void add_interfaces(struct facts *f)
{
    struct adapter *all = NULL;
    size_t count = 0;
    struct error error = {0};
    if (adapter_list(&all, &count, &error) < 0) {
        add(f, AREA_INTERFACE, FACT_MISSING, "interfaces", "", "%s.", error.text);
        return;
    }
    for (size_t i = 0; i < count; i++)
        add_interface(f, &all[i]);
    free(all);
}

void facts_find(struct facts *f)
{
    add_capture(f);
    add_raw(f);
    add_port(f);
    add_kernel(f);
    add_clock(f);
    add_terminal(f);
    add_build(f);
    add_interfaces(f);
}

void facts_done(struct facts *f)
{
    free(f->all);
    arena_done(&f->arena);
    *f = (struct facts){0};
}

const char *fact_area_name(enum fact_area area)
{
    static const char *const names[AREA_COUNT] = {[AREA_RIGHTS] = "rights",     [AREA_KERNEL] = "kernel",
                                                  [AREA_CLOCK] = "clock",       [AREA_TERMINAL] = "terminal",
                                                  [AREA_BUILD] = "build",       [AREA_INTERFACE] = "interfaces"};
    return names[area];
}

const char *fact_status_name(enum fact_status status)
{
    static const char *const names[] = {[FACT_FINE] = "fine", [FACT_NOTE] = "note", [FACT_MISSING] = "missing"};
    return names[status];
}
