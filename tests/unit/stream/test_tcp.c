#include "testing.h"

#include <stdio.h>

#include "stream/traffic.h"

/* One connection from a client at port 41000, whichever side speaks. */
struct connection {
    struct sender *s;
    struct endpoint client, server;
    uint32_t seq[2]; /* the next of client and server */
    int64_t now_ns;
};

static struct connection connect_to(struct sender *s, uint16_t port)
{
    struct connection c = {.s = s, .client = at("10.0.0.1", 41000), .server = at("10.0.0.2", port), .seq = {100, 900}};
    send_tcp(s, c.client, c.server, TCP_SYN, c.seq[0]++, "", 0);
    send_tcp(s, c.server, c.client, TCP_SYN | TCP_ACK, c.seq[1]++, "", 0);
    return c;
}

static void say_at(struct connection *c, int side, uint32_t seq, const void *bytes, size_t len)
{
    send_tcp(c->s, side ? c->server : c->client, side ? c->client : c->server, TCP_ACK, seq, bytes, len);
}

static void say(struct connection *c, int side, const void *bytes, size_t len)
{
    say_at(c, side, c->seq[side], bytes, len);
    c->seq[side] += (uint32_t)len;
}

static const char offer[] = "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n"
                            "m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 opus/48000/2\r\n";
static const char answer[] = "v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\n"
                             "m=audio 6000 RTP/AVP 96\r\na=rtpmap:96 opus/48000/2\r\n";

static size_t message(char *to, size_t size, const char *start, const char *sdp)
{
    int n = snprintf(to, size,
                     "%s\r\nVia: SIP/2.0/TCP 10.0.0.1;branch=z9hG4bKx\r\nFrom: <sip:a@10.0.0.1>;tag=1\r\nTo: <sip:b@10.0.0.2>\r\n"
                     "Call-ID: abc@10.0.0.1\r\nCSeq: 1 INVITE\r\nContent-Type: application/sdp\r\nContent-Length: %zu\r\n\r\n%s",
                     start, strlen(sdp), sdp);
    assert_true(n > 0 && (size_t)n < size);
    return (size_t)n;
}

static void expect_voice_both_ways(struct sender *s)
{
    for (unsigned i = 0; i < 3; i++) {
        send_rtp(s, at("10.0.0.2", 6000), at("10.0.0.1", 4000), 46, 1, 96, (uint16_t)i, 960 * i, 80, 1000 * MS + 20 * MS * i);
        send_rtp(s, at("10.0.0.1", 4000), at("10.0.0.2", 6000), 46, 2, 96, (uint16_t)i, 960 * i, 80, 1000 * MS + 20 * MS * i);
    }
    struct document *d = sender_finish(s);
    for (uint32_t ssrc = 1; ssrc <= 2; ssrc++) {
        const struct record *r = record_with(d, KIND_RTP_AUDIO, ssrc);
        assert_non_null(r);
        assert_string_equal(r->codec, "opus/48000");
        assert_int_equal(r->call, 1);
    }
    document_free(d);
}

static void sip_is_read_in_both_directions_of_a_connection(void **state)
{
    (void)state;
    struct sender s = sender_new(NULL);
    struct connection c = connect_to(&s, 5060);
    char text[2048];
    say(&c, 0, text, message(text, sizeof text, "INVITE sip:b@10.0.0.2 SIP/2.0", offer));
    say(&c, 1, text, message(text, sizeof text, "SIP/2.0 200 OK", answer));
    expect_voice_both_ways(&s);
}

static void sip_in_segments_of_any_size_is_read(void **state)
{
    (void)state;
    for (size_t step = 1; step < 400; step = step * 2 + 1) {
        struct sender s = sender_new(NULL);
        struct connection c = connect_to(&s, 6000); /* no usual port: content alone tells */
        char text[2048];
        for (int side = 0; side < 2; side++) {
            size_t len = side ? message(text, sizeof text, "SIP/2.0 200 OK", answer)
                              : message(text, sizeof text, "INVITE sip:b@10.0.0.2 SIP/2.0", offer);
            for (size_t done = 0; done < len; done += step)
                say(&c, side, text + done, len - done < step ? len - done : step);
        }
        expect_voice_both_ways(&s);
    }
}

