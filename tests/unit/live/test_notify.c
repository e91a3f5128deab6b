#include "testing.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "live/notify.h"

#define T0 (1795338000LL * 1000000000LL) /* 2026-11-22T09:00:00Z, by `date -u +%s` */

/* A socket where the system's log would have its own, in a folder that is removed again. */
struct log {
    char folder[64], path[96];
    int fd;
    char text[70000];
};

static void log_open(struct log *l)
{
    (void)snprintf(l->folder, sizeof l->folder, "/tmp/qosmark-notify-XXXXXX");
    assert_non_null(mkdtemp(l->folder));
    (void)snprintf(l->path, sizeof l->path, "%s/log", l->folder);
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    memcpy(to.sun_path, l->path, strlen(l->path) + 1);
    l->fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    assert_true(l->fd >= 0);
    assert_int_equal(bind(l->fd, (struct sockaddr *)&to, sizeof to), 0);
}

static void log_close(struct log *l)
{
    (void)close(l->fd);
    (void)unlink(l->path);
    (void)rmdir(l->folder);
}

/* The next message, or NULL where there is none. */
static const char *log_next(struct log *l)
{
    ssize_t n = recv(l->fd, l->text, sizeof l->text - 1, MSG_DONTWAIT);
    if (n < 0)
        return NULL;
    l->text[n] = '\0';
    assert_int_equal(strlen(l->text), n);
    return l->text;
}

struct look {
    struct document *document;
    struct input inputs[1];
    struct live_point points[1];
    struct live_finding findings[64];
    struct live_view view;
};

static void look_open(struct look *l)
{
    memset(l, 0, sizeof *l);
    l->document = document_new();
    assert_non_null(l->document);
    l->inputs[0] = (struct input){.file = "eth0", .problem = ""};
    l->document->inputs = l->inputs;
    l->document->input_count = 1;
    l->points[0] = (struct live_point){.name = "eth0", .problem = ""};
    l->findings[0] = (struct live_finding){
        .id = 1,
        .key = "bleached site berlin",
        .finding = {.code = FINDING_BLEACHED, .message = "What comes from berlin has lost its mark.",
                    .advice = "Trust DSCP there.", .wireshark = "", .subject = "site berlin", .packets = 1200,
                    .first = {700, 0}, .confidence = CONFIDENCE_HIGH},
        .opened_ns = T0, .opened_now = true};
    l->view = (struct live_view){.now_ns = T0 + 123456789,
                                 .document = l->document,
                                 .points = l->points,
                                 .point_count = 1,
                                 .findings = l->findings,
                                 .finding_count = 1};
}

static struct notify *open_as(const struct log *l, enum notify_kind kind)
{
    struct notify *n = NULL;
    struct error error = {.text = ""};
    const struct notify_options o = {.kind = kind, .journal_path = l->path, .syslog_path = l->path};
    assert_int_equal(notify_open(&o, &n, &error), 0);
    return n;
}

static void the_journal_gets_fields(void **state)
{
    (void)state;
    struct log log;
    struct look l;
    log_open(&log);
    look_open(&l);
    struct notify *n = open_as(&log, NOTIFY_JOURNAL);
    notify_view(n, &l.view);
    const char *m = log_next(&log);
    assert_non_null(m);
    static const char begins[] = "MESSAGE=opened: bleached, site berlin: What comes from berlin has lost its mark.\n";
    assert_memory_equal(m, begins, sizeof begins - 1);
    static const char *const fields[] = {"\nPRIORITY=4\n",
                                         "\nSYSLOG_IDENTIFIER=qosmark\n",
                                         "\nQOSMARK_STATE=open\n",
                                         "\nQOSMARK_CODE=bleached\n",
                                         "\nQOSMARK_SUBJECT=site berlin\n",
                                         "\nQOSMARK_PACKETS=1200\n",
                                         "\nQOSMARK_POINT=eth0\n",
                                         "\nQOSMARK_CONFIDENCE=high\n",
                                         "\nQOSMARK_ADVICE=Trust DSCP there.\n"};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        assert_non_null(strstr(m, fields[i]));
    assert_int_equal(m[strlen(m) - 1], '\n');
    assert_null(log_next(&log));

    /* nothing while it stays open, and a message when it closes */
    l.findings[0].opened_now = false;
    notify_view(n, &l.view);
    assert_null(log_next(&log));
    l.findings[0].closed_now = true;
    l.findings[0].closed_ns = T0 + 1;
    notify_view(n, &l.view);
    m = log_next(&log);
    assert_non_null(m);
    assert_non_null(strstr(m, "\nQOSMARK_STATE=closed\n"));
    assert_non_null(strstr(m, "\nPRIORITY=5\n"));
    assert_int_equal(notify_lost(n), 0);
    notify_close(n);
    document_free(l.document);
    log_close(&log);
}

