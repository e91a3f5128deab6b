/*
 * What people write on a command line and browsers in a request: one text, given to everything that reads such a text.
 * What is taken is within its range, and what can be written is read back to the same.
 */
#include "fuzz.h"

#include <math.h>

#include "cli/units.h"
#include "http/server_request.h"
#include "model/address.h"
#include "model/dscp.h"
#include "model/kind.h"
#include "policy/policy.h"

static void check_units(const char *text)
{
    int64_t ns;
    double number;
    uint64_t count;
    if (units_duration(text, &ns))
        FUZZ_CHECK(ns > 0 && ns <= (int64_t)366 * 86400 * 1000000000);
    if (units_milliseconds(text, &number))
        FUZZ_CHECK(isfinite(number) && number >= 0 && number <= 1e12);
    if (units_bits_per_second(text, &number))
        FUZZ_CHECK(isfinite(number) && number > 0);
    if (units_size(text, &count))
        FUZZ_CHECK(count >= 1 && count <= (uint64_t)1000000000000000);
    if (units_share(text, &number))
        FUZZ_CHECK(number >= 0 && number <= 1);
    if (units_count(text, 3, 700, &count))
        FUZZ_CHECK(count >= 3 && count <= 700);
    if (http_query_number(text, 5, 90, &count))
        FUZZ_CHECK(count <= 90);
}

static void check_places(struct slice text)
{
    char words[ENDPOINT_TEXT_MAX];
    struct addr a, b;
    struct endpoint e, f;
    struct prefix p;
    if (addr_parse(text, &a)) {
        FUZZ_CHECK(a.version == 4 || a.version == 6);
        addr_format(&a, words);
        FUZZ_CHECK(addr_parse(slice_make(words, strlen(words)), &b) && addr_equal(&a, &b));
        FUZZ_CHECK(prefix_parse(text, &p) && prefix_has(&p, &a));
    }
    if (endpoint_parse(text, 0, &e)) {
        endpoint_format(&e, words);
        FUZZ_CHECK(endpoint_parse(slice_make(words, strlen(words)), 0, &f) && endpoint_equal(&e, &f));
    }
    if (endpoint_parse(text, 862, &e))
        FUZZ_CHECK(e.addr.version == 4 || e.addr.version == 6);
    if (prefix_parse(text, &p))
        FUZZ_CHECK(p.len <= (p.addr.version == 4 ? 32 : 128) && prefix_has(&p, &p.addr));
}

static void check_names(struct slice text)
{
    dscp_t dscp = DSCP_COUNT;
    int number = -2;
    enum kind kind;
    enum traffic_class traffic_class;
    if (dscp_parse(text, &dscp, &number)) {
        dscp_t again;
        FUZZ_CHECK(dscp < DSCP_COUNT);
        const char *name = dscp_name(dscp);
        FUZZ_CHECK(dscp_parse(slice_make(name, strlen(name)), &again, &number) && again == dscp);
    } else {
        FUZZ_CHECK(number == -1 || number >= DSCP_COUNT);
    }
    if (kind_parse(text, &kind))
        FUZZ_CHECK(kind < KIND_COUNT);
    if (class_parse(text, &traffic_class))
        FUZZ_CHECK(traffic_class > CLASS_NONE && traffic_class < CLASS_COUNT);
}

static void check_node(const char *text)
{
    struct error why = {0};
    struct policy *p = policy_new_default(&why);
    const struct node *nodes;
    FUZZ_CHECK(p);
    if (policy_add_node(p, text, &why) < 0) {
        FUZZ_CHECK(why.text[0]);
        for (const char *at = why.text; *at; at++)
            FUZZ_CHECK((unsigned char)*at >= 0x20 && *at != 0x7f);
        FUZZ_CHECK(policy_nodes(p, &nodes) == 0);
    } else {
        struct strbuf yaml = {0};
        FUZZ_CHECK(policy_nodes(p, &nodes) == 1 && nodes[0].address_count > 0);
        FUZZ_CHECK(policy_write_yaml(p, &yaml));
        struct policy *again = policy_parse(slice_make(yaml.at, yaml.len), "policy.yaml", &why);
        const struct node *read;
        FUZZ_CHECK(again && policy_nodes(again, &read) == 1 && strcmp(read[0].name, nodes[0].name) == 0 &&
                   read[0].address_count == nodes[0].address_count);
        policy_free(again);
        strbuf_done(&yaml);
    }
    policy_free(p);
}

/* Words for people: valid UTF-8 without control characters, however it came. */
static void check_printable(struct slice text)
{
    struct strbuf once = {0}, twice = {0};
    text_printable(&once, text.at, text.len);
    text_printable(&twice, strbuf_text(&once), once.len);
    FUZZ_CHECK(once.len == twice.len && strcmp(strbuf_text(&once), strbuf_text(&twice)) == 0);
    size_t columns = text_columns(strbuf_text(&once));
    FUZZ_CHECK(columns <= 2 * once.len);
    for (size_t most = 0; most <= columns && most < 8; most++)
        FUZZ_CHECK(text_fit(strbuf_text(&once), most) <= once.len);
    for (size_t i = 0; i < once.len; i++)
        FUZZ_CHECK((unsigned char)once.at[i] >= 0x20 && once.at[i] != 0x7f);
    strbuf_done(&once);
    strbuf_done(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    FUZZ_CHECK(text);
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    check_printable(slice_make(data, size));
    check_units(text);
    check_places(slice_make(text, strlen(text)));
    check_names(slice_make(text, strlen(text)));
    check_node(text);
    (void)http_host_is_loopback(text);
    free(text);
    return 0;
}
