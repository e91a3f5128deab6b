#include "policy/judge_probe_finding.h"

static const char *way_name(enum probe_way way)
{
    return way == PROBE_WAY_FORWARD ? "forward" : "reverse";
}

struct probe_finding *probe_finding_add(struct probe_document *d, const char *code, enum probe_way way)
{
    if (d->finding_count == PROBE_FINDINGS_MAX)
        return NULL;
    uint32_t *classes = arena_alloc(&d->arena, (d->class_count ? d->class_count : 1) * sizeof *classes);
    if (!classes)
        return NULL;
    struct probe_finding *f = &d->findings[d->finding_count++];
    *f = (struct probe_finding){.code = code,
                                .message = "",
                                .advice = "",
                                .direction = way_name(way),
                                .classes = classes,
                                .confidence = CONFIDENCE_CERTAIN};
    return f;
}

void probe_finding_add_class(struct probe_finding *f, size_t index)
{
    /* the array is the arena's, of which this function alone has written */
    uint32_t *classes = (uint32_t *)(uintptr_t)f->classes;
    classes[f->class_count++] = (uint32_t)index;
}

const char *probe_finding_classes(struct probe_document *d, const struct probe_finding *f)
{
    const char *text = "";
    size_t marked = 0;
    for (size_t i = 0; i < f->class_count; i++)
        marked += !d->classes[f->classes[i]].control;
    if (marked > 1 && marked + 1 == d->class_count)
        return marked < f->class_count ? "all classes and the unmarked control" : "all classes";
    for (size_t i = 0; i < f->class_count; i++) {
        const char *name = d->classes[f->classes[i]].name;
        bool control = d->classes[f->classes[i]].control;
        text = probe_document_text(d, "%s%s%s%s", text,
                                   i == 0                    ? ""
                                   : i + 1 == f->class_count ? " and "
                                                             : ", ",
                                   control ? "the unmarked " : "", name);
    }
    return text;
}
