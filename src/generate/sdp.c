#include <string.h>

#include "generate/internal.h"

/* One m-line. An answer keeps what it chose; an offer lists what such a client or server lists. */
struct media_line {
    const char *type, *offered, *more; /* payload types of an offer; their attributes */
    const char *content;
};

static const struct media_line audio_line = {
    "audio", "108 9 8 0 101",
    "a=rtpmap:108 opus/48000/2\r\na=fmtp:108 useinbandfec=1\r\na=rtpmap:9 G722/8000\r\na=rtpmap:8 PCMA/8000\r\n"
    "a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n",
    ""};
static const struct media_line video_line = {
    "video", "97 100 96 34",
    "b=TIAS:2000000\r\na=rtpmap:97 H264/90000\r\na=fmtp:97 profile-level-id=42e016;packetization-mode=1\r\n"
    "a=rtpmap:100 VP8/90000\r\na=rtpmap:96 H263-1998/90000\r\na=fmtp:96 CIF=1;QCIF=1\r\na=rtpmap:34 H263/90000\r\n"
    "a=rtcp-fb:* nack pli\r\na=rtcp-fb:* ccm fir\r\n",
    "a=content:main\r\na=label:11\r\n"};
static const struct media_line slides_line = {
    "video", "98",
    "b=TIAS:1000000\r\na=rtpmap:98 H264/90000\r\na=fmtp:98 profile-level-id=42e01f;packetization-mode=1\r\n"
    "a=rtcp-fb:* nack pli\r\n",
    "a=content:slides\r\na=label:12\r\n"};

/* H.264 without its parameters could be either packetization mode: an answer repeats them. */
static const char *parameters(const struct codec *c)
{
    if (c == &codec_h264)
        return "a=fmtp:97 profile-level-id=42e016;packetization-mode=1\r\n";
    return c == &codec_opus ? "a=fmtp:108 useinbandfec=1\r\n" : "";
}

static void put_line(struct strbuf *b, const struct sip_talk *t, const struct media_line *line,
                     const struct codec *chosen, uint16_t port, const char *way)
{
    const char *protocol = t->media_in_tcp ? "TCP/RTP/AVP" : "RTP/AVP";
    if (chosen)
        strbuf_addf(b, "m=%s %u %s %u\r\na=rtpmap:%u %s\r\n%s", line->type, port, protocol, chosen->payload_type,
                    chosen->payload_type, chosen->encoding, parameters(chosen));
    else
        strbuf_addf(b, "m=%s %u %s %s\r\n%s", line->type, port, protocol, line->offered, line->more);
    strbuf_addf(b, "%s%s", line->content, way);
    if (!t->media_in_tcp && port)
        strbuf_addf(b, "a=rtcp:%u\r\n", port + 1U);
}

/* RFC 4145: the participant connects. */
static void put_setup(struct strbuf *b, uint8_t end)
{
    strbuf_addf(b, "a=setup:%s\r\na=connection:new\r\n", end == END_PARTICIPANT ? "active" : "passive");
}

const char *sdp_write(struct generator *g, const struct sip_talk *t, uint8_t end, bool answer)
{
    const struct participant *p = &g->participants[t->participant];
    const struct addr *own = end == END_NODE ? &p->node_addr : &p->addr;
    const uint16_t *ports = t->media[end];
    const struct codec *const video = answer ? t->video : NULL, *const slides = answer ? &codec_slides : NULL;
    char text[ADDR_TEXT_MAX];
    struct strbuf b = {0};

    addr_format(own, text);
    strbuf_addf(&b, "v=0\r\no=%s %u %u IN IP%u %s\r\ns=%s\r\nc=IN IP%u %s\r\n", end == END_NODE ? "Acano" : p->name,
                3900000000U + t->call, 1U + answer, own->version, text, end == END_NODE ? "Acano" : "-", own->version,
                text);
    strbuf_adds(&b, "t=0 0\r\n");
    put_line(&b, t, &audio_line, answer ? t->audio : NULL, ports[0], "a=sendrecv\r\n");
    if (t->media_in_tcp)
        put_setup(&b, end);
    if (ports[1]) {
        put_line(&b, t, &video_line, video, ports[1], "a=sendrecv\r\n");
        if (t->media_in_tcp)
            put_setup(&b, end);
    }
    if (ports[2])
        put_line(&b, t, &slides_line, slides, ports[2], "a=sendrecv\r\n");
    char *kept = strbuf_ok(&b) ? arena_copy(&g->arena, b.at, b.len) : NULL;
    strbuf_done(&b);
    return kept;
}
