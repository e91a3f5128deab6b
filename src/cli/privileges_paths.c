/* O_PATH is behind this in glibc */
#define _GNU_SOURCE

#include "cli/privileges_paths.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__has_include)
#if __has_include(<linux/landlock.h>)
#include <linux/landlock.h>
#define HAVE_LANDLOCK 1
#endif
#endif

#if defined(HAVE_LANDLOCK) && defined(SYS_landlock_create_ruleset)

/* Newer than the headers of some distributions that the kernel may be newer than; see landlock(7). */
#define TRUNCATE (UINT64_C(1) << 14)

static const uint64_t makes = LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |
                              LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
                              LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM |
                              LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_EXECUTE;
static const uint64_t in_folder =
    LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE;

static int allow(int rules, const char *path, uint64_t access)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = access,
                                              .parent_fd = open(path, O_PATH | O_CLOEXEC)};
    if (rule.parent_fd < 0)
        return -1;
    long r = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    int why = errno;
    (void)close(rule.parent_fd);
    errno = why;
    return (int)r;
}

/* The folder that the file is made in; or the file itself, where it is a pipe or a device. */
static int allow_file(int rules, const char *path, uint64_t truncate)
{
    struct stat st;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return allow(rules, path, LANDLOCK_ACCESS_FS_WRITE_FILE | truncate);
    char *folder = strdup(path);
    char *slash = folder ? strrchr(folder, '/') : NULL;
    if (!folder)
        return -1;
    if (slash)
        slash[slash == folder] = '\0';
    int r = allow(rules, slash ? folder : ".", in_folder | truncate);
    free(folder);
    return r;
}

/* Where a link leads, too: a file that is replaced is the one that the link names. */
static int allow_name(int rules, const char *path, uint64_t truncate)
{
    char *real = realpath(path, NULL);
    int r = allow_file(rules, path, truncate);
    if (real && r == 0)
        r = allow_file(rules, real, truncate);
    free(real);
    return r;
}

bool privileges_limit_paths(const char *const *paths, size_t count, char *why, size_t size)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 1) {
        (void)snprintf(why, size, "this kernel has no Landlock: folders are not limited");
        return false;
    }
    const uint64_t truncate = version >= 3 ? TRUNCATE : 0;
    struct landlock_ruleset_attr all = {.handled_access_fs = makes | in_folder | truncate};
    int rules = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof all.handled_access_fs, 0), r = 0;
    for (size_t i = 0; rules >= 0 && r == 0 && i < count; i++)
        if (paths[i])
            r = allow_name(rules, paths[i], truncate);
    if (rules >= 0 && r == 0)
        r = (int)syscall(SYS_landlock_restrict_self, rules, 0);
    if (rules < 0 || r < 0)
        (void)snprintf(why, size, "folders are not limited: %s", strerror(errno));
    if (rules >= 0)
        (void)close(rules);
    return rules >= 0 && r == 0;
}

#else

bool privileges_limit_paths(const char *const *paths, size_t count, char *why, size_t size)
{
    (void)paths;
    (void)count;
    (void)snprintf(why, size, "built without Landlock: folders are not limited");
    return false;
}

#endif
