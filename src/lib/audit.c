#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "decode/decoder.h"
#include "engine/audit_feed.h"
#include "lib/handles.h"

enum { THREADS_MAX = 1024, STREAMS_MAX = 100000000 };

struct qosmark_audit {
    struct audit_options options;
    char **files;
    size_t file_count;
    struct audit_feed *feed; /* there from the first packet on */
    bool finished;
};

qosmark_audit *qosmark_audit_new(const qosmark_policy *policy, qosmark_error *error)
{
    qosmark_audit *a = calloc(1, sizeof *a);
    if (!a) {
        (void)handle_refuse(error, QOSMARK_E_MEMORY, "out of memory");
        return NULL;
    }
    a->options.policy = policy->policy;
    a->options.jobs = 1;
    if (getrandom(&a->options.key, sizeof a->options.key, 0) != (ssize_t)sizeof a->options.key) {
        (void)handle_refuse(error, QOSMARK_E_IO, "the system gives no random numbers");
        free(a);
        return NULL;
    }
    return a;
}

void qosmark_audit_free(qosmark_audit *audit)
{
    if (!audit)
        return;
    audit_feed_free(audit->feed);
    for (size_t i = 0; i < audit->file_count; i++)
        free(audit->files[i]);
    free(audit->files);
    free(audit);
}

static const struct {
    int64_t least, most;
    const char *sentence;
} ranges[] = {
    [QOSMARK_OPTION_THREADS] = {1, THREADS_MAX, "QOSMARK_OPTION_THREADS is 1 to 1024"},
    [QOSMARK_OPTION_OUTER_LAYER] = {0, 1, "QOSMARK_OPTION_OUTER_LAYER is 0 or 1"},
    [QOSMARK_OPTION_IGNORE_SIGNALLING] = {0, 1, "QOSMARK_OPTION_IGNORE_SIGNALLING is 0 or 1"},
    [QOSMARK_OPTION_MASK_PAYLOAD_TYPES] = {0, 1, "QOSMARK_OPTION_MASK_PAYLOAD_TYPES is 0 or 1"},
    [QOSMARK_OPTION_MAX_STREAMS] = {1, STREAMS_MAX, "QOSMARK_OPTION_MAX_STREAMS is 1 to 100000000"},
    [QOSMARK_OPTION_EXPLAIN] = {0, 1, "QOSMARK_OPTION_EXPLAIN is 0 or 1"},
};

int qosmark_audit_set(qosmark_audit *audit, enum qosmark_option option, int64_t value, qosmark_error *error)
{
    struct audit_options *o = &audit->options;
    if ((unsigned)option >= sizeof ranges / sizeof ranges[0])
        return handle_refuse(error, QOSMARK_E_USAGE, "there is no such option");
    if (value < ranges[option].least || value > ranges[option].most)
        return handle_refuse(error, QOSMARK_E_USAGE, ranges[option].sentence);
    if (audit->feed || audit->finished)
        return handle_refuse(error, QOSMARK_E_USAGE, "options are set before the first packet");
    switch (option) {
    case QOSMARK_OPTION_THREADS:
        o->jobs = (unsigned)value;
        break;
    case QOSMARK_OPTION_OUTER_LAYER:
        o->outer_layer = value != 0;
        break;
    case QOSMARK_OPTION_IGNORE_SIGNALLING:
        o->ignore_signalling = value != 0;
        break;
    case QOSMARK_OPTION_MASK_PAYLOAD_TYPES:
        o->mask_payload_types = value != 0;
        break;
    case QOSMARK_OPTION_MAX_STREAMS:
        o->max_streams = (size_t)value;
        break;
    case QOSMARK_OPTION_EXPLAIN:
        o->explain = value != 0;
        break;
    }
    return QOSMARK_OK;
}

void qosmark_audit_on_progress(qosmark_audit *audit, qosmark_progress progress, void *user)
{
    audit->options.progress = progress;
    audit->options.progress_user = user;
}

int qosmark_audit_add_file(qosmark_audit *audit, const char *path, qosmark_error *error)
{
    if (audit->feed || audit->finished)
        return handle_refuse(error, QOSMARK_E_USAGE, "an audit of packets, or one that is finished, takes no file");
    for (size_t i = 0; i < audit->file_count; i++)
        if (strcmp(audit->files[i], path) == 0)
            return handle_refuse(error, QOSMARK_E_USAGE, "this file is there already: its packets would count twice");
    char **files = realloc(audit->files, (audit->file_count + 1) * sizeof *files);
    if (files)
        audit->files = files;
    char *copy = files ? strdup(path) : NULL;
    if (!copy)
        return handle_refuse(error, QOSMARK_E_MEMORY, "out of memory");
    audit->files[audit->file_count++] = copy;
    return QOSMARK_OK;
}

int qosmark_link_type_known(int link_type)
{
    return link_type >= 0 && link_type <= UINT16_MAX && decoder_knows((uint16_t)link_type);
}

static int check_packet(const qosmark_audit *audit, int link_type, uint32_t captured_bytes, uint32_t wire_bytes,
                        qosmark_error *error)
{
    if (audit->file_count > 0 || audit->finished)
        return handle_refuse(error, QOSMARK_E_USAGE, "an audit of files, or one that is finished, takes no packet");
    if (!qosmark_link_type_known(link_type))
        return handle_refuse(error, QOSMARK_E_USAGE, "packets of this link type are not known here");
    if (captured_bytes > wire_bytes)
        return handle_refuse(error, QOSMARK_E_USAGE, "a packet has more bytes captured than it had on the wire");
    return QOSMARK_OK;
}

int qosmark_audit_packet(qosmark_audit *audit, int link_type, int64_t time_ns, const void *bytes,
                         uint32_t captured_bytes, uint32_t wire_bytes, qosmark_error *error)
{
    struct error why = {0};
    int r = check_packet(audit, link_type, captured_bytes, wire_bytes, error);
    if (r < 0)
        return r;
    if (!audit->feed && (r = audit_feed_open(&audit->options, "packets", &audit->feed, &why)) < 0)
        return handle_fail(error, r, &why);
    const struct frame frame = {.bytes = bytes,
                                .captured_bytes = captured_bytes,
                                .wire_bytes = wire_bytes,
                                .time_ns = time_ns,
                                .link_type = (uint16_t)link_type};
    r = audit_feed_frame(audit->feed, &frame, &why);
    return r < 0 ? handle_fail(error, r, &why) : QOSMARK_OK;
}

/* An audit of nothing is one of no packets: nothing was checked, and nothing has passed. */
static int run(qosmark_audit *a, struct document **ret, struct error *why)
{
    if (a->file_count > 0) {
        a->options.files = (const char *const *)a->files;
        a->options.file_count = a->file_count;
        return audit_run(&a->options, ret, why);
    }
    int r = a->feed ? 0 : audit_feed_open(&a->options, "packets", &a->feed, why);
    return r < 0 ? r : audit_feed_finish(a->feed, ret, why);
}

qosmark_result *qosmark_audit_finish(qosmark_audit *audit, qosmark_error *error)
{
    struct document *document = NULL;
    struct error why = {0};
    if (audit->finished) {
        (void)handle_refuse(error, QOSMARK_E_USAGE, "this audit is finished already");
        return NULL;
    }
    audit->finished = true;
    int r = run(audit, &document, &why);
    if (r < 0) {
        (void)handle_fail(error, r, &why);
        return NULL;
    }
    return result_new(document, error);
}
