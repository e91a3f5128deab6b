#include "bus/bus_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret_file.h"
#include "base/text.h"
#include "policy/yaml_tree.h"

#ifdef QOSMARK_HAVE_NATS
#define BUILT_IN true
#else
#define BUILT_IN false
#endif

enum { INBOX_MAX = 60 };

const char bus_absent[] = "this qosmark was built without libnats: it cannot reach a message bus";

bool bus_built_in(void)
{
    return BUILT_IN;
}

static int no_memory(struct error *error)
{
    return error_set(error, ERR_MEMORY, "out of memory");
}

static void wipe(char **text)
{
    if (*text)
        explicit_bzero(*text, strlen(*text));
    free(*text);
    *text = NULL;
}

void bus_options_done(struct bus_options *o)
{
    char **const texts[] = {&o->user, &o->password, &o->token, &o->jwt, &o->seed,
                            &o->ca, &o->certificate, &o->key, &o->inbox, &o->server_name};
    for (size_t i = 0; i < o->server_count; i++)
        free(o->servers[i]);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        wipe(texts[i]);
    *o = (struct bus_options){0};
}

/* ---- servers ---- */

/* HOST, HOST:PORT, [IPV6], [IPV6]:PORT */
static bool is_host(struct slice text)
{
    const char *port = NULL;
    uint64_t number;
    if (text.len && text.at[0] == '[') {
        const char *end = memchr(text.at, ']', text.len);
        port = end ? end + 1 : NULL;
        if (!end || end == text.at + 1)
            return false;
    } else {
        port = memchr(text.at, ':', text.len);
        port = port ? port : text.at + text.len;
        for (const char *c = text.at; c < port; c++)
            if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f || strchr("/@\\?#[]", *c))
                return false;
        if (port == text.at)
            return false;
    }
    size_t rest = text.len - (size_t)(port - text.at);
    return rest == 0 || (*port == ':' && slice_number(slice_make(port + 1, rest - 1), 65535, &number) && number > 0);
}

int bus_options_servers(struct bus_options *o, const char *list, struct error *error)
{
    struct slice rest = slice_make(list, strlen(list));
    while (rest.len) {
        struct slice one = slice_trim(slice_next(&rest, ','));
        if (slice_starts_nocase(one, SLICE("tls://"))) {
            o->tls = true;
            one = slice_make(one.at + 6, one.len - 6);
        } else if (slice_starts_nocase(one, SLICE("nats://"))) {
            one = slice_make(one.at + 7, one.len - 7);
        }
        if (memchr(one.at, '@', one.len))
            return error_set(error, ERR_USAGE,
                             "a user and password have no place on the command line, where every user of this machine "
                             "can read them: put them into a file (--nats-config) or into NATS_USER and NATS_PASSWORD");
        if (!is_host(one))
            return error_set(error, ERR_USAGE, "a server is written nats://HOST or nats://HOST:PORT, tls:// for TLS, "
                                               "and several with commas between them");
        if (o->server_count == BUS_SERVERS_MAX)
            return error_set(error, ERR_USAGE, "more than %d servers", BUS_SERVERS_MAX);
        struct strbuf url = {0};
        strbuf_adds(&url, "nats://");
        strbuf_add(&url, one.at, one.len);
        if (!strbuf_ok(&url))
            return no_memory(error);
        o->servers[o->server_count++] = url.at;
    }
    return o->server_count ? 0 : error_set(error, ERR_USAGE, "no server is named");
}

/* ---- files ---- */

/* All of a file, terminated. */
static int read_file(const char *path, bool secret, char **ret, size_t *ret_len, struct error *error)
{
    size_t len = 0;
    char *text = calloc(1, BUS_FILE_MAX + 1);
    int r = text ? secret_file_read(path, secret, text, BUS_FILE_MAX, &len, error) : no_memory(error);
    if (r == 0 && len == BUS_FILE_MAX)
        r = error_set(error, ERR_USAGE, "%s is larger than such a file is", path);
    if (r == 0 && memchr(text, '\0', len))
        r = error_set(error, ERR_USAGE, "%s is no text", path);
    if (r < 0) {
        if (text)
            explicit_bzero(text, BUS_FILE_MAX);
        free(text);
        return r;
    }
    *ret = text;
    *ret_len = len;
    return 0;
}

