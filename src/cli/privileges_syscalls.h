#ifndef QOSMARK_CLI_PRIVILEGES_SYSCALLS_H
#define QOSMARK_CLI_PRIVILEGES_SYSCALLS_H

#include <stdbool.h>
#include <stddef.h>

/* Leaves this process the system calls that answering packets on open sockets takes; any other fails with EPERM. False,
 * with the reason in `why`, where that is not possible here. */
bool privileges_limit_syscalls(char *why, size_t size);

#endif
