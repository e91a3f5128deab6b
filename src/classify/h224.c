#include "classify/h224.h"

#define Q922_LOW_PRIORITY  0x0061 /* DLCI 6, EA bits as in Q.922 §3.3 */
#define Q922_HIGH_PRIORITY 0x0071 /* DLCI 7 */
#define Q922_UI            0x03
#define CLIENT_CME         0x00 /* client management entity; 0x01 far-end camera, 0x7e and 0x7f extended */
#define CLIENT_FECC        0x01

bool h224_looks_like(struct cursor payload)
{
    uint16_t address = cur_u16(&payload);
    uint8_t control = cur_u8(&payload);
    cur_skip(&payload, 4);                    /* destination and source terminal address */
    uint8_t client = cur_u8(&payload) & 0x7f; /* the top bit asks for an answer's form */
    cur_skip(&payload, 1);                    /* segment flags */
    if (payload.failed)
        return false;
    return (address == Q922_LOW_PRIORITY || address == Q922_HIGH_PRIORITY) && control == Q922_UI &&
           (client == CLIENT_CME || client == CLIENT_FECC || client >= 0x7e);
}
