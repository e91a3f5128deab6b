/*
 * Reads lines "VERSION HEX" (an ICMP message from its type on) and prints what quote_parse() makes of each, for
 * tests/accuracy/trace_quotes.py: "ok KIND TOS TTL PROTO ID SRC DST SPORT DPORT LABEL:TC:S:TTL..." or the status.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe/quote.h"

static const char *const statuses[] = {"ok", "truncated", "malformed", "unsupported"};

static void print_quote(const struct quote *q)
{
    char src[ADDR_TEXT_MAX], dst[ADDR_TEXT_MAX];
    addr_format(&q->src.addr, src);
    addr_format(&q->dst.addr, dst);
    (void)printf("ok %d %u %u %u %u %s %s %u %u", (int)q->kind, q->tos, q->ttl, q->proto, q->ip_id, src, dst,
                 q->src.port, q->dst.port);
    for (size_t i = 0; i < q->label_count; i++)
        (void)printf(" %u:%u:%u:%u", q->labels[i].label, q->labels[i].tc, q->labels[i].bottom, q->labels[i].ttl);
    (void)putchar('\n');
}

int main(void)
{
    static char line[2 * 65536 + 8];
    while (fgets(line, sizeof line, stdin)) {
        size_t len = strlen(line) > 2 ? (strcspn(line, "\n") - 2) / 2 : 0;
        uint8_t *bytes = malloc(len ? len : 1); /* of exactly that size, so that a sanitizer sees what is read beyond */
        if (!bytes)
            return 1;
        for (size_t i = 0; i < len; i++) {
            unsigned byte = 0;
            (void)sscanf(line + 2 + 2 * i, "%2x", &byte);
            bytes[i] = (uint8_t)byte;
        }
        struct quote q;
        enum parse_status status = quote_parse(cur_make(bytes, len, false), (uint8_t)(line[0] - '0'), &q);
        if (status == PARSE_OK)
            print_quote(&q);
        else
            (void)puts(statuses[status]);
        free(bytes);
    }
    return 0;
}
