#ifndef QOSMARK_HAVE_NATS

#include "bus/bus_consume.h"

/* Built without libnats: bus_reader_open() says so, and nothing else is ever called. */

static int absent(struct error *error)
{
    return error_set(error, ERR_UNSUPPORTED, "%s", bus_absent);
}

int bus_reader_check(const struct bus_options *o, struct error *error)
{
    (void)o;
    return absent(error);
}

int bus_reader_open(const struct bus_options *o, const struct bus_retention *retention, const char *name,
                    int64_t lease_ns, const struct bus_patience *patience, struct bus_reader **ret, struct error *error)
{
    (void)o;
    (void)retention;
    (void)name;
    (void)lease_ns;
    (void)patience;
    (void)ret;
    return absent(error);
}

void bus_reader_close(struct bus_reader *r)
{
    (void)r;
}

int bus_reader_refused(const struct bus_reader *r, struct error *error)
{
    (void)r;
    return absent(error);
}

bool bus_reader_forbidden(struct bus_reader *r, char ret[static 256])
{
    (void)r;
    (void)ret;
    return false;
}

bool bus_reader_connected(const struct bus_reader *r)
{
    (void)r;
    return false;
}

int bus_reader_begin(struct bus_reader *r, unsigned partition, uint64_t lease, uint64_t sequence, struct error *error)
{
    (void)r;
    (void)partition;
    (void)lease;
    (void)sequence;
    return absent(error);
}

void bus_reader_end(struct bus_reader *r, unsigned partition)
{
    (void)r;
    (void)partition;
}

int bus_reader_fetch(struct bus_reader *r, unsigned partition, unsigned most,
                     int (*take)(void *user, const struct bus_message *m), void *user, struct error *error)
{
    (void)r;
    (void)partition;
    (void)most;
    (void)take;
    (void)user;
    return absent(error);
}

int bus_reader_drained(struct bus_reader *r, unsigned partition, struct error *error)
{
    (void)r;
    (void)partition;
    return absent(error);
}

void bus_reader_acknowledge(struct bus_reader *r, unsigned partition)
{
    (void)r;
    (void)partition;
}

int bus_member_announce(struct bus_reader *r, struct error *error)
{
    (void)r;
    return absent(error);
}

void bus_member_leave(struct bus_reader *r)
{
    (void)r;
}

int bus_lease_survey(struct bus_reader *r, bool *held, unsigned n, struct error *error)
{
    (void)r;
    (void)held;
    (void)n;
    return absent(error);
}

int bus_lease_take(struct bus_reader *r, unsigned partition, uint64_t *ret_lease, struct error *error)
{
    (void)r;
    (void)partition;
    (void)ret_lease;
    return absent(error);
}

int bus_lease_renew(struct bus_reader *r, unsigned partition, struct error *error)
{
    (void)r;
    (void)partition;
    return absent(error);
}

void bus_lease_give(struct bus_reader *r, unsigned partition)
{
    (void)r;
    (void)partition;
}

int bus_checkpoint_read(struct bus_reader *r, unsigned partition, char ret[static BUS_CHECKPOINT_MAX],
                        struct error *error)
{
    (void)r;
    (void)partition;
    ret[0] = '\0';
    return absent(error);
}

int bus_checkpoint_write(struct bus_reader *r, unsigned partition, const char *text, struct error *error)
{
    (void)r;
    (void)partition;
    (void)text;
    return absent(error);
}

#else

/* ISO C has no empty translation unit. */
typedef int bus_consume_is_here;

#endif
