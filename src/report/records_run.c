#include <string.h>

#include "report/records_json.h"
#include "report/records_read.h"

/* What is said of a run as a whole: the policy that judged it, its inputs, nodes, sites and notes. */

enum { LIST_MAX = 100000 };

struct member {
    struct record_set *set;
    struct saved_json *json;
    const char *key;
};

static const char *word(struct member *m, const json_t *o, const char *key)
{
    return record_set_word(m->set, saved_text(m->json, o, key));
}

/* Room for what a list holds; NULL where it is none, or empty. */
static void *list(struct member *m, const json_t *value, size_t item_bytes, size_t *ret_count)
{
    *ret_count = json_array_size(value);
    if (!json_is_array(value) || *ret_count > LIST_MAX)
        saved_fail(m->json, "\"%s\" is a list of at most %d", m->key, (int)LIST_MAX);
    void *at = m->json->failed || *ret_count == 0 ? NULL : arena_alloc(&m->set->arena, *ret_count * item_bytes);
    if (!at && *ret_count)
        m->set->failed = m->set->failed || !m->json->failed;
    if (!at)
        *ret_count = 0;
    return at;
}

static const json_t *object_at(struct member *m, const json_t *array, size_t i)
{
    const json_t *value = json_array_get(array, i);
    if (!json_is_object(value))
        saved_fail(m->json, "\"%s\" is a list of objects", m->key);
    return value;
}

/* --- policies --------------------------------------------------------------------------------------------------------
 */

static void read_expect(struct member *m, const json_t *expect, struct saved_policy *p)
{
    size_t known = 0;
    for (int c = CLASS_NONE + 1; c < CLASS_COUNT; c++) {
        const char *name = class_name((enum traffic_class)c);
        p->expect[c].marks = saved_marks(m->json, expect, name, &p->expect[c].preferred);
        known += json_object_get(expect, name) != NULL;
    }
    if (known != json_object_size(expect))
        saved_fail(m->json, "\"expect\" names what is no class");
}

static void read_policy(struct member *m, const json_t *o, struct saved_policy *p)
{
    dscp_t first;
    const json_t *expect = saved_object(m->json, o, "expect");
    *p = (struct saved_policy){.name = record_set_word(m->set, saved_text_wanted(m->json, o, "name")),
                               .source = word(m, o, "source")};
    if (expect)
        read_expect(m, expect, p);
    p->priority = saved_marks(m->json, o, "priority", &first);
}

static void take_policies(struct member *m, struct saved_run *run, const json_t *value)
{
    run->policies = list(m, value, sizeof *run->policies, &run->policy_count);
    for (size_t i = 0; i < run->policy_count && !m->json->failed; i++) {
        const json_t *o = object_at(m, value, i);
        if (!m->json->failed)
            read_policy(m, o, &run->policies[i]);
    }
}

static void take_policy(struct member *m, struct saved_run *run, const json_t *value)
{
    struct saved_policy *p = arena_alloc(&m->set->arena, sizeof *p);
    m->set->failed = m->set->failed || !p;
    if (!json_is_object(value))
        saved_fail(m->json, "\"policy\" is an object");
    if (!p || m->json->failed)
        return;
    read_policy(m, value, p);
    run->policies = p;
    run->policy_count = 1;
}

/* --- inputs ----------------------------------------------------------------------------------------------------------
 */

static void read_input(struct member *m, const json_t *o, struct input *in)
{
    struct saved_json *j = m->json;
    const json_t *skipped = saved_has(o, "skipped");
    *in = (struct input){.file = record_set_word(m->set, saved_text_wanted(j, o, "file")),
                         .problem = word(m, o, "problem")};
    if (saved_has(o, "point"))
        in->point = record_set_word(m->set, saved_text_wanted(j, o, "point"));
    in->packets = saved_count(j, o, "packets", SAVED_PACKETS_MAX, 0);
    in->bytes = saved_count(j, o, "bytes", SAVED_BYTES_MAX, 0);
    (void)saved_time(j, o, "first", &in->first_ns);
    (void)saved_time(j, o, "last", &in->last_ns);
    if (skipped) {
        in->truncated = saved_count(j, skipped, "truncated", SAVED_PACKETS_MAX, 0);
        in->malformed = saved_count(j, skipped, "malformed", SAVED_PACKETS_MAX, 0);
        in->unsupported = saved_count(j, skipped, "unsupported", SAVED_PACKETS_MAX, 0);
    }
    in->dropped = saved_count(j, o, "dropped", SAVED_PACKETS_MAX, 0);
    if (!saved_has(o, "complete"))
        saved_fail(j, "an input does not say whether it is \"complete\"");
    in->complete = saved_bool(j, o, "complete", false);
}

static void take_inputs(struct member *m, struct saved_run *run, const json_t *value)
{
    run->inputs = list(m, value, sizeof *run->inputs, &run->input_count);
    for (size_t i = 0; i < run->input_count && !m->json->failed; i++) {
        const json_t *o = object_at(m, value, i);
        if (!m->json->failed)
            read_input(m, o, &run->inputs[i]);
    }
}

/* --- nodes, sites
 * ------------------------------------------------------------------------------------------------------ */

static void read_addresses(struct member *m, const json_t *array, struct node *n)
{
    struct addr *addresses = list(m, array, sizeof *addresses, &n->address_count);
    for (size_t i = 0; i < n->address_count && !m->json->failed; i++) {
        addresses[i] = saved_address(m->json, json_array_get(array, i), "addresses");
        if (addresses[i].version == 0)
            saved_fail(m->json, "\"addresses\" of a node are addresses");
    }
    n->addresses = addresses;
}

