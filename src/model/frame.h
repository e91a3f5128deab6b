#ifndef QOSMARK_MODEL_FRAME_H
#define QOSMARK_MODEL_FRAME_H

#include <stdint.h>

/* One captured frame as a source hands it out. `bytes` are borrowed until the next frame is asked for. */
struct frame {
    const uint8_t *bytes;
    uint32_t captured_bytes; /* how many of them there are */
    uint32_t wire_bytes;     /* how long the frame was on the wire; at least captured_bytes */
    int64_t time_ns;         /* since 1970, UTC */
    uint64_t number;         /* as Wireshark numbers it in its own file: from 1 */
    uint32_t input;          /* which input (file or interface), from 0 */
    uint16_t link_type;      /* LINKTYPE_ value (tcpdump.org/linktypes.html), not the platform's DLT_ */
};

#endif