static int keep_file(const char *path, bool secret, char **to, struct error *error)
{
    size_t len;
    wipe(to);
    return read_file(path, secret, to, &len, error);
}

static int keep(struct slice text, char **to, struct error *error)
{
    wipe(to);
    *to = strndup(text.at, text.len);
    return *to ? 0 : no_memory(error);
}

/* The line after "-----BEGIN what-----". */
static struct slice armoured(struct slice text, const char *what)
{
    char begin[64];
    (void)snprintf(begin, sizeof begin, "-----BEGIN %s-----", what);
    while (text.len) {
        if (slice_equal(slice_trim(slice_next(&text, '\n')), slice_make(begin, strlen(begin))))
            return slice_trim(slice_next(&text, '\n'));
    }
    return slice_make("", 0);
}

/* What `nsc generate creds` writes: a JWT, and the seed of the key that signs for it. */
static int take_credentials(struct bus_options *o, const char *path, struct error *error)
{
    char *text = NULL;
    size_t len;
    int r = read_file(path, true, &text, &len, error);
    if (r < 0)
        return r;
    struct slice jwt = armoured(slice_make(text, len), "NATS USER JWT"),
                 seed = armoured(slice_make(text, len), "USER NKEY SEED");
    if (jwt.len == 0 || seed.len == 0)
        r = error_set(error, ERR_USAGE, "%s holds no NATS user JWT and seed", path);
    if (r == 0)
        r = keep(jwt, &o->jwt, error);
    if (r == 0)
        r = keep(seed, &o->seed, error);
    wipe(&text);
    return r;
}

/* The first part of subjects, without wildcards and spaces. */
static bool is_inbox(const char *name)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t len = strlen(name);
    return len > 0 && len <= INBOX_MAX && strspn(name, letters) == len;
}

/* What does not go together. `where` begins the sentence. */
static int check(const struct bus_options *o, const char *where, struct error *error)
{
    if ((o->user != NULL) != (o->password != NULL))
        return error_set(error, ERR_USAGE, "%s: a user and a password come together", where);
    if ((o->user != NULL) + (o->token != NULL) + (o->jwt != NULL) > 1)
        return error_set(error, ERR_USAGE, "%s: one of user and password, token, credentials is enough", where);
    if ((o->certificate != NULL) != (o->key != NULL))
        return error_set(error, ERR_USAGE, "%s: a certificate and its key come together", where);
    if (o->inbox && !is_inbox(o->inbox))
        return error_set(error, ERR_USAGE, "%s: inbox is a name of letters, digits, '-' and '_', at most %d of them",
                         where, INBOX_MAX);
    return 0;
}

/* ---- the environment ---- */

int bus_options_environment(struct bus_options *o, const struct bus_environment *e, struct error *error)
{
    int r = 0;
    const struct {
        const char *from;
        char **to;
    } texts[] = {{e->user, &o->user}, {e->password, &o->password}, {e->token, &o->token}};
    for (size_t i = 0; r == 0 && i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i].from && *texts[i].from)
            r = keep(slice_make(texts[i].from, strlen(texts[i].from)), texts[i].to, error);
    if (r == 0 && e->credentials && *e->credentials)
        r = take_credentials(o, e->credentials, error);
    if (r == 0 && e->ca && *e->ca)
        r = keep_file(e->ca, false, &o->ca, error);
    if (r == 0 && e->certificate && *e->certificate)
        r = keep_file(e->certificate, false, &o->certificate, error);
    if (r == 0 && e->key && *e->key)
        r = keep_file(e->key, true, &o->key, error);
    o->tls = o->tls || o->ca || o->certificate;
    return r < 0 ? r : check(o, "the environment (NATS_*)", error);
}

