#ifndef QOSMARK_POLICY_DIAGNOSE_INTERNAL_H
#define QOSMARK_POLICY_DIAGNOSE_INTERNAL_H

/*
 * What the files diagnose*.c share. In order:
 *
 *   diagnose_items.c   each judged stream becomes an item: where from, where to, and how its marks went over time
 *   diagnose_units.c   all that one sender sends (or sends to one peer) is looked at together; names arithmetic causes
 *   diagnose_zero.c    what is 0: never marked, bleached, or one way only
 *   diagnose_groups.c  causes are brought together by node, host and site, and become findings
 *   diagnose_words.c   the sentences and the advice
 */

#include "policy/behaviour.h"
#include "policy/diagnose.h"
#include "policy/places.h"

#define NO_INDEX UINT32_MAX

struct host {
    struct addr addr;
    uint32_t node;    /* index + 1 */
    uint32_t place;   /* site of the policy, or beyond those a prefix: see diagnosis.places */
    bool shows_marks; /* something it sends is seen with a mark */
};

/* How the marks of a stream went over time. */
enum course {
    COURSE_RIGHT = 0,    /* conforming */
    COURSE_CONSTANT,     /* one wrong mark, all or nearly all the time */
    COURSE_START,        /* a few packets unmarked at the start, right from then on */
    COURSE_CHANGED,      /* one clean change */
    COURSE_INTERMITTENT, /* to and fro */
};

struct item {
    uint32_t record;
    uint32_t src, dst;               /* hosts */
    uint32_t src_entity, dst_entity; /* node i is i, host h is node_count + h: a node's addresses are one sender */
    uint8_t traffic_class, version;
    uint8_t course;                     /* enum course */
    dscp_t seen;                        /* CONSTANT: the wrong mark; RIGHT: the most frequent */
    dscp_t before;                      /* CHANGED: the mark before, `seen` is the one after */
    int64_t change_from_ns, changed_ns; /* CHANGED: the last packet before, the first one after */
    bool slight;                        /* CHANGED: only a few packets on one side of it */
    bool companion;                     /* RTCP, STUN, DTLS, TURN beside media that is judged too */
};

/* Known reasons for a value; the texts are in diagnose_words.c. */
enum hint {
    HINT_NONE = 0,
    HINT_CUCM,
    HINT_EXPRESSWAY,
    HINT_JABBER,
    HINT_WEBRTC,
    HINT_TEAMS,
    HINT_RFC4594_SIGNALLING,
    HINT_RFC4594_DATA,
    HINT_WIFI,
    HINT_VOICE_ADMIT,
    HINT_SCAVENGER,
    HINT_LEGACY_TOS,
    HINT_STREAMING,  /* WebRTC audio with the mark of multimedia-streaming */
    HINT_ONE_VALUE,  /* media and signalling alike have one value */
    HINT_OAM,
    HINT_SLIP,       /* decimal read as hex or the reverse */
    HINT_SHIFT,      /* DSCP >> 2 without the ECN bits that would prove it */
    HINT_OTHER_MARK, /* the mark of another class of the policy */
    HINT_PATH,       /* one way: the same sender's marks reach others */
    HINT_SOME,       /* never marked: only some classes, others are marked */
    HINT_COUNT
};

enum scope_kind { SCOPE_NONE = 0, SCOPE_ENTITY, SCOPE_PAIR, SCOPE_PLACE };

struct cause {
    bool named;
    uint8_t code;       /* enum finding_code */
    uint8_t hint;       /* enum hint */
    uint8_t confidence; /* enum confidence */
    uint8_t scope;      /* enum scope_kind */
    uint8_t to_far_end; /* PLACE: towards the hosts of the place, not from them */
    uint32_t a, b;      /* ENTITY: entity; PAIR: from, to; PLACE: place */
    uint32_t event; /* tells changes at different times apart; precedence of Re-mark-ToS; kind of unentitled traffic */
};

