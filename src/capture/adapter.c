#include "capture/adapter.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "capture/live_link.h"

/* A question of ethtool(8): false where the driver has no answer. */
static bool ask(int s, const char *name, void *question)
{
    struct ifreq r = {0};
    (void)snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
    r.ifr_data = question;
    return ioctl(s, SIOCETHTOOL, &r) == 0;
}

static bool flag(int s, const char *name, uint32_t command)
{
    struct ethtool_value v = {.cmd = command};
    return ask(s, name, &v) && v.data != 0;
}

static uint32_t offloads(int s, const char *name)
{
    static const struct {
        uint32_t command, offload;
    } flags[] = {
        {ETHTOOL_GRXCSUM, ADAPTER_RX_CHECKSUM}, {ETHTOOL_GTXCSUM, ADAPTER_TX_CHECKSUM}, {ETHTOOL_GTSO, ADAPTER_TSO},
        {ETHTOOL_GGSO, ADAPTER_GSO},            {ETHTOOL_GGRO, ADAPTER_GRO},
    };
    uint32_t found = 0;
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        found |= flag(s, name, flags[i].command) ? flags[i].offload : 0;
    struct ethtool_value v = {.cmd = ETHTOOL_GFLAGS};
    return ask(s, name, &v) && (v.data & ETH_FLAG_LRO) ? found | ADAPTER_LRO : found;
}

static bool stamps_all(int s, const char *name)
{
    struct ethtool_ts_info t = {.cmd = ETHTOOL_GET_TS_INFO};
    return ask(s, name, &t) && (t.so_timestamping & SOF_TIMESTAMPING_RX_HARDWARE) &&
           (t.rx_filters & (1u << HWTSTAMP_FILTER_ALL));
}

/* A number in a file of the interface in sysfs; -1 where there is none. */
static int64_t in_sysfs(const char *name, const char *what)
{
    char path[128], text[32] = "";
    (void)snprintf(path, sizeof path, "/sys/class/net/%s/%s", name, what);
    FILE *f = fopen(path, "re");
    if (!f)
        return -1;
    bool read = fgets(text, sizeof text, f) != NULL;
    (void)fclose(f);
    char *end;
    long long value = strtoll(text, &end, 10);
    return read && end != text && value >= 0 ? value : -1;
}

static void fill(int s, const char *name, struct slice counters, struct adapter *a)
{
    struct ifreq r = {0};
    (void)snprintf(a->name, sizeof a->name, "%s", name);
    (void)snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
    if (ioctl(s, SIOCGIFFLAGS, &r) == 0) {
        a->up = r.ifr_flags & IFF_UP;
        a->link = r.ifr_flags & IFF_RUNNING;
        a->loopback = r.ifr_flags & IFF_LOOPBACK;
    }
    if (ioctl(s, SIOCGIFMTU, &r) == 0 && r.ifr_mtu > 0)
        a->mtu = (unsigned)r.ifr_mtu;
    struct ethtool_drvinfo d = {.cmd = ETHTOOL_GDRVINFO};
    if (ask(s, name, &d))
        (void)snprintf(a->driver, sizeof a->driver, "%.*s", (int)sizeof d.driver - 1, d.driver);
    struct ethtool_ringparam ring = {.cmd = ETHTOOL_GRINGPARAM};
    if (ask(s, name, &ring)) {
        a->ring = ring.rx_pending;
        a->ring_most = ring.rx_max_pending;
    }
    a->offloads = offloads(s, name);
    a->hardware_time = stamps_all(s, name);
    int64_t speed = in_sysfs(name, "speed"), received = in_sysfs(name, "statistics/rx_packets");
    a->mbit_per_s = speed > 0 ? speed : -1;
    a->received = received > 0 ? (uint64_t)received : 0;
    a->dropped = live_link_count(counters, name);
}

enum { COUNTERS_MAX = 256 * 1024 }; /* of /proc/net/dev; interfaces beyond have lost nothing */

static int list(int s, const struct if_nameindex *names, struct adapter **ret, size_t *ret_count)
{
    size_t count = 0, len = 0;
    while (names[count].if_index)
        count++;
    struct adapter *all = calloc(count + 1, sizeof *all);
    char *counters = malloc(COUNTERS_MAX);
    if (!all || !counters) {
        free(all);
        free(counters);
        return ERR_MEMORY;
    }
    FILE *f = fopen("/proc/net/dev", "re");
    if (f) {
        len = fread(counters, 1, COUNTERS_MAX, f);
        (void)fclose(f);
    }
    for (size_t i = 0; i < count; i++)
        fill(s, names[i].if_name, slice_make(counters, len), &all[i]);
    free(counters);
    *ret = all;
    *ret_count = count;
    return 0;
}

int adapter_list(struct adapter **ret, size_t *ret_count, struct error *error)
{
    struct if_nameindex *names = if_nameindex();
    if (!names)
        return error_set(error, ERR_IO, "cannot list the network interfaces: %s", strerror(errno));
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (s < 0) {
        int r = error_set(error, ERR_IO, "cannot ask about network interfaces: %s", strerror(errno));
        if_freenameindex(names);
        return r;
    }
    int r = list(s, names, ret, ret_count);
    (void)close(s);
    if_freenameindex(names);
    return r < 0 ? error_set(error, r, "out of memory") : 0;
}
