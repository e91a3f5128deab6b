#ifndef QOSMARK_POLICY_POLICY_INTERNAL_H
#define QOSMARK_POLICY_POLICY_INTERNAL_H

/* What the files policy_*.c share and nobody else sees. */

#include "base/arena.h"
#include "policy/policy.h"

#define POLICY_FILE_MAX_BYTES (1u << 20)
#define POLICY_NAME_MAX       64 /* bytes in the name of a node, site or policy */
#define POLICY_NODES_MAX      256
#define POLICY_SITES_MAX      1024
#define POLICY_ADDRESSES_MAX  32   /* of one node */
#define POLICY_PREFIXES_MAX   8192 /* of all sites */
#define POLICY_PORTS_MAX      1024
#define POLICY_NOTES_MAX      64

enum ip_index { IP_INDEX_4 = 0, IP_INDEX_6 = 1, IP_INDEX_COUNT };

/* What the `dscp` command lines can change, together so that a file with a wrong line changes nothing. */
struct policy_marks {
    struct policy_rule rules[CLASS_COUNT][IP_INDEX_COUNT][DIRECTION_COUNT];
    struct policy_rule plain[CLASS_COUNT];
    bool to_node_stated[CLASS_COUNT][IP_INDEX_COUNT]; /* `to-node:` was written: the server's own lines leave it */
    bool assured;
};

/*
 * Where each line of the policy came from, for people: "conference.yaml:12", "--mmp server.txt:3", "-n cms-01=10.1.1.11";
 * NULL for what is built in. In the arena, printable.
 */
struct policy_origins {
    const char *version, *name, *discover;
    const char *expect, *marks[CLASS_COUNT][IP_INDEX_COUNT], *tuning[CLASS_COUNT];
    const char *assured;
    const char *map, *classes[KIND_COUNT], *webrtc;
    const char *port_list, *ports[KIND_COUNT];
    const char *priority, *unentitled;
    const char *nodes[POLICY_NODES_MAX], *sites[POLICY_SITES_MAX];
};

struct policy {
    struct arena arena; /* all text and arrays below but those that grow */
    const char *name, *source;
    bool built_in;
    const char *discover;
    struct policy_marks marks;
    enum traffic_class map[KIND_COUNT];
    uint64_t none; /* kinds, a bit each, of which the policy says `none` */
    enum traffic_class webrtc; /* class of all Web Bridge media; CLASS_NONE: by kind, as other media */
    struct node *nodes;
    size_t node_count, node_cap;
    struct site *sites;
    size_t site_count, site_cap, prefix_count;
    struct policy_port *ports;
    size_t port_count, port_cap;
    bool priority_stated; /* otherwise derived from what the media classes expect */
    dscp_set_t priority;
    bool report_unentitled;
    const char **notes;
    size_t note_count, note_cap;
    struct policy_origins origins; /* not of a copy with other names (policy_rename.c) */
    bool no_memory;                /* for a note, or for what the origins should say */
};

/* Where in a file: both from 1. */
struct place {
    const char *file;
    unsigned line, column;
};

/* "file:line:column: sentence"; returns `code`. */
int place_error(struct error *e, const struct place *at, int code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Text from a file or the network for a message: printable, in single quotes, cut to a few words. */
#define QUOTED_MAX 120
const char *quoted(struct slice text, char to[static QUOTED_MAX]);

/* `text` that could be a typo of one of `words`: "; did you mean 'voice'?", otherwise "". */
#define NEAREST_MAX 64
const char *nearest_hint(struct slice text, const char *const *words, size_t n, char to[static NEAREST_MAX]);

bool policy_note(struct policy *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The whole file, at most POLICY_FILE_MAX_BYTES, to be freed; ERR_IO, ERR_LIMIT, ERR_MEMORY (files that may be open at a
 * time are memory, too). */
int policy_read_file(const char *path, char **ret, size_t *ret_len, struct error *error);

/* policy_origin.c: text for struct policy_origins (printf format), printable and of one line. */
const char *policy_origin(struct policy *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *policy_origin_at(struct policy *p, const struct place *at);
/* "conference.yaml:5, --discover conf.example.com" */
const char *policy_origin_join(struct policy *p, const char *a, const char *b);

/* What became of a change to the policy: `r`, or ERR_MEMORY with a sentence where a part of it had no room. */
int policy_settle(const struct policy *p, int r, struct error *error);

/* policy_marks.c: one mark as a person wrote it. */
#define WHY_MAX 320
/* False with a sentence in `why`. Without `names` only numbers are right, as on the server's command line. */
bool mark_read(struct slice text, bool names, dscp_t *ret, char why[static WHY_MAX]);
/* The mark that was probably meant where the number looks like a slip between hex and decimal (0x34 for 34); -1 else.
 */
int mark_slip(struct slice text);
/* Tells the reader of the report about a slip. */
bool mark_note_slip(struct policy *p, const struct place *at, struct slice text);

/* policy_mmp.c. `indent` is added to each column; `only_dscp` makes lines of other commands an error. Changes `p` only
 * when every line is right. */
struct mmp_text {
    struct slice text;
    const char *file;
    const char *option; /* by which the file was named, with a space behind it; "" for lines in the policy's own file */
    unsigned first_line, indent;
    bool only_dscp;
};
int policy_mmp_apply(struct policy *p, const struct mmp_text *in, struct error *error);

/* policy_nodes.c: nodes and sites with all their checks; `at` NULL for an option of the command line. */
int policy_check_name(struct slice name, const char *what, const struct place *at, struct error *error);
int policy_check_address(struct slice text, struct addr *ret, const struct place *at, struct error *error);
int policy_check_domain(struct slice text, const struct place *at, struct error *error);
int policy_insert_node(struct policy *p, const struct node *n, const struct place *at, struct error *error);
int policy_insert_site(struct policy *p, const struct site *s, const struct place *at, struct error *error);
int policy_insert_port(struct policy *p, struct policy_port port, const struct place *at, struct error *error);
/* The node that has the address, or NULL. */
struct node *policy_node_with(struct policy *p, const struct addr *a);
struct node *policy_node_named(struct policy *p, struct slice name);

/* policy.c */
enum traffic_class policy_default_class(enum kind kind);
struct policy *policy_new_empty(struct error *error); /* expects nothing, maps and ports as by default */
void policy_set_reference_marks(struct policy *p);    /* the marks of the reference deployment */
void policy_set_all(struct policy_marks *m, enum traffic_class c, struct policy_rule rule);
void policy_replan_plain(struct policy_marks *m, enum traffic_class c); /* `plain` anew from the rules */

#endif
