#include "policy/yaml_tree.h"

#include <errno.h>
#include <libfyaml.h>
#include <string.h>

#include "policy/policy_internal.h"

struct builder {
    const char *file;
    struct slice source;
    struct arena *arena;
    struct error *error;
    struct yaml_node *root;
    struct yaml_node *open[YAML_DEPTH_MAX];
    struct yaml_node *key[YAML_DEPTH_MAX]; /* waiting for its value */
    size_t depth, nodes, documents;
    struct place at; /* of the last event that had one */
};

static int fail(struct builder *b, int code, const char *what)
{
    return place_error(b->error, &b->at, code, "%s", what);
}

/* YAML is UTF-8 without control characters (YAML 1.2 §5.1); other encodings and binary files end here. */
static int check_text(struct slice text, const char *file, struct error *error)
{
    struct place at = {.file = file, .line = 1, .column = 1};
    struct slice rest = text;
    for (; rest.len; at.line++) {
        struct slice line = slice_next(&rest, '\n');
        for (size_t i = 0; i < line.len; i++) {
            unsigned char c = (unsigned char)line.at[i];
            if (c < 0x20 && c != '\t' && c != '\r') {
                at.column = (unsigned)i + 1;
                return place_error(error, &at, ERR_USAGE, "a control character (0x%02X): this is no text file in UTF-8",
                                   c);
            }
        }
        struct strbuf printable = {0};
        text_printable(&printable, line.at, line.len);
        /* Escapes are longer than what they stand for; a line whose only odd bytes are tab and CR is fine. */
        bool no_memory = !strbuf_ok(&printable);
        size_t spaces = 0;
        for (size_t i = 0; i < line.len; i++)
            spaces += line.at[i] == '\t' || line.at[i] == '\r';
        bool same = printable.len == line.len + 3 * spaces;
        strbuf_done(&printable);
        if (no_memory)
            return place_error(error, &at, ERR_MEMORY, "%s", error_name(ERR_MEMORY));
        if (!same)
            return place_error(error, &at, ERR_USAGE,
                               "this line holds bytes that are no printable UTF-8: save the file as UTF-8");
    }
    return 0;
}

/* Spaces before the text of a literal scalar, whose first line with text says how many: libfyaml's mark is where the
 * scalar's first line, which may be blank, begins. */
static unsigned indent_at(const struct builder *b, size_t position)
{
    unsigned n = 0;
    for (size_t i = position; i < b->source.len; i++) {
        char c = b->source.at[i];
        if (c == '\n' || c == '\r')
            n = 0;
        else if (c != ' ')
            break;
        else
            n++;
    }
    return n;
}

static struct yaml_node *add_node(struct builder *b, enum yaml_type type)
{
    if (++b->nodes > YAML_NODES_MAX) {
        (void)fail(b, ERR_LIMIT, "too many values for a policy");
        return NULL;
    }
    struct yaml_node *n = arena_alloc(b->arena, sizeof *n);
    if (n == NULL) {
        (void)fail(b, ERR_MEMORY, error_name(ERR_MEMORY));
        return NULL;
    }
    n->type = type;
    n->line = b->at.line;
    n->column = b->at.column;
    return n;
}

/* Hangs the node where the document stands: as the root, in a list, as a key, or as the value of the waiting key. */
static int attach(struct builder *b, struct yaml_node *n)
{
    if (b->depth == 0) {
        b->root = n;
        return 0;
    }
    struct yaml_node *parent = b->open[b->depth - 1];
    struct yaml_node **key = &b->key[b->depth - 1];
    if (parent->type == YAML_MAP && *key == NULL) {
        if (n->type != YAML_SCALAR)
            return fail(b, ERR_USAGE, "a key is a word, not a list or mapping");
        *key = n;
        return 0;
    }
    if (parent->type == YAML_MAP) {
        n->key = *key;
        *key = NULL;
    }
    if (parent->last)
        parent->last->next = n;
    else
        parent->first = n;
    parent->last = n;
    return 0;
}

static int on_scalar(struct builder *b, struct fy_event *e)
{
    size_t len = 0;
    errno = 0;
    const char *text = fy_token_get_text(e->scalar.value, &len);
    if (e->scalar.value && len == 0 && errno == ENOMEM) /* it gives an empty one then */
        return fail(b, ERR_MEMORY, error_name(ERR_MEMORY));
    enum fy_scalar_style style = e->scalar.value ? fy_token_scalar_style(e->scalar.value) : FYSS_PLAIN;
    struct yaml_node *n = add_node(b, YAML_SCALAR);
    if (n == NULL)
        return ERR_MEMORY;
    n->plain = style == FYSS_PLAIN;
    n->literal = style == FYSS_LITERAL;
    if ((style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED) && n->column > 1)
        n->column--; /* libfyaml's mark is behind the quote */
    const struct fy_mark *mark = fy_event_start_mark(e);
    if (n->literal && mark && mark->column == 0)
        n->column = indent_at(b, mark->input_pos) + 1;
    const char *copy = arena_copy(b->arena, text ? text : "", text ? len : 0);
    if (copy == NULL)
        return fail(b, ERR_MEMORY, error_name(ERR_MEMORY));
    n->text = slice_make(copy, text ? len : 0);
    return attach(b, n);
}

