#include "policy/policy_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"

/*
 * The default grouping of kinds (docs/POLICY.md says why of each). RTCP, STUN, TURN and DTLS go with the media of their
 * 5-tuple, which only the judge sees; rtp-unknown and other have no class because nobody knows what they are.
 */
static const enum traffic_class default_map[KIND_COUNT] = {
    [KIND_RTP_AUDIO] = CLASS_VOICE,
    [KIND_RTP_VIDEO] = CLASS_MULTIMEDIA,
    [KIND_RTP_SLIDES] = CLASS_MULTIMEDIA,
    [KIND_RTP_DATA] = CLASS_MULTIMEDIA,
    [KIND_BFCP] = CLASS_MULTIMEDIA,
    [KIND_IX] = CLASS_MULTIMEDIA,
    [KIND_SIP] = CLASS_SIGNALING,
    [KIND_SIP_TLS] = CLASS_SIGNALING,
    [KIND_XMPP_CLIENT] = CLASS_LOW_LATENCY,
    [KIND_XMPP_COMPONENT] = CLASS_LOW_LATENCY,
    [KIND_XMPP_SERVER] = CLASS_LOW_LATENCY,
    [KIND_XMPP_TLS] = CLASS_LOW_LATENCY,
    [KIND_WEB] = CLASS_OAM,
    [KIND_LDAP] = CLASS_OAM,
    [KIND_SSH] = CLASS_OAM,
};

/* What was typed on every node of the reference deployment; assured classes as their plain kin, oa&m nothing. */
static const struct {
    enum traffic_class traffic_class;
    dscp_t dscp;
} reference_marks[] = {
    {CLASS_VOICE, DSCP_EF},
    {CLASS_ASSURED_VOICE, DSCP_EF},
    {CLASS_MULTIMEDIA, DSCP_AF41},
    {CLASS_ASSURED_MULTIMEDIA, DSCP_AF41},
    {CLASS_MULTIMEDIA_STREAMING, DSCP_AF41},
    {CLASS_SIGNALING, DSCP_AF31},
    {CLASS_LOW_LATENCY, DSCP_AF31},
};

static const struct policy_port default_ports[] = {
    {KIND_SIP, 5060},         {KIND_SIP_TLS, 5061}, {KIND_XMPP_CLIENT, 5222}, {KIND_XMPP_COMPONENT, 5223},
    {KIND_XMPP_SERVER, 5269},
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

int place_error(struct error *e, const struct place *at, int code, const char *format, ...)
{
    char text[sizeof e->text];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (at == NULL)
        return error_set(e, code, "%s", text);
    return error_set(e, code, "%s:%u:%u: %s", at->file, at->line, at->column, text);
}

const char *quoted(struct slice text, char to[static QUOTED_MAX])
{
    enum { SHOWN_MAX = 40 };
    struct strbuf b = {0};
    size_t shown = text.len;
    if (shown > SHOWN_MAX) {
        shown = SHOWN_MAX;
        while (shown && ((unsigned char)text.at[shown] & 0xc0) == 0x80) /* not in the middle of a character */
            shown--;
    }
    text_printable(&b, text.at, shown);
    bool cut = shown < text.len || b.len > QUOTED_MAX - 6;
    (void)snprintf(to, QUOTED_MAX, "'%.*s%s'", (int)(QUOTED_MAX - 6), strbuf_text(&b), cut ? "..." : "");
    strbuf_done(&b);
    return to;
}

const char *nearest_hint(struct slice text, const char *const *words, size_t n, char to[static NEAREST_MAX])
{
    char word[NEAREST_MAX];
    slice_copy(text, word, sizeof word);
    const char *nearest = text.len && text.len < 32 ? text_nearest(word, words, n) : NULL;
    to[0] = '\0';
    if (nearest && *nearest)
        (void)snprintf(to, NEAREST_MAX, "; did you mean '%s'?", nearest);
    return to;
}

bool policy_note(struct policy *p, const char *format, ...)
{
    if (p->note_count >= POLICY_NOTES_MAX)
        return true;
    char text[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const char *copy = arena_copy(&p->arena, text, strlen(text));
    if (copy == NULL || !grow((void **)&p->notes, &p->note_cap, p->note_count, sizeof *p->notes)) {
        p->no_memory = true;
        return false;
    }
    p->notes[p->note_count++] = copy;
    return true;
}

int policy_read_file(const char *path, char **ret, size_t *ret_len, struct error *error)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL && errno == ENOMEM)
        return error_set(error, ERR_MEMORY, "%s: %s", path, error_name(ERR_MEMORY));
    /* what the system has no more of is no fault of who named the file */
    if (f == NULL)
        return error_set(error, errno == EMFILE || errno == ENFILE ? ERR_MEMORY : ERR_IO, "%s: %s", path,
                         strerror(errno));
    char *text = malloc(POLICY_FILE_MAX_BYTES + 1);
    size_t len = text ? fread(text, 1, POLICY_FILE_MAX_BYTES + 1, f) : 0;
    int r = text == NULL ? error_set(error, ERR_MEMORY, "%s: %s", path, error_name(ERR_MEMORY))
            : ferror(f)  ? error_set(error, ERR_IO, "%s: %s", path, strerror(errno))
            : len > POLICY_FILE_MAX_BYTES
                ? error_set(error, ERR_LIMIT, "%s: larger than 1 MiB, which no policy is", path)
                : 0;
    (void)fclose(f);
    if (r < 0) {
        free(text);
        return r;
    }
    *ret = text;
    *ret_len = len;
    return 0;
}

