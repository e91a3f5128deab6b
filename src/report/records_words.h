#ifndef QOSMARK_REPORT_RECORDS_WORDS_H
#define QOSMARK_REPORT_RECORDS_WORDS_H

#include "model/kind.h"
#include "model/record.h"
#include "report/records_json.h"

/*
 * What saved records and the messages of sensors say of a stream in the same words and forms. As with the others of
 * report/records_json.h, what is wrong latches in `j`, and the value is 0 then.
 */
enum kind saved_kind(struct saved_json *j, const json_t *object);
enum traffic_class saved_class(struct saved_json *j, const json_t *object); /* absent and null: CLASS_NONE */
enum confidence saved_confidence(struct saved_json *j, const json_t *object);
enum direction saved_direction(struct saved_json *j, const json_t *object);
enum verdict saved_verdict(struct saved_json *j, const json_t *object);
uint8_t saved_protocol(struct saved_json *j, const json_t *object);
struct endpoint saved_endpoint(struct saved_json *j, const json_t *object, const char *key);
uint32_t saved_ssrc(struct saved_json *j, const json_t *object, bool *ret_there);

/* Packets by codepoint; of an "ecn" that is there, absent ones are 0, or (`wanted`) none may be absent. */
void saved_ecn(struct saved_json *j, const json_t *object, bool wanted, uint64_t ret[static 4]);

/* RTP payload types, at most `cap`; returns how many. */
uint8_t saved_payload_types(struct saved_json *j, const json_t *object, uint8_t *ret, size_t cap);

/* Lower-case hexadecimal digits, at most 16; false for anything else. */
bool saved_hex(struct slice digits, uint64_t *ret);

#endif