/* One named cause of one record, to be sorted into groups. */
struct diagnosis {
    struct document *d;
    const struct policy *policy;
    dscp_set_t priority;
    struct places map;

    struct host *hosts; /* by address */
    size_t host_count;
    struct prefix *prefixes; /* /24 and /64 of hosts in no site: place = site_count + index */
    size_t prefix_count;

    struct item *items;
    size_t item_count;
    struct cause *causes; /* one a record */
    bool *gets_marks;     /* one an entity: something that it receives is marked right */

    uint32_t *by_src; /* records by source host, then destination host; starts in src_start */
    uint32_t *by_dst;
    size_t *src_start, *dst_start;     /* host_count + 1 each */
    uint32_t *record_src, *record_dst; /* hosts of each record */
    struct conversations conversations;
};

static inline bool is_zero_mark(const struct item *i)
{
    return i->course == COURSE_CONSTANT && i->seen == 0;
}

uint32_t diagnosis_entity(const struct diagnosis *x, uint32_t host);
/* A host of the entity: the entity's own, or the first of the node's that is in the capture. */
bool diagnosis_entity_is_node(const struct diagnosis *x, uint32_t entity);
/* Place of an entity that is no node; NO_INDEX for a node. */
uint32_t diagnosis_entity_place(const struct diagnosis *x, uint32_t entity);

/* diagnose_items.c. False without memory. */
bool diagnosis_init(struct diagnosis *x, struct document *d, const struct policy *p);
void diagnosis_done(struct diagnosis *x);
void diagnosis_name(struct diagnosis *x, uint32_t record, struct cause cause);

/* Sorts items by source entity, destination entity, then record. */
void items_sort_by_entity(struct diagnosis *x);

/* diagnose_companions.c: RTCP and its like that are marked unlike their media; and, later, those that share its cause.
 */
bool name_companions(struct diagnosis *x);
bool follow_media(struct diagnosis *x);
/* diagnose_courses.c: changes over time: start, change, to and fro. */
bool name_courses(struct diagnosis *x);

/* diagnose_units.c: everything that is constant. Zeros are handed on to diagnose_zero.c. */
bool name_units(struct diagnosis *x);

/* All that an entity sends, or sends to one peer, and of which some is 0. */
struct zero_unit {
    size_t first, count;    /* items */
    uint32_t src, dst;      /* entities; dst NO_INDEX: all */
    uint32_t classes_in[2]; /* which classes of IPv4 and IPv6 it is about: bit 1 << class */
    bool all;               /* nothing in it carries a mark */
    uint8_t classes;        /* how many of them are 0 */
    uint32_t peers;         /* how many entities get 0 */
};
bool name_zero_units(struct diagnosis *x, const struct zero_unit *units, size_t n);

/* diagnose_groups.c: causes of hosts of one place become one cause of the place. */
bool merge_places(struct diagnosis *x);
bool write_findings(struct diagnosis *x);

/* diagnose_words.c */
struct group {
    struct cause cause;
    const uint32_t *records;
    size_t count;
    uint64_t packets, all_packets; /* counted, and of the streams altogether */
    uint32_t hosts;                /* distinct ends that are in the cause's place or are its subject */
};
void words_entity(struct strbuf *to, const struct diagnosis *x, uint32_t entity);
void words_place(struct strbuf *to, const struct diagnosis *x, uint32_t place);
void words_subject(struct strbuf *to, const struct diagnosis *x, const struct group *g);
void words_group(struct strbuf *to, const struct diagnosis *x, const struct group *g);
void words_record(struct strbuf *to, const struct diagnosis *x, const struct record *r, const struct cause *c);
void words_advice(struct strbuf *to, const struct diagnosis *x, const struct group *g);
enum hint hint_for_value(const struct diagnosis *x, const struct record *r, dscp_t seen, bool from_node);

/* filter_group.c: a filter for what the group counts; false where only the first `*ret_shown` streams fitted. */
bool filter_for_group(struct strbuf *to, const struct diagnosis *x, const uint32_t *records, size_t n,
                      size_t *ret_shown);

#endif
