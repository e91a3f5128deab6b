#ifndef QOSMARK_GENERATE_FAULT_H
#define QOSMARK_GENERATE_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "model/dscp.h"

/* What can be wrong with the marks of generated traffic: one for each finding of an audit that marks can cause. */
enum generate_fault_kind {
    FAULT_BLEACHED = 0,            /* all that a site sends arrives with 0 */
    FAULT_TOS_PRECEDENCE_BLEACHED, /* x & 7 */
    FAULT_TOS_PRECEDENCE_REMARKED, /* the first three bits become one other value */
    FAULT_LOW_BITS_BLEACHED,       /* x & 56 */
    FAULT_REMARKED,                /* all that a site sends arrives with one value */
    FAULT_UNSHIFTED,               /* a node writes the DSCP into the TOS byte unshifted */
    FAULT_NEVER_MARKED,            /* a node sends all with 0 */
    FAULT_ONE_WAY,                 /* what the nodes send to one participant arrives with 0 */
    FAULT_CHANGED_MIDSTREAM,       /* from a moment on, all that a site sends arrives with 0 */
    FAULT_INTERMITTENT,            /* some packets of the media that a site sends arrive with 0 */
    FAULT_UNMARKED_START,          /* the first packets of the media that a site sends are 0 */
    FAULT_RTCP_DIFFERS,            /* what a site sends as RTCP is 0, its RTP is right */
    FAULT_CLASS_SWAPPED,           /* a node gives voice the mark of video, and video that of voice */
    FAULT_TUNNEL_DIFFERS,          /* what a site sends comes in a tunnel whose outer header is 0 */
    FAULT_UNENTITLED_PRIORITY,     /* a bulk transfer over TCP with the mark of voice */
    FAULT_NOT_VERIFIABLE,          /* media of one call in TCP, voice and video in one connection */
    FAULT_KIND_COUNT
};

#define GENERATE_FAULTS_MAX 16
#define GENERATE_PLACE_MAX  64

struct generate_fault {
    enum generate_fault_kind kind;
    uint32_t packets;               /* UNMARKED_START */
    uint32_t parts_per_million;     /* INTERMITTENT */
    int64_t after_ns;               /* CHANGED_MIDSTREAM: since the start of the conference */
    dscp_t value;                   /* REMARKED; 1..7 for TOS_PRECEDENCE_REMARKED */
    char place[GENERATE_PLACE_MAX]; /* the site or node it was asked for; "" for the first */
    bool at_node;                   /* what the place turned out to be, */
    uint32_t index;                 /* and which one of them */
};

/*
 * Reads "bleached:berlin", "unmarked-start:3", "changed-midstream:10s@berlin", "remarked:CS1", "swapped": a name (that
 * of the finding, or a shorter one), an argument, and the site or node whose traffic it hits. A number that a fault
 * needs and that is left out has a default. ERR_USAGE with a sentence that says what is right.
 */
int generate_fault_parse(struct slice text, struct generate_fault *ret, struct error *error);

/* The name of the finding that an audit should make of it. */
const char *generate_fault_name(enum generate_fault_kind kind);

/* For the help and the documentation: the shorter name ("" without), its argument, and what it does. */
const char *generate_fault_alias(enum generate_fault_kind kind);
const char *generate_fault_argument(enum generate_fault_kind kind);
const char *generate_fault_summary(enum generate_fault_kind kind);

/* Set by default at a node rather than at a site. */
bool generate_fault_is_of_node(enum generate_fault_kind kind);

/* "10s", "500ms", "2m", "1h", "250us": a whole number, or one with up to nine decimals, and its unit. */
bool generate_duration_parse(struct slice text, int64_t *ret_ns);

/* "0.5%" or "0.5": a share of a hundred as parts of a million; false above 100. */
bool generate_percent_parse(struct slice text, uint32_t *ret_parts_per_million);

#endif
