#include "cli/terminal.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"

bool color_parse(const char *text, enum color_choice *ret)
{
    static const char *const names[] = {[COLOR_AUTO] = "auto", [COLOR_ALWAYS] = "always", [COLOR_NEVER] = "never"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(text, names[i]) == 0) {
            *ret = (enum color_choice)i;
            return true;
        }
    }
    return false;
}

bool terminal_color(enum color_choice choice, bool to_file)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    if (choice != COLOR_AUTO)
        return choice == COLOR_ALWAYS;
    return !to_file && isatty(STDOUT_FILENO) && !(no_color && *no_color) && !(term && strcmp(term, "dumb") == 0);
}

bool terminal_utf8(void)
{
    (void)setlocale(LC_CTYPE, "");
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

unsigned terminal_width(void)
{
    struct winsize size;
    const char *columns = getenv("COLUMNS");
    long n = columns ? strtol(columns, NULL, 10) : 0;
    if (n >= 80 && n <= 1000)
        return (unsigned)n;
    if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 80)
        return size.ws_col;
    return 80;
}

static int64_t now_ms(void)
{
    return clock_monotonic_ns() / NS_PER_MS;
}

void progress_init(struct progress *p)
{
    *p = (struct progress){.enabled = isatty(STDERR_FILENO) == 1, .begin_ms = now_ms()};
}

void progress_update(void *progress, uint64_t done, uint64_t total)
{
    struct progress *p = progress;
    int64_t now = now_ms();
    if (!p->enabled || now - p->begin_ms < 1000 || now - p->last_ms < 200)
        return;
    p->last_ms = now;
    p->shown = true;
    if (total) {
        enum { WIDTH = 40 };
        unsigned percent = (unsigned)(done >= total ? 100 : done * 100 / total);
        unsigned filled = percent * WIDTH / 100;
        char bar[WIDTH + 1];
        memset(bar, ' ', WIDTH);
        memset(bar, '#', filled);
        bar[WIDTH] = '\0';
        (void)fprintf(stderr, "\rreading [%s] %3u %%", bar, percent);
    } else {
        (void)fprintf(stderr, "\rreading: %llu MiB", (unsigned long long)(done >> 20));
    }
}

void progress_done(struct progress *p)
{
    if (p->shown)
        (void)fputs("\r\033[K", stderr);
    p->shown = false;
}
