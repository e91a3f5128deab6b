#ifndef QOSMARK_CAPTURE_INPUT_H
#define QOSMARK_CAPTURE_INPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/frame_batch.h"
#include "capture/reader.h"
#include "capture/source.h"

/* One file of a source, private to this room. Opened when it is read for the first time, and closed at its end. */
struct input {
    struct source_input info;
    char *path;
    uint32_t number;
    enum source_status status; /* SOURCE_FRAME while there may be more */
    bool opened;               /* at least once */
    bool kept_open;            /* from the look at its first frame on */
    bool has_first;            /* `current` is its first frame, read to see its time and not handed out yet */
    struct reader *reader;     /* NULL where not open */
    struct frame current;
    uint64_t done_bytes, total_bytes; /* of the file, while it is not open */
};

bool input_init(struct input *in, const char *path, uint32_t number); /* false without memory */
void input_done(struct input *in);

/* Opens it where it is not open. False where that fails: `status` is SOURCE_FAILED then, and `info` says why. */
bool input_open(struct input *in);

/* Opens it, reads its first frame and keeps it for the next that asks. False where there is none. */
bool input_look(struct input *in);

/* Closes it as if input_look() had never been. */
void input_unlook(struct input *in);

/* The next frame as `current`, counted in `info`; its bytes are borrowed until the next call. False where there is
 * none: `status` says why. */
bool input_next(struct input *in);

/* As source_read(). */
enum source_status input_read(struct input *in, struct frame_batch *b);

void input_progress(const struct input *in, uint64_t *ret_done, uint64_t *ret_total);

/* Ends it with a problem that is set already. */
void input_fail(struct input *in);

#endif