static int on_open(struct builder *b, enum yaml_type type)
{
    struct yaml_node *n = add_node(b, type);
    if (n == NULL)
        return ERR_MEMORY;
    int r = attach(b, n);
    if (r < 0)
        return r;
    if (b->depth == YAML_DEPTH_MAX)
        return fail(b, ERR_LIMIT, "nested deeper than any policy is");
    b->key[b->depth] = NULL;
    b->open[b->depth++] = n;
    return 0;
}

static int on_close(struct builder *b)
{
    if (b->depth)
        b->depth--;
    return 0;
}

static int on_event(struct builder *b, struct fy_event *e)
{
    const struct fy_mark *mark = fy_event_start_mark(e);
    if (mark && mark->line >= 0 && mark->column >= 0) {
        b->at.line = (unsigned)mark->line + 1;
        b->at.column = (unsigned)mark->column + 1;
        if (e->type == FYET_ALIAS && mark->column) /* its mark is behind the '*' */
            b->at.column--;
    }
    bool is_value = e->type == FYET_SCALAR || e->type == FYET_SEQUENCE_START || e->type == FYET_MAPPING_START;
    if (e->type == FYET_ALIAS || (is_value && fy_event_get_anchor_token(e)))
        return fail(b, ERR_USAGE,
                    "anchors and aliases (& and *) are not for policies: write the value out, or in quotes");
    if (is_value && fy_event_get_tag_token(e))
        return fail(b, ERR_USAGE, "tags (!) are not for policies: leave it out, or write the value in quotes");
    if (e->type == FYET_SCALAR)
        return on_scalar(b, e);
    if (e->type == FYET_SEQUENCE_START)
        return on_open(b, YAML_LIST);
    if (e->type == FYET_MAPPING_START)
        return on_open(b, YAML_MAP);
    if (e->type == FYET_SEQUENCE_END || e->type == FYET_MAPPING_END)
        return on_close(b);
    if (e->type == FYET_DOCUMENT_START && ++b->documents > 1)
        return fail(b, ERR_USAGE, "a second document begins here; a policy is one");
    return 0;
}

/* The first thing that libfyaml found wrong with the syntax. */
static int syntax_error(struct builder *b, struct fy_diag *diag)
{
    void *state = NULL;
    const struct fy_diag_error *e = fy_diag_errors_iterate(diag, &state);
    if (errno == ENOMEM)
        return fail(b, ERR_MEMORY, error_name(ERR_MEMORY));
    if (e == NULL)
        return fail(b, ERR_USAGE, "this is no valid YAML");
    struct place at = b->at;
    if (e->line > 0 && e->column > 0) {
        at.line = (unsigned)e->line;
        at.column = (unsigned)e->column;
    }
    return place_error(b->error, &at, ERR_USAGE, "no valid YAML: %s", e->msg ? e->msg : "syntax error");
}

static int build(struct builder *b, struct fy_parser *parser, struct fy_diag *diag)
{
    int r = fy_parser_set_string(parser, b->source.at, b->source.len) ? fail(b, ERR_MEMORY, error_name(ERR_MEMORY)) : 0;
    struct fy_event *e;
    errno = 0; /* libfyaml fails in one way for whatever reason; this tells want of memory from wrong syntax */
    while (r >= 0 && (e = fy_parser_parse(parser)) != NULL) {
        r = on_event(b, e);
        fy_parser_event_free(parser, e);
    }
    if (r >= 0 && fy_parser_get_stream_error(parser))
        r = syntax_error(b, diag);
    return r;
}

int yaml_read(struct slice text, const char *file, struct arena *arena, struct yaml_node **ret, struct error *error)
{
    struct builder b = {.file = file, .arena = arena, .error = error, .at = {file, 1, 1}};
    if (text.len > POLICY_FILE_MAX_BYTES)
        return fail(&b, ERR_LIMIT, "larger than 1 MiB, which no policy is");
    if (slice_starts(text, SLICE("\xef\xbb\xbf")))
        text = slice_make(text.at + 3, text.len - 3);
    int r = check_text(text, file, error);
    if (r < 0)
        return r;
    *ret = NULL;
    if (slice_trim(text).len == 0)
        return 0;
    b.source = text;
    struct fy_diag_cfg diag_cfg;
    fy_diag_cfg_default(&diag_cfg);
    diag_cfg.fp = NULL; /* below cli/ nothing prints */
    diag_cfg.colorize = false;
    struct fy_diag *diag = fy_diag_create(&diag_cfg);
    if (diag)
        fy_diag_set_collect_errors(diag, true);
    struct fy_parse_cfg cfg = {
        .search_path = "", .flags = FYPCF_QUIET | FYPCF_DEFAULT_VERSION_1_2 | FYPCF_JSON_NONE, .diag = diag};
    struct fy_parser *parser = diag ? fy_parser_create(&cfg) : NULL;
    r = parser ? build(&b, parser, diag) : fail(&b, ERR_MEMORY, error_name(ERR_MEMORY));
    if (parser)
        fy_parser_destroy(parser);
    if (diag)
        fy_diag_destroy(diag);
    if (r >= 0)
        *ret = b.root;
    return r;
}

const char *yaml_describe(const struct yaml_node *n)
{
    if (n->type == YAML_LIST)
        return "a list";
    if (n->type == YAML_MAP)
        return "a mapping";
    return yaml_is_null(n) ? "nothing" : "a single value";
}

bool yaml_is_null(const struct yaml_node *n)
{
    return n->type == YAML_SCALAR && n->plain &&
           (n->text.len == 0 || slice_equal(n->text, SLICE("~")) || slice_equal_nocase(n->text, SLICE("null")));
}