static void syslog_gets_structured_data(void **state)
{
    (void)state;
    struct log log;
    struct look l;
    char expected[1024];
    log_open(&log);
    look_open(&l);
    struct notify *n = open_as(&log, NOTIFY_SYSLOG);
    notify_view(n, &l.view);
    const char *m = log_next(&log);
    assert_non_null(m);
    /* daemon (3) * 8 + warning (4): RFC 5424 §6.2.1; the element: §6.3 */
    (void)snprintf(expected, sizeof expected,
                   "<28>qosmark[%ld]: [qosmark@32473 event=\"opened\" state=\"open\" code=\"bleached\" "
                   "subject=\"site berlin\" packets=\"1200\" point=\"eth0\" confidence=\"high\" advice=\"Trust DSCP "
                   "there.\"] opened: bleached, site berlin: What comes from berlin has lost its mark.",
                   (long)getpid());
    assert_string_equal(m, expected);
    notify_close(n);
    document_free(l.document);
    log_close(&log);
}

#define HOSTILE "a\"]b\\c\nPRIORITY=0\nMESSAGE=all is fine\r\x1b[2J\x01 end"

static void hostile_text_is_inert(void **state)
{
    (void)state;
    struct log log;
    struct look l;
    log_open(&log);
    look_open(&l);
    l.findings[0].finding.message = l.findings[0].finding.subject = l.findings[0].finding.advice = HOSTILE;
    l.inputs[0].file = HOSTILE;
    struct notify *n = open_as(&log, NOTIFY_JOURNAL);
    notify_view(n, &l.view);
    const char *m = log_next(&log);
    assert_non_null(m);
    assert_null(strstr(m, "\nPRIORITY=0"));
    assert_null(strstr(m, "\nMESSAGE=")); /* the one there is begins it */
    for (const char *p = m; *p; p++)
        assert_true((unsigned char)*p >= 0x20 || *p == '\n');
    notify_close(n);

    n = open_as(&log, NOTIFY_SYSLOG);
    notify_view(n, &l.view);
    m = log_next(&log);
    assert_non_null(m);
    for (const char *p = m; *p; p++)
        assert_true((unsigned char)*p >= 0x20);
    /* each quote, backslash and bracket of the value is escaped: RFC 5424 §6.3.3 */
    assert_non_null(strstr(m, "subject=\"a\\\"\\]b\\\\c"));
    notify_close(n);
    document_free(l.document);
    log_close(&log);
}

static void what_accuses_nobody_is_no_warning(void **state)
{
    (void)state;
    static const struct {
        enum finding_code code;
        enum confidence confidence;
        const char *priority;
    } cases[] = {{FINDING_REMARKED, CONFIDENCE_CERTAIN, "\nPRIORITY=4\n"},
                 {FINDING_REMARKED, CONFIDENCE_LOW, "\nPRIORITY=5\n"},
                 {FINDING_NOT_VERIFIABLE, CONFIDENCE_CERTAIN, "\nPRIORITY=6\n"},
                 {FINDING_TUNNEL_DIFFERS, CONFIDENCE_CERTAIN, "\nPRIORITY=6\n"}};
    struct log log;
    struct look l;
    log_open(&log);
    look_open(&l);
    struct notify *n = open_as(&log, NOTIFY_JOURNAL);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        l.findings[0].finding.code = cases[i].code;
        l.findings[0].finding.confidence = cases[i].confidence;
        notify_view(n, &l.view);
        const char *m = log_next(&log);
        assert_non_null(m);
        assert_non_null(strstr(m, cases[i].priority));
    }
    notify_close(n);
    document_free(l.document);
    log_close(&log);
}

