/*
 * Answers of a DNS server to --discover. An input is the answers in order: a byte (bit 0: the server is silent, bit 1:
 * the answer has an id and question of its own), a length of two bytes, and what stands behind the question: the counts
 * of answers, of authorities and of more (two bytes each), then the records.
 *
 * The libldns function that talks to the network is replaced here; reading the answers is libldns's and ours.
 */
#include "fuzz.h"

#ifdef QOSMARK_HAVE_LDNS

#include <ldns/ldns.h>

#include "policy/policy.h"

enum { ANSWER_BYTES_MAX = 4096 };

static struct cursor answers;
static size_t asked;

/* The header and question of `query`, and of the answer what the input has. */
static size_t make_answer(const ldns_pkt *query, uint8_t flags, struct cursor *from, uint8_t *to)
{
    uint8_t *wire = NULL;
    size_t len = 0;
    if (flags & 2) {
        len = cur_left(from) < ANSWER_BYTES_MAX ? cur_left(from) : ANSWER_BYTES_MAX;
        if (len)
            memcpy(to, cur_take(from, len), len);
        return len;
    }
    FUZZ_CHECK(ldns_pkt2wire(&wire, query, &len) == LDNS_STATUS_OK);
    size_t name = 12;
    while (name < len && wire[name])
        name += wire[name] + 1u;
    size_t question = name + 5;
    FUZZ_CHECK(question <= len);
    memcpy(to, wire, question);
    free(wire);
    to[2] |= 0x80; /* a response */
    memset(to + 6, 0, 6);
    for (int i = 6; i < 12 && cur_left(from); i++)
        to[i] = cur_u8(from);
    size_t rest = cur_left(from) < ANSWER_BYTES_MAX - question ? cur_left(from) : ANSWER_BYTES_MAX - question;
    if (rest)
        memcpy(to + question, cur_take(from, rest), rest);
    return question + rest;
}

ldns_status ldns_resolver_send_pkt(ldns_pkt **answer, ldns_resolver *r, ldns_pkt *query)
{
    uint8_t bytes[ANSWER_BYTES_MAX];
    (void)r;
    asked++;
    uint8_t flags = cur_left(&answers) ? cur_u8(&answers) : 1;
    if (flags & 1)
        return LDNS_STATUS_NETWORK_ERR;
    size_t len = cur_u16(&answers);
    struct cursor from = cur_child(&answers, len < cur_left(&answers) ? len : cur_left(&answers));
    len = make_answer(query, flags, &from, bytes);
    struct cursor made = cur_make(bytes, len, false);
    uint8_t *exact = fuzz_block(&made, len, &len);
    ldns_status status = ldns_wire2pkt(answer, exact, len);
    free(exact);
    return status;
}

static void check_nodes(const struct policy *p)
{
    const struct node *nodes;
    size_t n = policy_nodes(p, &nodes);
    FUZZ_CHECK(n <= 256);
    for (size_t i = 0; i < n; i++) {
        FUZZ_CHECK(nodes[i].name[0] && nodes[i].address_count > 0 && nodes[i].address_count <= 128);
        for (size_t k = 0; k < nodes[i].address_count; k++)
            FUZZ_CHECK(!addr_is_unspecified(&nodes[i].addresses[k]) && !addr_is_multicast(&nodes[i].addresses[k]));
    }
}

/* What was found can be written down and read back: `qosmark policy show` is what people keep. */
static void check_written(const struct policy *p)
{
    struct strbuf text = {0};
    struct error why = {0};
    FUZZ_CHECK(policy_write_yaml(p, &text));
    struct policy *again = policy_parse(slice_make(text.at, text.len), "policy.yaml", &why);
    FUZZ_CHECK(again);
    const struct node *nodes;
    FUZZ_CHECK(policy_nodes(again, &nodes) == policy_nodes(p, &nodes));
    policy_free(again);
    strbuf_done(&text);
}

static void check_sentence(const char *text)
{
    FUZZ_CHECK(*text);
    for (; *text; text++)
        FUZZ_CHECK((unsigned char)*text >= 0x20 && *text != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error why = {0};
    const char *const *notes;
    struct policy *p = policy_new_default(&why);
    FUZZ_CHECK(p);
    answers = cur_make(data, size, false);
    asked = 0;
    if (policy_discover(p, "conf.example.com", "127.0.0.1", &why) < 0)
        check_sentence(why.text);
    FUZZ_CHECK(asked <= 300);
    size_t n = policy_notes(p, &notes);
    for (size_t i = 0; i < n; i++)
        check_sentence(notes[i]);
    check_nodes(p);
    check_written(p);
    policy_free(p);
    return 0;
}

#else

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    (void)data;
    (void)size;
    return 0;
}

#endif
