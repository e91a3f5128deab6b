#include "report/report_json.h"

#include <stdio.h>
#include <string.h>

#include "report/records_saved.h"
#include "report/view.h"

/* What is said once of all records of a run, as elements of a document and in the "audit" of the first record line. */

void emit_input(struct emit *e, const struct input *in)
{
    emit_open(e, '{');
    emit_key(e, "file");
    emit_text(e, in->file);
    if (in->point) {
        emit_key(e, "point");
        emit_text(e, in->point);
    }
    emit_key(e, "packets");
    emit_count(e, in->packets);
    emit_key(e, "bytes");
    emit_count(e, in->bytes);
    emit_key(e, "first");
    emit_time(e, in->packets > 0, in->first_ns);
    emit_key(e, "last");
    emit_time(e, in->packets > 0, in->last_ns);
    emit_key(e, "skipped");
    emit_open(e, '{');
    emit_key(e, "truncated");
    emit_count(e, in->truncated);
    emit_key(e, "malformed");
    emit_count(e, in->malformed);
    emit_key(e, "unsupported");
    emit_count(e, in->unsupported);
    emit_close(e, '}');
    emit_key(e, "dropped");
    emit_count(e, in->dropped);
    emit_key(e, "complete");
    emit_bool(e, in->complete);
    emit_key(e, "problem");
    emit_text(e, in->problem);
    emit_close(e, '}');
}

void emit_node(struct emit *e, const struct node *n)
{
    emit_open(e, '{');
    emit_key(e, "name");
    emit_text(e, n->name);
    emit_key(e, "addresses");
    emit_open(e, '[');
    for (size_t a = 0; a < n->address_count; a++)
        emit_address(e, &n->addresses[a]);
    emit_close(e, ']');
    emit_key(e, "roles");
    emit_open(e, '[');
    for (unsigned bit = 0; bit < 32; bit++) {
        const char *role = role_name((enum node_role)(n->roles & 1u << bit));
        if (*role)
            emit_text(e, role);
    }
    emit_close(e, ']');
    emit_key(e, "inferred");
    emit_bool(e, n->inferred);
    emit_key(e, "evidence");
    emit_text(e, n->evidence);
    emit_close(e, '}');
}

void emit_site(struct emit *e, const struct site *s)
{
    emit_open(e, '{');
    emit_key(e, "name");
    emit_text(e, s->name);
    emit_key(e, "prefixes");
    emit_open(e, '[');
    for (size_t p = 0; p < s->prefix_count; p++) {
        char address[ADDR_TEXT_MAX], text[ADDR_TEXT_MAX + 8];
        addr_format(&s->prefixes[p].addr, address);
        (void)snprintf(text, sizeof text, "%s/%u", address, (unsigned)s->prefixes[p].len);
        emit_text(e, text);
    }
    emit_close(e, ']');
    emit_close(e, '}');
}

/* --- policies
 * --------------------------------------------------------------------------------------------------------- */

static void emit_saved_policy(struct emit *e, const struct saved_policy *p)
{
    emit_open(e, '{');
    emit_key(e, "name");
    emit_text(e, p->name);
    emit_key(e, "source");
    emit_text(e, p->source);
    emit_key(e, "expect");
    emit_open(e, '{');
    for (int c = CLASS_NONE + 1; c < CLASS_COUNT; c++) {
        if (!p->expect[c].marks)
            continue;
        emit_key_named(e, class_name((enum traffic_class)c));
        emit_marks(e, p->expect[c].marks, p->expect[c].preferred);
    }
    emit_close(e, '}');
    emit_key(e, "priority");
    emit_marks(e, p->priority, DSCP_EF);
    emit_close(e, '}');
}

void emit_policy(struct emit *e, const struct document *d)
{
    struct saved_policy p = {.name = d->policy_name, .source = d->policy_source, .priority = d->priority};
    memcpy(p.expect, d->expect, sizeof p.expect);
    emit_saved_policy(e, &p);
}

static void emit_policies(struct emit *e, const struct document *d)
{
    const struct saved_origin *o = saved_origin_of(d);
    emit_open(e, '[');
    for (size_t i = 0; o && i < o->policy_count; i++)
        emit_saved_policy(e, &o->policies[i]);
    if (!o)
        emit_policy(e, d);
    emit_close(e, ']');
}

/* Calls that no record is of: set up, and then no media was seen. More than so many are left out. */
enum { EMPTY_CALLS_MAX = 10000 };

static void emit_empty_calls(struct emit *e, const struct document *d)
{
    size_t shown = 0;
    emit_open(e, '[');
    for (size_t i = 0; i < d->calls_given && shown < EMPTY_CALLS_MAX; i++) {
        const struct call *c = &d->calls[i];
        if (!c->call_id || !*c->call_id || document_call_counts(d, i).streams)
            continue;
        shown++;
        emit_open(e, '{');
        emit_key(e, "call_id");
        emit_text(e, c->call_id);
        emit_key(e, "from");
        emit_text_or_null(e, c->from);
        emit_key(e, "to");
        emit_text_or_null(e, c->to);
        emit_key(e, "user_agent");
        emit_text_or_null(e, c->user_agent);
        emit_key(e, "first");
        emit_time(e, c->first_ns || c->last_ns, c->first_ns);
        emit_key(e, "last");
        emit_time(e, c->first_ns || c->last_ns, c->last_ns);
        emit_close(e, '}');
    }
    emit_close(e, ']');
}

/* --- the whole
 * -------------------------------------------------------------------------------------------------------- */

void emit_run(struct emit *e, const struct document *d)
{
    const struct saved_origin *o = saved_origin_of(d);
    size_t nodes = o ? o->known_nodes : d->node_count, sites = o ? o->known_sites : d->site_count;
    size_t notes = o ? o->note_count : d->note_count;
    emit_open(e, '{');
    emit_key(e, "policies");
    emit_policies(e, d);
    emit_key(e, "inputs");
    emit_open(e, '[');
    for (size_t i = 0; i < d->input_count; i++)
        if (!o || !o->input_derived[i])
            emit_input(e, &d->inputs[i]);
    emit_close(e, ']');
    emit_key(e, "nodes");
    emit_open(e, '[');
    for (size_t i = 0; i < nodes; i++)
        emit_node(e, &d->nodes[i]);
    emit_close(e, ']');
    emit_key(e, "sites");
    emit_open(e, '[');
    for (size_t i = 0; i < sites; i++)
        emit_site(e, &d->sites[i]);
    emit_close(e, ']');
    emit_key(e, "calls");
    emit_empty_calls(e, d);
    emit_key(e, "notes");
    emit_open(e, '[');
    for (size_t i = 0; i < notes; i++)
        emit_text(e, o ? o->notes[i] : d->notes[i]);
    emit_close(e, ']');
    emit_key(e, "limited");
    emit_bool(e, d->limited);
    emit_close(e, '}');
}
