#ifndef QOSMARK_POLICY_DIAGNOSE_INTERNAL_H
#define QOSMARK_POLICY_DIAGNOSE_INTERNAL_H

/*
 * What the files diagnose*.c share. In order:
 *
 *   diagnose_hosts.c      who sends and who receives: hosts, nodes, and the places where hosts are
 *   diagnose_items.c      each judged stream becomes an item: how its marks went over time
 *   diagnose_units.c      all that one sender sends (or sends to one peer) is looked at together; names arithmetic causes
 *   diagnose_zero.c       what is 0: never marked, bleached, or one way only
 *   diagnose_causes.c     which record has which cause
 *   diagnose_places.c     the same cause of several hosts of one place becomes the place's
 *   diagnose_groups.c     all that has one cause is brought together; the worst causes are kept, the others counted
 *   diagnose_order.c      what was kept, in order
 *   diagnose_findings.c   a group, or one stream of it, as a finding, when somebody looks at it
 *   diagnose_words.c      the sentences
 *   diagnose_advice.c     what values are known from, and what to do
 *
 * A million streams may be wrong, each for a reason of its own. So what is kept of each stream and host is counted in
 * bytes, its record is read again when it is needed, what follows from something else is not kept (a cause's hosts are
 * those of its record), and no sentence is written before it is asked for.
 */

#include "base/order.h"
#include "policy/behaviour.h"
#include "policy/conversations.h"
#include "policy/diagnose.h"
#include "policy/marks.h"
#include "policy/places.h"

#define NO_INDEX UINT32_MAX

struct host {
    uint32_t addr;        /* IPv4, as a number; of others the index in diagnosis.wide */
    uint32_t place;       /* site of the policy, or beyond those a prefix: see diagnosis_prefix() */
    uint16_t node;        /* index + 1 */
    bool ipv4 : 1;
    bool shows_marks : 1; /* something it sends is seen with a mark */
    bool gets_marks : 1;  /* something that it receives is marked right; of a node see diagnosis.node_gets_marks */
};
_Static_assert(sizeof(struct host) <= 12, "one is kept for each host");

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
    uint8_t traffic_class;
    dscp_t seen;       /* CONSTANT: the wrong mark; RIGHT: the most frequent */
    dscp_t before;     /* CHANGED: the mark before, `seen` is the one after */
    unsigned course : 4; /* enum course */
    bool slight : 1;     /* CHANGED: only a few packets on one side of it */
    bool companion : 1;  /* RTCP, STUN, DTLS, TURN beside media that is judged too */
    bool ipv6 : 1;
};
_Static_assert(sizeof(struct item) <= 8, "one is kept for each judged stream");

/* Known reasons for a value; the texts are in diagnose_advice.c. */
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

/* Whose a cause is. */
enum scope {
    SCOPE_NONE = 0,
    SCOPE_ENTITY, /* the sender's, or, to_far_end, the receiver's */
    SCOPE_PAIR,   /* of one sender towards one receiver */
    SCOPE_ENDS,   /* of two ends, both directions together */
    SCOPE_PLACE,  /* of the place where the sender is, or, to_far_end, the receiver */
    SCOPE_MANY,   /* many causes, each with another scope, that are counted together */
};

/* A cause but for the hosts, which follow from the record that has it: there are few of these. */
struct pattern {
    uint8_t code;       /* enum finding_code */
    uint8_t hint;       /* enum hint */
    uint8_t scope;      /* enum scope */
    uint8_t to_far_end; /* ENTITY and PLACE: towards, not from */
    uint32_t event; /* tells changes at different times apart; precedence of Re-mark-ToS; kind of unentitled traffic; of a
                       tunnel its mark << 8 and the IP version */
};

struct cause {
    struct pattern pattern;
    uint32_t a, b;      /* ENTITY: entity; PAIR: from, to; ENDS: the lesser first; PLACE: place; MANY: how many causes */
    uint8_t confidence; /* enum confidence; causes that differ in nothing else are the same */
};

/* The patterns that there are, each once. */
struct pattern_table {
    struct pattern *at;
    size_t count, cap;
    uint32_t *slots; /* index + 1 by hash */
    size_t slot_count; /* a power of two; 0 while empty */
};

/* How many causes are listed each by itself. Nobody reads as many; what a record's is, each record says. */
enum { GROUPS_MAX = 10000 };

/* All that has one cause. */
struct grouped {
    struct cause cause; /* with the lowest confidence of its records */
    struct frame_ref first;
    uint64_t packets;
    uint32_t start, count; /* in diagnosis.grouped_records */
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
    struct addr *wide; /* addresses that are not IPv4 */
    size_t wide_count;
    uint32_t *place_first; /* the first host of each prefix (/24, /64) of hosts in no site: place = site_count + index */
    size_t prefix_count;
    uint32_t *record_src, *record_dst; /* hosts of each record */
    bool *node_gets_marks;             /* as host.gets_marks */

    struct item *items; /* by source entity, destination entity, record */
    size_t item_count;

    struct pattern_table patterns;
    uint32_t *named; /* by record: (pattern + 1) << 2 | enum confidence; 0 while nothing is named */

