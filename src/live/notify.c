#include "live/notify.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"

/* Severities and a facility of RFC 5424 §6.2.1. */
enum { SEVERITY_WARNING = 4, SEVERITY_NOTICE = 5, SEVERITY_INFO = 6, FACILITY_DAEMON = 3 };
enum { VALUE_MAX = 4000 };

struct notify {
    int fd;
    enum notify_kind kind;
    struct sockaddr_un to;
    socklen_t to_len;
    char destination[160];
    uint64_t lost;
    struct strbuf datagram, value;
};

/* One thing to tell. A field whose value is "" is left out. */
enum field {
    FIELD_STATE = 0,
    FIELD_CODE,
    FIELD_SUBJECT,
    FIELD_PACKETS,
    FIELD_POINT,
    FIELD_CONFIDENCE,
    FIELD_ADVICE,
    FIELD_COUNT
};

static const struct {
    const char *journal, *syslog;
} field_names[FIELD_COUNT] = {
    [FIELD_STATE] = {"QOSMARK_STATE", "state"},
    [FIELD_CODE] = {"QOSMARK_CODE", "code"},
    [FIELD_SUBJECT] = {"QOSMARK_SUBJECT", "subject"},
    [FIELD_PACKETS] = {"QOSMARK_PACKETS", "packets"},
    [FIELD_POINT] = {"QOSMARK_POINT", "point"},
    [FIELD_CONFIDENCE] = {"QOSMARK_CONFIDENCE", "confidence"},
    [FIELD_ADVICE] = {"QOSMARK_ADVICE", "advice"},
};

struct message {
    const char *id; /* MESSAGE_ID of the journal: 128 bits drawn once for each kind of message, never changed */
    const char *event;
    unsigned severity;
    const char *text;
    const char *fields[FIELD_COUNT];
};

static const char id_opened[] = "fe458c1cf415489ba872e903734cdbee", id_closed[] = "644a091696bc48fc88edea65171524c8";

/* --- the two ways to say it --------------------------------------------------------------------------------------- */

/* What came from the network or a file, without line ends and control characters: nothing in it can begin a field. */
static const char *printable(struct notify *n, const char *text)
{
    size_t len = strlen(text);
    n->value.len = 0;
    text_printable(&n->value, text, len > VALUE_MAX ? VALUE_MAX : len);
    return strbuf_text(&n->value);
}

static void add_journal_field(struct notify *n, const char *name, const char *value)
{
    strbuf_adds(&n->datagram, name);
    strbuf_addc(&n->datagram, '=');
    strbuf_adds(&n->datagram, printable(n, value));
    strbuf_addc(&n->datagram, '\n');
}

static void make_journal(struct notify *n, const struct message *m)
{
    add_journal_field(n, "MESSAGE", m->text);
    add_journal_field(n, "MESSAGE_ID", m->id);
    strbuf_addf(&n->datagram, "PRIORITY=%u\nSYSLOG_FACILITY=%u\n", m->severity, (unsigned)FACILITY_DAEMON);
    add_journal_field(n, "SYSLOG_IDENTIFIER", "qosmark");
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (m->fields[i] && *m->fields[i])
            add_journal_field(n, field_names[i].journal, m->fields[i]);
}

/* PARAM-VALUE: `"`, `\` and `]` are escaped (RFC 5424 §6.3.3). */
static void add_syslog_value(struct notify *n, const char *value)
{
    for (const char *p = printable(n, value); *p; p++) {
        if (*p == '"' || *p == '\\' || *p == ']')
            strbuf_addc(&n->datagram, '\\');
        strbuf_addc(&n->datagram, *p);
    }
}

/* What syslog(3) sends, less the time, which the log takes itself, and with an element of structured data (RFC 5424
 * §6.3) before the sentence. A whole RFC 5424 header is not understood at a local socket: rsyslog takes "1" for the
 * program. */
static void make_syslog(struct notify *n, const struct message *m)
{
    strbuf_addf(&n->datagram, "<%u>qosmark[%ld]: [qosmark@32473 event=\"%s\"", FACILITY_DAEMON * 8 + m->severity,
                (long)getpid(), m->event);
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (!m->fields[i] || !*m->fields[i])
            continue;
        strbuf_addf(&n->datagram, " %s=\"", field_names[i].syslog);
        add_syslog_value(n, m->fields[i]);
        strbuf_addc(&n->datagram, '"');
    }
    strbuf_adds(&n->datagram, "] ");
    strbuf_adds(&n->datagram, printable(n, m->text));
}

static void send_message(struct notify *n, const struct message *m)
{
    n->datagram.len = 0;
    if (n->kind == NOTIFY_JOURNAL)
        make_journal(n, m);
    else
        make_syslog(n, m);
    bool made = strbuf_ok(&n->datagram) && strbuf_ok(&n->value);
    /* by address each time: the log may have been restarted since */
    ssize_t sent = made ? sendto(n->fd, n->datagram.at, n->datagram.len, MSG_DONTWAIT | MSG_NOSIGNAL,
                                 (const struct sockaddr *)&n->to, n->to_len)
                        : -1;
    n->lost += sent < 0;
    if (!made) {
        strbuf_done(&n->datagram);
        strbuf_done(&n->value);
        n->datagram = n->value = (struct strbuf){0};
    }
}

/* --- what is said ------------------------------------------------------------------------------------------------- */

