#ifndef QOSMARK_CLI_PLACER_H
#define QOSMARK_CLI_PLACER_H

#include "base/error.h"

/*
 * Root that gives its rights up while an output is being written could not put it in its place afterwards. So a child
 * keeps them, which reads nothing of the network and can do two things: rename that one file, when it is told to, or
 * remove it, when its parent ends without saying so. Its system calls are limited to that.
 */
struct placer;

/* Before the rights are given up, and before there is a second thread. ERR_IO where no child can be begun. */
int placer_new(const char *temporary, const char *path, struct placer **ret, struct error *error);

/* Puts the file in its place: 0, or the errno of the rename. */
int placer_place(struct placer *p);

/* Removes the file that was not put in place. NULL is fine. */
void placer_free(struct placer *p);

#endif
