#ifdef QOSMARK_HAVE_NCURSES

/* the wide functions; the declarations want this before any header */
#define _XOPEN_SOURCE_EXTENDED 1
#define NCURSES_NOMACROS       1

#include "cli/screen/backend.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <ncurses.h>
#include <term.h>
#undef columns /* term.h makes macros of everyday words */

static SCREEN *terminal;
static bool colored;
static struct termios before;

/* What brings the terminal back without ncurses, for a handler of signals: terminfo's strings, made beforehand. */
static char farewell[256];
static size_t farewell_len;

static const int fatal[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
enum { FATAL_COUNT = sizeof fatal / sizeof fatal[0] };
static struct sigaction fatal_before[FATAL_COUNT];

bool backend_available(void)
{
    return true;
}

/* Only what may be called in a handler of signals. What had the signal before (a sanitizer, or nobody) gets it again.
 */
static void on_fatal(int number)
{
    if (farewell_len && write(STDOUT_FILENO, farewell, farewell_len) < 0)
        farewell_len = 0;
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &before);
    for (size_t i = 0; i < FATAL_COUNT; i++)
        if (fatal[i] == number)
            (void)sigaction(number, &fatal_before[i], NULL);
    (void)raise(number); /* it is held back until this returns */
}

static void catch_fatal(void)
{
    struct sigaction action = {.sa_handler = on_fatal};
    static const char *const capabilities[] = {"cnorm", "sgr0", "rmkx", "rmcup"};
    for (size_t i = 0; i < sizeof capabilities / sizeof capabilities[0]; i++) {
        /* terminfo's function takes its argument without const */
        char name[8];
        (void)snprintf(name, sizeof name, "%s", capabilities[i]);
        const char *text = tigetstr(name);
        size_t len = text && (intptr_t)text != -1 ? strlen(text) : 0;
        if (farewell_len + len > sizeof farewell)
            continue;
        if (len)
            memcpy(farewell + farewell_len, text, len);
        farewell_len += len;
    }
    for (size_t i = 0; i < FATAL_COUNT; i++)
        (void)sigaction(fatal[i], &action, &fatal_before[i]);
}

static const struct {
    short foreground, background; /* -1: the terminal's own */
    attr_t with_color, without;
} looks[LOOK_COUNT] = {
    [LOOK_PLAIN] = {-1, -1, A_NORMAL, A_NORMAL},
    [LOOK_BOLD] = {-1, -1, A_BOLD, A_BOLD},
    [LOOK_DIM] = {-1, -1, A_DIM, A_DIM},
    [LOOK_GOOD] = {COLOR_GREEN, -1, A_NORMAL, A_NORMAL},
    [LOOK_BAD] = {COLOR_RED, -1, A_BOLD, A_BOLD},
    [LOOK_UNSURE] = {COLOR_YELLOW, -1, A_NORMAL, A_UNDERLINE},
    [LOOK_CODE] = {COLOR_CYAN, -1, A_NORMAL, A_NORMAL},
    [LOOK_HEAD] = {COLOR_BLACK, COLOR_GREEN, A_NORMAL, A_REVERSE},
    [LOOK_KEY] = {COLOR_BLACK, COLOR_CYAN, A_NORMAL, A_REVERSE},
    [LOOK_ALERT] = {COLOR_WHITE, COLOR_RED, A_BOLD, A_BOLD | A_REVERSE},
};

static void begin_colors(bool color)
{
    colored = color && has_colors() && start_color() == OK && use_default_colors() == OK;
    for (short i = 0; colored && i < LOOK_COUNT; i++)
        (void)init_pair((short)(i + 1), looks[i].foreground, looks[i].background);
}

int backend_open(bool color, struct error *error)
{
    const char *name = getenv("TERM");
    static bool at_exit;
    int ignored = 0;
    (void)setlocale(LC_CTYPE, "");
    (void)tcgetattr(STDIN_FILENO, &before);
    if (!name || !*name || setupterm(NULL, STDOUT_FILENO, &ignored) != OK)
        return error_set(error, ERR_UNSUPPORTED, "this terminal (TERM=%s) is not known here; --no-screen writes lines",
                         name ? name : "");
    (void)signal(SIGTSTP, SIG_IGN);
    terminal = newterm(NULL, stdout, stdin);
    if (!terminal)
        return error_set(error, ERR_UNSUPPORTED, "this terminal (TERM=%s) cannot be driven; --no-screen writes lines",
                         name);
    if (!at_exit)
        at_exit = atexit(backend_close) == 0;
    catch_fatal();
    (void)set_term(terminal);
    (void)set_escdelay(25);
    (void)cbreak();
    (void)noecho();
    (void)nonl();
    (void)keypad(stdscr, TRUE);
    (void)nodelay(stdscr, TRUE);
    (void)intrflush(stdscr, FALSE);
    (void)curs_set(0);
    begin_colors(color);
    return 0;
}

