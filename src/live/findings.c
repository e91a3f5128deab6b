#include "live/findings.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/grow.h"
#include "policy/history.h"

enum {
    FOLLOWED_MAX = 1000, /* the worst of a look; those beyond are in the document all the same */
    /* So many packets are enough to name a cause by. With fewer, what is wrong may have another name at the next look:
     * it is waited for. */
    PACKETS_ENOUGH = 5,
};
static const int64_t QUIET_NS = 30 * NS_PER_S; /* no wrong packet for so long: it is over */
static const int64_t GONE_NS = 3 * NS_PER_S;   /* the document does not have it any more: it has become another */

struct followed {
    uint64_t id, hash;
    char *key;
    char *message, *advice, *wireshark, *subject;
    struct finding finding; /* without its words */
    uint64_t packets;       /* in the document of the last look that had it */
    uint64_t wrong;         /* of these, when the last one came */
    int64_t opened_ns, last_wrong_ns, closed_ns;
    int64_t wrong_clock, seen_clock;
    size_t rank;  /* in the document */
    bool pending; /* not told of yet */
    bool seen, opened_now, closed_now;
};

struct live_findings {
    struct followed *at;
    size_t count, cap;
    uint64_t ids;
};

struct live_findings *live_findings_new(void)
{
    return calloc(1, sizeof(struct live_findings));
}

static void followed_done(struct followed *f)
{
    free(f->key);
    free(f->message);
    free(f->advice);
    free(f->wireshark);
    free(f->subject);
}

void live_findings_free(struct live_findings *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->count; i++)
        followed_done(&f->at[i]);
    free(f->at);
    free(f);
}

/* --- one ---------------------------------------------------------------------------------------------------------- */

/* Keeps the buffer where the words are the same, as they are most of the time. */
static bool keep_word(char **own, const char *word)
{
    if (*own && strcmp(*own, word) == 0)
        return true;
    char *copy = strdup(word);
    if (!copy)
        return false;
    free(*own);
    *own = copy;
    return true;
}

static bool keep_words(struct followed *own, const struct finding *f)
{
    own->finding = *f;
    return keep_word(&own->message, f->message) && keep_word(&own->advice, f->advice) &&
           keep_word(&own->wireshark, f->wireshark) && keep_word(&own->subject, f->subject);
}

static struct followed *find(struct live_findings *f, uint64_t hash, const char *key)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->at[i].hash == hash && strcmp(f->at[i].key, key) == 0)
            return &f->at[i];
    return NULL;
}

static void open_again(struct live_findings *f, struct followed *own, const struct live_moment *m)
{
    own->id = ++f->ids;
    own->pending = false;
    own->opened_ns = own->last_wrong_ns = m->now_ns;
    own->wrong_clock = m->clock_ns;
    own->closed_ns = 0;
    own->opened_now = true;
    own->closed_now = false;
}

static struct followed *follow(struct live_findings *f, uint64_t hash, const char *key)
{
    if (!grow((void **)&f->at, &f->cap, f->count, sizeof *f->at))
        return NULL;
    struct followed *own = &f->at[f->count];
    *own = (struct followed){.hash = hash, .key = strdup(key), .pending = true};
    if (!own->key)
        return NULL;
    f->count++;
    return own;
}

static bool take(struct live_findings *f, const struct document *d, const struct finding *finding, const char *key,
                 size_t rank, const struct live_moment *m)
{
    uint64_t hash = hash_bytes(&d->key, key, strlen(key));
    struct followed *own = find(f, hash, key);
    bool is_new = !own;
    if (is_new && !(own = follow(f, hash, key)))
        return false;
    if (own->seen) { /* two of one key: the worse one's words, and the packets of both */
        own->packets += finding->packets;
        return true;
    }
    own->seen = true;
    own->seen_clock = m->clock_ns;
    own->rank = rank;
    own->packets = finding->packets;
    return keep_words(own, finding);
}

