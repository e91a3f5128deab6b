/*
 * The server's own command lines, on top of the reference policy. A file with a wrong line changes nothing and says
 * where it is wrong; applied twice it is as if applied once; what comes out of it is a policy that can be written and
 * read.
 */
#include "fuzz.h"

#include "policy/policy.h"

static const char file_name[] = "server.txt";

static void write(const struct policy *p, struct strbuf *to)
{
    FUZZ_CHECK(policy_write_yaml(p, to));
    FUZZ_CHECK(to->len > 0);
}

/* But for the first line, which says what it was made from. */
static void check_equal(const struct strbuf *a, const struct strbuf *b)
{
    struct slice x = slice_make(a->at, a->len), y = slice_make(b->at, b->len);
    FUZZ_CHECK(slice_starts(slice_next(&x, '\n'), SLICE("# source: ")));
    FUZZ_CHECK(slice_starts(slice_next(&y, '\n'), SLICE("# source: ")));
    FUZZ_CHECK(slice_equal(x, y));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor c = cur_make(data, size, false);
    struct error why = {0};
    struct strbuf before = {0}, once = {0}, twice = {0}, read = {0};
    size_t len;
    uint8_t *text = fuzz_block(&c, size, &len);
    struct policy *p = policy_new_default(&why);
    FUZZ_CHECK(p);
    write(p, &before);
    int r = policy_apply_mmp_text(p, slice_make(text, len), file_name, &why);
    write(p, &once);
    if (r < 0) {
        check_equal(&before, &once);
        FUZZ_CHECK(strncmp(why.text, file_name, sizeof file_name - 1) == 0);
        for (const char *at = why.text; *at; at++)
            FUZZ_CHECK((unsigned char)*at >= 0x20 && *at != 0x7f);
    } else {
        FUZZ_CHECK(policy_apply_mmp_text(p, slice_make(text, len), file_name, &why) == 0);
        write(p, &twice);
        check_equal(&once, &twice);
        struct policy *again = policy_parse(slice_make(once.at, once.len), "policy.yaml", &why);
        FUZZ_CHECK(again);
        write(again, &read);
        check_equal(&once, &read);
        policy_free(again);
    }
    policy_free(p);
    strbuf_done(&before);
    strbuf_done(&once);
    strbuf_done(&twice);
    strbuf_done(&read);
    free(text);
    return 0;
}
