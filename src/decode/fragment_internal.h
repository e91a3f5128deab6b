#ifndef QOSMARK_DECODE_FRAGMENT_INTERNAL_H
#define QOSMARK_DECODE_FRAGMENT_INTERNAL_H

#include "decode/fragment.h"

/*
 * Three arrays are set aside at the start and handed out by index, 0 being none: slots (one a datagram), pieces (one a
 * fragment) and chunks of payload. What was never used was never touched, so an unused store costs address space only.
 *
 * fragment_slots.c knows which are free and which datagram has which; fragment_pieces.c puts the fragments of one in
 * order and reads its payload; fragment.c decides when a datagram is whole, and when it has waited enough.
 */
enum { FRAGMENT_CHUNK_BYTES = 1024, DATAGRAM_BYTES_MAX = 65535 };

/* Fields in an order without padding: it is hashed and compared as bytes. RFC 791 §3.2; RFC 8200 §4.5 has no
 * protocol. */
struct fragment_key {
    struct addr src, dst;
    uint8_t proto;
    uint8_t zero;
    uint32_t id;
};
_Static_assert(sizeof(struct fragment_key) == 2 * sizeof(struct addr) + 6, "padding would be hashed");

struct fragment_piece {
    struct packet_part part;
    uint32_t offset, wire_bytes, captured_bytes;
    uint32_t chunk;        /* first of its payload */
    uint32_t next_arrived; /* the next in the order of arrival; also the list of free pieces */
    uint32_t next_placed;  /* the next by offset */
};

enum slot_state { SLOT_OPEN = 1, SLOT_DUE, SLOT_COMPLETED };

struct fragment_slot {
    struct fragment_key key;
    enum slot_state state;
    uint32_t next_in_bucket;
    uint32_t before, after; /* in the list of its state; `after` also links free slots */
    int64_t started_ns;     /* when SLOT_COMPLETED: when it was completed */
    uint32_t first_arrived, last_arrived, part_count;
    uint32_t first_placed, last_placed;
    uint32_t chunk_count;
    uint32_t covered_bytes; /* by pieces that do not overlap */
    uint32_t end_bytes;     /* of what was seen: the total when that is known */
    bool total_known, condemned, ports_known;
    uint8_t proto, ttl, layer_count;
    uint16_t src_port, dst_port;
    uint32_t header_bytes;
    struct walk_tags tags;
    struct ip_layer layers[PACKET_LAYERS_MAX];
};

struct fragment_list {
    uint32_t first, last, count;
};

/* Indices of an array: those given back, then those never used. */
struct fragment_pool {
    uint32_t free, used, size;
};

struct fragment_store {
    struct hash_key hash;
    int64_t timeout_ns;
    uint32_t chunks_allowed, chunks_held;
    uint32_t chunks_due; /* of those held, how many belong to datagrams that wait to be handed out */
    struct fragment_pool slot_pool, piece_pool, chunk_pool;
    struct fragment_slot *slots;
    struct fragment_piece *pieces;
    uint8_t (*chunks)[FRAGMENT_CHUNK_BYTES];
    uint32_t *next_chunk;
    uint32_t *buckets;
    struct fragment_list open, due, completed;
    uint32_t last_completed; /* slot */
    struct decoder_stats stats;
    struct datagram result;
    struct packet_part *result_parts;
    uint8_t *result_payload;
};

/* --- fragment_slots.c --- */

uint32_t fragment_table_find(struct fragment_store *s, const struct fragment_key *key); /* 0 where it is not there */
void fragment_list_append(struct fragment_store *s, struct fragment_list *l, uint32_t i);
void fragment_list_remove(struct fragment_store *s, struct fragment_list *l, uint32_t i);

/* A new open datagram, for which the oldest may have to go; 0 without room. */
uint32_t fragment_slot_open(struct fragment_store *s, const struct fragment_key *key, const struct fragment *f);
void fragment_slot_set_head(struct fragment_slot *slot, const struct fragment *f);
void fragment_slot_evict(struct fragment_store *s, uint32_t i); /* from the open ones to those that are due */
void fragment_slot_leave(struct fragment_store *s, uint32_t i); /* an open datagram: out of table and list */
void fragment_slot_give_back(struct fragment_store *s, uint32_t i); /* with its pieces */
void fragment_slot_drop(struct fragment_store *s, struct fragment_list *list, uint32_t i); /* all of that at once */

uint32_t fragment_piece_take(struct fragment_store *s); /* 0 without room */
uint32_t fragment_chunk_take(struct fragment_store *s);
void fragment_piece_give_back(struct fragment_store *s, uint32_t i);
void fragment_pieces_give_back(struct fragment_store *s, struct fragment_slot *slot);

/* --- fragment_pieces.c --- */

enum fragment_place { PLACE_NEW, PLACE_COPY, PLACE_OVERLAP };

/* Copies the payload into chunks; false without room. */
bool fragment_piece_fill(struct fragment_store *s, struct fragment_piece *p, const struct fragment *f);

/* Where a fragment goes: after the piece `*ret_after` (0 for the beginning). */
enum fragment_place fragment_piece_place(const struct fragment_store *s, const struct fragment_slot *slot,
                                         const struct fragment *f, uint32_t *ret_after);
void fragment_piece_link(struct fragment_store *s, struct fragment_slot *slot, uint32_t i, uint32_t after);

/* Into result_payload, without a gap from the beginning on: so many bytes. */
uint32_t fragment_payload_gather(struct fragment_store *s, const struct fragment_slot *slot);

#endif
