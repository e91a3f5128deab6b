#ifndef QOSMARK_ENGINE_EVIDENCE_WRITER_H
#define QOSMARK_ENGINE_EVIDENCE_WRITER_H

#include "capture/writer.h"
#include "model/frame.h"
#include "model/kind.h"

/*
 * Frames of several inputs and link types into one pcapng file: an interface for each pair of them, described when its
 * first frame comes. With an anonymizer the frames lose what tells who they are of (anonymize/frame.h).
 */
struct anonymizer;
struct frame_anonymizer;

struct evidence_writer {
    struct capture_writer *writer;
    struct frame_anonymizer *anonymizer; /* NULL: as they are */
    const char *const *names;            /* of the inputs, by frame.input */
    size_t name_count;
    struct evidence_interface {
        uint32_t input;
        uint16_t link_type;
    } * interfaces;
    size_t interface_count, interface_cap;
    uint64_t bytes; /* that were added */
};

/* Nothing is written yet. 0 or ERR_MEMORY; done() is safe then too. `names` and `a` (may be NULL) are borrowed. */
int evidence_writer_init(struct evidence_writer *w, capture_sink sink, void *user, const char *const *names,
                         size_t name_count, struct anonymizer *a);
void evidence_writer_done(struct evidence_writer *w);

/* Adds a frame of a packet of that kind. ERR_IO, ERR_MEMORY. */
int evidence_writer_add(struct evidence_writer *w, const struct frame *f, enum kind kind, const char *comment);

#endif
