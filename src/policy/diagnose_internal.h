#ifndef QOSMARK_POLICY_DIAGNOSE_INTERNAL_H
#define QOSMARK_POLICY_DIAGNOSE_INTERNAL_H

/*
 * What the files diagnose*.c share. In order:
 *
 *   diagnose_hosts.c      who sends and who receives: hosts, nodes, and the places where hosts are
 *   diagnose_items.c      each judged stream becomes an item: how its marks went over time
 *   diagnose_units.c      all that one sender sends (or sends to one peer) is looked at together; names arithmetic causes
 *   diagnose_zero.c       what is 0: never marked, bleached, or one way only
 *   diagnose_causes.c     the causes that were named, each once, and which record has which
 *   diagnose_groups.c     causes are brought together by node, host and site, and put in order
 *   diagnose_findings.c   a group, or one stream of it, as a finding, when somebody looks at it
 *   diagnose_words.c      the sentences and the advice
 *
 * Half a million streams may be wrong. So what is kept of each is counted in bytes, its record is read again when it is
 * needed, and no sentence is written before it is asked for.
 */

#include "base/order.h"
#include "policy/behaviour.h"
#include "policy/conversations.h"
#include "policy/diagnose.h"
#include "policy/marks.h"
#include "policy/places.h"

#define NO_INDEX UINT32_MAX

struct host {
    struct addr addr;
    bool shows_marks; /* something it sends is seen with a mark */
    uint16_t node;    /* index + 1 */
    uint32_t place;   /* site of the policy, or beyond those a prefix: see diagnosis.prefixes */
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
    uint8_t traffic_class, version;
    uint8_t course; /* enum course */
    dscp_t seen;    /* CONSTANT: the wrong mark; RIGHT: the most frequent */
    dscp_t before;  /* CHANGED: the mark before, `seen` is the one after */
    bool slight;    /* CHANGED: only a few packets on one side of it */
    bool companion; /* RTCP, STUN, DTLS, TURN beside media that is judged too */
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
    uint8_t code;       /* enum finding_code */
    uint8_t hint;       /* enum hint */
    uint8_t scope;      /* enum scope_kind */
    uint8_t to_far_end; /* PLACE: towards the hosts of the place, not from them */
    uint32_t a, b;      /* ENTITY: entity; PAIR: from, to; PLACE: place */
    uint32_t event; /* tells changes at different times apart; precedence of Re-mark-ToS; kind of unentitled traffic */
    uint8_t confidence; /* enum confidence; causes that differ in nothing else are the same */
};

/* The causes that there are, each once. */
struct cause_table {
    struct cause *at;
    size_t count, cap;
    uint32_t *slots; /* index + 1 by hash */
    size_t slot_count; /* a power of two; 0 while empty */
};

/* All that has one cause. */
struct grouped {
    struct frame_ref first;
    uint64_t packets;
    uint32_t start, count; /* in diagnosis.grouped_records */
    uint8_t confidence;    /* the lowest of its records' */
};

/* What is made when it is needed first. */
struct lookups {
    struct record_scratch record, other;
    struct conversations conversations;
    uint32_t *by[2]; /* records by source host, by destination host; starts in `start` */
    uint32_t *start[2];
    bool failed; /* without memory */
};

struct diagnosis {
    struct document *d;
    const struct policy *policy; /* while causes are named */
    struct places map;           /* likewise */
    struct lookups *lookups;
    bool failed; /* without memory */

    struct host *hosts; /* by address */
    size_t host_count;
    struct prefix *prefixes; /* /24 and /64 of hosts in no site: place = site_count + index */
    size_t prefix_count;
    uint32_t *record_src, *record_dst; /* hosts of each record */
    bool *gets_marks;                  /* one an entity: something that it receives is marked right */

    struct item *items; /* by source entity, destination entity, record */
    size_t item_count;

    struct cause_table causes;
    uint32_t *cause_of;     /* by record: index + 1 */
    uint8_t *confidence_of; /* by record */

    struct grouped *groups; /* by cause */
    uint32_t *group_order;  /* causes, worst first */
    uint32_t *grouped_records;
};

/* Node i is entity i, host h is node_count + h: a node's addresses are one sender. */
static inline uint32_t diagnosis_entity(const struct diagnosis *x, uint32_t host)
{
    return x->hosts[host].node ? x->hosts[host].node - 1u : (uint32_t)x->d->node_count + host;
}

static inline uint32_t item_src(const struct diagnosis *x, const struct item *i)
{
    return diagnosis_entity(x, x->record_src[i->record]);
}

static inline uint32_t item_dst(const struct diagnosis *x, const struct item *i)
{
    return diagnosis_entity(x, x->record_dst[i->record]);
}

static inline bool is_zero_mark(const struct item *i)
{
    return i->course == COURSE_CONSTANT && i->seen == 0;
}

static inline dscp_set_t expected_of(const struct diagnosis *x, uint32_t record)
{
    return x->d->expectations[x->d->judged[record].expectation].marks;
}

static inline enum verdict verdict_of(const struct diagnosis *x, uint32_t record)
{
    return (enum verdict)x->d->judged[record].verdict;
}

static inline enum kind kind_of(const struct diagnosis *x, uint32_t record)
{
    return (enum kind)x->d->judged[record].kind;
}

/* The record without its words; good until the next one is asked for (diagnosis_other() beside it). */
static inline const struct record *diagnosis_record(const struct diagnosis *x, uint32_t record)
{
    return document_record(x->d, record, RECORD_PLAIN, &x->lookups->record);
}

