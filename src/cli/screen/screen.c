#include "cli/screen/screen.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/screen/backend.h"
#include "cli/screen/draw.h"

/* Copying streams may take this share of the time: of many, the list is renewed less often than the rest. */
enum { STREAMS_SHARE = 20, MESSAGE_MS = 6000 };

struct screen {
    struct shown shown;
    struct canvas canvas;
    enum page page, back; /* `back`: where Esc leads from help and from a stream */
    struct list lists[PAGE_COUNT];
    size_t scroll[PAGE_COUNT];
    size_t *visible;
    size_t visible_count;
    enum stream_order order;
    char filter[SHOWN_FILTER_MAX];
    uint64_t stream; /* PAGE_STREAM: which one */
    bool reversed, typing, paused, utf8, wish_changed;
    int64_t streams_due_ms;
    char message[300];
    bool message_bad;
    int64_t message_until_ms;
};

struct screen *screen_new(bool utf8)
{
    struct screen *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->utf8 = utf8;
    s->visible = calloc(SHOWN_STREAMS, sizeof *s->visible);
    if (!s->visible) {
        free(s);
        return NULL;
    }
    return s;
}

void screen_free(struct screen *s)
{
    if (!s)
        return;
    shown_done(&s->shown);
    canvas_done(&s->canvas);
    free(s->visible);
    free(s);
}

/* ---- what is listed, and what of it is selected ---- */

static uint64_t id_at(const struct screen *s, size_t index)
{
    if (s->page == PAGE_STREAMS && index < s->visible_count)
        return s->shown.streams[s->visible[index]].id;
    if (s->page == PAGE_FINDINGS && index < s->shown.finding_count)
        return s->shown.findings[index].id;
    if (s->page == PAGE_CALLS && index < s->shown.call_count)
        return s->shown.calls[index].id;
    return 0;
}

static size_t list_count(const struct screen *s)
{
    const size_t counts[PAGE_COUNT] = {[PAGE_STREAMS] = s->visible_count,
                                       [PAGE_FINDINGS] = s->shown.finding_count,
                                       [PAGE_CALLS] = s->shown.call_count};
    return counts[s->page];
}

/* The selection goes where its thing has gone to; where that is no longer there, it stays at its place. */
static void follow(struct screen *s)
{
    struct list *l = &s->lists[s->page];
    size_t count = list_count(s);
    if (l->selected == 0) /* nothing was chosen: the top of the list, whatever is there */
        return;
    for (size_t i = 0; i < count; i++) {
        if (id_at(s, i) == l->selected) {
            /* it stays at its place on the screen, and the others move */
            size_t down = l->index >= l->top ? l->index - l->top : 0;
            l->index = i;
            l->top = i > down ? i - down : 0;
            return;
        }
    }
    if (l->index >= count)
        l->index = count ? count - 1 : 0;
    l->selected = id_at(s, l->index);
}

static void see(struct screen *s)
{
    s->visible_count = 0;
    for (size_t i = 0; i < s->shown.stream_count; i++)
        if (!*s->filter || shown_matches(s->shown.streams[i].words, s->filter))
            s->visible[s->visible_count++] = i;
    follow(s);
}

static int64_t clock_us(void)
{
    return clock_monotonic_ns() / 1000;
}

void screen_look(struct screen *s, const struct live_view *view, int64_t now_ms)
{
    uint64_t of = s->page == PAGE_STREAM ? s->stream : id_at(s, s->lists[s->page].index);
    if (s->page != PAGE_STREAM && s->page != PAGE_STREAMS)
        of = 0;
    struct shown_wish wish = {.order = s->order, .reversed = s->reversed, .filter = s->filter, .words_of = of};
    if (s->paused)
        return;
    bool streams = s->wish_changed || now_ms >= s->streams_due_ms;
    int64_t began = clock_us();
    shown_take(&s->shown, view, &wish, streams);
    if (streams) {
        s->wish_changed = false;
        s->streams_due_ms = now_ms + (clock_us() - began) * STREAMS_SHARE / 1000;
    }
    see(s);
}

