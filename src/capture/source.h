#ifndef QOSMARK_CAPTURE_SOURCE_H
#define QOSMARK_CAPTURE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/frame.h"

/*
 * Where frames come from. A source is a capture file (pcap, pcapng, either compressed, standard input as "-") or a
 * series of them in time order; live interfaces are added by the live command. The only room that includes pcap.h.
 */
struct source;

enum source_status {
    SOURCE_FRAME = 0, /* *ret is a frame */
    SOURCE_END,       /* no more */
    SOURCE_FAILED,    /* this input failed or was cut; see source_input(); the next call goes on with what is left */
};

/* What one input (file or interface) turned out to be. Counted while frames are read. */
struct source_input {
    const char *name;       /* as given on the command line; "standard input" for "-" */
    uint64_t frames, bytes; /* frames handed out, and their wire bytes */
    int64_t first_ns, last_ns;
    uint64_t unsupported;   /* frames that could not be handed out, such as packets of an undeclared interface */
    uint64_t dropped;       /* by kernel or interface, where the capture says (pcapng Interface Statistics Block) */
    bool complete;          /* read to its proper end */
    struct error problem;   /* why not complete, one sentence that names the file; empty otherwise */
};

/*
 * Opens one file. On failure returns NULL with a sentence in `error` (which names the file and says what it is where
 * that can be told: empty, a directory, a text file, a PNG...).
 */
struct source *source_open_file(const char *path, struct error *error);

/*
 * Opens several files as one capture in time order (a rotated series; a merge by time where they overlap). A file that
 * cannot be opened becomes an input with a problem (and SOURCE_FAILED once) and the others are read; NULL only when
 * none can be opened. Order of `paths` does not matter; input numbers follow the order of `paths`. Within a file frames
 * stay in its order. Few files are open at a time: at most 256, and a file beyond those that overlap in time is not
 * read and has that as its problem.
 */
struct source *source_open_series(const char *const *paths, size_t count, struct error *error);

enum source_status source_next(struct source *s, struct frame *ret);

/*
 * Instead of source_next(), for a reader that reads several inputs at a time: each input by itself, in batches. The
 * order in which their frames belong is that of a struct merge (capture/merge.h):
 *
 *     merge_init(&m, source_input_count(s)); source_merge(s, &m);
 *
 * and then as source_next() does it: what merge_take_due() gives is asked for admission, read, and added.
 */
struct merge;
struct frame_batch;

/* Fills in which inputs wait, as a first step. */
void source_merge(const struct source *s, struct merge *m);

/* Whether an input may be read beside `active` others; where not, that is its problem from now on. */
bool source_admit(struct source *s, size_t input, size_t active);

/*
 * The next frames of one input. SOURCE_FRAME with at least one, which stays valid until the batch is read into again;
 * SOURCE_END or SOURCE_FAILED (source_input() says why) when there are no more, and so again when asked again. Inputs
 * are independent of one another: each may be read by another thread, but one and the same, with all batches that were
 * read from it, by one thread at a time. source_input() of an input that is being read is not to be looked at.
 */
enum source_status source_read(struct source *s, size_t input, struct frame_batch *b);

size_t source_input_count(const struct source *s);
const struct source_input *source_input(const struct source *s, size_t i);

/* Bytes of the inputs consumed and in all, for a progress bar; total 0 where not known (a pipe). */
void source_progress(const struct source *s, uint64_t *ret_done, uint64_t *ret_total);

void source_free(struct source *s);

#endif
