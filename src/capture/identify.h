#ifndef QOSMARK_CAPTURE_IDENTIFY_H
#define QOSMARK_CAPTURE_IDENTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As many bytes as the answers below look at, and as are enough for formats that have a magic number. */
#define IDENTIFY_BYTES       4096
#define IDENTIFY_MAGIC_BYTES 12

enum capture_format {
    FORMAT_NONE = 0, /* not one that is read here: identify_describe() says what it is instead */
    FORMAT_PCAP,
    FORMAT_PCAPNG,
    FORMAT_ERF,
};

/* From the first bytes of a file (after decompression). ERF has no magic number: its first records are looked at. */
enum capture_format identify_format(const uint8_t *bytes, size_t len);

/* "a PNG image", "a text file", "empty"...: what fits into "NAME is ..., not a capture". `*ret_is_capture` where it is
 * a capture after all, in a format that is not read here. */
const char *identify_describe(const uint8_t *bytes, size_t len, bool *ret_is_capture);

#endif