/* ---- keys ---- */

static void move(struct screen *s, long by)
{
    struct list *l = &s->lists[s->page];
    size_t count = list_count(s);
    long to = (long)l->index + by;
    if (count == 0)
        return;
    l->index = to < 0 ? 0 : (size_t)to >= count ? count - 1 : (size_t)to;
    l->selected = id_at(s, l->index);
}

static void scroll(struct screen *s, long by)
{
    long to = (long)s->scroll[s->page] + by;
    s->scroll[s->page] = to < 0 ? 0 : (size_t)to; /* drawing knows where the end is */
}

static void go(struct screen *s, enum page page)
{
    if (page == PAGE_HELP || page == PAGE_STREAM)
        s->back = s->page == PAGE_HELP || s->page == PAGE_STREAM ? s->back : s->page;
    s->page = page;
    s->scroll[page] = 0;
    follow(s);
}

static void filter_changed(struct screen *s)
{
    s->wish_changed = true;
    see(s);
}

static void set_filter(struct screen *s, const char *text)
{
    (void)snprintf(s->filter, sizeof s->filter, "%s", text);
    filter_changed(s);
}

static void sort(struct screen *s, enum stream_order order)
{
    s->order = order;
    s->wish_changed = true;
    s->lists[PAGE_STREAMS] = (struct list){0};
}

static void escape(struct screen *s)
{
    if (s->page == PAGE_STREAMS)
        set_filter(s, "");
    else
        go(s, s->page == PAGE_HELP || s->page == PAGE_STREAM ? s->back : PAGE_STREAMS);
}

static void enter(struct screen *s)
{
    size_t index = s->lists[s->page].index;
    if (s->page == PAGE_STREAMS && id_at(s, index)) {
        s->stream = id_at(s, index);
        s->lists[PAGE_STREAMS].selected = s->stream;
        go(s, PAGE_STREAM);
    } else if (s->page == PAGE_CALLS && index < s->shown.call_count) {
        char name[SHOWN_FILTER_MAX];
        /* with its blanks, so that call-1 is not call-12 */
        (void)snprintf(name, sizeof name, " %s ", s->shown.calls[index].name);
        go(s, PAGE_STREAMS);
        s->lists[PAGE_STREAMS] = (struct list){0};
        set_filter(s, name);
    }
}

/* While the filter is typed, letters are letters. */
static void type(struct screen *s, int key)
{
    size_t len = strlen(s->filter);
    if (key == BACKEND_KEY_ENTER) {
        s->typing = false;
    } else if (key == BACKEND_KEY_ESCAPE) {
        s->typing = false;
        set_filter(s, "");
    } else if (key == BACKEND_KEY_BACKSPACE) {
        while (len && ((unsigned char)s->filter[len - 1] & 0xc0) == 0x80)
            len--;
        if (len)
            s->filter[len - 1] = '\0';
        filter_changed(s);
    } else if (key >= ' ' && key < 0x80 && len + 1 < sizeof s->filter) {
        s->filter[len] = (char)key;
        s->filter[len + 1] = '\0';
        filter_changed(s);
    } else if (key >= 0x80 && key < 0x800 && len + 2 < sizeof s->filter) {
        s->filter[len] = (char)(0xc0 | key >> 6);
        s->filter[len + 1] = (char)(0x80 | (key & 0x3f));
        s->filter[len + 2] = '\0';
        filter_changed(s);
    }
}

static bool is_list(enum page p)
{
    return p == PAGE_STREAMS || p == PAGE_FINDINGS || p == PAGE_CALLS;
}