/* Whether wrong packets came since the last look, now that all of them are counted. */
static void settle(struct live_findings *f, struct followed *own, const struct live_moment *m)
{
    bool came = own->seen && !m->rebase && own->packets > own->wrong;
    if (own->pending) {
        if (own->seen && (own->packets >= PACKETS_ENOUGH || own->wrong > 0))
            open_again(f, own, m);
    } else if (came && own->closed_ns) {
        open_again(f, own, m);
    } else if (came) {
        own->last_wrong_ns = m->now_ns;
        own->wrong_clock = m->clock_ns;
    }
    if (own->seen)
        own->wrong = own->packets;
    if (own->pending)
        return;
    bool is_over = m->clock_ns - own->wrong_clock >= QUIET_NS || m->clock_ns - own->seen_clock >= GONE_NS;
    if (!own->closed_ns && is_over) {
        own->closed_ns = m->now_ns;
        own->closed_now = true;
    }
    if (!own->seen) /* its streams are the former document's */
        own->finding.stream_count = 0;
}

/* --- all ---------------------------------------------------------------------------------------------------------- */

/* Those that the document does not have any more, and that are over and were told to be, or were never told of. */
static void drop_old(struct live_findings *f)
{
    size_t kept = 0;
    for (size_t i = 0; i < f->count; i++) {
        struct followed *own = &f->at[i];
        if (!own->seen && (own->pending || (own->closed_ns && !own->closed_now)))
            followed_done(own);
        else
            f->at[kept++] = *own;
    }
    f->count = kept;
}

int live_findings_look(struct live_findings *f, const struct document *d, const struct live_moment *m)
{
    struct finding_scratch s = {0};
    struct strbuf key = {0};
    bool ok = true;
    for (size_t i = 0; i < f->count; i++)
        f->at[i].seen = f->at[i].opened_now = f->at[i].closed_now = false;
    for (size_t i = 0; i < d->finding_count && i < FOLLOWED_MAX && ok; i++) {
        const struct finding *finding = document_finding(d, i, &s);
        key.len = 0;
        history_finding_key(finding, &key);
        ok = strbuf_ok(&key) && take(f, d, finding, key.at, i, m);
    }
    strbuf_done(&key);
    finding_scratch_done(&s);
    for (size_t i = 0; i < f->count; i++)
        settle(f, &f->at[i], m);
    drop_old(f);
    return ok ? 0 : ERR_MEMORY;
}

/* Open ones first; of each sort those of the document in its order, then those that it has no more. */
static int compare(const void *a, const void *b)
{
    const struct followed *x = *(const struct followed *const *)a, *y = *(const struct followed *const *)b;
    const size_t keys[][2] = {{x->closed_ns != 0, y->closed_ns != 0}, {!x->seen, !y->seen}, {x->rank, y->rank}};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (keys[i][0] != keys[i][1])
            return keys[i][0] < keys[i][1] ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

int live_findings_view(const struct live_findings *f, struct arena *arena, const struct live_finding **ret,
                       size_t *ret_count)
{
    const struct followed **order = arena_alloc(arena, (f->count + 1) * sizeof *order);
    struct live_finding *to = arena_alloc(arena, (f->count + 1) * sizeof *to);
    size_t n = 0;
    if (!order || !to)
        return ERR_MEMORY;
    for (size_t i = 0; i < f->count; i++)
        if (!f->at[i].pending)
            order[n++] = &f->at[i];
    qsort(order, n, sizeof *order, compare);
    for (size_t i = 0; i < n; i++) {
        const struct followed *own = order[i];
        to[i] = (struct live_finding){.id = own->id,
                                      .key = own->key,
                                      .finding = own->finding,
                                      .opened_ns = own->opened_ns,
                                      .last_wrong_ns = own->last_wrong_ns,
                                      .closed_ns = own->closed_ns,
                                      .opened_now = own->opened_now,
                                      .closed_now = own->closed_now};
        to[i].finding.message = own->message;
        to[i].finding.advice = own->advice;
        to[i].finding.wireshark = own->wireshark;
        to[i].finding.subject = own->subject;
        to[i].finding.packets = own->packets;
    }
    *ret = to;
    *ret_count = n;
    return 0;
}
