#include "engine/audit_each.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"

enum { PROGRESS_NS = 100000000 /* between two calls while nothing is ready */ };

struct result {
    struct document *document;
    struct error error;
    int status;
    bool ready;
    uint64_t done_bytes, total_bytes;
};

struct each {
    const struct audit_options *options;
    struct result *results; /* by file */
    pthread_mutex_t lock;
    pthread_cond_t ready, taken;
    size_t next, taken_count;
    size_t ahead; /* files begun beyond those that were taken */
    unsigned jobs_a_file;
};

struct ticket {
    struct each *each;
    size_t file;
};

static void note_progress(void *user, uint64_t done, uint64_t total)
{
    const struct ticket *t = user;
    struct result *r = &t->each->results[t->file];
    (void)pthread_mutex_lock(&t->each->lock);
    r->done_bytes = done;
    r->total_bytes = total > r->total_bytes ? total : r->total_bytes;
    (void)pthread_mutex_unlock(&t->each->lock);
}

static void audit_one(struct each *e, size_t file)
{
    struct audit_options options = *e->options;
    struct ticket ticket = {e, file};
    struct document *document = NULL;
    struct error error = {0};
    options.files = &e->options->files[file];
    options.file_count = 1;
    options.point_has_many = e->options->file_count > 1;
    options.jobs = e->jobs_a_file;
    options.progress = note_progress;
    options.progress_user = &ticket;
    int status = audit_run(&options, &document, &error);

    (void)pthread_mutex_lock(&e->lock);
    struct result *r = &e->results[file];
    r->document = document;
    r->error = error;
    r->status = status;
    r->ready = true;
    (void)pthread_cond_signal(&e->ready);
    (void)pthread_mutex_unlock(&e->lock);
}

/* The next file, waited for while enough are ahead; false where there is none. */
static bool next_file(struct each *e, size_t *ret)
{
    (void)pthread_mutex_lock(&e->lock);
    while (e->next < e->options->file_count && e->next >= e->taken_count + e->ahead)
        (void)pthread_cond_wait(&e->taken, &e->lock);
    bool is_there = e->next < e->options->file_count;
    if (is_there)
        *ret = e->next++;
    (void)pthread_mutex_unlock(&e->lock);
    return is_there;
}

static void *work(void *user)
{
    struct each *e = user;
    size_t file;
    while (next_file(e, &file))
        audit_one(e, file);
    return NULL;
}

/* Called with the lock held. */
static void tell_progress(struct each *e)
{
    uint64_t done = 0, total = 0;
    bool known = true;
    for (size_t i = 0; i < e->options->file_count; i++) {
        const struct result *r = &e->results[i];
        done += r->ready ? r->total_bytes : r->done_bytes;
        total += r->total_bytes;
        known = known && r->total_bytes > 0;
    }
    (void)pthread_mutex_unlock(&e->lock);
    e->options->progress(e->options->progress_user, done, known ? total : 0);
    (void)pthread_mutex_lock(&e->lock);
}

/* Waits for one result; copies it out. */
static struct result wait_for(struct each *e, size_t file)
{
    (void)pthread_mutex_lock(&e->lock);
    while (!e->results[file].ready) {
        struct timespec until;
        (void)clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += PROGRESS_NS;
        until.tv_sec += until.tv_nsec / NS_PER_S;
        until.tv_nsec %= NS_PER_S;
        int r = pthread_cond_timedwait(&e->ready, &e->lock, &until);
        if (r == ETIMEDOUT && e->options->progress)
            tell_progress(e);
    }
    struct result result = e->results[file];
    e->results[file].document = NULL;
    e->taken_count++;
    (void)pthread_cond_broadcast(&e->taken);
    (void)pthread_mutex_unlock(&e->lock);
    return result;
}

static unsigned start(struct each *e, pthread_t *threads, unsigned count)
{
    sigset_t all, before; /* signals are for the thread that owns the terminal */
    unsigned started = 0;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    while (started < count && pthread_create(&threads[started], NULL, work, e) == 0)
        started++;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

/* How much there is to read, for a progress that does not jump back as files are begun. */
static void look_at_sizes(struct each *e)
{
    for (size_t i = 0; i < e->options->file_count; i++) {
        struct stat st;
        if (stat(e->options->files[i], &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
            e->results[i].total_bytes = (uint64_t)st.st_size;
    }
}

/* Without a thread: the caller does it all. */
static void work_here(struct each *e, audit_taker take, void *user)
{
    for (size_t i = 0; i < e->options->file_count; i++) {
        struct audit_options options = *e->options;
        struct document *document = NULL;
        struct error error = {0};
        options.files = &e->options->files[i];
        options.file_count = 1;
        int status = audit_run(&options, &document, &error);
        take(user, i, status, document, &error);
    }
}

int audit_each(const struct audit_options *o, audit_taker take, void *user)
{
    struct each e = {.options = o, .jobs_a_file = 1};
    unsigned jobs = o->jobs < 1 ? 1 : o->jobs, workers = jobs < o->file_count ? jobs : (unsigned)o->file_count;
    pthread_t *threads = calloc(workers + 1, sizeof *threads);
    e.results = calloc(o->file_count + 1, sizeof *e.results);
    if (!threads || !e.results) {
        free(threads);
        free(e.results);
        return ERR_MEMORY;
    }
    (void)pthread_mutex_init(&e.lock, NULL);
    (void)pthread_cond_init(&e.ready, NULL);
    (void)pthread_cond_init(&e.taken, NULL);
    look_at_sizes(&e);
    e.ahead = (size_t)workers + 1;
    if (workers)
        e.jobs_a_file = jobs / workers;
    unsigned started = workers > 1 ? start(&e, threads, workers) : 0;
    if (started == 0)
        work_here(&e, take, user);
    for (size_t i = 0; started > 0 && i < o->file_count; i++) {
        struct result r = wait_for(&e, i);
        take(user, i, r.status, r.document, &r.error);
    }
    for (unsigned i = 0; i < started; i++)
        (void)pthread_join(threads[i], NULL);
    (void)pthread_cond_destroy(&e.taken);
    (void)pthread_cond_destroy(&e.ready);
    (void)pthread_mutex_destroy(&e.lock);
    free(e.results);
    free(threads);
    return 0;
}