/* Keys that move; false where it is none of them. */
static bool press_move(struct screen *s, int key)
{
    long page = (long)s->lists[s->page].page_rows;
    const struct {
        int key;
        long by;
    } moves[] = {{BACKEND_KEY_UP, -1},
                 {'k', -1},
                 {BACKEND_KEY_DOWN, 1},
                 {'j', 1},
                 {BACKEND_KEY_PAGE_UP, page > 1 ? -page + 1 : -10},
                 {BACKEND_KEY_PAGE_DOWN, page > 1 ? page - 1 : 10},
                 {BACKEND_KEY_HOME, -1000000},
                 {BACKEND_KEY_END, 1000000}};
    for (size_t i = 0; i < sizeof moves / sizeof moves[0]; i++) {
        if (moves[i].key != key)
            continue;
        if (is_list(s->page))
            move(s, moves[i].by);
        else
            scroll(s, moves[i].by);
        if (key == BACKEND_KEY_HOME && is_list(s->page))
            s->lists[s->page].selected = 0; /* stays at the top, whatever comes there */
        return true;
    }
    return false;
}

enum screen_request screen_press(struct screen *s, int key)
{
    s->message[0] = '\0';
    if (s->typing) {
        type(s, key);
        return SCREEN_NOTHING;
    }
    if (press_move(s, key))
        return SCREEN_NOTHING;
    switch (key) {
    case 'q':
    case 'Q':
        return SCREEN_QUIT;
    case 'w':
        return SCREEN_WRITE;
    case 'p':
    case 'P':
        s->paused = !s->paused;
        break;
    case '/':
        go(s, PAGE_STREAMS);
        s->typing = true;
        break;
    case 'f':
        go(s, s->page == PAGE_FINDINGS ? PAGE_STREAMS : PAGE_FINDINGS);
        break;
    case 'c':
        go(s, s->page == PAGE_CALLS ? PAGE_STREAMS : PAGE_CALLS);
        break;
    case 's':
        sort(s, (enum stream_order)((s->order + 1) % ORDER_COUNT));
        break;
    case 'S':
        sort(s, (enum stream_order)((s->order + ORDER_COUNT - 1) % ORDER_COUNT));
        break;
    case 'r':
        s->reversed = !s->reversed;
        sort(s, s->order);
        break;
    case '?':
    case 'h':
    case BACKEND_KEY_HELP:
        go(s, PAGE_HELP);
        break;
    case BACKEND_KEY_ENTER:
        enter(s);
        break;
    case BACKEND_KEY_ESCAPE:
    case BACKEND_KEY_BACKSPACE:
        escape(s);
        break;
    default:
        break;
    }
    return SCREEN_NOTHING;
}

void screen_say(struct screen *s, int64_t now_ms, bool bad, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    s->message[0] = ' ';
    (void)vsnprintf(s->message + 1, sizeof s->message - 1, format, args);
    va_end(args);
    s->message_bad = bad;
    s->message_until_ms = now_ms + MESSAGE_MS;
}

const struct canvas *screen_draw(struct screen *s, size_t rows, size_t columns, int64_t now_ms)
{
    if (now_ms >= s->message_until_ms)
        s->message[0] = '\0';
    if (!canvas_begin(&s->canvas, rows, columns, s->utf8))
        return NULL;
    const struct shown_stream *stream = NULL;
    if (s->page == PAGE_STREAM) {
        stream = s->shown.pinned && s->shown.pinned->id == s->stream ? s->shown.pinned : NULL;
        for (size_t i = 0; !stream && i < s->shown.stream_count; i++)
            if (s->shown.streams[i].id == s->stream)
                stream = &s->shown.streams[i];
    }
    struct drawing d = {.canvas = &s->canvas,
                        .shown = &s->shown,
                        .page = s->page,
                        .filter = s->filter,
                        .typing = s->typing,
                        .paused = s->paused,
                        .message = s->message,
                        .message_bad = s->message_bad,
                        .visible = s->visible,
                        .visible_count = s->visible_count,
                        .list = &s->lists[s->page],
                        .scroll = &s->scroll[s->page],
                        .stream = stream};
    draw(&d);
    return &s->canvas;
}
