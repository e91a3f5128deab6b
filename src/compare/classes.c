#include "compare/classes.h"

#include <stdlib.h>

#include "base/error.h"
#include "model/document.h"
#include "policy/judge.h"
#include "stream/table.h"

/* What an audit's record counts by itself here. */
static enum compare_family family_of(const struct record *r)
{
    if (kind_is_rtp(r->kind) && r->has_ssrc)
        return COMPARE_RTP;
    if (r->kind == KIND_RTCP)
        return COMPARE_RTCP;
    if (r->kind == KIND_STUN || r->kind == KIND_TURN)
        return COMPARE_STUN;
    return r->kind == KIND_DTLS ? COMPARE_DTLS : COMPARE_PLAIN;
}

/* How well a record fits a stream: 0 not at all. Of a connection that carries several classes none is taken. */
static int fit_of(const struct compare_stream_part *s, const struct record *r)
{
    enum compare_family family = family_of(r);
    if (family == (enum compare_family)s->family)
        return !r->has_ssrc || r->ssrc == s->ssrc ? 4 : family == COMPARE_RTCP ? 2 : 0;
    return family == COMPARE_PLAIN                                                        ? 3
           : r->proto == PROTO_TCP && family == COMPARE_RTP && s->family == COMPARE_PLAIN ? 2
                                                                                          : 0;
}

static void offer(struct compare_point *p, uint8_t *fits, const struct record *r)
{
    uint32_t flow = compare_point_find(p, r->proto, &r->src, &r->dst);
    if (flow == COMPARE_NONE)
        return;
    for (uint32_t i = p->flows[flow].first_stream; i != COMPARE_NONE; i = p->streams[i].next) {
        struct compare_stream_part *s = &p->streams[i];
        int fit = fit_of(s, r);
        if (fit == 0 || fit < fits[i])
            continue;
        bool conflict = fit == fits[i] && (enum traffic_class)s->traffic_class != r->traffic_class;
        fits[i] = (uint8_t)fit;
        s->kind = (uint8_t)(conflict ? KIND_OTHER : r->kind);
        s->traffic_class = (uint8_t)(conflict ? CLASS_NONE : r->traffic_class);
        s->confidence = (uint8_t)r->confidence;
    }
}

int compare_classes_find(struct compare_point *p, struct stream_table *table, const struct policy *policy)
{
    struct document *d = document_new();
    struct record_scratch *scratch = calloc(1, sizeof *scratch);
    uint8_t *fits = calloc(p->stream_count + 1, 1);
    bool ok = d && scratch && fits && stream_table_export(table, d) == 0 && judge_document(d, policy) == 0;
    for (size_t i = 0; ok && i < d->record_count; i++)
        offer(p, fits, document_record(d, i, RECORD_PLAIN, scratch));
    if (scratch)
        record_scratch_done(scratch);
    free(scratch);
    free(fits);
    document_free(d);
    return ok ? 0 : ERR_MEMORY;
}
