#ifndef QOSMARK_CLI_CLI_H
#define QOSMARK_CLI_CLI_H

/* The exit statuses of the contract (docs/FORMATS.md). */
enum exit_status {
    EXIT_CONFORMS = 0,
    EXIT_VIOLATION = 1,
    EXIT_USAGE = 2,
    EXIT_INPUT = 3,
    EXIT_NOTHING = 4,
};

/* A command gets argv from its own name on and returns an exit status. */
struct command {
    const char *name;
    const char *arguments; /* as the usage line shows them */
    const char *summary;
    int (*run)(int argc, char **argv);
};

int cmd_audit(int argc, char **argv);
int cmd_live(int argc, char **argv);
int cmd_policy(int argc, char **argv);
int cmd_probe(int argc, char **argv);
int cmd_trace(int argc, char **argv);
int cmd_reflect(int argc, char **argv);
int cmd_compare(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_generate(int argc, char **argv);
int cmd_collect(int argc, char **argv);
int cmd_doctor(int argc, char **argv);

/* What --version prints, of every command. Returns EXIT_CONFORMS. */
int cli_version(void);

/* "qosmark: " and the sentence, escaped for a terminal, on standard error. Returns `status`. */
int cli_fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
