#include "engine/evidence_writer.h"

#include <stdlib.h>
#include <string.h>

#include "anonymize/frame.h"
#include "base/grow.h"
#include "base/text.h"

enum { INTERFACE_BYTES = 64 }; /* about what the description of one takes, its name apart */

int evidence_writer_init(struct evidence_writer *w, capture_sink sink, void *user, const char *const *names,
                         size_t name_count, struct anonymizer *a)
{
    *w = (struct evidence_writer){.names = names, .name_count = name_count};
    w->writer = capture_writer_new(CAPTURE_PCAPNG, "qosmark", sink, user);
    if (a)
        w->anonymizer = frame_anonymizer_new(a);
    return w->writer && (!a || w->anonymizer) ? 0 : ERR_MEMORY;
}

void evidence_writer_done(struct evidence_writer *w)
{
    capture_writer_free(w->writer);
    frame_anonymizer_free(w->anonymizer);
    free(w->interfaces);
    *w = (struct evidence_writer){0};
}

static int interface_of(struct evidence_writer *w, const struct frame *f, uint32_t *ret)
{
    for (uint32_t i = 0; i < w->interface_count; i++) {
        if (w->interfaces[i].input == f->input && w->interfaces[i].link_type == f->link_type) {
            *ret = i;
            return 0;
        }
    }
    if (!grow((void **)&w->interfaces, &w->interface_cap, w->interface_count, sizeof *w->interfaces))
        return ERR_MEMORY;
    /* names of files may hold anything, and whoever opens this one shows them */
    struct strbuf name = {0};
    const char *given = f->input < w->name_count ? w->names[f->input] : NULL;
    if (given)
        text_printable(&name, given, strlen(given));
    struct capture_interface described = {.name = strbuf_text(&name), .link_type = f->link_type};
    w->interfaces[w->interface_count++] = (struct evidence_interface){f->input, f->link_type};
    int r = strbuf_ok(&name) ? capture_writer_interface(w->writer, &described, ret) : ERR_MEMORY;
    strbuf_done(&name);
    return r;
}

int evidence_writer_add(struct evidence_writer *w, const struct frame *f, enum kind kind, const char *comment)
{
    struct frame out = *f;
    uint32_t interface = 0;
    if (w->anonymizer)
        anonymize_frame(w->anonymizer, f, kind, &out);
    size_t before = w->interface_count;
    int r = interface_of(w, &out, &interface);
    if (r < 0)
        return r;
    /* pcapng counts from 1970 on */
    out.time_ns = out.time_ns < 0 ? 0 : out.time_ns;
    w->bytes += capture_writer_frame_bytes(w->writer, &out, comment);
    if (w->interface_count > before)
        w->bytes += INTERFACE_BYTES;
    return capture_writer_frame(w->writer, interface, &out, comment);
}
