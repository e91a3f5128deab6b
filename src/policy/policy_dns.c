#include "policy/policy_dns.h"

#ifdef QOSMARK_HAVE_LDNS

#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "policy/policy_internal.h"

enum { DNS_PORT = 53, TIMEOUT_S = 2, TRIES = 2, CNAME_STEPS_MAX = 8, QUERIES_MAX = 300, EDNS_BYTES = 1232 };

struct dns {
    ldns_resolver *resolver;
    unsigned queries;
    char server[ENDPOINT_TEXT_MAX + 24];
    char why[160];
};

static int use_resolver(struct dns *d, const char *text, struct error *error)
{
    struct endpoint e;
    char shown[QUOTED_MAX];
    if (!endpoint_parse(slice_make(text, strlen(text)), DNS_PORT, &e))
        return error_set(error, ERR_USAGE, "%s is no DNS server: write ADDR or ADDR:PORT ([ADDR]:PORT for IPv6)",
                         quoted(slice_make(text, strlen(text)), shown));
    d->resolver = ldns_resolver_new();
    ldns_rdf *address = ldns_rdf_new_frm_data(e.addr.version == 4 ? LDNS_RDF_TYPE_A : LDNS_RDF_TYPE_AAAA,
                                              e.addr.version == 4 ? 4 : 16, e.addr.bytes);
    if (d->resolver == NULL || address == NULL ||
        ldns_resolver_push_nameserver(d->resolver, address) != LDNS_STATUS_OK) {
        ldns_rdf_deep_free(address);
        return error_set(error, ERR_MEMORY, "%s", error_name(ERR_MEMORY));
    }
    ldns_rdf_deep_free(address);
    ldns_resolver_set_port(d->resolver, e.port);
    endpoint_format(&e, d->server);
    return 0;
}

int dns_new(const char *resolver, struct dns **ret, struct error *error)
{
    struct dns *d = calloc(1, sizeof *d);
    int r = d ? 0 : error_set(error, ERR_MEMORY, "%s", error_name(ERR_MEMORY));
    if (r >= 0 && resolver)
        r = use_resolver(d, resolver, error);
    if (r >= 0 && !resolver) {
        (void)snprintf(d->server, sizeof d->server, "the system's DNS server");
        if (ldns_resolver_new_frm_file(&d->resolver, NULL) != LDNS_STATUS_OK)
            r = error_set(error, ERR_IO, "no DNS server is configured on this system; name one with --resolver ADDR");
    }
    if (r < 0) {
        dns_free(d);
        return r;
    }
    ldns_resolver_set_timeout(d->resolver, (struct timeval){.tv_sec = TIMEOUT_S});
    ldns_resolver_set_retry(d->resolver, TRIES);
    ldns_resolver_set_retrans(d->resolver, 0); /* libldns sleeps so long between tries, beside the timeout */
    ldns_resolver_set_recursive(d->resolver, true);
    ldns_resolver_set_dnsrch(d->resolver, false);
    ldns_resolver_set_edns_udp_size(d->resolver, EDNS_BYTES);
    ldns_resolver_set_fallback(d->resolver, true); /* to TCP, where the answer was cut */
    *ret = d;
    return 0;
}

void dns_free(struct dns *d)
{
    if (d && d->resolver)
        ldns_resolver_deep_free(d->resolver);
    free(d);
}

const char *dns_why(const struct dns *d)
{
    return d->why;
}

static enum dns_status failed(struct dns *d, const char *why)
{
    (void)snprintf(d->why, sizeof d->why, "%s", why);
    return DNS_FAILED;
}

/* libldns does not compare the answer's id and question with what was asked. */
static bool answers_question(const ldns_pkt *answer, const ldns_pkt *query)
{
    ldns_rr_list *asked = ldns_pkt_question(query), *echoed = ldns_pkt_question(answer);
    if (!ldns_pkt_qr(answer) || ldns_pkt_id(answer) != ldns_pkt_id(query) || ldns_rr_list_rr_count(echoed) != 1)
        return false;
    const ldns_rr *a = ldns_rr_list_rr(asked, 0), *b = ldns_rr_list_rr(echoed, 0);
    return ldns_rr_get_type(a) == ldns_rr_get_type(b) && ldns_rr_get_class(a) == ldns_rr_get_class(b) &&
           ldns_dname_compare(ldns_rr_owner(a), ldns_rr_owner(b)) == 0;
}

static enum dns_status judge_answer(struct dns *d, const ldns_pkt *answer, const ldns_pkt *query)
{
    if (!answers_question(answer, query))
        return failed(d, "the answer does not belong to the question");
    ldns_pkt_rcode code = ldns_pkt_get_rcode(answer);
    if (code == LDNS_RCODE_NXDOMAIN)
        return DNS_NOTHING;
    if (code != LDNS_RCODE_NOERROR) {
        char *name = ldns_pkt_rcode2str(code);
        (void)snprintf(d->why, sizeof d->why, "%s answered %s", d->server, name ? name : "with an error");
        free(name);
        return DNS_FAILED;
    }
    if (ldns_pkt_tc(answer))
        return failed(d, "the answer is cut, over TCP too");
    return DNS_FOUND;
}

