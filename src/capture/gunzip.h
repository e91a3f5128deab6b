#ifndef QOSMARK_CAPTURE_GUNZIP_H
#define QOSMARK_CAPTURE_GUNZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * gzip data (RFC 1952), members one behind the other included, by zlib. libarchive reads it too, but does not look at
 * its check sums: a damaged capture would be believed.
 */
struct gunzip;

/* More compressed bytes: at most `size` to `to`; 0 at the end, negative where they cannot be read. */
typedef ssize_t (*gunzip_source)(void *user, uint8_t *to, size_t size);

/* Whether zlib was there when this was built; the other functions fail where it was not. */
bool gunzip_is_built_in(void);

/* NULL without memory. */
struct gunzip *gunzip_new(gunzip_source source, void *user);
void gunzip_free(struct gunzip *g); /* takes NULL */

/* At most `size` bytes to `to`; 0 at the end; negative where the data is damaged or cut short, with the reason in
 * `*ret_why` (a static text), which is left alone where it was the source that failed. */
ssize_t gunzip_read(struct gunzip *g, uint8_t *to, size_t size, const char **ret_why);

#endif
