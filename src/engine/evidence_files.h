#ifndef QOSMARK_ENGINE_EVIDENCE_FILES_H
#define QOSMARK_ENGINE_EVIDENCE_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "engine/evidence_writer.h"

/*
 * A set of pcapng files of bounded size: FILE.pcapng is the one being written; when it is full it becomes
 * FILE.1.pcapng, what was that becomes FILE.2.pcapng, and so on; the last of them is removed. Each is a whole pcapng
 * file.
 */
struct evidence_files {
    char *stem, *suffix; /* "/var/x/FILE" and ".pcapng" */
    uint64_t max_bytes;
    unsigned files; /* at most */
    const char *const *names;
    size_t name_count;
    struct anonymizer *anonymizer;

    int fd;
    int why; /* errno of the write that failed */
    struct evidence_writer writer;
    uint64_t bytes, frames; /* of the present file */
    uint64_t whole_bytes, whole_frames; /* of these up to the last flush, where a packet ends */
    uint64_t total_bytes, rotated, removed;
};

/* Zeroed but for the fields above the gap and `path` is the first state; then: moves what is there out of the way and
 * makes the first file. ERR_IO with a sentence, ERR_MEMORY; done() is safe then too. */
int evidence_files_open(struct evidence_files *f, const char *path, struct error *error);

/* Adds a frame, to a new file where it does not fit the present one. */
int evidence_files_add(struct evidence_files *f, const struct frame *frame, enum kind kind, const char *comment,
                       struct error *error);

/* Whoever reads the file sees all that was added. Where that cannot be written (ERR_IO), here and in add(), the file
 * ends with the last packet that was whole at a flush, and whole_frames is how many are in it. */
int evidence_files_flush(struct evidence_files *f, struct error *error);

void evidence_files_done(struct evidence_files *f);

#endif
