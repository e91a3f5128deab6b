/*
 * Findings of forgotten streams. Each is remembered by its key with the words it had last, and comes back into every
 * document: added to the finding of the same key, or by itself.
 */
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "policy/history_internal.h"

enum { FINDINGS_MAX = 2000 };

void history_finding_key(const struct finding *f, struct strbuf *to)
{
    strbuf_adds(to, finding_code_name(f->code));
    if (f->subject && *f->subject)
        strbuf_addf(to, " %s", f->subject);
}

static void finding_done(struct history_finding *f)
{
    free(f->key);
    free(f->message);
    free(f->advice);
    free(f->wireshark);
    free(f->subject);
}

void history_findings_free(struct history *h)
{
    for (size_t i = 0; i < h->finding_count; i++)
        finding_done(&h->findings[i]);
    free(h->findings);
    h->findings = NULL;
    h->finding_count = h->finding_cap = 0;
}

static struct history_finding *find(const struct history *h, const struct document *d, const char *key)
{
    uint64_t hash = hash_bytes(&d->key, key, strlen(key));
    for (size_t i = 0; i < h->finding_count; i++)
        if (h->findings[i].hash == hash && strcmp(h->findings[i].key, key) == 0)
            return &h->findings[i];
    return NULL;
}

/* --- taking in ---------------------------------------------------------------------------------------------------- */

static bool copy_words(struct history_finding *to, const struct finding *f)
{
    struct history_finding words = {.message = strdup(f->message),
                                    .advice = strdup(f->advice),
                                    .wireshark = strdup(f->wireshark),
                                    .subject = strdup(f->subject)};
    if (!words.message || !words.advice || !words.wireshark || !words.subject) {
        finding_done(&words);
        return false;
    }
    free(to->message);
    free(to->advice);
    free(to->wireshark);
    free(to->subject);
    to->message = words.message;
    to->advice = words.advice;
    to->wireshark = words.wireshark;
    to->subject = words.subject;
    return true;
}

/* What a finding counts of the chosen records alone. */
struct portion {
    uint64_t packets, streams;
    struct frame_ref first;
};

static void portion_add(struct portion *p, const struct finding *f)
{
    if (p->streams++ == 0)
        p->first = f->first;
    else if (f->first.input == p->first.input && f->first.frame < p->first.frame)
        p->first = f->first;
    p->packets += f->packets;
}

static struct portion portion_of(const struct document *d, const struct finding *f, const uint8_t *chosen,
                                 struct record_scratch *s)
{
    struct portion p = {0};
    for (size_t i = 0; i < f->stream_count; i++) {
        if (f->streams[i] >= d->record_count || !chosen[f->streams[i]])
            continue;
        const struct record *r = document_record(d, f->streams[i], RECORD_FINDINGS, s);
        for (size_t k = 0; k < r->finding_count; k++)
            if (r->findings[k].code == f->code)
                portion_add(&p, &r->findings[k]);
    }
    return p;
}

static bool add(struct history *h, const struct document *d, const struct finding *f, const struct portion *p,
                const char *key)
{
    struct history_finding made = {.hash = hash_bytes(&d->key, key, strlen(key)), .streams = p->streams};
    if (h->finding_count == FINDINGS_MAX) {
        h->findings_untold++;
        return true;
    }
    made.key = strdup(key);
    made.finding =
        (struct finding){.code = f->code, .packets = p->packets, .first = p->first, .confidence = f->confidence};
    if (!made.key || !copy_words(&made, f) ||
        !grow((void **)&h->findings, &h->finding_cap, h->finding_count, sizeof made)) {
        finding_done(&made);
        return false;
    }
    h->findings[h->finding_count++] = made;
    return true;
}

static bool fold_one(struct history *h, const struct document *d, const struct finding *f, const struct portion *p,
                     struct strbuf *key)
{
    key->len = 0;
    history_finding_key(f, key);
    if (!strbuf_ok(key))
        return false;
    struct history_finding *own = find(h, d, key->at);
    if (!own)
        return add(h, d, f, p, key->at);
    own->finding.packets += p->packets;
    own->streams += p->streams;
    if (f->confidence < own->finding.confidence)
        own->finding.confidence = f->confidence;
    return copy_words(own, f);
}

/* --- giving out --------------------------------------------------------------------------------------------------- */

/* Between the document and the layer that made its findings. */
struct remembering {
    struct finding_layer under;
    size_t under_count;
    const struct history_finding **more;  /* of each of those: what is remembered besides; NULL for nothing */
    const struct history_finding **alone; /* those that follow */
};

static void remembering_free(void *own)
{
    struct remembering *r = own;
    if (!r)
        return;
    if (r->under.free)
        r->under.free(r->under.own);
    free(r->more);
    free(r->alone);
    free(r);
}

