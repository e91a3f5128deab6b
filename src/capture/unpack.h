#ifndef QOSMARK_CAPTURE_UNPACK_H
#define QOSMARK_CAPTURE_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/cursor.h"
#include "base/error.h"
#include "capture/chunk.h"

/*
 * The bytes of one file, or of standard input, decompressed on the way where they are gzip, bzip2, xz, zstd, lz4, lzip
 * or compress data (libarchive, and zlib for gzip; concatenated members too). Read through a window that holds a part
 * of them, so that a file of any size, or one that expands without end, needs no more memory than the largest piece
 * asked for. What is not compressed takes no detour.
 */
struct unpack;

/* `path` "-" is standard input, which stays open afterwards. NULL with a sentence in `error` where it cannot be read.
 * Damaged compressed data is not an error yet: the bytes end early, and unpack_problem() says why. */
struct unpack *unpack_open(const char *path, struct error *error);
void unpack_free(struct unpack *u); /* takes NULL */

/* For messages: the path, or "standard input". Borrowed from `path` of unpack_open(). */
const char *unpack_name(const struct unpack *u);

/* "gzip", "xz"...; NULL where the file is not compressed. */
const char *unpack_packing(const struct unpack *u);

/* The next `n` bytes without stepping over them, or NULL where fewer are left. Valid until the next call, or as long as
 * their chunk is held. */
const uint8_t *unpack_need(struct unpack *u, size_t n);

/* How many of at most `n` next bytes there are; `*ret` is where they begin. */
size_t unpack_peek(struct unpack *u, size_t n, const uint8_t **ret);

/* All bytes that are in memory, from the next one on; unpack_skip() steps over those that were taken. */
struct cursor unpack_held(const struct unpack *u);

/* The chunk that holds the bytes that unpack_need() or unpack_peek() gave last; chunk_hold() keeps them there. */
struct chunk *unpack_chunk(const struct unpack *u);

/* Steps over `n` bytes; false where fewer were left. */
bool unpack_skip(struct unpack *u, uint64_t n);

/* Puts other bytes in the place of some that unpack_need() or unpack_peek() just gave, from `offset` on, for whoever
 * reads them again. */
void unpack_replace(struct unpack *u, size_t offset, const uint8_t *bytes, size_t n);

/* A stream that reads on from here, for libpcap. To be closed before unpack_free(), which it does not do itself. */
FILE *unpack_stream(struct unpack *u);

/* How many bytes there were so far, after decompression: at the end of the file its unpacked length. */
uint64_t unpack_length(const struct unpack *u);

/* Why the bytes ended early ("truncated gzip input"); NULL where nothing went wrong. */
const char *unpack_problem(const struct unpack *u);

/* Bytes of the file itself: read so far, and in all (0 where not known). */
void unpack_progress(const struct unpack *u, uint64_t *ret_done, uint64_t *ret_total);

/* Whether the same path can be opened again and begins anew: false for pipes and standard input. */
bool unpack_can_reopen(const struct unpack *u);

#endif
