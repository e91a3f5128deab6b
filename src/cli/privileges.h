#ifndef QOSMARK_CLI_PRIVILEGES_H
#define QOSMARK_CLI_PRIVILEGES_H

#include <stdbool.h>

#include "base/error.h"

/*
 * Gives up what a program that answers, watches or asks the network does not need, once its sockets are open: root,
 * every capability, the right to gain any of them again, writing elsewhere than where it was told to, and all system
 * calls but those that its work takes. cli/confine.h has it in one call for the commands that end with a report.
 */

/* What it is that goes on, and so which system calls stay. */
enum privileges_work {
    PRIVILEGES_ANSWER,        /* packets on open sockets; nothing can be opened (`reflect`) */
    PRIVILEGES_WATCH,         /* rings of open interfaces, a page or two served; files can be read (`live`) */
    PRIVILEGES_WATCH_WRITING, /* the same, and files can be written, renamed and removed: reports, kept packets */
    PRIVILEGES_WATCH_PUBLISHING, /* and connections to a message bus (`live --publish`) */
    PRIVILEGES_FILES, /* files read, threads begun, outputs that are open put in place; no socket (`audit`, `policy`) */
    PRIVILEGES_SEND,  /* the same with UDP sockets (`probe`, `trace`, `generate`) */
    PRIVILEGES_ASK,   /* and TCP connections (`probe --service`, `policy` with a domain to ask for) */
    PRIVILEGES_KEEP, /* files read and written, a history among them; no socket (`collect --report-only`) */
    PRIVILEGES_COLLECT, /* the same, with connections to a message bus, and a page or two served (`collect`) */
    PRIVILEGES_PLACE, /* a file renamed or removed, and nothing else (cli/placer.h) */
};

enum privileges_step {
    PRIVILEGES_USER,         /* another user and group, no further groups; only where it was root */
    PRIVILEGES_CAPABILITIES, /* all sets empty, the bounding set too where that is allowed (libcap-ng) */
    PRIVILEGES_NO_NEW,       /* no program run from here gains any (prctl) */
    PRIVILEGES_WRITING,      /* files are made and changed in the folders named only (Landlock) */
    PRIVILEGES_SYSCALLS,     /* a seccomp filter: what is not on its list fails with EPERM (libseccomp) */
    PRIVILEGES_STEPS,
};

struct privileges {
    bool done[PRIVILEGES_STEPS];
    bool was_root;
    char user[64];     /* who it runs as now; empty where that did not change */
    char missing[512]; /* what was not dropped, and why; empty where all was */
    char folders[128]; /* why writing is not limited to folders; empty where it is */
};

/* `user` is whom root becomes; NULL: nobody. ERR_USAGE: no such user, or one asked for by who is not root; ERR_IO: the
 * system refused. Where a container does not let its root become anybody, root stays, without capabilities, and
 * `missing` says so; not where `user` was asked for. Nothing may be opened afterwards. */
int privileges_drop(const char *user, struct privileges *ret, struct error *error);

/*
 * The same in two steps, for who begins a thread between them: what the thread gets is what is left. The first is all
 * but the system calls; the second limits those, of all threads that there are, and says in `p` what came of it.
 */
int privileges_drop_rights(const char *user, struct privileges *ret, struct error *error);
void privileges_limit(enum privileges_work work, struct privileges *p);

/* The folders that files are made in, after the rights were given up and before a thread begins: those of `paths`, NULL
 * among them being nothing. */
void privileges_limit_writing(const char *const *paths, size_t count, struct privileges *p);

/* For who works on the files of the command line as who he is, be that root: of root's capabilities those stay that
 * open the files of others (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER), of anybody else's none; nothing is
 * gained by running a program. */
void privileges_keep_to_files(struct privileges *ret);

/* For who keeps its rights: it gains none by running a program. The folders may be limited after it. */
void privileges_gain_nothing(struct privileges *ret);

/* A program that was made setuid or setgid runs with rights that its user has not: false then. File capabilities are
 * fine. */
bool privileges_are_the_users_own(void);

/* No dump of the memory of this process, and no other process of the same user reads it: it holds a key. Where this
 * process is traced already that stays so. */
void privileges_hide_memory(void);

/*
 * Before: while root, opens files as whoever root becomes, so that who may not write somewhere later is told at the
 * start. 0 and nothing changes for who is not root. privileges_act_back() ends it.
 */
int privileges_act_as(const char *user, struct error *error);
void privileges_act_back(void);

/* Tries what must not work any more. True where every attempt failed; `report` is called for each, in words. */
bool privileges_try_forbidden(enum privileges_work work, void (*report)(void *user, const char *attempt, bool refused),
                              void *user);

#endif