/* One question to the server; `*ret` is set with DNS_FOUND only. */
static enum dns_status ask(struct dns *d, const ldns_rdf *name, ldns_rr_type type, ldns_pkt **ret)
{
    ldns_pkt *query = NULL, *answer = NULL;
    if (++d->queries > QUERIES_MAX)
        return failed(d, "too many records to look up");
    /* A server that was silent once is marked as unreachable by libldns; the next question may reach it. */
    for (size_t i = 0; i < ldns_resolver_nameserver_count(d->resolver); i++)
        ldns_resolver_set_nameserver_rtt(d->resolver, i, LDNS_RESOLV_RTT_MIN);
    if (ldns_resolver_prepare_query_pkt(&query, d->resolver, name, type, LDNS_RR_CLASS_IN, LDNS_RD) != LDNS_STATUS_OK)
        return failed(d, error_name(ERR_MEMORY));
    ldns_status sent = ldns_resolver_send_pkt(&answer, d->resolver, query);
    enum dns_status status;
    if (sent == LDNS_STATUS_OK && answer) {
        status = judge_answer(d, answer, query);
    } else {
        (void)snprintf(d->why, sizeof d->why, "no usable answer from %s within %d s", d->server, TIMEOUT_S * TRIES);
        status = DNS_FAILED;
    }
    ldns_pkt_free(query);
    if (status == DNS_FOUND)
        *ret = answer;
    else
        ldns_pkt_free(answer);
    return status;
}

/* The target of `name`'s CNAME in the answer, or NULL. */
static ldns_rdf *cname_target(const ldns_rr_list *answer, const ldns_rdf *name)
{
    for (size_t i = 0; i < ldns_rr_list_rr_count(answer); i++) {
        const ldns_rr *rr = ldns_rr_list_rr(answer, i);
        if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_CNAME && ldns_rr_rd_count(rr) == 1 &&
            ldns_dname_compare(ldns_rr_owner(rr), name) == 0)
            return ldns_rdf_clone(ldns_rr_rdf(rr, 0));
    }
    return NULL;
}

static bool has_record(const ldns_rr_list *answer, const ldns_rdf *name, ldns_rr_type type)
{
    for (size_t i = 0; i < ldns_rr_list_rr_count(answer); i++) {
        const ldns_rr *rr = ldns_rr_list_rr(answer, i);
        if (ldns_rr_get_type(rr) == type && ldns_dname_compare(ldns_rr_owner(rr), name) == 0)
            return true;
    }
    return false;
}

/*
 * Asks for `type` of `text` and follows CNAMEs, first those inside an answer, then by a further question, in a bounded
 * number of steps (a loop of CNAMEs ends there). With DNS_FOUND the caller frees the answer and the name that the
 * records belong to.
 */
static enum dns_status resolve(struct dns *d, const char *text, ldns_rr_type type, ldns_pkt **ret, ldns_rdf **ret_owner)
{
    ldns_rdf *name = ldns_dname_new_frm_str(text);
    ldns_pkt *answer = NULL;
    enum dns_status status = name ? DNS_FOUND : failed(d, "this is no name of the DNS");
    for (int step = 0; status == DNS_FOUND; step++) {
        if (answer == NULL)
            status = ask(d, name, type, &answer);
        if (status != DNS_FOUND)
            break;
        if (has_record(ldns_pkt_answer(answer), name, type)) {
            *ret = answer;
            *ret_owner = name;
            return DNS_FOUND;
        }
        ldns_rdf *next = cname_target(ldns_pkt_answer(answer), name);
        if (next == NULL) {
            status = DNS_NOTHING;
        } else if (step == CNAME_STEPS_MAX) {
            ldns_rdf_deep_free(next);
            status = failed(d, "its CNAME records lead nowhere");
        } else {
            ldns_rdf_deep_free(name);
            name = next;
            if (!has_record(ldns_pkt_answer(answer), name, type) &&
                !has_record(ldns_pkt_answer(answer), name, LDNS_RR_TYPE_CNAME)) {
                ldns_pkt_free(answer);
                answer = NULL;
            }
        }
    }
    ldns_pkt_free(answer);
    ldns_rdf_deep_free(name);
    return status;
}

