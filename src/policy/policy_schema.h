#ifndef QOSMARK_POLICY_POLICY_SCHEMA_H
#define QOSMARK_POLICY_POLICY_SCHEMA_H

/* What the readers of the policy's parts (policy_yaml.c, policy_expect.c) share: values with a type, or an error with
 * its place. */

#include "policy/policy_internal.h"
#include "policy/yaml_tree.h"

struct reader {
    struct policy *p;
    const char *file;
    struct error *error;
};

struct place reader_place(const struct reader *r, const struct yaml_node *n);

/* place_error() at a node, ERR_USAGE. */
int reader_fail(const struct reader *r, const struct yaml_node *n, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The values of a mapping by the index of their key in `keys` (NULL where absent). Unknown and repeated keys are
 * errors. `what` names the mapping in messages: "the policy", "a node". */
int reader_keys(const struct reader *r, const struct yaml_node *map, const char *what, const char *const *keys,
                size_t n, const struct yaml_node **ret);

/* `what` as a sentence has it: "nodes is a list, not a single value". */
int reader_want_list(const struct reader *r, const struct yaml_node *n, const char *what);
int reader_text(const struct reader *r, const struct yaml_node *n, const char *what, struct slice *ret);
int reader_number(const struct reader *r, const struct yaml_node *n, const char *what, uint64_t min, uint64_t max,
                  uint64_t *ret);
int reader_bool(const struct reader *r, const struct yaml_node *n, const char *what, bool *ret);

/* Where a value stands, for struct policy_origins. */
const char *reader_origin(const struct reader *r, const struct yaml_node *n);

/* policy_expect.c */

/* What one key says: stated, and then any, a set of marks, or (marks == 0) that nothing is expected. */
struct mark_spec {
    const struct yaml_node *at; /* NULL: not stated */
    bool any;
    dscp_set_t marks;
    dscp_t preferred;
};

int reader_marks(const struct reader *r, const struct yaml_node *n, const char *what, struct mark_spec *ret);
/* The mapping `expect:`. */
int reader_expect(const struct reader *r, const struct yaml_node *n);

#endif
