#ifndef QOSMARK_QOSMARK_H
#define QOSMARK_QOSMARK_H

/*
 * libqosmark: does conference traffic (SIP, RTP, XMPP, TURN...) carry the DSCP marks that it should?
 *
 *     qosmark_policy_new()      what is expected: the reference policy, or a file
 *     qosmark_audit_new()       an audit against it
 *     qosmark_audit_add_file()  captures, or qosmark_audit_packet() for packets of your own
 *     qosmark_audit_finish()    the result: verdict, streams, findings, calls, and reports in every format
 *
 * The library prints nothing, ends no program, reads no environment, keeps no state of its own between handles, and
 * starts threads only where QOSMARK_OPTION_THREADS asks for them. A handle is to be used by one thread at a time;
 * several handles may be used by several threads. Functions that fail return a negative number or NULL and leave a
 * sentence in the struct qosmark_error that was given, which may be NULL. What a const pointer points to is the
 * library's.
 *
 * All text that comes out is UTF-8 without control characters: what came from the network is safe on a terminal. It is
 * not escaped for HTML, CSV or a shell.
 */
#include <qosmark/audit.h>
#include <qosmark/dscp.h>
#include <qosmark/error.h>
#include <qosmark/policy.h>
#include <qosmark/result.h>
#include <qosmark/version.h>

#endif
