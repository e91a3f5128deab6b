#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/generate_arguments.h"

#define NUMBER_MAX 32

/* 1234567 as 1,234,567 */
static const char *grouped(uint64_t n, char text[static NUMBER_MAX])
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n), at = 0;
    for (int i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = '\0';
    return text;
}

static const char *plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

static void print_bytes(uint64_t n, FILE *to)
{
    if (n < 1000000)
        (void)fprintf(to, "%.1f kB", (double)n / 1e3);
    else if (n < 1000000000)
        (void)fprintf(to, "%.1f MB", (double)n / 1e6);
    else
        (void)fprintf(to, "%.2f GB", (double)n / 1e9);
}

static void print_place(const char *text, FILE *to)
{
    char escaped[16384]; /* the file is written: saying so needs no memory; a name that is longer is cut */
    struct strbuf safe = strbuf_fixed(escaped, sizeof escaped);
    text_printable(&safe, text, strlen(text));
    (void)fputs(strbuf_text(&safe), to);
}

static void print_first_line(const struct generate_arguments *a, const struct generate_result *r, FILE *to)
{
    const struct generate_request *q = &a->request;
    char text[NUMBER_MAX], local[ADDR_TEXT_MAX];
    static const char *const did[] = {"counted", "wrote", "sent", "sent"};
    static const char *const would[] = {"would make", "would write", "would send", "would send"};
    (void)fprintf(to, "%s %s packet%s (", q->dry_run ? would[q->way] : did[q->way], grouped(r->packets, text),
                  plural(r->packets));
    print_bytes(r->bytes, to);
    (void)fprintf(to, "), %.1f s", (double)(r->last_ns - r->first_ns) / 1e9);
    if (r->calls)
        (void)fprintf(to, ", %s call%s", grouped(r->calls, text), plural(r->calls));
    (void)fprintf(to, ", %s stream%s", grouped(r->streams, text), plural(r->streams));
    if (a->output && strcmp(a->output, "-") != 0) {
        (void)fprintf(to, " to ");
        print_place(a->output, to);
    } else if (q->interface) {
        (void)fprintf(to, " out of ");
        print_place(q->interface, to);
        (void)fprintf(to, " (libnet, link layer)");
    } else if (a->to) {
        addr_format(&r->local, local);
        (void)fprintf(to, " to %s from %s (UDP sockets)", a->to, local);
    }
    if (r->held_up_ns)
        (void)fprintf(to, ", held up by %.1f s", (double)r->held_up_ns / 1e9);
    (void)fprintf(to, ", seed %llu%s\n", (unsigned long long)q->options.seed,
                  r->stopped ? "; stopped before the end" : "");
}

static void print_rows(const struct generate_result *r, FILE *to)
{
    char text[NUMBER_MAX];
    (void)fprintf(to, "  %-12s %-22s %-13s %8s %11s  %s\n", "kind", "class", "direction", "streams", "packets",
                  "marks");
    for (size_t i = 0; i < r->row_count; i++) {
        const struct generate_row *row = &r->rows[i];
        const char *class = class_name(row->traffic_class);
        (void)fprintf(to, "  %-12s %-22s %-13s %8llu ", kind_name(row->kind), class[0] ? class : "-",
                      direction_name(row->direction), (unsigned long long)row->streams);
        (void)fprintf(to, "%11s ", grouped(row->packets, text));
        for (int m = 0; m < DSCP_COUNT; m++) {
            if (row->by_dscp[m] == 0)
                continue;
            (void)fprintf(to, dscp_is_named((dscp_t)m) ? " %s" : " DSCP %s", dscp_name((dscp_t)m));
            if (row->by_dscp[m] != row->packets)
                (void)fprintf(to, " (%s)", grouped(row->by_dscp[m], text));
        }
        (void)fputc('\n', to);
    }
}

static void print_limit(const struct generate_request *q, const struct generate_result *r, FILE *to)
{
    char text[NUMBER_MAX];
    if (q->options.bulk.streams == 0)
        (void)fprintf(to, "  at most %s packets and %.2f Mbit in a second;", grouped(r->most_packets, text),
                      (double)r->most_bits / 1e6);
    else
        (void)fprintf(to, " ");
    (void)fprintf(to, " the limit is");
    if (r->limit.packets)
        (void)fprintf(to, " %s packet%s", grouped(r->limit.packets, text), plural(r->limit.packets));
    if (r->limit.bits)
        (void)fprintf(to, "%s %.2f Mbit", r->limit.packets ? " and" : "", (double)r->limit.bits / 1e6);
    (void)fprintf(to, " a second%s\n", q->has_rate ? "" : ", unless --rate asks for more");
}

static void print_faults(const struct generate_arguments *a, FILE *to)
{
    const struct generate_options *o = &a->request.options;
    if (o->fault_count == 0)
        return;
    (void)fprintf(to, "  an audit should find:");
    for (size_t i = 0; i < o->fault_count; i++) {
        (void)fprintf(to, "%s %s", i ? "," : "", generate_fault_name(o->faults[i].kind));
        if (o->faults[i].place[0]) {
            (void)fputs(" (", to);
            print_place(o->faults[i].place, to);
            (void)fputc(')', to);
        }
    }
    (void)fputc('\n', to);
}

void generate_print(const struct generate_arguments *a, const struct generate_result *r, FILE *to)
{
    const struct generate_request *q = &a->request;
    char text[NUMBER_MAX];
    print_first_line(a, r, to);
    if (a->quiet)
        return;
    if (a->verbose || q->dry_run)
        print_rows(r, to);
    if (r->lost || r->duplicated || r->reordered) {
        (void)fprintf(to, "  the network lost %s packets,", grouped(r->lost, text));
        (void)fprintf(to, " doubled %s", grouped(r->duplicated, text));
        (void)fprintf(to, " and had %s overtaken\n", grouped(r->reordered, text));
    }
    if (q->way == GENERATE_TO_LINK || q->way == GENERATE_TO_SOCKETS)
        print_limit(q, r, to);
    if (a->to)
        (void)fprintf(to, "  TCP (XMPP, SIP over TCP) has no place here: sockets would need somebody who answers\n");
    print_faults(a, to);
}
