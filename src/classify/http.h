#ifndef QOSMARK_CLASSIFY_HTTP_H
#define QOSMARK_CLASSIFY_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* HTTP and what looks like it. */
enum http_look {
    HTTP_NOT = 0,
    HTTP_REQUEST,  /* RFC 9112 §3, with "HTTP/1." at the line's end */
    HTTP_BEGINS,   /* the line does not end within the bytes, but only HTTP begins so */
    HTTP_RESPONSE, /* RFC 9112 §4 */
    HTTP2_PREFACE, /* RFC 9113 §3.4 */
    HTTP_RTSP,     /* RFC 7826: request or response */
    HTTP_SSDP,     /* M-SEARCH or NOTIFY (UPnP Device Architecture) */
};

/* `ret_websocket`: the Sec-WebSocket-Protocol header, empty without (RFC 6455 §11.3.4). May be NULL. */
enum http_look http_look(const uint8_t *bytes, size_t len, struct slice *ret_websocket);

#endif