static unsigned severity_of(const struct finding *f, bool opened)
{
    /* two codes say what could not be seen or is only worth knowing: they accuse nobody */
    if (f->code == FINDING_NOT_VERIFIABLE || f->code == FINDING_TUNNEL_DIFFERS)
        return SEVERITY_INFO;
    return opened && f->confidence >= CONFIDENCE_HIGH ? SEVERITY_WARNING : SEVERITY_NOTICE;
}

static void tell_finding(struct notify *n, const struct live_view *v, const struct live_finding *l, bool opened)
{
    const struct finding *f = &l->finding;
    struct strbuf text = {0};
    char packets[24];
    uint32_t input = f->first.input;
    bool known = input < v->document->input_count && f->first.frame;
    (void)snprintf(packets, sizeof packets, "%llu", (unsigned long long)f->packets);
    strbuf_addf(&text, "%s: %s", opened ? "opened" : "closed, no more wrong packets", finding_code_name(f->code));
    if (f->subject && *f->subject)
        strbuf_addf(&text, ", %s", f->subject);
    strbuf_addf(&text, ": %s", f->message ? f->message : "");
    const struct message m = {
        .id = opened ? id_opened : id_closed,
        .event = opened ? "opened" : "closed",
        .severity = severity_of(f, opened),
        .text = strbuf_text(&text),
        .fields = {[FIELD_STATE] = opened ? "open" : "closed",
                   [FIELD_CODE] = finding_code_name(f->code),
                   [FIELD_SUBJECT] = f->subject,
                   [FIELD_PACKETS] = packets,
                   [FIELD_POINT] = known                 ? input_point(&v->document->inputs[input])
                                   : v->point_count == 1 ? v->points[0].name
                                                         : "",
                   [FIELD_CONFIDENCE] = confidence_name(f->confidence),
                   [FIELD_ADVICE] = opened ? f->advice : ""},
    };
    send_message(n, &m);
    strbuf_done(&text);
}

static void tell_rest(struct notify *n, size_t rest)
{
    char text[96];
    (void)snprintf(text, sizeof text, "%zu more findings opened or closed at the same moment", rest);
    send_message(n, &(struct message){
                        .id = id_opened, .event = "more", .severity = SEVERITY_NOTICE, .text = text});
}

void notify_view(struct notify *n, const struct live_view *view)
{
    size_t told = 0, rest = 0;
    for (size_t i = 0; i < view->finding_count; i++) {
        const struct live_finding *l = &view->findings[i];
        const bool told_of[] = {l->opened_now, l->closed_now};
        for (size_t k = 0; k < 2; k++) {
            if (!told_of[k])
                continue;
            if (told == NOTIFY_LOOK_MAX) {
                rest++;
                continue;
            }
            tell_finding(n, view, l, k == 0);
            told++;
        }
    }
    if (rest)
        tell_rest(n, rest);
}

/* --- the socket --------------------------------------------------------------------------------------------------- */

static bool set_address(struct notify *n, const char *path)
{
    size_t len = strlen(path);
    n->to = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (len >= sizeof n->to.sun_path)
        return false;
    memcpy(n->to.sun_path, path, len + 1);
    n->to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
    return true;
}

/* 0 where somebody listens there to datagrams, or why not. */
static int try_address(const struct notify *n)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    int why = connect(fd, (const struct sockaddr *)&n->to, n->to_len) == 0 ? 0 : errno;
    (void)close(fd);
    return why;
}

int notify_open(const struct notify_options *options, struct notify **ret, struct error *error)
{
    const struct {
        enum notify_kind kind;
        const char *path, *name;
    } ways[] = {
        {NOTIFY_JOURNAL, options->journal_path ? options->journal_path : "/run/systemd/journal/socket", "the journal"},
        {NOTIFY_SYSLOG, options->syslog_path ? options->syslog_path : "/dev/log", "syslog"},
    };
    struct strbuf why = {0};
    struct notify *n = calloc(1, sizeof *n);
    if (!n)
        return error_set(error, ERR_MEMORY, "out of memory");
    n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0] && n->fd >= 0 && n->kind == NOTIFY_AUTO; i++) {
        if (options->kind != NOTIFY_AUTO && options->kind != ways[i].kind)
            continue;
        int problem = set_address(n, ways[i].path) ? try_address(n) : ENAMETOOLONG;
        if (problem == 0) {
            n->kind = ways[i].kind;
            (void)snprintf(n->destination, sizeof n->destination, "%s (%s)", ways[i].name, ways[i].path);
        } else {
            strbuf_addf(&why, "%s%s: %s", why.len ? ", " : "", ways[i].path, strerror(problem));
        }
    }
    int r = 0;
    if (n->fd < 0)
        r = error_set(error, ERR_IO, "no socket for messages to the system's log: %s", strerror(errno));
    else if (n->kind == NOTIFY_AUTO)
        r = error_set(error, ERR_IO, "the system's log takes no messages (%s)", strbuf_text(&why));
    strbuf_done(&why);
    if (r < 0) {
        notify_close(n);
        return r;
    }
    *ret = n;
    return 0;
}

uint64_t notify_lost(const struct notify *n)
{
    return n->lost;
}

const char *notify_destination(const struct notify *n)
{
    return n->destination;
}

void notify_close(struct notify *n)
{
    if (!n)
        return;
    if (n->fd >= 0)
        (void)close(n->fd);
    strbuf_done(&n->datagram);
    strbuf_done(&n->value);
    free(n);
}
