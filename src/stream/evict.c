/* Room at the cap: what is least likely to be a conference goes before its time. */
#include <stdlib.h>

#include "base/clock.h"
#include "stream/leave.h"
#include "stream/look.h"

/*
 * Who floods the table with new 5-tuples must not push out calls that run, and must not cost more than the packets
 * themselves: a sixteenth of all goes at a time, and where there is nobody to go, it is not tried again for a while.
 */
enum { PART = 16, AGES = 44, PACKETS_FEW = 2 };

/* The first go first, and of each the longest silent. */
enum worth {
    WORTH_FEW_PACKETS = 0, /* half a handshake, a scan */
    WORTH_UNKNOWN,         /* not known to belong to a conference */
    WORTH_KNOWN,           /* signalling and what else was recognised; ICE, DTLS, RTCP before media */
    WORTH_MEDIA,           /* accepted RTP, and what is on its 5-tuple */
    WORTH_COUNT
};

/* Media that was silent for less is running; and of everything else the next packet is awaited for so long: else those
 * that come in turn would push each other out, and none would ever be known for what it is. */
#define RUNNING_NS (5 * NS_PER_S)
#define AWAITED_NS (200 * NS_PER_MS)

static uint64_t packets_of(const struct stream_table *t, const struct flow *f, uint64_t enough)
{
    const uint32_t heads[] = {f->media[0], f->media[1], f->candidates[0], f->candidates[1], f->others};
    uint64_t packets = 0;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        for (const struct stream *s = stream_referred(t, heads[i]); s && packets <= enough; s = stream_next(t, s))
            packets += s->packets;
    return packets;
}

static enum worth worth_of(const struct stream_table *t, const struct flow *f)
{
    if (f->has_media)
        return WORTH_MEDIA;
    if (packets_of(t, f, PACKETS_FEW) <= PACKETS_FEW)
        return WORTH_FEW_PACKETS;
    bool known = flow_protocol_is_known(t, f) || f->has_ice || f->has_dtls || f->has_turn;
    return known ? WORTH_KNOWN : WORTH_UNKNOWN;
}

/* By powers of two of a millisecond. */
static unsigned age_of(const struct stream_table *t, const struct flow *f, int64_t now_ns)
{
    int64_t last_ns = flow_last_ns(t, f);
    uint64_t silent_ms = last_ns < now_ns ? ((uint64_t)now_ns - (uint64_t)last_ns) / NS_PER_MS : 0;
    unsigned age = 0;
    for (; silent_ms && age < AGES - 1; silent_ms >>= 1)
        age++;
    return age;
}

static bool may_go(const struct stream_table *t, const struct flow *f, enum worth worth, int64_t now_ns)
{
    int64_t silent_ns = silence_ns(now_ns, flow_last_ns(t, f));
    return silent_ns >= (worth < WORTH_MEDIA ? AWAITED_NS : RUNNING_NS);
}

/* Flows below a worth, and of that worth the older ones, go as a whole; of the last age only some do. */
struct cut {
    unsigned worth, age;
    size_t some; /* of the last age */
    size_t all;  /* flows that go */
};

static struct cut find_cut(const struct stream_table *t, int64_t now_ns, size_t wanted)
{
    size_t counts[WORTH_COUNT][AGES] = {{0}};
    for (uint32_t i = 0; i < t->flows.count; i++) {
        const struct flow *f = flow_at(t, i);
        enum worth worth = f->free ? WORTH_COUNT : worth_of(t, f);
        if (worth < WORTH_COUNT && may_go(t, f, worth, now_ns))
            counts[worth][age_of(t, f, now_ns)]++;
    }
    struct cut cut = {0};
    for (cut.worth = 0; cut.worth < WORTH_COUNT; cut.worth++)
        for (cut.age = AGES; cut.age-- > 0;) {
            size_t here = counts[cut.worth][cut.age];
            cut.some = wanted - cut.all < here ? wanted - cut.all : here;
            cut.all += cut.some;
            if (cut.all == wanted)
                return cut;
        }
    return cut; /* all that may go */
}

static size_t choose(const struct stream_table *t, int64_t now_ns, struct cut cut, struct leaving *to)
{
    size_t n = 0, wanted = cut.all;
    for (uint32_t i = 0; i < t->flows.count && n < wanted; i++) {
        const struct flow *f = flow_at(t, i);
        enum worth worth = f->free ? WORTH_COUNT : worth_of(t, f);
        if (worth == WORTH_COUNT || worth > cut.worth || !may_go(t, f, worth, now_ns))
            continue;
        unsigned age = worth == cut.worth ? age_of(t, f, now_ns) : AGES;
        if (age < cut.age || (age == cut.age && cut.some-- == 0)) {
            cut.some += age == cut.age;
            continue;
        }
        to[n++] = (struct leaving){flow_last_ns(t, f), i, i};
    }
    return n;
}

void stream_make_room(struct stream_table *t, int64_t now_ns)
{
    size_t wanted = t->flow_count / PART + 1;
    t->full = false;
    struct leaving *leaving = t->arrivals >= t->sweep.refused_until ? malloc(wanted * sizeof *leaving) : NULL;
    if (!leaving)
        return;
    uint64_t ended = t->stats.ended;
    uint32_t before = t->stream_count;
    size_t n = choose(t, now_ns, find_cut(t, now_ns, wanted), leaving);
    (void)flows_leave(t, leaving, n);
    t->stats.evicted += t->stats.ended - ended;
    if (before - t->stream_count < before / (PART * 2))
        t->sweep.refused_until = t->arrivals + before / 4;
    free(leaving);
}
