/* feed FILE [POLICY] [outer]: hands the packets of a pcap file (nanoseconds, this machine's byte order) to libqosmark
 * one by one, and prints the JSON report. Uses nothing but the public headers. */
#include <qosmark/qosmark.h>
#include <stdlib.h>
#include <string.h>

static int fail(const char *what, const qosmark_error *error)
{
    (void)fprintf(stderr, "%s: %s\n", what, error->text);
    return 3;
}

static int feed(qosmark_audit *audit, FILE *file, qosmark_error *error)
{
    uint32_t head[6], record[4];
    static unsigned char bytes[1 << 20];
    if (fread(head, sizeof head, 1, file) != 1 || head[0] != 0xa1b23c4d)
        return QOSMARK_E_FORMAT;
    while (fread(record, sizeof record, 1, file) == 1) {
        if (record[2] > sizeof bytes || fread(bytes, 1, record[2], file) != record[2])
            return QOSMARK_E_INCOMPLETE;
        /* in memory of exactly that size, so that a read beyond it is seen */
        void *exact = malloc(record[2] ? record[2] : 1);
        if (!exact)
            return QOSMARK_E_MEMORY;
        memcpy(exact, bytes, record[2]);
        int r = qosmark_audit_packet(audit, (int)(head[5] & 0xffff), (int64_t)record[0] * 1000000000 + record[1], exact,
                                     record[2], record[3], error);
        free(exact);
        if (r < 0)
            return r;
    }
    return QOSMARK_OK;
}

int main(int argc, char **argv)
{
    qosmark_error error = {""};
    FILE *file = argc > 1 ? fopen(argv[1], "rb") : NULL;
    if (!file)
        return fail("file", &error);
    qosmark_policy *policy = argc > 2 && *argv[2] ? qosmark_policy_load(argv[2], &error) : qosmark_policy_new(&error);
    qosmark_audit *audit = policy ? qosmark_audit_new(policy, &error) : NULL;
    if (!audit)
        return fail("audit", &error);
    if (argc > 3 && qosmark_audit_set(audit, QOSMARK_OPTION_OUTER_LAYER, 1, &error) < 0)
        return fail("option", &error);
    if (feed(audit, file, &error) < 0)
        return fail("packets", &error);
    (void)fclose(file);
    qosmark_result *result = qosmark_audit_finish(audit, &error);
    qosmark_audit_free(audit);
    qosmark_policy_free(policy);
    if (!result || qosmark_result_print(result, QOSMARK_FORMAT_JSON, 0, 0, stdout, &error) < 0)
        return fail("result", &error);
    qosmark_result_free(result);
    return 0;
}
