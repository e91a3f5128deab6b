#include "live/pages.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/server.h"
#include "report/report_live.h"
#include "report/report_metrics.h"

enum {
    AGE_MS = 10 * 1000,          /* no look for so long is worth an alarm; more where looking takes long */
    LARGE_BYTES = 32 << 20,      /* a page larger than that is not served */
    SMALL_A_LOOK = 4,            /* answers made a look, besides at most one report */
    REPORT_FRESH_MS = 2000,      /* a flood of requests costs one report in that time */
    API_FRESH_MS = 250,
    STREAMS_DEFAULT = 100,
    STREAMS_MAX = 1000,
};

static const char path_report[] = "/", path_summary[] = "/api/summary", path_streams[] = "/api/streams";

struct live_pages {
    struct http_server *server;
    struct live_metrics *metrics;
    const char *version;
    int statm; /* opened before privileges are dropped; -1 where there is none */
    struct strbuf text;
};

static void pages_free(struct live_pages *p)
{
    http_server_stop(p->server);
    live_metrics_free(p->metrics);
    if (p->statm >= 0)
        (void)close(p->statm);
    strbuf_done(&p->text);
    free(p);
}

int live_pages_start(const struct live_pages_options *options, struct live_pages **ret, struct error *error)
{
    static const struct http_offer offers[] = {
        {.path = path_report, .fresh_ms = REPORT_FRESH_MS},
        {.path = path_summary, .fresh_ms = API_FRESH_MS},
        {.path = path_streams, .fresh_ms = API_FRESH_MS, .limit_default = STREAMS_DEFAULT, .limit_max = STREAMS_MAX},
    };
    static const char none_yet[] = "starting: nothing has been looked at yet\n";
    struct live_pages *p = calloc(1, sizeof *p);
    if (!p)
        return error_set(error, ERR_MEMORY, "out of memory");
    p->version = options->version;
    p->statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    p->metrics = live_metrics_new();
    int r = p->metrics ? http_server_start(&options->listen, &p->server, error)
                       : error_set(error, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < sizeof offers / sizeof offers[0] && r == 0; i++)
        r = http_server_offer(p->server, &offers[i]);
    const struct http_page health = {"/healthz", "text/plain; charset=utf-8", 503, 0, none_yet, sizeof none_yet - 1};
    if (r == 0)
        r = http_server_put(p->server, &health);
    if (r < 0) {
        pages_free(p);
        return r;
    }
    *ret = p;
    return 0;
}

void live_pages_stop(struct live_pages *p)
{
    if (p)
        pages_free(p);
}

/* Second number of /proc/self/statm: resident pages (proc(5)). */
static uint64_t resident_bytes(const struct live_pages *p)
{
    char text[128];
    uint64_t pages;
    ssize_t n = p->statm >= 0 ? pread(p->statm, text, sizeof text, 0) : -1;
    struct slice rest = slice_make(text, n > 0 ? (size_t)n : 0);
    (void)slice_next(&rest, ' ');
    long bytes = sysconf(_SC_PAGESIZE);
    if (bytes <= 0 || !slice_number(slice_next(&rest, ' '), UINT32_MAX, &pages))
        return 0;
    return pages * (uint64_t)bytes;
}

static unsigned max_age_ms(const struct live_view *view)
{
    int64_t more = view->look_took_ns / NS_PER_MS * 20;
    return AGE_MS + (unsigned)(more < 0 ? 0 : more > 600000 ? 600000 : more);
}

static int publish_metrics(struct live_pages *p, const struct live_view *view)
{
    const struct live_process process = {.version = p->version, .resident_bytes = resident_bytes(p)};
    p->text.len = 0;
    int r = live_metrics_add(p->metrics, view);
    if (!live_metrics_write(p->metrics, view, &process, &p->text)) {
        strbuf_done(&p->text);
        p->text = (struct strbuf){0};
        return ERR_MEMORY;
    }
    const struct http_page page = {.path = "/metrics",
                                   .content_type = "text/plain; version=0.0.4; charset=utf-8",
                                   .status = 200,
                                   .max_age_ms = max_age_ms(view),
                                   .bytes = strbuf_text(&p->text),
                                   .len = p->text.len};
    int put = http_server_put(p->server, &page);
    return r < 0 ? r : put;
}