static inline const struct record *diagnosis_other(const struct diagnosis *x, uint32_t record)
{
    return document_record(x->d, record, RECORD_PLAIN, &x->lookups->other);
}

/* diagnose_hosts.c: takes in the ends of one record after the other, then finds out where they are. */
struct host_table;
struct host_table *host_table_new(struct diagnosis *x); /* NULL without memory */
bool host_table_add(struct host_table *t, uint32_t record, const struct record *r);
bool host_table_finish(struct host_table *t);
void host_table_free(struct host_table *t);
bool diagnosis_entity_is_node(const struct diagnosis *x, uint32_t entity);
/* Place of an entity that is no node; NO_INDEX for a node. */
uint32_t diagnosis_entity_place(const struct diagnosis *x, uint32_t entity);

/* diagnose_items.c. False without memory. */
bool diagnosis_init(struct diagnosis *x, struct document *d, const struct policy *p);
/* The last packet before the change of a CHANGED item, and the first one after it. */
void item_change(const struct diagnosis *x, const struct item *item, int64_t *ret_from_ns, int64_t *ret_at_ns);

/* diagnose_causes.c */
void diagnosis_name(struct diagnosis *x, uint32_t record, struct cause cause);
/* The same cause as another record's. */
void diagnosis_name_as(struct diagnosis *x, uint32_t record, uint32_t lead);
static inline bool diagnosis_named(const struct diagnosis *x, uint32_t record)
{
    return x->cause_of[record] != 0;
}
/* Its index; NO_INDEX without memory. */
uint32_t cause_intern(struct diagnosis *x, const struct cause *cause);
/* The index of a cause that is there; NO_INDEX where it is not. */
uint32_t cause_find(const struct diagnosis *x, const struct cause *cause);
/* Forgets the causes that no record has any more; indices change. False without memory. */
bool causes_compact(struct diagnosis *x);
int compare_causes(const struct cause *x, const struct cause *y);
void cause_table_done(struct cause_table *t);

/* diagnose_companions.c: RTCP and its like that are marked unlike their media; and, later, those that share its cause.
 */
bool name_companions(struct diagnosis *x);
bool follow_media(struct diagnosis *x);
/* diagnose_courses.c: changes over time: start, change, to and fro. */
bool name_courses(struct diagnosis *x);

/* diagnose_units.c: everything that is constant. Zeros are handed on to diagnose_zero.c. */
bool name_units(struct diagnosis *x);

/* All that an entity sends, or sends to one peer, and of which some is 0. There may be one a host, so it is small. */
struct zero_unit {
    uint32_t first, count;  /* items */
    uint16_t classes_in[2]; /* which classes of IPv4 and IPv6 it is about: bit 1 << class */
    uint8_t classes;        /* how many of them are 0 */
    bool pair;              /* all that is sent to one peer; else all that is sent */
    bool all;               /* nothing in it carries a mark */
    bool several_peers;     /* more than one entity gets 0 */
};
_Static_assert(CLASS_COUNT <= 16 && sizeof(struct zero_unit) <= 16, "one may be kept for each host");
bool name_zero_units(struct diagnosis *x, const struct zero_unit *units, size_t n);

/* diagnose_groups.c: causes of hosts of one place become one cause of the place. */
bool merge_places(struct diagnosis *x);
bool make_groups(struct diagnosis *x);
/* What a record has beside its cause: media that shares a connection; a tunnel whose mark is another. */
bool other_cause(const struct diagnosis *x, uint32_t record, bool tunnel, struct cause *ret);
/* Frame numbers compare within a file; files of a series, which may be given in any order, by when they begin. */
bool frame_is_earlier(const struct document *d, struct frame_ref a, struct frame_ref b);
/* Packets counted for one record of a group, and the first of them. */
uint64_t packets_counted(const struct diagnosis *x, enum finding_code code, const struct record *r, struct frame_ref *ret_first);

/* Distinct classes with what was seen and what was expected, the most streams first. */
enum { SHOWN_MAX = 16 };
struct shown {
    enum traffic_class traffic_class;
    enum kind kind;
    dscp_set_t expected, seen;
    dscp_t preferred;
    uint8_t version;
    uint64_t streams;
};

/* A group, or one record of it, about to be put into words. */
struct group {
    struct cause cause;
    uint32_t index; /* of the cause */
    const uint32_t *records;
    size_t count;
    uint64_t packets; /* counted */
    uint32_t hosts;   /* PLACE: distinct ends that are in it */
    struct shown shown[SHOWN_MAX];
    size_t shown_count;
};

/* diagnose_findings.c */
void group_open(const struct diagnosis *x, uint32_t index, struct group *ret);
void finding_of_group(void *own, const struct document *d, size_t i, struct finding_scratch *s);
void findings_of_record(void *own, const struct document *d, size_t i, struct record_scratch *s);

/* diagnose_words.c */
void words_entity(struct strbuf *to, const struct diagnosis *x, uint32_t entity);
void words_place(struct strbuf *to, const struct diagnosis *x, uint32_t place);
void words_subject(struct strbuf *to, const struct diagnosis *x, const struct group *g);
void words_group(struct strbuf *to, const struct diagnosis *x, const struct group *g);
void words_record(struct strbuf *to, const struct diagnosis *x, const struct record *r, const struct cause *c);
void words_advice(struct strbuf *to, const struct diagnosis *x, const struct group *g);
enum hint hint_for_value(const struct diagnosis *x, const struct record *r, dscp_t seen, bool from_node);

/* filter_group.c: a filter for what the group counts; false where only the first `*ret_shown` streams fitted. */
bool filter_for_group(struct strbuf *to, const struct diagnosis *x, const struct group *g, size_t *ret_shown);

#endif