static void read_node(struct member *m, const json_t *o, struct node *n)
{
    struct saved_json *j = m->json;
    *n = (struct node){.name = record_set_word(m->set, saved_text_wanted(j, o, "name")),
                       .evidence = word(m, o, "evidence")};
    const json_t *addresses = saved_array(j, o, "addresses"), *roles = saved_array(j, o, "roles");
    if (addresses)
        read_addresses(m, addresses, n);
    for (size_t i = 0; i < json_array_size(roles) && !j->failed; i++) {
        const json_t *value = json_array_get(roles, i);
        enum node_role role;
        if (!json_is_string(value) ||
            !role_parse(slice_make(json_string_value(value), json_string_length(value)), &role))
            saved_fail(j, "\"roles\" lists what is no role of a node");
        else
            n->roles |= (uint32_t)role;
    }
    n->inferred = saved_bool(j, o, "inferred", false);
}

static void take_nodes(struct member *m, struct saved_run *run, const json_t *value)
{
    run->nodes = list(m, value, sizeof *run->nodes, &run->node_count);
    for (size_t i = 0; i < run->node_count && !m->json->failed; i++) {
        const json_t *o = object_at(m, value, i);
        if (!m->json->failed)
            read_node(m, o, &run->nodes[i]);
    }
}

static void read_site(struct member *m, const json_t *o, struct site *site)
{
    struct saved_json *j = m->json;
    const json_t *array = saved_array(j, o, "prefixes");
    *site = (struct site){.name = record_set_word(m->set, saved_text_wanted(j, o, "name"))};
    struct prefix *prefixes = array ? list(m, array, sizeof *prefixes, &site->prefix_count) : NULL;
    for (size_t i = 0; i < site->prefix_count && !j->failed; i++) {
        const json_t *value = json_array_get(array, i);
        if (!json_is_string(value) ||
            !prefix_parse(slice_make(json_string_value(value), json_string_length(value)), &prefixes[i]))
            saved_fail(j, "\"prefixes\" of a site are such as 10.2.0.0/16");
    }
    site->prefixes = prefixes;
}

static void take_sites(struct member *m, struct saved_run *run, const json_t *value)
{
    run->sites = list(m, value, sizeof *run->sites, &run->site_count);
    for (size_t i = 0; i < run->site_count && !m->json->failed; i++) {
        const json_t *o = object_at(m, value, i);
        if (!m->json->failed)
            read_site(m, o, &run->sites[i]);
    }
}

static void take_notes(struct member *m, struct saved_run *run, const json_t *value)
{
    run->notes = list(m, value, sizeof *run->notes, &run->note_count);
    for (size_t i = 0; i < run->note_count && !m->json->failed; i++) {
        const json_t *note = json_array_get(value, i);
        if (!json_is_string(note))
            saved_fail(m->json, "\"notes\" is a list of texts");
        else
            run->notes[i] = record_set_word(m->set, slice_make(json_string_value(note), json_string_length(note)));
    }
}

/* --- calls that no stream was seen of: a document lists them too
 * --------------------------------------------------------- */

static void read_call(struct member *m, const json_t *o)
{
    struct saved_json *j = m->json;
    struct saved_call call = {.call_id = word(m, o, "call_id"),
                              .from = word(m, o, "from"),
                              .to = word(m, o, "to"),
                              .user_agent = word(m, o, "user_agent")};
    bool timed = saved_time(j, o, "first", &call.first_ns);
    call.has_last = saved_time(j, o, "last", &call.last_ns);
    if (j->failed || !timed || !*call.call_id)
        return;
    struct strbuf key = {0};
    strbuf_addf(&key, "S%s", call.call_id);
    if (strbuf_ok(&key))
        (void)record_set_call(m->set, slice_make(key.at, key.len), &call);
    m->set->failed = m->set->failed || !strbuf_ok(&key);
    strbuf_done(&key);
}

/* All of them, or one. */
static void take_calls(struct member *m, struct saved_run *run, const json_t *value)
{
    (void)run;
    if (json_is_object(value))
        read_call(m, value);
    else if (!json_is_array(value))
        saved_fail(m->json, "\"calls\" is a list of objects");
    for (size_t i = 0; i < json_array_size(value) && !m->json->failed; i++) {
        const json_t *o = object_at(m, value, i);
        if (!m->json->failed)
            read_call(m, o);
    }
}

static void take_limited(struct member *m, struct saved_run *run, const json_t *value)
{
    if (!json_is_boolean(value))
        saved_fail(m->json, "\"limited\" is true or false");
    run->limited = json_is_true(value);
}

static const struct {
    const char *key;
    void (*take)(struct member *m, struct saved_run *run, const json_t *value);
} members[] = {
    {"policy", take_policy}, {"policies", take_policies}, {"inputs", take_inputs}, {"nodes", take_nodes},
    {"sites", take_sites},   {"notes", take_notes},       {"calls", take_calls},
    {"limited", take_limited},
};

int records_run_member(struct record_set *s, struct saved_run *run, struct saved_json *j, const char *key,
                       const json_t *value)
{
    struct member m = {.set = s, .json = j, .key = key};
    const struct saved_run before = *run;
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        if (strcmp(key, members[i].key) == 0)
            members[i].take(&m, run, value);
    if (j->failed)
        *run = before; /* of a list that was read in part, the rest is nothing */
    return j->failed ? ERR_FORMAT : s->failed ? ERR_MEMORY : 0;
}

int records_run_header(struct record_set *s, struct saved_run *run, struct saved_json *j, const json_t *header)
{
    const char *key;
    json_t *value;
    int r = 0;
    if (!json_is_object(header)) {
        saved_fail(j, "\"audit\" is an object");
        return ERR_FORMAT;
    }
    json_object_foreach((json_t *)(uintptr_t)header, key, value)
    {
        if (r >= 0)
            r = records_run_member(s, run, j, key, value);
    }
    return r;
}
