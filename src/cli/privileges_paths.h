#ifndef QOSMARK_CLI_PRIVILEGES_PATHS_H
#define QOSMARK_CLI_PRIVILEGES_PATHS_H

#include <stdbool.h>
#include <stddef.h>

/* From here on this thread, and those it begins, make, change, rename and remove files only in the folders of `paths`
 * (NULL among them is nothing), and run no program: Landlock, Linux 5.13 and later. What is open stays open, and
 * reading is as before. Needs no_new_privs. False, with the reason in `why`, where that is not possible here. */
bool privileges_limit_paths(const char *const *paths, size_t count, char *why, size_t size);

#endif
