#ifndef QOSMARK_BUS_BUS_OPTIONS_H
#define QOSMARK_BUS_BUS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/*
 * Where the message bus is, and what it takes to be let in. Servers stand on the command line; secrets never do, since
 * every user of the machine can read it: they come from a file that only its owner and group can read, or from the
 * environment. Everything is read at once, so that nothing need be read after rights were given up.
 */
enum { BUS_SERVERS_MAX = 16, BUS_FILE_MAX = 64 * 1024 };

struct bus_options {
    char *servers[BUS_SERVERS_MAX]; /* "nats://host:port"; heap, as all that follows */
    size_t server_count;
    bool tls;               /* asked for by tls:// or by anything below */
    char *user, *password;  /* NULL without */
    char *token;
    char *jwt, *seed;       /* of a credentials file */
    char *ca;               /* PEM: whose certificates are trusted; NULL: those that the system trusts */
    char *certificate, *key; /* PEM: this side's */
    char *inbox;             /* what the subjects of answers begin with; NULL: "_INBOX" */
    char *server_name;      /* that has to be in the server's certificate, where it is not its host name */
};

/* Limits of the stream that is made where there is none. */
struct bus_retention {
    int64_t max_age_ns; /* 0: the default, 72 h */
    int64_t max_bytes;  /* 0: the default, 10 GiB */
};

/* What cli/ found in the environment; NULL where it is not there. The names of files in the last four. */
struct bus_environment {
    const char *user, *password, *token;     /* NATS_USER, NATS_PASSWORD, NATS_TOKEN */
    const char *credentials;                 /* NATS_CREDS */
    const char *ca, *certificate, *key;      /* NATS_CA, NATS_CERT, NATS_KEY */
};

/* "nats://HOST[:PORT][,HOST...]", tls:// for TLS; a host without a scheme has that of the one before. ERR_USAGE with a
 * sentence, also where a user or password is in it; ERR_MEMORY. */
int bus_options_servers(struct bus_options *o, const char *list, struct error *error);

/* A file as docs/FLEET.md has it: user, password, token, credentials, tls: {ca, certificate, key, server-name}.
 * ERR_USAGE ("file:line:column: sentence"), also where it, or a file named in it that holds a secret, is open to every
 * user; ERR_IO, ERR_MEMORY. */
int bus_options_file(struct bus_options *o, const char *path, struct error *error);

/* The same from the environment. */
int bus_options_environment(struct bus_options *o, const struct bus_environment *e, struct error *error);

/* Wipes what is secret. */
void bus_options_done(struct bus_options *o);

/* Whether this qosmark was built with libnats; else every function that needs it is ERR_UNSUPPORTED with this
 * sentence. */
bool bus_built_in(void);
extern const char bus_absent[];

#endif
