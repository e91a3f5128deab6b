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

enum { BAR_WIDTH = 40 };

/* Not in the first second, and not too often. */
static bool is_due(struct progress *p)
{
    int64_t now = now_ms();
    if (!p->enabled || now - p->begin_ms < 1000 || now - p->last_ms < 200)
        return false;
    p->last_ms = now;
    p->shown = true;
    return true;
}

static const char *bar_of(unsigned percent, char bar[static BAR_WIDTH + 1])
{
    memset(bar, ' ', BAR_WIDTH);
    memset(bar, '#', percent * BAR_WIDTH / 100);
    bar[BAR_WIDTH] = '\0';
    return bar;
}

static unsigned percent_of(uint64_t done, uint64_t total)
{
    return (unsigned)(done >= total ? 100 : done * 100 / total);
}

void progress_step(struct progress *p, const char *what, uint64_t done, uint64_t total)
{
    char bar[BAR_WIDTH + 1];
    if (is_due(p))
        (void)fprintf(stderr, "\r%s [%s] %llu of %llu", what, bar_of(percent_of(done, total), bar),
                      (unsigned long long)done, (unsigned long long)total);
}

void progress_update(void *progress, uint64_t done, uint64_t total)
{
    char bar[BAR_WIDTH + 1];
    if (!is_due(progress))
        return;
    if (total) {
        unsigned percent = percent_of(done, total);
        (void)fprintf(stderr, "\rreading [%s] %3u %%", bar_of(percent, bar), percent);
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
