#ifndef QOSMARK_STORE_STORE_INTERNAL_H
#define QOSMARK_STORE_STORE_INTERNAL_H

#include <sqlite3.h>

#include "store/store.h"

/* Shared by store*.c, where SQLite is there. */

enum store_statement { STORE_CROSSING = 0, STORE_POINT, STORE_NOTE, STORE_STATEMENTS };

struct store {
    sqlite3 *db;
    sqlite3_stmt *puts[STORE_STATEMENTS];
    bool in_transaction;
};

/* Columns of a table, the key first; of the table of crossings their order is that of store_row.c. */
struct store_table {
    const char *name, *key;     /* names of the columns of the key, with commas */
    const char *const *columns; /* "name TYPE", NULL at the end */
};
extern const struct store_table store_tables[STORE_STATEMENTS];

/* A sentence of what SQLite says. ERR_IO, or ERR_MEMORY where that was it. */
int store_error(const struct store *s, struct error *error, const char *what);

#endif
