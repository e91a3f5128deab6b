#ifndef QOSMARK_TESTS_STREAM_PLAIN_CALL_H
#define QOSMARK_TESTS_STREAM_PLAIN_CALL_H

/* A call as RFC 3264 has it, and the SDP around the lines of others. */
#include "stream/sip_talk.h"

#define SDP(address) "v=0\r\no=- 1 1 IN IP4 " address "\r\ns=-\r\nc=IN IP4 " address "\r\nt=0 0\r\n"

/* RFC 3264 §10.1, with ports of our own */
static const char alice[] = SDP("10.0.0.1") "m=audio 49170 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
                                            "m=video 51372 RTP/AVP 31\r\na=rtpmap:31 H261/90000\r\n"
                                            "m=video 53000 RTP/AVP 32\r\na=rtpmap:32 MPV/90000\r\n";
static const char bob[] = SDP("10.0.0.2") "m=audio 49920 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
                                          "m=video 0 RTP/AVP 31\r\n"
                                          "m=video 53002 RTP/AVP 32\r\na=rtpmap:32 MPV/90000\r\n";

static inline void plain_call(struct talk *k)
{
    say(k, (struct line){.start = "INVITE", .sdp = alice});
    say(k, (struct line){.start = "100 Trying"});
    say(k, (struct line){.start = "180 Ringing", .to_tag = "b"});
    say(k, (struct line){.start = "200 OK", .to_tag = "b", .sdp = bob});
    say(k, (struct line){.start = "ACK", .to_tag = "b", .cseq = "1 ACK", .branch = "ack"});
}

static inline void hang_up(struct talk *k)
{
    say(k, (struct line){.start = "BYE", .to_tag = "b", .cseq = "99 BYE"});
    say(k, (struct line){.start = "200 OK", .to_tag = "b", .cseq = "99 BYE"});
}

#endif
