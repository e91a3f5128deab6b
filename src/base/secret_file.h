#ifndef QOSMARK_BASE_SECRET_FILE_H
#define QOSMARK_BASE_SECRET_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/*
 * Reads a regular file into `to`, no more than `cap` bytes of it: where *ret_len is `cap` there may be more. A file that
 * holds a secret is refused where every user of the machine may read or change it. ERR_IO, ERR_USAGE with a sentence;
 * whatever happens, wiping `to` afterwards is up to the caller.
 */
int secret_file_read(const char *path, bool secret, char *to, size_t cap, size_t *ret_len, struct error *error);

#endif
