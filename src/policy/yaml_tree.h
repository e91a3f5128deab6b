#ifndef QOSMARK_POLICY_YAML_TREE_H
#define QOSMARK_POLICY_YAML_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"

/*
 * A YAML document as a small tree whose every node knows its line and column. libfyaml reads the syntax; what a
 * configuration file does not need is refused while it is read, so that nothing can grow beyond the file's own size:
 * aliases and anchors (and with them the "billion laughs"), tags, several documents, deep nesting.
 */
#define YAML_DEPTH_MAX 16
#define YAML_NODES_MAX 200000

enum yaml_type { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node {
    enum yaml_type type;
    unsigned line, column; /* from 1 */
    bool plain;            /* scalar without quotes */
    bool literal;          /* scalar after '|': line and column are those of its text */
    struct slice text;     /* of a scalar; in the arena */
    struct yaml_node *first, *last, *next;
    struct yaml_node *key; /* of a value in a map: the scalar before the colon */
};

/* Reads one document into the arena. ERR_USAGE with "file:line:column: sentence", ERR_LIMIT, ERR_MEMORY. An empty file
 * gives `*ret` NULL. */
int yaml_read(struct slice text, const char *file, struct arena *arena, struct yaml_node **ret, struct error *error);

/* "a list", "a mapping", "empty", "the text 'abc'" for messages. */
const char *yaml_describe(const struct yaml_node *n);

/* `key:` with nothing behind it, or a plain null or ~. */
bool yaml_is_null(const struct yaml_node *n);

#endif
