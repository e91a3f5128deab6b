#ifndef QOSMARK_TESTS_FUZZ_MEMORY_FILE_H
#define QOSMARK_TESTS_FUZZ_MEMORY_FILE_H

/* A file that lives in memory, for what reads files by their names. */
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

struct memory_file {
    int fd;
    char path[32];
};

static inline struct memory_file memory_file_new(const uint8_t *bytes, size_t len)
{
    struct memory_file f = {.fd = memfd_create("fuzz", MFD_CLOEXEC)};
    FUZZ_CHECK(f.fd >= 0);
    for (size_t done = 0; done < len;) {
        ssize_t n = write(f.fd, bytes + done, len - done);
        FUZZ_CHECK(n > 0);
        done += (size_t)n;
    }
    snprintf(f.path, sizeof f.path, "/proc/self/fd/%d", f.fd);
    return f;
}

static inline void memory_file_free(struct memory_file *f)
{
    close(f->fd);
}

#endif
