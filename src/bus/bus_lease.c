#ifdef QOSMARK_HAVE_NATS

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "bus/bus_reader_internal.h"

static const char LEASES[] = "qosmark-leases", CHECKPOINTS[] = "qosmark-checkpoints";

enum { KEY_MAX = 128 };

/* ---- buckets ---- */

static natsStatus open_bucket(struct bus_reader *r, const char *name, int64_t ttl_ns, kvStore **ret)
{
    natsStatus s = js_KeyValue(ret, r->js, name);
    kvConfig c;
    if (s != NATS_NOT_FOUND)
        return s;
    (void)kvConfig_Init(&c);
    c.Bucket = name;
    c.Description = "who of the collectors of qosmark reads what";
    c.TTL = ttl_ns;
    c.Replicas = 3;
    s = js_CreateKeyValue(ret, r->js, &c);
    if (s == NATS_OK || s == NATS_TIMEOUT || s == NATS_NO_RESPONDERS) /* no leader yet: to be asked again */
        return s;
    c.Replicas = 1; /* no cluster, or a small one */
    s = js_CreateKeyValue(ret, r->js, &c);
    return s == NATS_OK ? s : js_KeyValue(ret, r->js, name); /* another collector was quicker */
}

int bus_lease_open(struct bus_reader *r, struct error *error)
{
    natsStatus s = r->leases ? NATS_OK : open_bucket(r, LEASES, r->lease_ns, &r->leases);
    s = s == NATS_OK ? open_bucket(r, CHECKPOINTS, 0, &r->checkpoints) : s;
    return s == NATS_OK ? 0 : bus_error(error, ERR_IO, "the leases of the collectors cannot be kept", s);
}

/* ---- who is there ---- */

int bus_member_announce(struct bus_reader *r, struct error *error)
{
    char key[KEY_MAX];
    uint64_t revision;
    if (bus_reader_ask(r, error) < 0)
        return ERR_IO;
    (void)snprintf(key, sizeof key, "member.%s", r->name);
    natsStatus s = kvStore_PutString(&revision, r->leases, key, "here");
    r->keeps_leases = s == NATS_TIMEOUT;
    return s == NATS_OK ? 0 : bus_error(error, ERR_IO, "the message bus does not answer", s);
}

void bus_member_leave(struct bus_reader *r)
{
    char key[KEY_MAX];
    (void)snprintf(key, sizeof key, "member.%s", r->name);
    if (!r->keeps_leases)
        (void)kvStore_Purge(r->leases, key, NULL);
}

int bus_lease_survey(struct bus_reader *r, bool *held, unsigned n, struct error *error)
{
    kvKeysList keys = {.Keys = NULL};
    int members = 0;
    memset(held, 0, n * sizeof *held);
    if (bus_reader_ask(r, error) < 0)
        return ERR_IO;
    natsStatus s = kvStore_Keys(&keys, r->leases, NULL);
    if (s == NATS_NOT_FOUND)
        return 1;
    if (s != NATS_OK)
        return bus_error(error, ERR_IO, "the message bus does not answer", s);
    for (int i = 0; i < keys.Count; i++) {
        struct slice key = slice_make(keys.Keys[i], strlen(keys.Keys[i])), kind = slice_next(&key, '.');
        uint64_t number;
        bool again = false; /* a key that is written meanwhile may be listed twice */
        for (int k = 0; k < i; k++)
            again |= strcmp(keys.Keys[i], keys.Keys[k]) == 0;
        if (slice_equal(kind, SLICE("member")))
            members += !again;
        else if (slice_equal(kind, SLICE("partition")) && slice_number(key, n - 1, &number))
            held[number] = true;
    }
    kvKeysList_Destroy(&keys);
    return members ? members : 1;
}

/* ---- leases ---- */

static void partition_key(unsigned partition, char key[static KEY_MAX])
{
    (void)snprintf(key, KEY_MAX, "partition.%u", partition);
}