/* ---- the file ---- */

struct config {
    struct bus_options *o;
    const char *path;
    struct error *error;
};

static int refuse(const struct config *c, const struct yaml_node *n, const char *what)
{
    return error_set(c->error, ERR_USAGE, "%s:%u:%u: %s", c->path, n->line, n->column, what);
}

/* Other files are named from where this one lies. */
static char *beside(const struct config *c, struct slice name)
{
    const char *slash = strrchr(c->path, '/');
    struct strbuf path = {0};
    if (slash && name.len && name.at[0] != '/')
        strbuf_add(&path, c->path, (size_t)(slash + 1 - c->path));
    strbuf_add(&path, name.at, name.len);
    if (strbuf_ok(&path))
        return path.at;
    strbuf_done(&path);
    return NULL;
}

static int take_file(const struct config *c, const struct yaml_node *n, bool secret, char **to)
{
    char *path = beside(c, n->text);
    int r = path ? keep_file(path, secret, to, c->error) : no_memory(c->error);
    free(path);
    return r;
}

static int take_value(const struct config *c, const struct yaml_node *n, bool in_tls)
{
    struct bus_options *o = c->o;
    const struct {
        const char *key;
        bool in_tls, file, secret;
        char **to;
    } values[] = {{"user", false, false, true, &o->user},     {"password", false, false, true, &o->password},
                  {"token", false, false, true, &o->token},   {"ca", true, true, false, &o->ca},
                  {"key", true, true, true, &o->key},         {"certificate", true, true, false, &o->certificate},
                  {"server-name", true, false, false, &o->server_name},
                  {"inbox", false, false, false, &o->inbox}};
    bool credentials = !in_tls && slice_equal(n->key->text, SLICE("credentials"));
    size_t i = 0;
    while (i < sizeof values / sizeof values[0] &&
           (values[i].in_tls != in_tls ||
            !slice_equal(n->key->text, slice_make(values[i].key, strlen(values[i].key)))))
        i++;
    if (i == sizeof values / sizeof values[0] && !credentials)
        return refuse(c, n->key, in_tls ? "tls has the keys ca, certificate, key and server-name"
                                        : "there are the keys user, password, token, credentials, inbox and tls");
    if (n->type != YAML_SCALAR || yaml_is_null(n) || n->text.len == 0)
        return refuse(c, n, "this is a single value");
    if (!credentials && *values[i].to)
        return refuse(c, n->key, "this key is here a second time");
    if (!credentials)
        return values[i].file ? take_file(c, n, values[i].secret, values[i].to)
                              : keep(n->text, values[i].to, c->error);
    char *path = beside(c, n->text);
    int r = path ? take_credentials(o, path, c->error) : no_memory(c->error);
    free(path);
    return r;
}

static int take_tls(const struct config *c, const struct yaml_node *n)
{
    int r = n->type == YAML_MAP ? 0 : refuse(c, n, "tls is a mapping (key: value)");
    for (const struct yaml_node *v = r < 0 ? NULL : n->first; v && r == 0; v = v->next)
        r = take_value(c, v, true);
    c->o->tls = true;
    return r;
}

int bus_options_file(struct bus_options *o, const char *path, struct error *error)
{
    struct config c = {o, path, error};
    struct arena arena = {0};
    struct yaml_node *root = NULL;
    char *text = NULL;
    size_t len;
    int r = read_file(path, true, &text, &len, error);
    if (r == 0)
        r = yaml_read(slice_make(text, len), path, &arena, &root, error);
    if (r == 0 && (!root || root->type != YAML_MAP))
        r = error_set(error, ERR_USAGE, "%s is no mapping (key: value)", path);
    for (const struct yaml_node *v = r < 0 ? NULL : root->first; v && r == 0; v = v->next)
        r = slice_equal(v->key->text, SLICE("tls")) ? take_tls(&c, v) : take_value(&c, v, false);
    arena_done(&arena);
    wipe(&text);
    return r < 0 ? r : check(o, path, error);
}
