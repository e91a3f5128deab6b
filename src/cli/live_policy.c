#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "cli/live_session.h"
#include "policy/policy.h"

/*
 * SIGHUP: the policy, the server's lines and the nodes of the command line are read again, by their paths and as the
 * user that this process is now. Where anything of it is wrong the policy of before stays in force, and that is said.
 */

/* Nodes that the DNS told at the start: no socket can be opened any more, so they are kept. */
static int keep_discovered(struct policy *p, const struct policy *before, struct error *error)
{
    const struct node *old, *now;
    size_t old_count = policy_nodes(before, &old), now_count = policy_nodes(p, &now);
    int r = 0;
    for (size_t i = 0; r == 0 && i < old_count; i++) {
        bool there = false;
        for (size_t k = 0; k < now_count; k++)
            there = there || strcmp(old[i].name, now[k].name) == 0;
        if (there)
            continue;
        struct strbuf argument = {0};
        strbuf_addf(&argument, "%s=", old[i].name);
        for (size_t k = 0; k < old[i].address_count; k++) {
            char text[ADDR_TEXT_MAX];
            addr_format(&old[i].addresses[k], text);
            strbuf_addf(&argument, "%s%s", k ? "," : "", text);
        }
        r = strbuf_ok(&argument) ? policy_add_node(p, strbuf_text(&argument), error) : ERR_MEMORY;
        strbuf_done(&argument);
        now_count = policy_nodes(p, &now);
    }
    return r;
}

/* A pipe would be waited for, and the capture with it. */
static int check_file(const char *path, struct error *error)
{
    struct stat st;
    if (path && stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return error_set(error, ERR_USAGE, "%s is no regular file: it cannot be read again", path);
    return 0;
}

static int load(const struct policy_arguments *a, const struct policy *before, struct policy **ret, struct error *error)
{
    if (check_file(a->policy, error) < 0 || check_file(a->mmp, error) < 0)
        return ERR_USAGE;
    struct policy *p = a->policy ? policy_load(a->policy, error) : policy_new_default(error);
    int r = p ? 0 : ERR_USAGE;
    if (r == 0 && a->mmp)
        r = policy_apply_mmp(p, a->mmp, error);
    for (size_t i = 0; r == 0 && i < a->node_count; i++)
        r = policy_add_node(p, a->nodes[i], error);
    if (r == 0 && (a->discover || policy_discover_domain(p)))
        r = keep_discovered(p, before, error);
    if (r < 0) {
        policy_free(p);
        return r;
    }
    *ret = p;
    return 0;
}

void live_policy_again(struct live_session *s)
{
    struct error error = {0};
    struct policy *p = NULL;
    /* the one before that is in use until the next look: one at a time */
    if (!s->read_policy || s->policy_before)
        return;
    s->read_policy = false;
    int r = load(&s->arguments->policy, s->policy, &p, &error);
    if (r == 0 && (r = live_run_policy(s->run, p, &error)) < 0)
        policy_free(p);
    if (r < 0) {
        const char *why = error.text[0] ? error.text : error_name(r);
        live_run_policy_refused(s->run, why);
        live_say(s, true, "the policy stays as it was: %s", why);
        return;
    }
    s->policy_before = s->policy;
    s->policy = p;
    live_say(s, false, "the policy was read again: %s (%s) is in force", policy_name(p), policy_source(p));
}