/* The kernel holds a few datagrams for a log that does not read (net.unix.max_dgram_qlen, 10 by default): this test
 * reads after each look. */
static void a_flood_is_cut_and_its_rest_is_counted(void **state)
{
    (void)state;
    enum { MANY = 64 };
    struct log log;
    struct look l;
    size_t messages = 0;
    log_open(&log);
    look_open(&l);
    for (size_t i = 1; i < MANY; i++)
        l.findings[i] = l.findings[0];
    l.view.finding_count = MANY;
    struct notify *n = open_as(&log, NOTIFY_JOURNAL);
    notify_view(n, &l.view); /* nobody reads: it must not wait */
    while (log_next(&log))
        messages++;
    assert_int_equal(messages + notify_lost(n), NOTIFY_LOOK_MAX + 1);
    l.view.finding_count = NOTIFY_LOOK_MAX + 5;
    for (size_t i = 0; i < NOTIFY_LOOK_MAX; i++)
        l.findings[i].opened_now = i >= NOTIFY_LOOK_MAX - 2; /* 7 are left */
    notify_view(n, &l.view);
    for (messages = 0; log_next(&log); messages++)
        ;
    assert_int_equal(messages, 7);
    notify_close(n);
    document_free(l.document);
    log_close(&log);
}

static void a_log_that_goes_away_and_comes_back_is_found_again(void **state)
{
    (void)state;
    struct log log;
    struct look l;
    log_open(&log);
    look_open(&l);
    struct notify *n = open_as(&log, NOTIFY_JOURNAL);
    (void)close(log.fd);
    (void)unlink(log.path);
    notify_view(n, &l.view);
    assert_int_equal(notify_lost(n), 1);
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    memcpy(to.sun_path, log.path, strlen(log.path) + 1);
    log.fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    assert_int_equal(bind(log.fd, (struct sockaddr *)&to, sizeof to), 0);
    notify_view(n, &l.view);
    assert_non_null(log_next(&log));
    assert_int_equal(notify_lost(n), 1);
    notify_close(n);
    document_free(l.document);
    log_close(&log);
}

static void where_no_log_listens_a_sentence_says_so(void **state)
{
    (void)state;
    struct notify *n = NULL;
    struct error error = {.text = ""};
    char endless[200];
    const struct notify_options none = {.journal_path = "/nonexistent/journal", .syslog_path = "/nonexistent/log"};
    assert_int_equal(notify_open(&none, &n, &error), ERR_IO);
    assert_null(n);
    assert_non_null(strstr(error.text, "/nonexistent/journal: No such file"));
    assert_non_null(strstr(error.text, "/nonexistent/log: No such file"));
    memset(endless, 'a', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    const struct notify_options too_long = {.kind = NOTIFY_SYSLOG, .syslog_path = endless};
    assert_int_equal(notify_open(&too_long, &n, &error), ERR_IO);
    notify_close(NULL);

    /* syslog where there is no journal */
    struct log log;
    log_open(&log);
    const struct notify_options second = {.journal_path = "/nonexistent/journal", .syslog_path = log.path};
    assert_int_equal(notify_open(&second, &n, &error), 0);
    assert_non_null(strstr(notify_destination(n), "syslog"));
    notify_close(n);
    log_close(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_journal_gets_fields),
                                       cmocka_unit_test(syslog_gets_structured_data),
                                       cmocka_unit_test(hostile_text_is_inert),
                                       cmocka_unit_test(what_accuses_nobody_is_no_warning),
                                       cmocka_unit_test(a_flood_is_cut_and_its_rest_is_counted),
                                       cmocka_unit_test(a_log_that_goes_away_and_comes_back_is_found_again),
                                       cmocka_unit_test(where_no_log_listens_a_sentence_says_so)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
