#ifndef QOSMARK_PROBE_STAMP_KEY_H
#define QOSMARK_PROBE_STAMP_KEY_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "probe/stamp_hmac.h"

/*
 * Reads a key of authenticated STAMP from a file: its first line, as it is (a final newline is not part of it), or
 * "hex:" and hexadecimal digits. A file that everybody may read or write is refused: it holds a secret. ERR_USAGE where
 * the file is not such a one, ERR_IO where it cannot be read.
 */
int stamp_key_read(const char *path, uint8_t key[static STAMP_KEY_MAX], size_t *ret_len, struct error *error);

#endif
