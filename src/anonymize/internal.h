#ifndef QOSMARK_ANONYMIZE_INTERNAL_H
#define QOSMARK_ANONYMIZE_INTERNAL_H

/* What the files anonymize*.c share. */

#include "anonymize/address.h"
#include "anonymize/anonymize.h"

struct anonymizer {
    uint8_t key[ADDRESS_MAP_KEY_BYTES];
    uint8_t name_key[ADDRESS_MAP_KEY_BYTES]; /* drawn from it */
    struct address_map *addresses;
};

/* The first bytes of a keyed hash; false, with zeros, where OpenSSL is missing or fails. */
bool anonymizer_digest(const struct anonymizer *a, enum anonymize_sort sort, const char *name, size_t len, uint8_t *ret,
                       size_t ret_len);

#endif
