#include "cli/parts.h"

#ifdef QOSMARK_HAVE_ZLIB
#define HAVE_ZLIB true
#else
#define HAVE_ZLIB false
#endif
#ifdef QOSMARK_HAVE_LDNS
#define HAVE_LDNS true
#else
#define HAVE_LDNS false
#endif
#ifdef QOSMARK_HAVE_LIBNET
#define HAVE_LIBNET true
#else
#define HAVE_LIBNET false
#endif
#ifdef QOSMARK_HAVE_OPENSSL
#define HAVE_OPENSSL true
#else
#define HAVE_OPENSSL false
#endif
#ifdef QOSMARK_HAVE_CAPNG
#define HAVE_CAPNG true
#else
#define HAVE_CAPNG false
#endif
#ifdef QOSMARK_HAVE_SECCOMP
#define HAVE_SECCOMP true
#else
#define HAVE_SECCOMP false
#endif
#ifdef QOSMARK_HAVE_MICROHTTPD
#define HAVE_MICROHTTPD true
#else
#define HAVE_MICROHTTPD false
#endif
#ifdef QOSMARK_HAVE_NATS
#define HAVE_NATS true
#else
#define HAVE_NATS false
#endif
#ifdef QOSMARK_HAVE_SQLITE
#define HAVE_SQLITE true
#else
#define HAVE_SQLITE false
#endif
#ifdef QOSMARK_HAVE_NCURSES
#define HAVE_NCURSES true
#else
#define HAVE_NCURSES false
#endif

const struct part parts[] = {
    {"zlib", "gzip checksums", "zlib1g-dev", HAVE_ZLIB},
    {"ldns", "--discover", "libldns-dev", HAVE_LDNS},
    {"libnet", "trace, generate, probe --engine libnet", "libnet1-dev", HAVE_LIBNET},
    {"OpenSSL", "authenticated probes, TLS services", "libssl-dev", HAVE_OPENSSL},
    {"libcap-ng", "dropping capabilities", "libcap-ng-dev", HAVE_CAPNG},
    {"libseccomp", "a filter on system calls", "libseccomp-dev", HAVE_SECCOMP},
    {"libmicrohttpd", "--listen", "libmicrohttpd-dev", HAVE_MICROHTTPD},
    {"libnats", "live --publish, collect", "libnats-dev", HAVE_NATS},
    {"libsqlite3", "the history of collect", "libsqlite3-dev", HAVE_SQLITE},
    {"ncurses", "the screen of live; without it there are lines", "libncurses-dev", HAVE_NCURSES},
};

const size_t part_count = sizeof parts / sizeof parts[0];
