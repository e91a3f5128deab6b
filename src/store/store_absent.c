#include "store/store.h"

const char store_absent[] = "built without SQLite (libsqlite3): there is no history to keep";

bool store_built_in(void)
{
#ifdef QOSMARK_HAVE_SQLITE
    return true;
#else
    return false;
#endif
}

#ifndef QOSMARK_HAVE_SQLITE

int store_open(const char *path, struct store **ret, struct error *error)
{
    (void)path;
    (void)ret;
    return error_set(error, ERR_UNSUPPORTED, "%s", store_absent);
}

void store_close(struct store *s)
{
    (void)s;
}

int store_begin(struct store *s, struct error *error)
{
    (void)s;
    return error_set(error, ERR_UNSUPPORTED, "%s", store_absent);
}

int store_commit(struct store *s, struct error *error)
{
    return store_begin(s, error);
}

void store_abandon(struct store *s)
{
    (void)s;
}

int store_window(struct store *s, unsigned partition, int64_t window_ns, struct error *error)
{
    (void)partition;
    (void)window_ns;
    return store_begin(s, error);
}

int store_crossing(struct store *s, const struct crossing *c, struct error *error)
{
    (void)c;
    return store_begin(s, error);
}

int store_point(struct store *s, const struct fleet_point *p, struct error *error)
{
    (void)p;
    return store_begin(s, error);
}

int store_note(struct store *s, unsigned partition, int64_t window_ns, bool final, const char *text,
               struct error *error)
{
    (void)partition;
    (void)window_ns;
    (void) final;
    (void)text;
    return store_begin(s, error);
}

int store_read(struct store *s, int64_t from_ns, int64_t to_ns, const struct store_reader *to, struct error *error)
{
    (void)from_ns;
    (void)to_ns;
    (void)to;
    return store_begin(s, error);
}

int store_prune(struct store *s, int64_t before_ns, struct error *error)
{
    (void)before_ns;
    return store_begin(s, error);
}

#endif