/* A host name from the wire (RFC 1035 §3.1: labels with their length) as text; false for what no host can be called. */
static bool host_name(const ldns_rdf *dname, char ret[static DNS_NAME_MAX])
{
    struct cursor c = cur_make(ldns_rdf_data(dname), ldns_rdf_size(dname), false);
    size_t n = 0;
    for (uint8_t len = cur_u8(&c); len; len = cur_u8(&c)) {
        const uint8_t *label = cur_take(&c, len);
        if (label == NULL || n + len + 2 > DNS_NAME_MAX)
            return false;
        if (n)
            ret[n++] = '.';
        for (uint8_t i = 0; i < len; i++) {
            char byte = (char)(label[i] >= 'A' && label[i] <= 'Z' ? label[i] + 32 : label[i]);
            if (!((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' || byte == '_'))
                return false;
            ret[n++] = byte;
        }
    }
    ret[n] = '\0';
    return cur_status(&c) == PARSE_OK && policy_check_domain(slice_make(ret, n), NULL, NULL) == 0;
}

enum dns_status dns_find_srv(struct dns *d, const char *name, struct dns_srv ret[static DNS_RECORDS_MAX], size_t *count,
                             size_t *unusable)
{
    ldns_pkt *answer = NULL;
    ldns_rdf *owner = NULL;
    enum dns_status status = resolve(d, name, LDNS_RR_TYPE_SRV, &answer, &owner);
    if (status != DNS_FOUND)
        return status;
    const ldns_rr_list *records = ldns_pkt_answer(answer);
    for (size_t i = 0; i < ldns_rr_list_rr_count(records); i++) {
        const ldns_rr *rr = ldns_rr_list_rr(records, i);
        if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_SRV || ldns_rr_rd_count(rr) != 4 ||
            ldns_dname_compare(ldns_rr_owner(rr), owner) != 0)
            continue;
        const ldns_rdf *target = ldns_rr_rdf(rr, 3);
        if (ldns_rdf_size(target) == 1) /* the root: the service is not there (RFC 2782) */
            continue;
        if (*count == DNS_RECORDS_MAX || !host_name(target, ret[*count].target)) {
            (*unusable)++;
            continue;
        }
        ret[*count].port = ldns_rdf2native_int16(ldns_rr_rdf(rr, 2));
        (*count)++;
    }
    ldns_pkt_free(answer);
    ldns_rdf_deep_free(owner);
    return *count || *unusable ? DNS_FOUND : DNS_NOTHING;
}

static int compare_addresses(const void *a, const void *b)
{
    return addr_compare(a, b);
}

static void add_address(const ldns_rr *rr, struct addr ret[static DNS_RECORDS_MAX], size_t *count, size_t *unusable)
{
    size_t bytes = ldns_rr_get_type(rr) == LDNS_RR_TYPE_A ? 4 : 16;
    const ldns_rdf *data = ldns_rr_rd_count(rr) == 1 ? ldns_rr_rdf(rr, 0) : NULL;
    if (data == NULL || ldns_rdf_size(data) != bytes) {
        (*unusable)++;
        return;
    }
    struct addr a = bytes == 4 ? addr_v4(ldns_rdf_data(data)) : addr_v6(ldns_rdf_data(data));
    for (size_t i = 0; i < *count; i++)
        if (addr_equal(&ret[i], &a))
            return;
    char text[ADDR_TEXT_MAX];
    addr_format(&a, text);
    /* what a policy file may not name either: no host has it, or it never shows in a packet (::ffff:10.0.0.1) */
    if (*count == DNS_RECORDS_MAX || policy_check_address(slice_make(text, strlen(text)), &a, NULL, NULL) < 0)
        (*unusable)++;
    else
        ret[(*count)++] = a;
}

enum dns_status dns_find_addresses(struct dns *d, const char *name, struct addr ret[static DNS_RECORDS_MAX],
                                   size_t *count, size_t *unusable)
{
    static const ldns_rr_type types[] = {LDNS_RR_TYPE_A, LDNS_RR_TYPE_AAAA};
    for (size_t t = 0; t < 2; t++) {
        ldns_pkt *answer = NULL;
        ldns_rdf *owner = NULL;
        enum dns_status status = resolve(d, name, types[t], &answer, &owner);
        if (status == DNS_FAILED)
            return status;
        if (status == DNS_NOTHING)
            continue;
        const ldns_rr_list *records = ldns_pkt_answer(answer);
        for (size_t i = 0; i < ldns_rr_list_rr_count(records); i++) {
            const ldns_rr *rr = ldns_rr_list_rr(records, i);
            if (ldns_rr_get_type(rr) == types[t] && ldns_dname_compare(ldns_rr_owner(rr), owner) == 0)
                add_address(rr, ret, count, unusable);
        }
        ldns_pkt_free(answer);
        ldns_rdf_deep_free(owner);
    }
    if (*count)
        qsort(ret, *count, sizeof *ret, compare_addresses);
    return *count || *unusable ? DNS_FOUND : DNS_NOTHING;
}

#endif
