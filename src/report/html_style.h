#ifndef QOSMARK_REPORT_HTML_STYLE_H
#define QOSMARK_REPORT_HTML_STYLE_H

/*
 * The one style sheet of all pages, in pieces, the last one NULL. Colours are variables, once for light and once for
 * dark; tests/golden/html_page.py computes their contrast (WCAG 2.1, 1.4.3 and 1.4.11) and holds right against wrong as
 * colour-blind readers see them. Wherever a colour means something, a sign or a pattern stands for it too.
 */
extern const char *const html_style_sheet[];

/* Hatching for what is wrong and dots for what is not known, for the bars of the page: markup that shows nothing. */
extern const char html_patterns[];

#endif