static void fill_under(void *own, const struct document *d, size_t i, struct record_scratch *s)
{
    const struct remembering *r = own;
    r->under.fill(r->under.own, d, i, s);
}

static void say_more(const struct history_finding *f, bool alone, struct finding_scratch *s)
{
    strbuf_addf(&s->message, " %s%llu %s of %llu %s that ended and %s no longer listed.",
                alone ? "In all " : "Besides, ", (unsigned long long)f->finding.packets,
                f->finding.packets == 1 ? "packet" : "packets", (unsigned long long)f->streams,
                f->streams == 1 ? "stream" : "streams", f->streams == 1 ? "is" : "are");
}

static void group(void *own, const struct document *d, size_t i, struct finding_scratch *s)
{
    const struct remembering *r = own;
    const struct history_finding *f = i < r->under_count ? r->more[i] : r->alone[i - r->under_count];
    if (i < r->under_count) {
        r->under.group(r->under.own, d, i, s);
        if (!f)
            return;
        say_more(f, false, s);
        s->failed = !finding_scratch_finish(s) || s->failed;
        s->finding.packets += f->finding.packets;
        if (f->finding.first.input == s->finding.first.input)
            s->finding.first = f->finding.first; /* of streams that ended before */
        return;
    }
    finding_scratch_begin(s);
    strbuf_adds(&s->message, f->message);
    strbuf_adds(&s->advice, f->advice);
    strbuf_adds(&s->wireshark, f->wireshark);
    strbuf_adds(&s->subject, f->subject);
    say_more(f, true, s);
    s->finding = f->finding;
    s->failed = !finding_scratch_finish(s);
}

static int worse_first(const void *a, const void *b)
{
    const struct history_finding *x = *(const struct history_finding *const *)a;
    const struct history_finding *y = *(const struct history_finding *const *)b;
    return x->finding.packets > y->finding.packets ? -1 : x->finding.packets < y->finding.packets;
}

/* Which of those remembered go with a finding of the document, and which stand alone. */
static bool match(const struct history *h, const struct document *d, struct remembering *r, size_t *ret_alone)
{
    struct finding_scratch s = {0};
    struct strbuf key = {0};
    bool *taken = calloc(h->finding_count + 1, sizeof *taken), ok = taken != NULL;
    for (size_t i = 0; i < d->finding_count && ok; i++) {
        key.len = 0;
        history_finding_key(document_finding(d, i, &s), &key);
        ok = strbuf_ok(&key);
        const struct history_finding *f = ok ? find(h, d, key.at) : NULL;
        if (f && !taken[f - h->findings]) {
            taken[f - h->findings] = true;
            r->more[i] = f;
        }
    }
    *ret_alone = 0;
    for (size_t i = 0; i < h->finding_count && ok; i++)
        if (!taken[i])
            r->alone[(*ret_alone)++] = &h->findings[i];
    if (ok)
        qsort(r->alone, *ret_alone, sizeof *r->alone, worse_first);
    free(taken);
    strbuf_done(&key);
    finding_scratch_done(&s);
    return ok;
}

bool history_apply_findings(const struct history *h, struct document *d)
{
    size_t alone;
    if (h->finding_count == 0)
        return true;
    struct remembering *r = calloc(1, sizeof *r);
    if (!r)
        return false;
    r->under_count = d->finding_count;
    r->more = calloc(d->finding_count + 1, sizeof *r->more);
    r->alone = calloc(h->finding_count + 1, sizeof *r->alone);
    if (!r->more || !r->alone || !match(h, d, r, &alone)) {
        remembering_free(r);
        return false;
    }
    r->under = d->causes;
    d->causes = (struct finding_layer){
        .own = r, .fill = r->under.fill ? fill_under : NULL, .group = group, .free = remembering_free};
    d->finding_count += alone;
    return true;
}

bool history_fold_findings(struct history *h, const struct document *d, const uint8_t *chosen)
{
    struct finding_scratch s = {0};
    struct record_scratch record = {0};
    struct strbuf key = {0};
    bool ok = true;
    /* without what is remembered of others */
    const struct remembering *r = d->causes.group == group ? d->causes.own : NULL;
    const struct finding_layer *layer = r ? &r->under : &d->causes;
    size_t n = r ? r->under_count : d->finding_count;
    for (size_t i = 0; i < n && ok; i++) {
        const struct finding *f = &s.finding;
        if (d->findings)
            f = &d->findings[i];
        else
            layer->group(layer->own, d, i, &s);
        struct portion p = portion_of(d, f, chosen, &record);
        ok = p.streams == 0 || fold_one(h, d, f, &p, &key);
    }
    strbuf_done(&key);
    record_scratch_done(&record);
    finding_scratch_done(&s);
    return ok;
}
