#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/live_session.h"
#include "cli/screen/backend.h"
#include "cli/screen/screen.h"

/* The screen and its terminal, where there is one. */

static bool wanted(const struct live_session *s)
{
    const struct live_arguments *a = s->arguments;
    const char *term = getenv("TERM");
    bool terminal = isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 && !(term && strcmp(term, "dumb") == 0);
    return terminal && !a->no_screen && !a->report.quiet && !a->try_forbidden && !(s->streaming && !s->stream.path);
}

int live_screen_open(struct live_session *s)
{
    struct error error = {0};
    if (!wanted(s))
        return 0;
    s->screen = screen_new(terminal_utf8());
    if (!s->screen)
        return cli_fail(EXIT_INPUT, "out of memory");
    /* without a screen there are lines: nothing of the check depends on it */
    if (backend_open(terminal_color(s->arguments->color, false), &error) < 0) {
        (void)cli_fail(0, "note: %s", error.text);
        screen_free(s->screen);
        s->screen = NULL;
    }
    return 0;
}

void live_screen_draw(struct live_session *s)
{
    size_t rows, columns;
    if (!s->screen)
        return;
    backend_size(&rows, &columns);
    const struct canvas *c = screen_draw(s->screen, rows, columns, live_clock_ms());
    if (c)
        backend_draw(c);
}

void live_screen_look(struct live_session *s, const struct live_view *view)
{
    if (!s->screen)
        return;
    screen_look(s->screen, view, live_clock_ms());
    live_screen_draw(s);
}

void live_screen_keys(struct live_session *s)
{
    int key;
    if (!s->screen)
        return;
    while ((key = backend_key()) != BACKEND_KEY_NONE) {
        enum screen_request request = screen_press(s->screen, key);
        if (request == SCREEN_QUIT)
            s->ended = true;
        if (request == SCREEN_WRITE) {
            s->write_page = true;
            live_say(s, false, "writing a report...");
        }
    }
    live_screen_draw(s);
}

void live_screen_resized(struct live_session *s)
{
    if (!s->screen)
        return;
    backend_resized();
    live_screen_draw(s);
}

void live_screen_close(struct live_session *s)
{
    if (!s->screen)
        return;
    backend_close();
    screen_free(s->screen);
    s->screen = NULL;
}

void live_say(struct live_session *s, bool bad, const char *format, ...)
{
    char text[1200];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (s->screen) {
        screen_say(s->screen, live_clock_ms(), bad, "%s", text);
        live_screen_draw(s);
    } else {
        (void)cli_fail(0, "%s", text);
    }
}
