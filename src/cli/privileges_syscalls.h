#ifndef QOSMARK_CLI_PRIVILEGES_SYSCALLS_H
#define QOSMARK_CLI_PRIVILEGES_SYSCALLS_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/privileges.h"

/* With a sanitizer in the program its look for leaks at the end wants system calls that the filter refuses, and to read
 * the memory of its own process. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

/* Leaves all threads of this process the system calls that its work takes; any other fails with EPERM. False, with the
 * reason in `why`, where that is not possible here. */
bool privileges_limit_syscalls(enum privileges_work work, char *why, size_t size);

#endif
