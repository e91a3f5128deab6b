/* sched_getaffinity(): a process may be allowed fewer processors than there are */
#define _GNU_SOURCE

#include "engine/pipeline.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>

enum {
    DEPTH_MAX = 8,  /* batches of one input that are ready or being taken */
    DEPTH_MIN = 2,  /* where many inputs overlap */
    SPARE_MAX = 16, /* batches kept for other inputs when one has come to its end */
    /* Inputs begun before they are asked for, and how many the caller may be at while that is done. Together fewer than
     * may be open at a time: what is begun ahead is never refused when its turn comes. */
    AHEAD_MAX = 64,
    AHEAD_ACTIVE_MAX = 64,
};

/* A ring of batches: the one that the caller has, then those that are ready, then one that is being filled. */
struct track {
    struct lane lane;
    struct decoded *slots[DEPTH_MAX];
    unsigned first, ready;
    bool out;    /* slots[first] is the caller's */
    bool busy;   /* a thread fills one */
    bool begun;  /* may be filled */
    bool called; /* the caller has asked for it */
    bool ended;  /* no more will become ready */
};

struct pipeline {
    struct track *tracks; /* by input */
    size_t track_count;
    const uint32_t *order;
    size_t order_count;
    size_t called;  /* of `order`: those that the caller has begun with */
    size_t active;  /* of these: those that it has not come to the end of */
    uint32_t *live; /* inputs that are begun and not ended */
    size_t live_count;
    unsigned depth;
    struct decoded *spare[SPARE_MAX];
    unsigned spare_count;
    bool ran_out;

    /* with threads only */
    pthread_mutex_t lock;
    pthread_cond_t work, ready;
    pthread_t *threads;
    unsigned thread_count;
    unsigned idle;
    struct track *wanted; /* the caller waits for it */
    bool stop;
};

/* ---- batches ---- */

static struct decoded *batch_take(struct pipeline *p)
{
    return p->spare_count ? p->spare[--p->spare_count] : decoded_new();
}

static void batch_give(struct pipeline *p, struct decoded *d)
{
    if (d && p->spare_count < SPARE_MAX) {
        frame_batch_done(&d->batch);
        p->spare[p->spare_count++] = d;
    } else {
        decoded_free(d);
    }
}

static void track_drop_slots(struct pipeline *p, struct track *t)
{
    for (unsigned i = 0; i < DEPTH_MAX; i++) {
        batch_give(p, t->slots[i]);
        t->slots[i] = NULL;
    }
}

static unsigned track_used(const struct track *t)
{
    return (t->out ? 1 : 0) + t->ready;
}

/* Where the next batch goes; NULL without memory. */
static struct decoded *track_slot(struct pipeline *p, struct track *t)
{
    struct decoded **slot = &t->slots[(t->first + track_used(t)) % p->depth];
    if (!*slot)
        *slot = batch_take(p);
    return *slot;
}

/* ---- which inputs are read ---- */

static void track_begin(struct pipeline *p, uint32_t input)
{
    struct track *t = &p->tracks[input];
    if (t->begun)
        return;
    t->begun = true;
    p->live[p->live_count++] = input;
}

static void track_end(struct pipeline *p, struct track *t)
{
    t->ended = true;
    for (size_t i = 0; i < p->live_count; i++)
        if (&p->tracks[p->live[i]] == t) {
            p->live[i] = p->live[--p->live_count];
            break;
        }
}

/* The caller begins with an input. With threads to spare, so do they with those that come after it. */
static void call(struct pipeline *p, uint32_t input)
{
    size_t ahead = p->thread_count < AHEAD_MAX ? p->thread_count : AHEAD_MAX;
    while (p->called < p->order_count && p->order[p->called++] != input)
        continue;
    p->active++;
    track_begin(p, input);
    for (size_t i = 0; p->active <= AHEAD_ACTIVE_MAX && i < ahead && p->called + i < p->order_count; i++)
        track_begin(p, p->order[p->called + i]);
    (void)pthread_cond_broadcast(&p->work);
}

/* What a thread does next: the input that the caller waits for, or the one with the fewest batches ready. */
static struct track *choose(const struct pipeline *p)
{
    struct track *best = NULL;
    if (p->wanted && !p->wanted->busy && !p->wanted->ended)
        return p->wanted;
    for (size_t i = 0; i < p->live_count; i++) {
        struct track *t = &p->tracks[p->live[i]];
        if (!t->busy && track_used(t) < p->depth && (!best || t->ready < best->ready))
            best = t;
    }
    return best;
}

/* ---- threads ---- */

/* Called and returns with the lock held. */
static void fill(struct pipeline *p, struct track *t)
{
    struct decoded *d = track_slot(p, t);
    bool filled = false;
    if (d) {
        t->busy = true;
        (void)pthread_mutex_unlock(&p->lock);
        filled = lane_fill(&t->lane, d);
        (void)pthread_mutex_lock(&p->lock);
        t->busy = false;
    } else {
        p->ran_out = true;
    }
    if (filled)
        t->ready++;
    else
        track_end(p, t);
    /* whoever waits is woken when there is enough to go on with: waking takes as long as some hundred packets */
    if (p->wanted == t && (t->ended || t->ready >= (p->depth + 1) / 2)) {
        p->wanted = NULL;
        (void)pthread_cond_signal(&p->ready);
    }
}

