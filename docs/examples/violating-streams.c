/*
 * Prints the streams of a capture that do not carry the marks they should, one a line.
 *
 *     cc violating-streams.c $(pkg-config --cflags --libs qosmark) -o violating-streams
 *     ./violating-streams CAPTURE [POLICY]
 *
 * Exits 0 where what was checked conforms, 1 where a stream violates, 2 on wrong usage, 3 where something could not be
 * read, and 4 where there was nothing to check.
 */
#include <stdio.h>

#include <qosmark/qosmark.h>

static void print_marks(uint64_t expected)
{
    const char *between = "";
    int dscp;
    for (dscp = 0; dscp < 64; dscp++) {
        if (expected >> dscp & 1) {
            printf("%s%s", between, qosmark_dscp_name(dscp));
            between = "|";
        }
    }
}

static void print_stream(const qosmark_stream *s)
{
    size_t i;
    printf("%s %s -> %s", s->kind, s->source.text, s->destination.text);
    if (s->has_ssrc)
        printf(" ssrc 0x%08lx", (unsigned long)s->ssrc);
    printf(": expected ");
    print_marks(s->expected);
    printf(", seen");
    for (i = 0; i < s->mark_count; i++)
        printf(" %s %lu (frame %lu)", qosmark_dscp_name(s->marks[i].dscp), (unsigned long)s->marks[i].packets,
               (unsigned long)s->marks[i].first.number);
    printf("\n");
}

static int print_violating(const qosmark_result *result, qosmark_error *error)
{
    static const int statuses[] = {4, 0, 1}; /* by enum qosmark_summary_verdict */
    const qosmark_summary *summary = qosmark_result_summary(result);
    qosmark_reader *reader = qosmark_reader_new(result, error);
    size_t i;
    if (!reader)
        return 3;
    for (i = 0; i < summary->streams; i++)
        if (qosmark_result_stream_verdict(result, i) == QOSMARK_VIOLATING)
            print_stream(qosmark_reader_stream(reader, i));
    qosmark_reader_free(reader);
    for (i = 0; i < qosmark_result_input_count(result); i++)
        if (!qosmark_result_input(result, i)->complete)
            fprintf(stderr, "%s\n", qosmark_result_input(result, i)->problem);
    return !summary->complete && summary->verdict != QOSMARK_FAIL ? 3 : statuses[summary->verdict];
}

int main(int argc, char **argv)
{
    qosmark_error error = {""};
    qosmark_policy *policy;
    qosmark_audit *audit = NULL;
    qosmark_result *result = NULL;
    int status = 3;

    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: violating-streams CAPTURE [POLICY]\n");
        return 2;
    }
    policy = argc > 2 ? qosmark_policy_load(argv[2], &error) : qosmark_policy_new(&error);
    if (!policy)
        status = 2;
    if (policy)
        audit = qosmark_audit_new(policy, &error);
    if (audit && qosmark_audit_add_file(audit, argv[1], &error) == QOSMARK_OK)
        result = qosmark_audit_finish(audit, &error);
    if (result)
        status = print_violating(result, &error);
    if (error.text[0])
        fprintf(stderr, "%s\n", error.text);
    qosmark_result_free(result);
    qosmark_audit_free(audit);
    qosmark_policy_free(policy);
    return status;
}
