#ifndef QOSMARK_CLI_PRIVILEGES_H
#define QOSMARK_CLI_PRIVILEGES_H

#include <stdbool.h>

#include "base/error.h"

/*
 * Gives up what a program that answers the network does not need, once its sockets are open: root, every capability,
 * the right to gain any of them again, and all system calls but those that answering takes.
 */

enum privileges_step {
    PRIVILEGES_USER,         /* another user and group, no further groups; only where it was root */
    PRIVILEGES_CAPABILITIES, /* all sets empty, the bounding set too where that is allowed (libcap-ng) */
    PRIVILEGES_NO_NEW,       /* no program run from here gains any (prctl) */
    PRIVILEGES_SYSCALLS,     /* a seccomp filter: what is not on its list fails with EPERM (libseccomp) */
    PRIVILEGES_STEPS,
};

struct privileges {
    bool done[PRIVILEGES_STEPS];
    bool was_root;
    char user[64];     /* who it runs as now; empty where that did not change */
    char missing[512]; /* one sentence on what was not dropped, and why; empty where all was */
};

/* `user` is whom root becomes; NULL: nobody. ERR_USAGE: no such user, or one asked for by who is not root; ERR_IO: the
 * system refused. Nothing may be opened afterwards. */
int privileges_drop(const char *user, struct privileges *ret, struct error *error);

/* Tries what must not work any more. True where every attempt failed; `report` is called for each, in words. */
bool privileges_try_forbidden(void (*report)(void *user, const char *attempt, bool refused), void *user);

#endif