    struct grouped *groups;
    size_t group_count;
    size_t folded_causes;  /* how many are not among the groups but in those of SCOPE_MANY */
    uint32_t *group_order; /* groups, worst first */
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
struct addr diagnosis_address(const struct diagnosis *x, uint32_t host);
/* Of a place that is no site. */
struct prefix diagnosis_prefix(const struct diagnosis *x, uint32_t place);
bool diagnosis_entity_is_node(const struct diagnosis *x, uint32_t entity);
/* Place of an entity that is no node; NO_INDEX for a node. */
uint32_t diagnosis_entity_place(const struct diagnosis *x, uint32_t entity);
bool diagnosis_gets_marks(const struct diagnosis *x, uint32_t entity);

/* diagnose_items.c. False without memory. */
bool diagnosis_init(struct diagnosis *x, struct document *d, const struct policy *p);
/* The last packet before the change of a CHANGED item, and the first one after it. */
void item_change(const struct diagnosis *x, const struct item *item, int64_t *ret_from_ns, int64_t *ret_at_ns);

/* diagnose_causes.c */
void diagnosis_name(struct diagnosis *x, uint32_t record, enum confidence confidence, struct pattern pattern);
/* The same cause as another record's, which goes the same way. */
void diagnosis_name_as(struct diagnosis *x, uint32_t record, uint32_t lead);
static inline bool diagnosis_named(const struct diagnosis *x, uint32_t record)
{
    return x->named[record] != 0;
}
/* Of a record that has a name. */
static inline uint32_t diagnosis_pattern(const struct diagnosis *x, uint32_t record)
{
    return (x->named[record] >> 2) - 1;
}
static inline enum confidence diagnosis_confidence(const struct diagnosis *x, uint32_t record)
{
    return (enum confidence)(x->named[record] & 3);
}
/* Its index; NO_INDEX without memory. */
uint32_t pattern_intern(struct diagnosis *x, const struct pattern *pattern);
void pattern_table_done(struct pattern_table *t);
/* The pattern with the hosts of a record; CONFIDENCE_CERTAIN. */
struct cause cause_of_pattern(const struct diagnosis *x, uint32_t record, struct pattern pattern);
/* False where it has none. */
bool diagnosis_cause(const struct diagnosis *x, uint32_t record, struct cause *ret);
int compare_causes(const struct cause *x, const struct cause *y);
bool is_same_cause(const struct cause *x, const struct cause *y);

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
    uint32_t first;             /* item; the last one follows from what it is about */
    unsigned classes_ipv4 : 12; /* which classes it is about: bit 1 << class */
    unsigned classes_ipv6 : 12;
    bool several_classes : 1; /* of several some is 0 */
    bool pair : 1;            /* all that is sent to one peer; else all that is sent */
    bool all : 1;             /* nothing in it carries a mark */
    bool several_peers : 1;   /* more than one entity gets 0 */
};
_Static_assert(CLASS_COUNT <= 12 && sizeof(struct zero_unit) <= 8, "one may be kept for each host");
bool name_zero_units(struct diagnosis *x, const struct zero_unit *units, size_t n);

/* diagnose_places.c: causes of hosts of one place become one cause of the place. */
bool merge_places(struct diagnosis *x);

/* diagnose_groups.c */
bool make_groups(struct diagnosis *x);
/* What a record may have beside its cause: media that shares a connection; a tunnel whose mark is another. */
bool other_pattern(const struct diagnosis *x, uint32_t record, bool tunnel, struct pattern *ret);
/* Frame numbers compare within a file; files of a series, which may be given in any order, by when they begin. */
bool frame_is_earlier(const struct document *d, struct frame_ref a, struct frame_ref b);
/* Packets counted for one record of a group, and the first of them. */
uint64_t packets_counted(const struct diagnosis *x, enum finding_code code, const struct record *r, struct frame_ref *ret_first);

/* diagnose_order.c */
bool order_groups(struct diagnosis *x);
/* Negative where `a` comes before `b`; never 0 for two causes. */
int compare_groups(const struct grouped *a, const struct grouped *b);

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
    const uint32_t *records;
    size_t count;
    uint64_t packets; /* counted */
    uint32_t hosts;   /* PLACE: distinct ends that are in it */
    struct shown shown[SHOWN_MAX];
    size_t shown_count;
};

/* diagnose_findings.c */
/* False without memory: then it lacks something. */
bool group_open(const struct diagnosis *x, uint32_t index, struct group *ret);
void finding_of_group(void *own, const struct document *d, size_t i, struct finding_scratch *s);
void findings_of_record(void *own, const struct document *d, size_t i, struct record_scratch *s);

/* diagnose_words.c */
void words_entity(struct strbuf *to, const struct diagnosis *x, uint32_t entity);
void words_place(struct strbuf *to, const struct diagnosis *x, uint32_t place);
void words_subject(struct strbuf *to, const struct diagnosis *x, const struct group *g);
void words_group(struct strbuf *to, const struct diagnosis *x, const struct group *g);
void words_record(struct strbuf *to, const struct diagnosis *x, const struct record *r, const struct cause *c);
enum hint hint_for_value(const struct diagnosis *x, const struct record *r, dscp_t seen, bool from_node);

/* diagnose_advice.c */
void words_advice(struct strbuf *to, const struct diagnosis *x, const struct group *g);
const char *words_hint(enum hint hint); /* "consistent with ..."; "" without */
/* One pair and nothing else to compare it with: whether the sender marks at all is not known. */
bool words_doubt_sender(const struct cause *c);

/* filter_group.c: a filter for what the group counts; false where only the first `*ret_shown` streams fitted. */
bool filter_for_group(struct strbuf *to, const struct diagnosis *x, const struct group *g, size_t *ret_shown);

#endif
