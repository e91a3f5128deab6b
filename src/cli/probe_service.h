#ifndef QOSMARK_CLI_PROBE_SERVICE_H
#define QOSMARK_CLI_PROBE_SERVICE_H

#include <stdbool.h>

/*
 * `qosmark probe TARGET --service sip|xmpp|https|stun`: real requests to a real server, where there is no reflector.
 * It shares nothing with the probes to a reflector but the document that it fills and the way that is shown, so it has
 * a command line of its own. cmd_probe asks first thing:
 *
 *     if (probe_service_wanted(argc, argv))
 *         return probe_service_command(argc, argv);
 */

/* The command line (from the command's own name on) asks for --service. */
bool probe_service_wanted(int argc, char **argv);

/* All of the command, --help included. Returns an exit status, after saying what is wrong where it is 2 or 3. */
int probe_service_command(int argc, char **argv);

/* For the help of `qosmark probe`: one row in its table of options (struct option_spec). */
#define PROBE_SERVICE_OPTION                                                                                           \
    {                                                                                                                  \
        "service", 0, "sip|xmpp|https|stun",                                                                           \
            "no reflector: ask a real server and judge the marks of what it sends back; `qosmark probe --service sip " \
            "--help` has the options of that"                                                                          \
    }

#endif
