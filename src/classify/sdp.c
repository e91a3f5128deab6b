#include "classify/sdp.h"

#include <string.h>

#include "classify/sdp_media.h"

enum { GROUPS_MAX = 4, FLOORS_MAX = 8 };

/* What of the session level, or of another m-line, matters to m-lines that come later or came before. */
struct sdp_notes {
    struct addr connection;
    bool has_connection;
    struct sdp_media defaults;        /* direction, rtcp-mux */
    struct slice bundles[GROUPS_MAX]; /* the mids of a=group:BUNDLE */
    size_t bundle_count;
    struct slice floors[FLOORS_MAX]; /* labels of the m-lines that a BFCP floor controls */
    size_t floor_count;
};

static bool list_has(struct slice list, struct slice word)
{
    while (list.len) {
        struct slice item = slice_trim(slice_next(&list, ' '));
        if (item.len && slice_equal(item, word))
            return true;
    }
    return false;
}

static void take_group(struct sdp_session *s, struct sdp_notes *notes, struct slice value)
{
    struct slice rest = value;
    if (!slice_equal(slice_next(&rest, ' '), SLICE("BUNDLE")))
        return;
    if (notes->bundle_count < GROUPS_MAX)
        notes->bundles[notes->bundle_count++] = rest;
    else
        s->lists_dropped++;
}

/* RFC 8856 §5.3: "a=floorid:1 mstrm:3"; RFC 4583's text had "m-stream". What a floor controls is a shared screen. */
static void take_floor(struct sdp_session *s, struct sdp_notes *notes, struct slice value)
{
    struct slice rest = value;
    (void)slice_next(&rest, ' ');
    struct slice name = slice_next(&rest, ':');
    if (!slice_equal(name, SLICE("mstrm")) && !slice_equal(name, SLICE("m-stream")))
        return;
    while (rest.len && notes->floor_count < FLOORS_MAX)
        notes->floors[notes->floor_count++] = slice_trim(slice_next(&rest, ' '));
    s->lists_dropped += rest.len > 0;
}

static void take_attribute(struct sdp_session *s, struct sdp_notes *notes, struct sdp_media *m, struct slice value)
{
    struct slice rest = value;
    struct slice name = slice_next(&rest, ':');
    if (slice_equal(name, SLICE("fingerprint")))
        s->dtls = true;
    else if (slice_equal(name, SLICE("ice-ufrag")) || slice_equal(name, SLICE("candidate")))
        s->ice = true;
    else if (slice_equal(name, SLICE("floorid")))
        take_floor(s, notes, rest);
    if (m)
        sdp_media_attribute(value, m);
    else if (slice_equal(name, SLICE("group")))
        take_group(s, notes, rest);
    else
        (void)sdp_direction(value, &notes->defaults);
}

static struct sdp_media *take_media(struct sdp_session *s, const struct sdp_notes *notes, struct slice value)
{
    if (s->media_count == SDP_MEDIA_MAX) {
        s->media_dropped++;
        return NULL;
    }
    struct sdp_media *m = &s->media[s->media_count++];
    sdp_media_line(value, m);
    m->sends = notes->defaults.sends;
    m->receives = notes->defaults.receives;
    m->at.addr = notes->connection;
    m->has_address = notes->has_connection;
    return m;
}

static bool is_slides(const struct sdp_session *s, const struct sdp_notes *notes, const struct sdp_media *m)
{
    struct slice content = m->content;
    while (content.len)
        if (slice_equal_nocase(slice_trim(slice_next(&content, ',')), SLICE("slides")))
            return true; /* RFC 4796 §5 */
    if (m->content.len)
        return false;
    if (slice_equal_nocase(m->label, SLICE("applicationsharing-video")))
        return true; /* Skype for Business' video based screen sharing ([MS-SDPEXT]) */
    size_t videos = 0;
    for (size_t i = 0; i < s->media_count; i++)
        videos += s->media[i].kind == KIND_RTP_VIDEO || s->media[i].kind == KIND_RTP_SLIDES;
    for (size_t i = 0; i < notes->floor_count; i++)
        if (videos > 1 && m->label.len && slice_equal(notes->floors[i], m->label))
            return true;
    return false;
}