/* Frames are taken while some interface is up; those that are not are named either way. */
static int publish_health(struct live_pages *p, const struct live_view *view)
{
    struct strbuf text = {0}, problems = {0};
    size_t up = 0;
    for (size_t i = 0; i < view->point_count; i++) {
        const struct live_point *point = &view->points[i];
        if (point->state == LIVE_POINT_UP) {
            up++;
            continue;
        }
        const char *why = point->problem && *point->problem ? point->problem : "no packets can be captured";
        if (!strstr(why, point->name)) {
            text_printable(&problems, point->name, strlen(point->name));
            strbuf_adds(&problems, point->state == LIVE_POINT_DOWN ? " is down: " : " is gone: ");
        }
        text_printable(&problems, why, strlen(why));
        strbuf_addc(&problems, '\n');
    }
    strbuf_addf(&text, "%s: packets are taken from %zu of %zu %s, %zu streams at present\n", up ? "ok" : "not well", up,
                view->point_count, view->point_count == 1 ? "interface" : "interfaces", view->active_streams);
    strbuf_adds(&text, strbuf_text(&problems));
    const struct http_page page = {.path = "/healthz",
                                   .content_type = "text/plain; charset=utf-8",
                                   .status = up ? 200 : 503,
                                   .max_age_ms = max_age_ms(view),
                                   .bytes = strbuf_text(&text),
                                   .len = text.len};
    int r = strbuf_ok(&text) && strbuf_ok(&problems) ? http_server_put(p->server, &page) : ERR_MEMORY;
    strbuf_done(&text);
    strbuf_done(&problems);
    return r;
}

static bool gather(void *user, const char *bytes, size_t len)
{
    struct strbuf *to = user;
    if (to->len + len > LARGE_BYTES)
        return false;
    strbuf_add(to, bytes, len);
    return strbuf_ok(to);
}

static int make_report(const struct live_view *view, const struct http_want *want, struct strbuf *to)
{
    const struct report_options options = {
        .format = REPORT_HTML, .live_since_ns = view->began_ns, .live_now_ns = view->now_ns};
    (void)want;
    return report_write(view->document, &options, gather, to, NULL);
}

static int make_summary(const struct live_view *view, const struct http_want *want, struct strbuf *to)
{
    (void)want;
    return report_summary_write(view, gather, to, NULL);
}

static int make_streams(const struct live_view *view, const struct http_want *want, struct strbuf *to)
{
    return report_streams_write(view, (size_t)want->offset, (size_t)want->limit, gather, to, NULL);
}

static const struct {
    const char *path, *type;
    int (*make)(const struct live_view *view, const struct http_want *want, struct strbuf *to);
} makers[] = {
    {path_report, "text/html; charset=utf-8", make_report},
    {path_summary, "application/json", make_summary},
    {path_streams, "application/json", make_streams},
};

static int answer_one(struct live_pages *p, const struct live_view *view, const struct http_want *want)
{
    struct strbuf text = {0};
    int r = ERR_UNSUPPORTED;
    const char *type = NULL;
    for (size_t i = 0; i < sizeof makers / sizeof makers[0]; i++) {
        if (makers[i].path != want->path)
            continue;
        r = makers[i].make(view, want, &text);
        type = r < 0 ? NULL : makers[i].type;
    }
    int answered = http_server_answer(p->server, want, type, strbuf_text(&text), text.len);
    strbuf_done(&text);
    return r < 0 ? r : answered;
}

int live_pages_publish(struct live_pages *p, const struct live_view *view)
{
    struct http_want want;
    int r = publish_metrics(p, view), health = publish_health(p, view);
    r = r < 0 ? r : health;
    /* a page that cannot be made is its reader's loss: he is told, and may ask again */
    for (int i = 0; i < SMALL_A_LOOK && http_server_wanted(p->server, &want); i++) {
        (void)answer_one(p, view, &want);
        if (want.path == path_report)
            break;
    }
    return r == ERR_MEMORY ? r : 0;
}
