#include "capture/live_link.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RX_DROP = 3, RX_FIFO = 4 }; /* columns of /proc/net/dev */

void live_link_init(struct live_link *k, const char *interface)
{
    unsigned index = if_nametoindex(interface);
    *k = (struct live_link){.socket = -1, .index = (int)index};
    /* of this process's network namespace, which /sys need not be of */
    k->counters = open("/proc/net/dev", O_RDONLY | O_CLOEXEC);
    if (index)
        k->socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

void live_link_done(struct live_link *k)
{
    if (k->counters >= 0)
        (void)close(k->counters);
    if (k->socket >= 0)
        (void)close(k->socket);
}

enum live_state live_link_state(const struct live_link *k)
{
    struct ifreq r = {.ifr_ifindex = k->index};
    if (k->socket < 0)
        return LIVE_STATE_UP;
    /* by its number: it may have been renamed, or another may have its name by now */
    if (ioctl(k->socket, SIOCGIFNAME, &r) != 0)
        return errno == ENODEV || errno == ENXIO ? LIVE_STATE_GONE : LIVE_STATE_UP;
    if (ioctl(k->socket, SIOCGIFFLAGS, &r) != 0)
        return errno == ENODEV || errno == ENXIO ? LIVE_STATE_GONE : LIVE_STATE_UP;
    unsigned flags = (unsigned short)r.ifr_flags;
    return !(flags & IFF_UP) ? LIVE_STATE_DOWN : !(flags & IFF_RUNNING) ? LIVE_STATE_NO_LINK : LIVE_STATE_UP;
}

/* "  eth0: 1 2 3 ...": the sum of what was dropped. */
static uint64_t count_line(struct slice name, struct slice numbers, const char *wanted)
{
    uint64_t sum = 0, value;
    if (wanted && !slice_equal(slice_trim(name), slice_make(wanted, strlen(wanted))))
        return 0;
    for (int column = 0; column <= RX_FIFO; column++) {
        numbers = slice_trim(numbers);
        struct slice number = slice_next(&numbers, ' ');
        if (column >= RX_DROP && slice_number(number, UINT64_MAX, &value))
            sum += value;
    }
    return sum;
}

uint64_t live_link_count(struct slice text, const char *name)
{
    uint64_t sum = 0;
    while (text.len) {
        struct slice line = slice_next(&text, '\n');
        if (!memchr(line.at, ':', line.len)) /* the two lines of headings */
            continue;
        struct slice who = slice_next(&line, ':');
        sum += count_line(who, line, name);
    }
    return sum;
}

/* An interface that was renamed meanwhile stands there by its new name. */
static const char *name_now(const struct live_link *k, struct ifreq *r)
{
    *r = (struct ifreq){.ifr_ifindex = k->index};
    return k->socket < 0 ? NULL : ioctl(k->socket, SIOCGIFNAME, r) == 0 ? r->ifr_name : "";
}

/* False where they cannot be read now; where the system has none, nothing was lost. */
static bool read_counters(const struct live_link *k, uint64_t *ret)
{
    struct strbuf text = {0};
    struct ifreq r;
    char part[4096];
    ssize_t n = 0;
    /* a text that found no memory grows no longer, and would be read for ever */
    while (k->counters >= 0 && strbuf_ok(&text) && (n = pread(k->counters, part, sizeof part, (off_t)text.len)) > 0)
        strbuf_add(&text, part, (size_t)n);
    bool read = n >= 0 && strbuf_ok(&text);
    if (read)
        *ret = live_link_count(slice_make(strbuf_text(&text), text.len), name_now(k, &r));
    strbuf_done(&text);
    return read;
}

void live_link_begin(struct live_link *k)
{
    k->counted = read_counters(k, &k->last);
}

uint64_t live_link_dropped(struct live_link *k)
{
    uint64_t now;
    if (!read_counters(k, &now))
        return k->lost; /* the next time counts what was lost until then */
    /* it falls where interfaces go away; and what was lost before the first count is not this capture's */
    k->lost += k->counted && now > k->last ? now - k->last : 0;
    k->counted = true;
    k->last = now;
    return k->lost;
}