static void settle_rtcp(struct sdp_media *m)
{
    if (m->rtcp_explicit) {
        if (m->rtcp.addr.version == 0)
            m->rtcp.addr = m->at.addr;
    } else if (m->rtcp_mux) {
        m->rtcp = m->at;
    } else if (m->at.port && m->at.port < UINT16_MAX) {
        m->rtcp = (struct endpoint){m->at.addr, (uint16_t)(m->at.port + 1)}; /* RFC 3550 §11 */
    }
}

static const struct sdp_media *tagged_media(const struct sdp_session *s, struct slice bundle)
{
    struct slice tag = slice_trim(slice_next(&bundle, ' '));
    for (size_t i = 0; i < s->media_count; i++)
        if (tag.len && slice_equal(s->media[i].mid, tag))
            return &s->media[i];
    return NULL;
}

static void settle(struct sdp_session *s, const struct sdp_notes *notes)
{
    s->bundle = notes->bundle_count > 0;
    for (size_t i = 0; i < s->media_count; i++) {
        struct sdp_media *m = &s->media[i];
        for (size_t b = 0; b < notes->bundle_count && !m->bundled; b++) {
            m->bundled = list_has(notes->bundles[b], m->mid);
            const struct sdp_media *tagged = tagged_media(s, notes->bundles[b]);
            if (m->bundled && tagged && m->at.port == 0 && !m->refused)
                m->at = tagged->at;
        }
        if (m->at.port == 0)
            m->refused = true;
        s->lists_dropped += m->dropped;
        if (m->kind == KIND_RTP_VIDEO && is_slides(s, notes, m))
            m->kind = KIND_RTP_SLIDES;
        sdp_media_settle(m);
        settle_rtcp(m);
    }
}

static void take_line(struct sdp_session *s, struct sdp_notes *notes, struct sdp_media **current, char type,
                      struct slice value)
{
    struct addr address = {0};
    switch (type) {
    case 'o':
        s->origin_user = slice_next(&value, ' ');
        break;
    case 's':
        s->session_name = value;
        break;
    case 'c': {
        bool known = sdp_connection(value, &address);
        if (*current) {
            (*current)->at.addr = address;
            (*current)->has_address = known;
        } else if (s->media_count == 0) {
            notes->connection = address;
            notes->has_connection = known;
        }
        break;
    }
    case 'm':
        *current = take_media(s, notes, value);
        break;
    case 'a':
        if (*current || s->media_count == 0)
            take_attribute(s, notes, *current, value);
        break;
    default:
        break;
    }
}

enum parse_status sdp_parse(struct cursor c, struct sdp_session *ret)
{
    struct slice rest = slice_make(c.at, cur_left(&c));
    while (rest.len && (rest.at[0] == '\r' || rest.at[0] == '\n')) {
        rest.at++;
        rest.len--;
    }
    if (c.cut)
        return PARSE_TRUNCATED;
    if (rest.len < 2 || rest.at[0] != 'v' || rest.at[1] != '=')
        return PARSE_MALFORMED;

    const struct slice none = {rest.at, 0};
    struct sdp_notes notes = {.defaults = {.sends = true, .receives = true}};
    struct sdp_media *current = NULL;
    /* nothing fails from here on */
    /* one by one, for most of it are m-lines that are not there */
    ret->origin_user = ret->session_name = none;
    ret->media_count = ret->media_dropped = ret->lists_dropped = 0;
    ret->bundle = ret->ice = ret->dtls = false;
    while (rest.len) {
        struct slice line = slice_next(&rest, '\n');
        if (line.len && line.at[line.len - 1] == '\r')
            line.len--;
        if (line.len >= 2 && line.at[1] == '=')
            take_line(ret, &notes, &current, line.at[0], (struct slice){line.at + 2, line.len - 2});
    }
    settle(ret, &notes);
    return PARSE_OK;
}
