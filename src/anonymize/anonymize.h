#ifndef QOSMARK_ANONYMIZE_ANONYMIZE_H
#define QOSMARK_ANONYMIZE_ANONYMIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"
#include "model/address.h"
#include "model/document.h"
#include "policy/policy.h"

/*
 * Reports without identities, to be handed to a carrier or a vendor (docs/ANONYMIZE.md).
 *
 * Addresses are replaced so that common prefixes stay common (Crypto-PAn; anonymize/address.h says which ranges
 * stay recognisable), names of people, hosts, nodes, sites, calls, files by tokens: a keyed hash, the same everywhere
 * in one run, and with the same key in every run. What is judged is the anonymised document: so every sentence, filter
 * and advice follows by itself, and verdicts and counts are the same as without.
 *
 *     anonymizer_new()       with a key file, or a random key
 *     anonymize_policy()     the policy to judge by: nodes, sites and names replaced
 *     anonymize_streams()    after stream_table_export() or with given records, before judge_document()
 *     anonymize_compare_*()  of a compare document, before judge_compare()
 *
 * One anonymizer belongs to one thread; another thread takes a copy.
 */
struct anonymizer;
struct compare_document;

/*
 * `key_file` NULL: a random key. The file holds 32 bytes as they are, or 64 hexadecimal digits (with or without 0x):
 * 16 for AES and 16 for the pad, as the reference implementation of Crypto-PAn and nfanon have it. ERR_USAGE, ERR_IO
 * with a sentence, ERR_UNSUPPORTED where this program was built without OpenSSL, ERR_MEMORY.
 */
int anonymizer_new(const char *key_file, struct anonymizer **ret, struct error *error);
struct anonymizer *anonymizer_copy(const struct anonymizer *a); /* NULL without memory */
void anonymizer_free(struct anonymizer *a);                     /* takes NULL */

/* A policy like `p`, to be freed, which speaks of the replaced addresses and names. 0 or ERR_MEMORY. */
int anonymize_policy(struct anonymizer *a, const struct policy *p, struct policy **ret);

/*
 * Makes the document's records, calls and inputs anonymous, whether a layer makes the records or they are given.
 * The anonymizer is borrowed as long as the document lives. 0 or ERR_MEMORY.
 *
 * Of a document with given records (a saved report) nodes, sites, calls, notes and the policy's name are replaced too,
 * and the findings of the document and of its records are taken out: they hold sentences of before. Do so before
 * judge_document() or, where saved verdicts are kept, before diagnose_document().
 */
int anonymize_streams(struct anonymizer *a, struct document *d);

/* Replaces the names of the captures and of the policy, as soon as the document has them, and what was said of a
 * capture. 0 or ERR_MEMORY. */
int anonymize_compare_captures(struct anonymizer *a, struct compare_document *d);

/* Replaces the ends of streams: once, when all segments are made. */
void anonymize_compare_streams(struct anonymizer *a, struct compare_document *d);

/* The bytes of a captured frame: anonymize/frame.h. */

/* ---- single values ---- */

enum anonymize_sort {
    ANONYMIZE_USER = 0, /* "user-3fa9c101" */
    ANONYMIZE_HOST,     /* "host-77ab1202"; letters of either case are the same. An address stays one */
    ANONYMIZE_NODE,
    ANONYMIZE_SITE,
    ANONYMIZE_CALL, /* with more digits: calls of several captures are joined by it */
    ANONYMIZE_AGENT,
    ANONYMIZE_INPUT, /* "capture-0c9d55f0.pcapng" where there is a suffix of captures, else "point-0c9d55f0" */
    ANONYMIZE_POLICY,
    ANONYMIZE_CODEC, /* registered names stay */
    ANONYMIZE_MAC,
    ANONYMIZE_SORTS
};

struct addr anonymize_addr(struct anonymizer *a, const struct addr *addr);

/* The token for a name, in the arena. "" for "" and NULL. NULL without memory. */
const char *anonymize_name(struct anonymizer *a, enum anonymize_sort sort, const char *name, struct arena *arena);

/* A SIP, TEL, XMPP... address, with or without its scheme, or an endpoint: "sip:user-3fa9c101@host-77ab1202",
 * "10.83.2.9:5060". Parameters are left out. */
const char *anonymize_uri(struct anonymizer *a, const char *uri, struct arena *arena);

/* A sentence of which nothing is known: addresses and what has an @ in it are replaced. */
const char *anonymize_sentence(struct anonymizer *a, const char *text, struct arena *arena);

/* A MAC address in place. Groups stay groups, ff:ff:ff:ff:ff:ff and 00:00:00:00:00:00 what they are; others become
 * locally administered ones. */
void anonymize_mac(struct anonymizer *a, uint8_t bytes[static 6]);

#endif
