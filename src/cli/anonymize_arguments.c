#include "cli/anonymize_arguments.h"

#include <string.h>

#include "cli/cli.h"
#include "cli/privileges.h"

bool anonymize_arguments_take(struct anonymize_arguments *a, const struct option_walk *w)
{
    if (strcmp(w->spec->name, "anonymize") == 0) {
        a->anonymize = true;
        return true;
    }
    if (strcmp(w->spec->name, "anonymize-key") != 0)
        return false;
    a->anonymize = true;
    a->key = w->value;
    return true;
}

int anonymize_arguments_load(const struct anonymize_arguments *a, struct anonymizer **ret)
{
    struct error error = {0};
    *ret = NULL;
    if (!a->anonymize)
        return 0;
    privileges_hide_memory();
    int r = anonymizer_new(a->key, ret, &error);
    if (r < 0)
        return cli_fail(r == ERR_MEMORY ? EXIT_INPUT : EXIT_USAGE, "%s", error.text[0] ? error.text : error_name(r));
    return 0;
}
