#include "fleet/digest.h"

#include <string.h>

#include "base/hash.h"

static const struct hash_key DIGEST_KEY = {0x716f736d61726b31, 0x6469676573747331};

bool digest_wanted(const struct addr *src, const struct addr *dst)
{
    return addr_is_private(src) || addr_is_private(dst);
}

/* A SYN acknowledges nothing yet, and of a reset both numbers may be 0. */
static bool tcp_digest(const struct packet *p, uint32_t *ret)
{
    if ((p->tcp_flags & (TCP_ACK | TCP_SYN | TCP_RST)) != TCP_ACK)
        return false;
    *ret = (uint32_t)hash_pair(&DIGEST_KEY, (uint64_t)p->tcp_seq << 32 | p->tcp_ack, PROTO_TCP);
    return true;
}

static bool udp_digest(const struct packet *p, uint32_t *ret)
{
    uint32_t bytes = p->payload_wire_bytes < DIGEST_BYTES_MAX ? p->payload_wire_bytes : DIGEST_BYTES_MAX;
    if (bytes < DIGEST_BYTES_MIN || p->payload_bytes < bytes)
        return false;
    *ret = (uint32_t)hash_bytes(&DIGEST_KEY, p->payload, bytes);
    return true;
}

bool digest_of(const struct packet *p, uint32_t *ret)
{
    return p->proto == PROTO_TCP ? tcp_digest(p, ret) : p->proto == PROTO_UDP ? udp_digest(p, ret) : false;
}

void digest_keep(uint32_t *digests, uint8_t *count, size_t most, uint32_t digest)
{
    size_t n = *count, i = n;
    if (n == most && digest >= digests[n - 1])
        return;
    while (i > 0 && digests[i - 1] >= digest)
        i--;
    if (i < n && digests[i] == digest)
        return;
    size_t kept = n < most ? n : most - 1;
    memmove(&digests[i + 1], &digests[i], (kept - i) * sizeof *digests);
    digests[i] = digest;
    *count = (uint8_t)(kept + 1);
}
