/*
 * Policy files. What is refused is refused with one printable sentence that says where; what is taken is written and
 * read back to the same policy, and can be put into every other form.
 */
#include "fuzz.h"

#include "policy/convert.h"
#include "policy/policy.h"

static const char file_name[] = "policy.yaml";

/* libfyaml (0.7.12 at least) does not free what it holds of a quoted scalar that never ends: 2 KiB a file, and ours
 * cannot. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libfyaml";
}

static void check_sentence(const struct error *e)
{
    FUZZ_CHECK(strncmp(e->text, file_name, sizeof file_name - 1) == 0);
    for (const char *p = e->text; *p; p++)
        FUZZ_CHECK((unsigned char)*p >= 0x20 && *p != 0x7f);
}

/* Of several lines, without any other control character. */
static void check_text(const struct strbuf *b)
{
    FUZZ_CHECK(strbuf_ok(b) && b->len > 0);
    for (size_t i = 0; i < b->len; i++)
        FUZZ_CHECK((unsigned char)b->at[i] >= 0x20 || b->at[i] == '\n' || b->at[i] == '\t');
}

static void check_rule(struct policy_rule a, struct policy_rule b)
{
    FUZZ_CHECK(a.any == b.any && a.marks == b.marks && a.min_packets == b.min_packets);
    FUZZ_CHECK(a.marks == 0 || a.preferred == b.preferred);
    FUZZ_CHECK(a.tolerance >= b.tolerance && a.tolerance <= b.tolerance);
    FUZZ_CHECK(a.tolerance >= 0 && a.tolerance <= 1);
    FUZZ_CHECK(a.marks == 0 || (a.preferred < DSCP_COUNT && dscp_set_has(a.marks, a.preferred)));
}

static void check_same(const struct policy *a, const struct policy *b)
{
    const struct node *nodes[2];
    const struct site *sites[2];
    const struct policy_port *ports[2];
    for (int c = 0; c < CLASS_COUNT; c++) {
        check_rule(policy_rule_plain(a, (enum traffic_class)c), policy_rule_plain(b, (enum traffic_class)c));
        for (int d = 0; d < DIRECTION_COUNT; d++)
            for (int v = 4; v <= 6; v += 2)
                check_rule(policy_rule_for(a, (enum traffic_class)c, v, (enum direction)d),
                           policy_rule_for(b, (enum traffic_class)c, v, (enum direction)d));
    }
    for (int k = 0; k < KIND_COUNT; k++)
        FUZZ_CHECK(policy_class_of(a, (enum kind)k, false) == policy_class_of(b, (enum kind)k, false) &&
                   policy_class_of(a, (enum kind)k, true) == policy_class_of(b, (enum kind)k, true));
    size_t n = policy_nodes(a, &nodes[0]);
    FUZZ_CHECK(n == policy_nodes(b, &nodes[1]));
    for (size_t i = 0; i < n; i++)
        FUZZ_CHECK(strcmp(nodes[0][i].name, nodes[1][i].name) == 0 &&
                   nodes[0][i].address_count == nodes[1][i].address_count);
    n = policy_sites(a, &sites[0]);
    FUZZ_CHECK(n == policy_sites(b, &sites[1]));
    for (size_t i = 0; i < n; i++)
        FUZZ_CHECK(strcmp(sites[0][i].name, sites[1][i].name) == 0);
    FUZZ_CHECK(policy_ports(a, &ports[0]) == policy_ports(b, &ports[1]));
    FUZZ_CHECK(policy_priority_marks(a) == policy_priority_marks(b));
    FUZZ_CHECK(policy_reports_unentitled(a) == policy_reports_unentitled(b));
    FUZZ_CHECK(strcmp(policy_name(a), policy_name(b)) == 0);
}

static void check_written(const struct policy *p)
{
    struct strbuf once = {0}, twice = {0}, origins = {0};
    struct error why = {0};
    FUZZ_CHECK(policy_write_yaml(p, &once));
    check_text(&once);
    struct policy *again = policy_parse(slice_make(once.at, once.len), file_name, &why);
    FUZZ_CHECK(again);
    check_same(p, again);
    FUZZ_CHECK(policy_write_yaml(again, &twice));
    FUZZ_CHECK(once.len == twice.len && memcmp(once.at, twice.at, once.len) == 0);
    policy_free(again);

    FUZZ_CHECK(policy_write_origins(p, &origins));
    check_text(&origins);
    again = policy_parse(slice_make(origins.at, origins.len), file_name, &why);
    FUZZ_CHECK(again);
    check_same(p, again);
    policy_free(again);
    strbuf_done(&once);
    strbuf_done(&twice);
    strbuf_done(&origins);
}

/* The server's own lines, on top of the reference policy, ask of the nodes what the policy asks as far as one mark can.
 */
static void check_lines(const struct policy *p, const struct strbuf *lines)
{
    struct error why = {0};
    struct policy *server = policy_new_default(&why);
    FUZZ_CHECK(server);
    FUZZ_CHECK(policy_apply_mmp_text(server, slice_make(lines->at, lines->len), "lines", &why) == 0);
    for (int c = CLASS_NONE + 1; c < CLASS_COUNT; c++)
        for (int v = 4; v <= 6; v += 2) {
            struct policy_rule asked = policy_rule_for(p, (enum traffic_class)c, v, DIRECTION_FROM_NODE);
            struct policy_rule typed = policy_rule_for(server, (enum traffic_class)c, v, DIRECTION_FROM_NODE);
            if (!asked.any && asked.marks)
                FUZZ_CHECK(typed.marks == dscp_set_of(asked.preferred));
        }
    policy_free(server);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor c = cur_make(data, size, false);
    struct error why = {0};
    size_t len;
    uint8_t *text = fuzz_block(&c, size, &len);
    struct policy *p = policy_parse(slice_make(text, len), file_name, &why);
    free(text);
    if (!p) {
        check_sentence(&why);
        return 0;
    }
    check_written(p);
    for (int form = 0; form < POLICY_FORM_COUNT; form++) {
        struct strbuf b = {0};
        FUZZ_CHECK(policy_convert(p, (enum policy_form)form, &b));
        check_text(&b);
        if (form == POLICY_FORM_MMP)
            check_lines(p, &b);
        strbuf_done(&b);
    }
    policy_free(p);
    return 0;
}
