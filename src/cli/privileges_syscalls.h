#ifndef QOSMARK_CLI_PRIVILEGES_SYSCALLS_H
#define QOSMARK_CLI_PRIVILEGES_SYSCALLS_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/privileges.h"

/* Leaves all threads of this process the system calls that its work takes; any other fails with EPERM. False, with the
 * reason in `why`, where that is not possible here. */
bool privileges_limit_syscalls(enum privileges_work work, char *why, size_t size);

#endif
