#ifndef QOSMARK_POLICY_POLICY_H
#define QOSMARK_POLICY_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "model/record.h"

/* What is expected of whom: the YAML policy, the server's own `dscp` command lines, nodes and sites. */
struct policy;

/* Expectation of one class for one IP version and direction. */
struct policy_rule {
    bool any;         /* anything is right (`to-node: any`) */
    dscp_set_t marks; /* 0 and not any: nothing is expected */
    dscp_t preferred;
    double tolerance; /* share of packets that may be wrong, 0..1 */
    uint64_t min_packets;
};

struct policy *policy_new_default(struct error *error);                      /* the reference policy of docs/POLICY.md */
struct policy *policy_load(const char *path, struct error *error);           /* YAML; file:line:column: message */
struct policy *policy_parse(struct slice yaml, const char *name, struct error *error);
void policy_free(struct policy *p);

/* Applies a file of `dscp (4|6) <class> (<value>|none)` and `dscp assured (true|false)` lines (--mmp). What the lines
 * name is replaced, the rest of the policy stays. ERR_USAGE with file:line:column. */
int policy_apply_mmp(struct policy *p, const char *path, struct error *error);
int policy_apply_mmp_text(struct policy *p, struct slice text, const char *name, struct error *error);

/* -n NAME=ADDR[,ADDR...] */
int policy_add_node(struct policy *p, const char *argument, struct error *error);
/* --discover DOMAIN (QOSMARK_HAVE_LDNS): nodes from _xmpp-client._tcp, _xmpp-component._tcp SRV and join A/AAAA
 * records. `resolver` is "ADDR[:PORT]" or NULL for the system's. Also runs `discover:` of the policy when domain is NULL. */
int policy_discover(struct policy *p, const char *domain, const char *resolver, struct error *error);
/* The domain of `discover:`; NULL without. */
const char *policy_discover_domain(const struct policy *p);
bool policy_can_discover(void); /* built with libldns */

const char *policy_name(const struct policy *p);
const char *policy_source(const struct policy *p); /* "built in" or the file; "reference, dscp lines of node.mmp" */

struct policy_rule policy_rule_for(const struct policy *p, enum traffic_class c, int ip_version, enum direction d);
/* Without refinements by IP version and direction, for the document's policy.expect. */
struct policy_rule policy_rule_plain(const struct policy *p, enum traffic_class c);
enum traffic_class policy_class_of(const struct policy *p, enum kind kind, bool webrtc);
/* Whether the policy says `none` of it: then RTCP, STUN, TURN and DTLS do not go with their media either. */
bool policy_leaves_out(const struct policy *p, enum kind kind);

size_t policy_nodes(const struct policy *p, const struct node **ret);
size_t policy_sites(const struct policy *p, const struct site **ret);

struct policy_port {
    enum kind kind;
    uint16_t port;
};
size_t policy_ports(const struct policy *p, const struct policy_port **ret);

/* Marks that only the classes which expect them may carry. */
dscp_set_t policy_priority_marks(const struct policy *p);
bool policy_reports_unentitled(const struct policy *p);

/* Sentences for the reader of the report that are no errors: a number that looks like a slip between hex and decimal,
 * a record of the DNS that could not be used. Borrowed until the policy changes. */
size_t policy_notes(const struct policy *p, const char *const **ret);

/* The policy in force as YAML that policy_parse() reads back to the same policy. */
bool policy_write_yaml(const struct policy *p, struct strbuf *to);

/* The same, with where each line came from as a comment at its end: "# built in", "# conference.yaml:12",
 * "# --mmp server.txt:3", "# -n cms-01=10.1.1.11", "# --discover conf.example.com". */
bool policy_write_origins(const struct policy *p, struct strbuf *to);

#endif