void policy_set_all(struct policy_marks *m, enum traffic_class c, struct policy_rule rule)
{
    for (int v = 0; v < IP_INDEX_COUNT; v++)
        for (int d = 0; d < DIRECTION_COUNT; d++)
            m->rules[c][v][d] = rule;
    m->plain[c] = rule;
}

static void plain_add(struct policy_rule *plain, const struct policy_rule *rule)
{
    if (plain->marks == 0 && rule->marks)
        plain->preferred = rule->preferred;
    plain->marks |= rule->marks;
    plain->any = plain->any || rule->any;
}

/* Without a direction first; only where that says nothing, what the directions say. */
void policy_replan_plain(struct policy_marks *m, enum traffic_class c)
{
    struct policy_rule plain = m->plain[c];
    plain.any = false;
    plain.marks = 0;
    plain.preferred = 0;
    for (int v = 0; v < IP_INDEX_COUNT; v++)
        plain_add(&plain, &m->rules[c][v][DIRECTION_UNATTRIBUTED]);
    if (plain.marks == 0 && !plain.any)
        for (int v = 0; v < IP_INDEX_COUNT; v++)
            for (int d = DIRECTION_FROM_NODE; d < DIRECTION_COUNT; d++)
                plain_add(&plain, &m->rules[c][v][d]);
    if (plain.marks)
        plain.any = false;
    m->plain[c] = plain;
}

enum traffic_class policy_default_class(enum kind kind)
{
    return default_map[kind];
}

struct policy *policy_new_empty(struct error *error)
{
    struct policy *p = calloc(1, sizeof *p);
    if (p == NULL) {
        (void)error_set(error, ERR_MEMORY, "%s", error_name(ERR_MEMORY));
        return NULL;
    }
    p->name = "";
    p->source = "";
    memcpy(p->map, default_map, sizeof p->map);
    p->report_unentitled = true;
    for (int c = 0; c < CLASS_COUNT; c++)
        policy_set_all(&p->marks, (enum traffic_class)c, (struct policy_rule){.min_packets = 1});
    for (size_t i = 0; i < COUNT(default_ports); i++) {
        if (policy_insert_port(p, default_ports[i], NULL, error) < 0) {
            policy_free(p);
            return NULL;
        }
    }
    return p;
}

void policy_set_reference_marks(struct policy *p)
{
    for (size_t i = 0; i < COUNT(reference_marks); i++) {
        dscp_t dscp = reference_marks[i].dscp;
        policy_set_all(&p->marks, reference_marks[i].traffic_class,
                       (struct policy_rule){.marks = dscp_set_of(dscp), .preferred = dscp, .min_packets = 1});
    }
}