static void sip_of_a_connection_that_was_open_before_the_capture_is_read(void **state)
{
    (void)state;
    struct sender s = sender_new(NULL);
    struct connection c = {.s = &s, .client = at("10.0.0.1", 41000), .server = at("10.0.0.2", 5060), .seq = {5000, 6000}};
    char text[2048];
    say(&c, 0, "of a message before\r\n\r\n", 23);
    say(&c, 0, text, message(text, sizeof text, "INVITE sip:b@10.0.0.2 SIP/2.0", offer));
    say(&c, 1, text, message(text, sizeof text, "SIP/2.0 200 OK", answer));
    expect_voice_both_ways(&s);
}

static void sip_on_the_ports_of_a_connection_before_it_is_read(void **state)
{
    (void)state;
    struct sender s = sender_new(NULL);
    struct connection c = connect_to(&s, 5060);
    char text[2048];
    say(&c, 0, text, 0);
    send_tcp(&s, c.client, c.server, TCP_RST, c.seq[0], "", 0);
    c = connect_to(&s, 5060);
    c.seq[0] = 70000;
    c.seq[1] = 80000;
    send_tcp(&s, c.client, c.server, TCP_SYN, c.seq[0]++, "", 0);
    send_tcp(&s, c.server, c.client, TCP_SYN | TCP_ACK, c.seq[1]++, "", 0);
    say(&c, 0, text, message(text, sizeof text, "INVITE sip:b@10.0.0.2 SIP/2.0", offer));
    say(&c, 1, text, message(text, sizeof text, "SIP/2.0 200 OK", answer));
    expect_voice_both_ways(&s);
}

static void a_message_held_at_the_end_of_the_capture_is_read(void **state)
{
    (void)state;
    struct sender s = sender_new(NULL);
    struct connection c = connect_to(&s, 5060);
    char text[2048];
    size_t len = message(text, sizeof text, "INVITE sip:b@10.0.0.2 SIP/2.0", offer);
    say_at(&c, 0, c.seq[0], "REGISTER sip:b SIP/2.0\r\n", 24);
    say_at(&c, 0, c.seq[0] + 500, text, len); /* what is in between was lost */
    say(&c, 1, text, message(text, sizeof text, "SIP/2.0 200 OK", answer));
    expect_voice_both_ways(&s);
}

/* RFC 4571 §2: a length of 16 bits before each packet. */
static size_t framed(uint8_t *to, uint32_t ssrc, uint16_t sequence, uint32_t timestamp, size_t payload)
{
    size_t len = 12 + payload;
    memset(to, 0x33, 2 + len);
    const uint8_t head[] = {(uint8_t)(len >> 8), (uint8_t)len, 0x80, 0, (uint8_t)(sequence >> 8), (uint8_t)sequence,
                            (uint8_t)(timestamp >> 24), (uint8_t)(timestamp >> 16), (uint8_t)(timestamp >> 8), (uint8_t)timestamp,
                            (uint8_t)(ssrc >> 24), (uint8_t)(ssrc >> 16), (uint8_t)(ssrc >> 8), (uint8_t)ssrc};
    memcpy(to, head, sizeof head);
    return 2 + len;
}

static void each_segment_of_framed_media_counts_once(void **state)
{
    (void)state;
    struct sender s = sender_new(NULL);
    struct connection c = connect_to(&s, 7000);
    for (unsigned i = 0; i < 60; i++) {
        uint8_t bytes[512];
        size_t len = framed(bytes, 9, (uint16_t)(2 * i), 320 * i, 160);
        len += framed(bytes + len, 9, (uint16_t)(2 * i + 1), 320 * i + 160, 160);
        s.frame += 40; /* the helper's clock is the frame number: two packets of 20 ms in each segment */
        say(&c, 0, bytes, len);
    }
    struct document *d = sender_finish(&s);
    const struct record *r = record_with(d, KIND_RTP_AUDIO, 9);
    assert_non_null(r);
    assert_int_equal(r->packets, 60); /* segments: the mark is a segment's */
    assert_int_equal(r->rtp->lost, 0);
    assert_false(r->shares_connection);
    document_free(d);
}

