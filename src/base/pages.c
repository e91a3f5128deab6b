#include "base/pages.h"

#include <stdint.h>
#include <sys/mman.h>

void *pages_new(size_t bytes, bool huge)
{
    size_t align = bytes % PAGES_HUGE_BYTES ? 0 : PAGES_HUGE_BYTES;
    if (bytes == 0 || bytes > SIZE_MAX / 2)
        return NULL;
    char *at = mmap(NULL, bytes + align, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        return NULL;
    if (align) {
        size_t before = (align - ((uintptr_t)at & (align - 1))) & (align - 1);
        if (before)
            (void)munmap(at, before);
        at += before;
        if (align > before)
            (void)munmap(at + bytes, align - before);
    }
#ifdef MADV_HUGEPAGE
    if (huge)
        (void)madvise(at, bytes, MADV_HUGEPAGE);
#else
    (void)huge;
#endif
    return at;
}

void pages_free(void *at, size_t bytes)
{
    if (at)
        (void)munmap(at, bytes);
}