struct policy *policy_new_default(struct error *error)
{
    struct policy *p = policy_new_empty(error);
    if (p) {
        p->name = "reference";
        p->source = "built in";
        p->built_in = true;
        policy_set_reference_marks(p);
    }
    return p;
}

void policy_free(struct policy *p)
{
    if (p == NULL)
        return;
    free(p->nodes);
    free(p->sites);
    free(p->ports);
    free(p->notes);
    arena_done(&p->arena);
    free(p);
}

const char *policy_name(const struct policy *p)
{
    return p->name;
}

const char *policy_source(const struct policy *p)
{
    return p->source;
}

const char *policy_discover_domain(const struct policy *p)
{
    return p->discover;
}

struct policy_rule policy_rule_for(const struct policy *p, enum traffic_class c, int ip_version, enum direction d)
{
    if ((unsigned)c >= CLASS_COUNT || (unsigned)d >= DIRECTION_COUNT)
        return (struct policy_rule){.min_packets = 1};
    if (ip_version != 4 && ip_version != 6)
        return p->marks.plain[c];
    return p->marks.rules[c][ip_version == 6 ? IP_INDEX_6 : IP_INDEX_4][d];
}

struct policy_rule policy_rule_plain(const struct policy *p, enum traffic_class c)
{
    return (unsigned)c < CLASS_COUNT ? p->marks.plain[c] : (struct policy_rule){.min_packets = 1};
}

enum traffic_class policy_class_of(const struct policy *p, enum kind kind, bool webrtc)
{
    if ((unsigned)kind >= KIND_COUNT)
        return CLASS_NONE;
    enum traffic_class c = p->map[kind];
    if (webrtc && p->webrtc != CLASS_NONE && kind_is_rtp(kind) && kind != KIND_RTP_UNKNOWN)
        c = p->webrtc;
    /* `dscp assured true` makes the server mark all voice and video with the assured values. */
    if (p->marks.assured && c == CLASS_VOICE)
        c = CLASS_ASSURED_VOICE;
    if (p->marks.assured && c == CLASS_MULTIMEDIA)
        c = CLASS_ASSURED_MULTIMEDIA;
    return c;
}

bool policy_leaves_out(const struct policy *p, enum kind kind)
{
    _Static_assert(KIND_COUNT <= 64, "a bit each");
    return (unsigned)kind < KIND_COUNT && p->none >> kind & 1;
}

size_t policy_nodes(const struct policy *p, const struct node **ret)
{
    *ret = p->nodes;
    return p->node_count;
}

size_t policy_sites(const struct policy *p, const struct site **ret)
{
    *ret = p->sites;
    return p->site_count;
}

size_t policy_ports(const struct policy *p, const struct policy_port **ret)
{
    *ret = p->ports;
    return p->port_count;
}

size_t policy_notes(const struct policy *p, const char *const **ret)
{
    *ret = p->notes;
    return p->note_count;
}

dscp_set_t policy_priority_marks(const struct policy *p)
{
    static const enum traffic_class media[] = {CLASS_VOICE, CLASS_ASSURED_VOICE, CLASS_MULTIMEDIA,
                                               CLASS_ASSURED_MULTIMEDIA, CLASS_MULTIMEDIA_STREAMING};
    if (p->priority_stated)
        return p->priority;
    dscp_set_t marks = 0;
    for (size_t i = 0; i < COUNT(media); i++)
        for (int v = 0; v < IP_INDEX_COUNT; v++)
            for (int d = 0; d < DIRECTION_COUNT; d++)
                marks |= p->marks.rules[media[i]][v][d].marks;
    /* Best effort and the two scavenger marks (RFC 8622, RFC 3662) are nobody's priority, even where media may use
     * them. */
    return marks & ~(dscp_set_of(DSCP_CS0) | dscp_set_of(DSCP_LE) | dscp_set_of(8));
}

bool policy_reports_unentitled(const struct policy *p)
{
    return p->report_unentitled;
}
