#ifndef QOSMARK_CLI_SCREEN_SCREEN_H
#define QOSMARK_CLI_SCREEN_SCREEN_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/screen/canvas.h"
#include "model/live.h"

/*
 * The terminal's screen of a live check: what is shown, which keys were pressed. It is drawn on a canvas; a backend
 * (backend.h) brings that to a terminal, or a test reads it.
 */
struct screen;

/* What the keys ask of the command. */
enum screen_request { SCREEN_NOTHING = 0, SCREEN_WRITE, SCREEN_QUIT };

struct screen *screen_new(bool utf8); /* NULL without memory */
void screen_free(struct screen *s);   /* takes NULL */

/* A new look. What is shown is copied, unless the screen is paused; `now_ms` of a clock that only goes forward. */
void screen_look(struct screen *s, const struct live_view *view, int64_t now_ms);

enum screen_request screen_press(struct screen *s, int key); /* a letter of Unicode or an enum backend_key */

/* A message on the last row, for some seconds or until the next key. */
void screen_say(struct screen *s, int64_t now_ms, bool bad, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Draws; the canvas is good until the next call. NULL without memory. */
const struct canvas *screen_draw(struct screen *s, size_t rows, size_t columns, int64_t now_ms);

#endif