void backend_size(size_t *ret_rows, size_t *ret_columns)
{
    int rows = 0, columns = 0;
    if (terminal) {
        rows = getmaxy(stdscr);
        columns = getmaxx(stdscr);
    }
    *ret_rows = rows > 0 ? (size_t)rows : 0;
    *ret_columns = columns > 0 ? (size_t)columns : 0;
}

void backend_resized(void)
{
    struct winsize size;
    if (terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col)
        (void)resizeterm(size.ws_row, size.ws_col);
}

static void set_look(enum look look, bool selected)
{
    attr_t attributes = colored ? looks[look].with_color : looks[look].without;
    short pair = colored ? (short)(look + 1) : 0;
    /* in the selected row a colour stays what it is, and only the background goes round */
    (void)attr_set(selected ? attributes ^ A_REVERSE : attributes, pair, NULL);
}

static void draw_row(int y, const struct canvas_row *r, int columns)
{
    (void)move(y, 0);
    enum look look = LOOK_PLAIN;
    for (size_t i = 0; i < r->run_count; i++) {
        size_t end = i + 1 < r->run_count ? r->runs[i + 1].begin : r->text.len;
        look = r->runs[i].look;
        set_look(look, r->selected);
        (void)addnstr(r->text.at + r->runs[i].begin, (int)(end - r->runs[i].begin));
    }
    if (!r->filled || getcury(stdscr) != y)
        return;
    set_look(r->selected ? LOOK_PLAIN : look, r->selected);
    for (int x = getcurx(stdscr); x < columns && getcury(stdscr) == y; x++)
        (void)addch(' ');
}

void backend_draw(const struct canvas *c)
{
    if (!terminal)
        return;
    (void)attr_set(A_NORMAL, 0, NULL);
    (void)erase();
    for (size_t i = 0; i < c->row_count && (int)i < getmaxy(stdscr); i++)
        draw_row((int)i, &c->rows[i], getmaxx(stdscr));
    (void)attr_set(A_NORMAL, 0, NULL);
    (void)refresh();
}

int backend_key(void)
{
    static const struct {
        int from, to;
    } keys[] = {
        {KEY_UP, BACKEND_KEY_UP},           {KEY_DOWN, BACKEND_KEY_DOWN},           {KEY_PPAGE, BACKEND_KEY_PAGE_UP},
        {KEY_NPAGE, BACKEND_KEY_PAGE_DOWN}, {KEY_HOME, BACKEND_KEY_HOME},           {KEY_END, BACKEND_KEY_END},
        {KEY_ENTER, BACKEND_KEY_ENTER},     {KEY_BACKSPACE, BACKEND_KEY_BACKSPACE}, {KEY_F(1), BACKEND_KEY_HELP},
        {KEY_FIND, BACKEND_KEY_HOME},       {KEY_SELECT, BACKEND_KEY_END},
    };
    wint_t key = 0;
    int kind = terminal ? get_wch(&key) : ERR;
    if (kind == KEY_CODE_YES) {
        for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
            if (keys[i].from == (int)key)
                return keys[i].to;
        return BACKEND_KEY_REDRAW; /* one that means nothing here: the caller goes on to the next */
    }
    if (kind != OK)
        return BACKEND_KEY_NONE;
    switch (key) {
    case '\r':
    case '\n':
        return BACKEND_KEY_ENTER;
    case 27:
        return BACKEND_KEY_ESCAPE;
    case 8:
    case 127:
        return BACKEND_KEY_BACKSPACE;
    case 12: /* Ctrl-L */
        (void)clearok(stdscr, TRUE);
        return BACKEND_KEY_REDRAW;
    default:
        return key ? (int)key : BACKEND_KEY_REDRAW;
    }
}

void backend_close(void)
{
    if (!terminal)
        return;
    (void)endwin();
    for (size_t i = 0; i < FATAL_COUNT; i++)
        (void)sigaction(fatal[i], &fatal_before[i], NULL);
    delscreen(terminal);
    terminal = NULL;
    farewell_len = 0;
}

#else
typedef int backend_ncurses_is_empty;
#endif
