#ifndef QOSMARK_CLI_REFLECT_ARGUMENTS_H
#define QOSMARK_CLI_REFLECT_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/address.h"
#include "probe/reflector_loop.h"

/* The kernel's buffer of requests: a second of 50,000 small ones. It takes root to get more than the system's limit. */
enum { REFLECT_RECEIVE_BYTES = 32 << 20 };

enum { REFLECT_PREFIXES_MAX = 256 };

/* The command line of `qosmark reflect`. */
struct reflect_arguments {
    struct addr bind[REFLECTOR_SOCKETS_MAX];
    size_t bind_count;
    bool bind_default; /* both loopback addresses, or the one that this machine has */
    struct prefix allow[REFLECT_PREFIXES_MAX];
    size_t allow_count;
    uint16_t port;
    uint32_t rate; /* 0: no limit */
    size_t max_sessions;
    int64_t duration_ns; /* 0: until told to end */
    const char *key_file, *user;
    bool stateful, refuse_marks, try_forbidden, json, quiet, help, version;
};

/* 0, or an exit status after saying what is wrong. */
int reflect_arguments_take(struct reflect_arguments *a, int argc, char **argv);
void reflect_arguments_help(void);

#endif