int bus_lease_take(struct bus_reader *r, unsigned partition, uint64_t *ret_lease, struct error *error)
{
    struct bus_partition *p = &r->partitions[partition];
    char key[KEY_MAX];
    if (bus_reader_ask(r, error) < 0)
        return ERR_IO;
    partition_key(partition, key);
    natsStatus s = kvStore_CreateString(&p->lease, r->leases, key, r->name);
    p->held = s == NATS_OK;
    if (s == NATS_OK) {
        r->keeps_leases = false;
        *ret_lease = p->lease;
        return 1;
    }
    kvEntry *e = NULL;
    natsStatus there = kvStore_Get(&e, r->leases, key);
    kvEntry_Destroy(e);
    return there == NATS_OK ? 0 : bus_error(error, ERR_IO, "the message bus does not answer", s);
}

int bus_lease_renew(struct bus_reader *r, unsigned partition, struct error *error)
{
    struct bus_partition *p = &r->partitions[partition];
    char key[KEY_MAX];
    if (bus_reader_ask(r, error) < 0)
        return ERR_IO;
    partition_key(partition, key);
    natsStatus s = kvStore_UpdateString(&p->lease, r->leases, key, r->name, p->lease);
    if (s == NATS_OK)
        return 1;
    kvEntry *e = NULL;
    natsStatus there = kvStore_Get(&e, r->leases, key);
    bool ours = there == NATS_OK && strcmp(kvEntry_ValueString(e), r->name) == 0;
    if (ours)
        p->lease = kvEntry_Revision(e); /* the answer to an earlier update was lost */
    kvEntry_Destroy(e);
    if (there == NATS_NOT_FOUND || (there == NATS_OK && !ours)) {
        p->held = false;
        return 0;
    }
    r->keeps_leases |= !ours && s == NATS_TIMEOUT;
    return ours ? 1 : bus_error(error, ERR_IO, "the message bus does not answer", s);
}

void bus_lease_give(struct bus_reader *r, unsigned partition)
{
    struct bus_partition *p = &r->partitions[partition];
    char key[KEY_MAX];
    partition_key(partition, key);
    if (p->held && !r->keeps_leases && bus_reader_connected(r))
        r->keeps_leases = kvStore_Purge(r->leases, key, NULL) == NATS_TIMEOUT;
    p->held = false;
}

/* ---- checkpoints ---- */

int bus_checkpoint_read(struct bus_reader *r, unsigned partition, char ret[static BUS_CHECKPOINT_MAX],
                        struct error *error)
{
    struct bus_partition *p = &r->partitions[partition];
    char key[KEY_MAX];
    kvEntry *e = NULL;
    if (bus_reader_ask(r, error) < 0)
        return ERR_IO;
    partition_key(partition, key);
    natsStatus s = kvStore_Get(&e, r->checkpoints, key);
    if (s != NATS_OK && s != NATS_NOT_FOUND)
        return bus_error(error, ERR_IO, "the message bus does not answer", s);
    const char *text = s == NATS_OK ? kvEntry_ValueString(e) : "";
    p->checkpoint = s == NATS_OK ? kvEntry_Revision(e) : 0;
    (void)snprintf(ret, BUS_CHECKPOINT_MAX, "%s", text ? text : "");
    kvEntry_Destroy(e);
    return 0;
}

int bus_checkpoint_write(struct bus_reader *r, unsigned partition, const char *text, struct error *error)
{
    struct bus_partition *p = &r->partitions[partition];
    char key[KEY_MAX], there[BUS_CHECKPOINT_MAX];
    uint64_t revision = p->checkpoint;
    if (bus_reader_ask(r, error) < 0)
        return ERR_IO;
    partition_key(partition, key);
    natsStatus s = kvStore_UpdateString(&p->checkpoint, r->checkpoints, key, text, revision);
    if (s == NATS_OK)
        return 1;
    p->checkpoint = revision;
    if (bus_checkpoint_read(r, partition, there, error) < 0)
        return ERR_IO;
    if (strcmp(there, text) == 0)
        return 1; /* it was written, and the answer lost */
    if (p->checkpoint == revision)
        return bus_error(error, ERR_IO, "a checkpoint cannot be written", s);
    return 0;
}

#else

/* ISO C has no empty translation unit. */
typedef int bus_lease_is_absent;

#endif
