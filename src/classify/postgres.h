#ifndef QOSMARK_CLASSIFY_POSTGRES_H
#define QOSMARK_CLASSIFY_POSTGRES_H

#include "base/cursor.h"

/* How a PostgreSQL connection begins (PostgreSQL documentation, "Message Formats"). */
enum postgres_message {
    POSTGRES_STARTUP, /* StartupMessage: protocol 3.x and a user */
    POSTGRES_SSL_REQUEST,
    POSTGRES_GSS_REQUEST,
    POSTGRES_CANCEL,
    POSTGRES_SSL_ANSWER,     /* a lone 'S' or 'N' (for GSS 'G'): means something after a request only */
    POSTGRES_AUTHENTICATION, /* the server's 'R' */
    POSTGRES_ERROR,          /* the server's 'E' with a severity field first */
};

/* PARSE_TRUNCATED while the bytes may still become one; PARSE_UNSUPPORTED for anything else. */
enum parse_status postgres_parse(struct cursor c, enum postgres_message *ret);

#endif