static void *work(void *user)
{
    struct pipeline *p = user;
    (void)pthread_mutex_lock(&p->lock);
    while (!p->stop) {
        struct track *t = choose(p);
        if (t) {
            fill(p, t);
            continue;
        }
        p->idle++;
        (void)pthread_cond_wait(&p->work, &p->lock);
        p->idle--;
    }
    (void)pthread_mutex_unlock(&p->lock);
    return NULL;
}

static void start_threads(struct pipeline *p, unsigned count)
{
    p->threads = count ? calloc(count, sizeof *p->threads) : NULL;
    if (!p->threads)
        return;
    /* signals are for the thread that owns the terminal */
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    while (p->thread_count < count && pthread_create(&p->threads[p->thread_count], NULL, work, p) == 0)
        p->thread_count++;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* ---- the caller's side ---- */

static const struct decoded *next_here(struct pipeline *p, struct track *t)
{
    struct decoded *d = t->ended ? NULL : track_slot(p, t);
    p->ran_out |= !t->ended && !d;
    if (d && lane_fill(&t->lane, d))
        return d;
    if (!t->ended)
        track_end(p, t);
    track_drop_slots(p, t);
    return NULL;
}

static const struct decoded *next_from_threads(struct pipeline *p, uint32_t input)
{
    struct track *t = &p->tracks[input];
    const struct decoded *d = NULL;
    (void)pthread_mutex_lock(&p->lock);
    if (!t->called)
        call(p, input);
    t->called = true;
    if (t->out) {
        t->out = false;
        t->first = (t->first + 1) % p->depth;
    }
    if (p->idle > 0 && !t->ended && t->ready <= p->depth / 2)
        (void)pthread_cond_signal(&p->work);
    while (t->ready == 0 && !t->ended) {
        p->wanted = t;
        (void)pthread_cond_wait(&p->ready, &p->lock);
    }
    if (t->ready > 0) {
        t->ready--;
        t->out = true;
        d = t->slots[t->first];
    } else {
        p->active--;
        track_drop_slots(p, t);
    }
    (void)pthread_mutex_unlock(&p->lock);
    return d;
}

const struct decoded *pipeline_next(struct pipeline *p, uint32_t input)
{
    if (p->thread_count)
        return next_from_threads(p, input);
    track_begin(p, input);
    return next_here(p, &p->tracks[input]);
}

/* ---- begin and end ---- */

static unsigned depth_for(size_t inputs)
{
    return inputs <= 4 ? DEPTH_MAX : inputs <= 32 ? DEPTH_MAX / 2 : DEPTH_MIN;
}

struct pipeline *pipeline_new(const struct pipeline_options *o)
{
    struct pipeline *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    (void)pthread_mutex_init(&p->lock, NULL);
    (void)pthread_cond_init(&p->work, NULL);
    (void)pthread_cond_init(&p->ready, NULL);
    p->order = o->order;
    p->order_count = o->order_count;
    p->depth = depth_for(o->order_count);
    size_t count = source_input_count(o->source);
    p->tracks = calloc(count + 1, sizeof *p->tracks);
    p->live = calloc(count + 1, sizeof *p->live);
    if (!p->tracks || !p->live)
        goto fail;
    p->track_count = count;
    struct decoder_options decoder = *o->decoder;
    decoder.defer_fragments = true;
    for (size_t i = 0; i < count; i++) {
        struct lane *l = &p->tracks[i].lane;
        l->source = o->source;
        l->input = (uint32_t)i;
        l->hash_key = o->threads ? o->key : NULL;
        l->decoder = decoder_new(&decoder);
        if (!l->decoder)
            goto fail;
    }
    start_threads(p, o->threads < o->order_count ? o->threads : (unsigned)o->order_count);
    return p;

fail:
    pipeline_free(p);
    return NULL;
}

struct skipped pipeline_skipped(const struct pipeline *p, uint32_t input)
{
    return p->tracks[input].lane.skipped;
}

struct decoder_stats pipeline_decoded(const struct pipeline *p)
{
    struct decoder_stats sum = {0};
    for (size_t i = 0; i < p->track_count; i++) {
        struct decoder_stats one = decoder_stats(p->tracks[i].lane.decoder);
        sum.tunnels_cut += one.tunnels_cut;
        sum.nested_too_deep += one.nested_too_deep;
    }
    return sum;
}

bool pipeline_ran_out(const struct pipeline *p)
{
    return p->ran_out;
}

void pipeline_free(struct pipeline *p)
{
    if (!p)
        return;
    (void)pthread_mutex_lock(&p->lock);
    p->stop = true;
    (void)pthread_cond_broadcast(&p->work);
    (void)pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->thread_count; i++)
        (void)pthread_join(p->threads[i], NULL);
    for (size_t i = 0; i < p->track_count; i++) {
        track_drop_slots(p, &p->tracks[i]);
        decoder_free(p->tracks[i].lane.decoder);
    }
    while (p->spare_count)
        decoded_free(p->spare[--p->spare_count]);
    (void)pthread_cond_destroy(&p->work);
    (void)pthread_cond_destroy(&p->ready);
    (void)pthread_mutex_destroy(&p->lock);
    free(p->threads);
    free(p->tracks);
    free(p->live);
    free(p);
}

unsigned pipeline_processors(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return n > 0 ? (unsigned)n : 1;
}
