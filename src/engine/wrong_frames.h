#ifndef QOSMARK_ENGINE_WRONG_FRAMES_H
#define QOSMARK_ENGINE_WRONG_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "capture/writer.h"
#include "model/document.h"
#include "model/packet.h"

/*
 * The wrong packets of an audit. While the files are read it is noted of each frame which stream it was of and with
 * which mark: five bytes a frame. When the streams are judged the files are read once more, and the frames that were
 * wrong are written with a comment (engine/evidence_comment.h), in the order of time: exactly as many as
 * document.summary.packets_violating says.
 */
struct wrong_frames;
struct audit_options;
struct stream_table;

/* Where they go, and what became of it. */
struct wrong_output {
    capture_sink sink;
    void *sink_user;
    uint64_t max_bytes; /* of the file; 0: no end */

    int status; /* 0, or ERR_IO or ERR_MEMORY with a sentence */
    struct error error;
    uint64_t written;
    uint64_t left_out; /* beyond max_bytes */
    uint64_t missing;  /* not found again: a file was changed while it was read, or was not readable to its end */
    bool changed;      /* a file is another one by now: what was written is of packets that were not judged */
};

/* Before the files are read for the first time. NULL without memory. */
struct wrong_frames *wrong_frames_new(const char *const *files, size_t count);
void wrong_frames_free(struct wrong_frames *w); /* takes NULL */

/* An intake_taker. */
void wrong_frames_take(void *frames, const struct packet *packets, const uint32_t *tokens, size_t n);

/* The second pass, with what came of it in options->wrong. */
void wrong_frames_write(struct wrong_frames *w, const struct audit_options *options, const struct stream_table *table,
                        const struct document *document);

#endif