static void media_that_shares_a_connection_says_so(void **state)
{
    (void)state;
    struct sender s = sender_new(NULL);
    struct connection c = connect_to(&s, 7000);
    for (unsigned i = 0; i < 60; i++) {
        uint8_t bytes[2048];
        size_t len = framed(bytes, 9, (uint16_t)i, 160 * i, 160);
        s.frame += 10;
        say(&c, 0, bytes, len);
        len = framed(bytes, 10, (uint16_t)i, 1800 * i, 900);
        s.frame += 10;
        say(&c, 0, bytes, len);
    }
    struct document *d = sender_finish(&s);
    unsigned media = 0;
    for (size_t i = 0; i < d->record_count; i++) {
        if (d->records[i].has_ssrc) {
            assert_true(d->records[i].shares_connection);
            media++;
        }
    }
    assert_int_equal(media, 2);
    document_free(d);
}

enum { CS0 = 0, AF31 = 26 };

/* A segment of the client's with `len` bytes of data, in as many fragments as `marks` has, and what the table knows of
 * marks with data after it. */
static void segment(struct connection *c, const dscp_t *marks, size_t fragments, const char *bytes, size_t len)
{
    struct packet p = packet_of(c->s, PROTO_TCP, c->client, c->server, marks[0], bytes, len, (int64_t)c->s->frame * MS);
    struct packet_part parts[2];
    for (size_t i = 0; i < fragments; i++)
        parts[i] = (struct packet_part){p.frame + i, p.time_ns, 0, 40, dscp_tos(marks[i]), 0, false};
    p.tcp_flags = TCP_ACK;
    p.tcp_seq = c->seq[0];
    p.parts = parts;
    p.part_count = fragments > 1 ? (uint32_t)fragments : 0;
    c->s->frame += fragments - 1;
    c->s->fed += fragments;
    c->seq[0] += (uint32_t)len;
    stream_table_packet(c->s->t, &p);
}

static dscp_set_t data_marks_of_client(struct connection *c)
{
    dscp_set_t marks = 0;
    struct document *d = sender_finish(c->s);
    for (size_t i = 0; i < d->record_count; i++)
        if (d->records[i].src.port == c->client.port)
            marks |= d->records[i].data_marks;
    document_free(d);
    return marks;
}

static void it_is_known_which_marks_carried_data(void **state)
{
    (void)state;
    static const dscp_t unmarked[] = {CS0}, marked[] = {AF31}, half[] = {AF31, CS0};
    static const dscp_set_t both = 1 | (dscp_set_t)1 << AF31;
    static const struct {
        size_t keep_alive; /* bytes in one of many acknowledgements without a mark */
        const dscp_t *last;
        size_t fragments;
        dscp_set_t wanted;
    } cases[] = {{0, marked, 1, (dscp_set_t)1 << AF31}, {4, marked, 1, both}, {0, half, 2, both}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct sender s = sender_new(NULL);
        struct connection c = {.s = &s, .client = at("10.0.0.1", 41000), .server = at("10.0.0.2", 5060), .seq = {100}};
        for (size_t i = 0; i < 20; i++)
            segment(&c, unmarked, 1, "\r\n\r\n", i == 10 ? cases[k].keep_alive : 0);
        segment(&c, cases[k].last, cases[k].fragments, "OPTIONS sip:x SIP/2.0\r\n", 23);
        assert_int_equal(data_marks_of_client(&c), cases[k].wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sip_is_read_in_both_directions_of_a_connection),
        cmocka_unit_test(sip_in_segments_of_any_size_is_read),
        cmocka_unit_test(sip_of_a_connection_that_was_open_before_the_capture_is_read),
        cmocka_unit_test(sip_on_the_ports_of_a_connection_before_it_is_read),
        cmocka_unit_test(a_message_held_at_the_end_of_the_capture_is_read),
        cmocka_unit_test(each_segment_of_framed_media_counts_once),
        cmocka_unit_test(media_that_shares_a_connection_says_so),
        cmocka_unit_test(it_is_known_which_marks_carried_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
