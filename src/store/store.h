#ifndef QOSMARK_STORE_STORE_H
#define QOSMARK_STORE_STORE_H

#include "base/error.h"
#include "fleet/crossing.h"

/*
 * What collectors found, in an SQLite file: the rows of fleet/crossing.h, each under its own key, so that one that is
 * found again takes the place of the one before. Several processes may have the file open. The tables are described in
 * docs/FLEET.md, for who asks them with SQL.
 *
 * Between store_begin() and store_commit() all or nothing is written; what is committed is on the disk.
 */
struct store;

bool store_built_in(void);
extern const char store_absent[]; /* the sentence where it is not */

/* Makes the file where there is none. ERR_IO, ERR_MEMORY, ERR_FORMAT where it is something else; ERR_UNSUPPORTED. */
int store_open(const char *path, struct store **ret, struct error *error);
void store_close(struct store *s); /* NULL is fine; what was not committed is not written */

int store_begin(struct store *s, struct error *error);
int store_commit(struct store *s, struct error *error);
void store_abandon(struct store *s);

/* Forgets what was told of a window of a partition and was not final: it comes again. 1 where the window was told for
 * good before, by whoever had the partition then: what is told of it now is not to be written. */
int store_window(struct store *s, unsigned partition, int64_t window_ns, struct error *error);

/* Writes a row; one that is final is never replaced by one that is not. */
int store_crossing(struct store *s, const struct crossing *c, struct error *error);
int store_point(struct store *s, const struct fleet_point *p, struct error *error);
int store_note(struct store *s, unsigned partition, int64_t window_ns, bool final, const char *text,
               struct error *error);

/* All rows of windows that begin in from_ns <= window < to_ns. A function returns 0 or a negative error. */
struct store_reader {
    int (*crossing)(void *user, const struct crossing *c);
    int (*point)(void *user, const struct fleet_point *p);
    int (*note)(void *user, const char *text);
    void *user;
};
int store_read(struct store *s, int64_t from_ns, int64_t to_ns, const struct store_reader *to, struct error *error);

/* Forgets windows that begin before `before_ns`. */
int store_prune(struct store *s, int64_t before_ns, struct error *error);

#endif
