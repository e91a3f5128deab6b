#include "cli/publish_arguments.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/privileges.h"
#include "cli/units.h"
#include "fleet/delta.h"
#include "fleet/partition.h"

static bool take_text(struct publish_arguments *a, const char *name, const char *value)
{
    const struct {
        const char *name;
        const char **to;
    } texts[] = {{"publish", &a->servers}, {"site", &a->site}, {"nats-config", &a->config}, {"spill", &a->spill}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strcmp(texts[i].name, name) == 0) {
            *texts[i].to = value;
            a->any = a->any || i > 0;
            return true;
        }
    }
    return false;
}

static int refuse(const char *name, const char *what, const char *value)
{
    (void)cli_fail(0, "--%s is %s, not \"%s\"", name, what, value);
    return -1;
}

int publish_arguments_take(struct publish_arguments *a, const struct option_walk *w)
{
    const char *name = w->spec->name, *value = w->value;
    if (!value)
        return 0;
    if (take_text(a, name, value))
        return 1;
    if (strcmp(name, "partitions") == 0) {
        a->any = true;
        return units_count(value, 1, PARTITIONS_MAX, &a->partitions)
                   ? 1
                   : refuse(name, "a number from 1 to 1024", value);
    }
    if (strcmp(name, "stream-age") == 0) {
        a->any = true;
        return units_duration(value, &a->stream_age_ns) && a->stream_age_ns >= 60 * NS_PER_S
                   ? 1
                   : refuse(name, "a time of at least 1m, such as 72h", value);
    }
    uint64_t *size = strcmp(name, "spill-max") == 0    ? &a->spill_bytes
                     : strcmp(name, "stream-max") == 0 ? &a->stream_bytes
                                                       : NULL;
    if (!size)
        return 0;
    a->any = true;
    return units_size(value, size) && *size >= 65536 && *size <= (uint64_t)1 << 44
               ? 1
               : refuse(name, "a size of at least 64KiB, such as 256MiB", value);
}

int publish_arguments_check(const struct publish_arguments *a)
{
    if (!a->servers)
        return a->any ? cli_fail(EXIT_USAGE, "--site, --nats-config, --spill, --partitions and --stream-... say how "
                                             "something is published: --publish says where to")
                      : 0;
    if (!bus_built_in())
        return cli_fail(EXIT_USAGE, "%s", bus_absent);
    if (!a->site)
        return cli_fail(EXIT_USAGE, "--publish needs --site NAME: where this sensor is");
    if (!delta_site_is_good(a->site))
        return cli_fail(EXIT_USAGE, "--site is a name of letters, digits, '-', '_' and ':', at most %d of them",
                        DELTA_NAME_MAX - 1);
    if (a->spill_bytes && !a->spill)
        return cli_fail(EXIT_USAGE, "--spill-max says how large a file may become: --spill FILE says which");
    return 0;
}

int bus_arguments_load(const char *servers, const char *config, struct bus_options *ret)
{
    const struct bus_environment environment = {.user = getenv("NATS_USER"),
                                                .password = getenv("NATS_PASSWORD"),
                                                .token = getenv("NATS_TOKEN"),
                                                .credentials = getenv("NATS_CREDS"),
                                                .ca = getenv("NATS_CA"),
                                                .certificate = getenv("NATS_CERT"),
                                                .key = getenv("NATS_KEY")};
    struct error error = {0};
    int r = bus_options_servers(ret, servers, &error);
    if (r == 0)
        r = config ? bus_options_file(ret, config, &error) : bus_options_environment(ret, &environment, &error);
    if (ret->password || ret->token || ret->seed || ret->key)
        privileges_hide_memory();
    if (r < 0)
        return cli_fail(r == ERR_USAGE ? EXIT_USAGE : EXIT_INPUT, "%s", error.text[0] ? error.text : error_name(r));
    return 0;
}
