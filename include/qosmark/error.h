#ifndef QOSMARK_ERROR_H
#define QOSMARK_ERROR_H

#include <qosmark/version.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a function that fails returns. */
enum qosmark_status {
    QOSMARK_OK = 0,
    QOSMARK_E_MEMORY = -1,      /* out of memory */
    QOSMARK_E_IO = -2,          /* a file could not be read or written, or the caller's sink refused */
    QOSMARK_E_FORMAT = -3,      /* not in a format that is known here */
    QOSMARK_E_INCOMPLETE = -4,  /* the input ended in the middle of something */
    QOSMARK_E_USAGE = -5,       /* a policy, an option or the order of calls is wrong */
    QOSMARK_E_UNSUPPORTED = -6, /* understood, but this library was built without it */
    QOSMARK_E_LIMIT = -7        /* a documented cap was reached */
};

/* One sentence for a user, without a final newline: "a.pcap: this is a PNG image, not a capture". Policies say
 * "file:line:column: sentence". Untouched where nothing went wrong; set text[0] to 0 before, to tell. */
typedef struct qosmark_error {
    char text[1024];
} qosmark_error;

/* A fixed short text for a status, never NULL. */
QOSMARK_API const char *qosmark_status_text(int status);

#ifdef __cplusplus
}
#endif

#endif
