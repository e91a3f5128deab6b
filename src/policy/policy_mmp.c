#include "policy/policy_internal.h"

#include <stdlib.h>
#include <string.h>

/*
 * The server's own command lines (Cisco Meeting Server MMP, from the vendor's documentation, not verified on a device):
 *
 *     dscp (4|6) <class> (<value>|none)
 *     dscp assured (true|false)
 *
 * in a file or a pasted session: comments, blank lines, prompts and the lines of other commands are passed over; a line
 * that begins with dscp, or nearly so, is right or an error.
 */

enum { WORDS_MAX = 6 };

struct mmp_line {
    struct place at; /* of the line's first word */
    struct slice words[WORDS_MAX];
    size_t count;      /* one more than WORDS_MAX words is enough to be wrong */
    const char *start; /* of the line, for columns */
    const char *option;
    unsigned indent;
};

static struct place word_place(const struct mmp_line *line, size_t word)
{
    struct place at = line->at;
    at.column = line->indent + 1 + (unsigned)(line->words[word].at - line->start);
    return at;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

/* "cms-01> dscp ...": a first word that ends in '>' is the server's prompt, with or without a space behind it. */
static struct slice after_prompt(struct slice text)
{
    for (size_t i = 0; i < text.len && !is_blank(text.at[i]); i++)
        if (text.at[i] == '>')
            return slice_make(text.at + i + 1, text.len - i - 1);
    return text;
}

static void split_words(struct slice text, const struct place *at, unsigned indent, struct mmp_line *ret)
{
    *ret = (struct mmp_line){.at = *at, .start = text.at, .indent = indent};
    const char *comment = memchr(text.at, '#', text.len);
    if (comment)
        text.len = (size_t)(comment - text.at);
    struct slice left = slice_trim(text);
    struct slice behind = after_prompt(left);
    left = behind;
    while (left.len) {
        while (left.len && is_blank(left.at[0]))
            left = slice_make(left.at + 1, left.len - 1);
        size_t n = 0;
        while (n < left.len && !is_blank(left.at[n]))
            n++;
        if (n == 0 || ret->count == WORDS_MAX)
            break;
        ret->words[ret->count++] = slice_make(left.at, n);
        left = slice_make(left.at + n, left.len - n);
    }
    if (ret->count)
        ret->at = word_place(ret, 0);
}

/* `dcsp 4 voice 0x2E` must not be passed over as some other command. */
static bool nearly_dscp(const struct mmp_line *line)
{
    static const char *const words[] = {"dscp"};
    char word[16];
    if (line->count < 2 || line->words[0].len >= sizeof word)
        return false;
    slice_copy(line->words[0], word, sizeof word);
    struct slice second = line->words[1];
    return (slice_equal(second, SLICE("4")) || slice_equal(second, SLICE("6")) ||
            slice_equal_nocase(second, SLICE("assured"))) &&
           text_nearest(word, words, 1) != NULL;
}

static const char *origin_of(struct policy *p, const struct mmp_line *line)
{
    return policy_origin(p, "%s%s:%u", line->option, line->at.file, line->at.line);
}

static int apply_assured(struct policy *p, const struct mmp_line *line, struct error *error)
{
    char shown[QUOTED_MAX];
    struct place at = line->at;
    bool is_true = line->count == 3 && slice_equal_nocase(line->words[2], SLICE("true"));
    bool is_false = line->count == 3 && slice_equal_nocase(line->words[2], SLICE("false"));
    if (!is_true && !is_false) {
        if (line->count > 2)
            at = word_place(line, line->count > 3 ? 3 : 2);
        return place_error(error, &at, ERR_USAGE, "write dscp assured true or dscp assured false%s%s",
                           line->count > 2 ? ", not " : "",
                           line->count > 2 ? quoted(line->words[line->count > 3 ? 3 : 2], shown) : "");
    }
    p->marks.assured = is_true;
    p->origins.assured = origin_of(p, line);
    return 0;
}

/* The line says what the server sends, so what the policy asks of the others (`to-node:`) stays. */
static void set_marks(struct policy_marks *m, enum traffic_class c, enum ip_index ip, bool none, dscp_t dscp)
{
    for (int d = 0; d < DIRECTION_COUNT; d++) {
        if (d == DIRECTION_TO_NODE && m->to_node_stated[c][ip])
            continue;
        struct policy_rule *rule = &m->rules[c][ip][d];
        rule->any = false;
        rule->marks = none ? 0 : dscp_set_of(dscp);
        rule->preferred = none ? 0 : dscp;
    }
    policy_replan_plain(m, c);
}

static int apply_class(struct policy *p, const struct mmp_line *line, struct error *error)
{
    static const char form[] = "dscp (4|6) <class> (<value>|none)";
    char shown[QUOTED_MAX], hint[NEAREST_MAX], why[WHY_MAX];
    struct place at = line->at;
    if (line->count < 4)
        return place_error(error, &at, ERR_USAGE, "the line is not whole: write %s", form);
    enum traffic_class c = CLASS_NONE;
    if (!class_parse(line->words[2], &c)) {
        at = word_place(line, 2);
        return place_error(error, &at, ERR_USAGE, "the server has no class %s%s", quoted(line->words[2], shown),
                           nearest_hint(line->words[2], class_names + 1, CLASS_COUNT - 1, hint));
    }
    if (line->count > 4) {
        at = word_place(line, 4);
        return place_error(error, &at, ERR_USAGE, "%s is too much: write %s", quoted(line->words[4], shown), form);
    }
    struct slice value = line->words[3];
    at = word_place(line, 3);
    bool none = slice_equal_nocase(value, SLICE("none"));
    dscp_t dscp = 0;
    if (!none && !mark_read(value, false, &dscp, why))
        return place_error(error, &at, ERR_USAGE, "%s", why);
    if (!none && !mark_note_slip(p, &at, value))
        return place_error(error, &at, ERR_MEMORY, "%s", error_name(ERR_MEMORY));
    enum ip_index ip = slice_equal(line->words[1], SLICE("6")) ? IP_INDEX_6 : IP_INDEX_4;
    set_marks(&p->marks, c, ip, none, dscp);
    const char **origin = &p->origins.marks[c][ip], *here = origin_of(p, line);
    *origin = p->marks.to_node_stated[c][ip] ? policy_origin(p, "%s; to-node: %s", here, *origin) : here;
    return 0;
}

/* 1 when the line was a setting, 0 when there is nothing in it for us, negative an error. */
static int apply_line(struct policy *p, const struct mmp_line *line, bool only_dscp, struct error *error)
{
    char shown[QUOTED_MAX];
    if (line->count == 0)
        return 0;
    if (!slice_equal_nocase(line->words[0], SLICE("dscp"))) {
        if (nearly_dscp(line))
            return place_error(error, &line->at, ERR_USAGE, "%s is no command of the server; did you mean 'dscp'?",
                               quoted(line->words[0], shown));
        if (only_dscp)
            return place_error(error, &line->at, ERR_USAGE, "%s is no dscp command", quoted(line->words[0], shown));
        return 0;
    }
    if (line->count == 1 && !only_dscp) /* asks the server for its settings */
        return 0;
    if (line->count > 1 && slice_equal_nocase(line->words[1], SLICE("assured"))) {
        int r = apply_assured(p, line, error);
        return r < 0 ? r : 1;
    }
    if (line->count > 1 && !slice_equal(line->words[1], SLICE("4")) && !slice_equal(line->words[1], SLICE("6"))) {
        struct place at = word_place(line, 1);
        return place_error(error, &at, ERR_USAGE,
                           "%s is neither IP version 4 nor 6 nor assured: write dscp (4|6) <class> (<value>|none)",
                           quoted(line->words[1], shown));
    }
    int r = apply_class(p, line, error);
    return r < 0 ? r : 1;
}

int policy_mmp_apply(struct policy *p, const struct mmp_text *in, struct error *error)
{
    struct policy_marks before = p->marks;
    struct policy_origins origins = p->origins;
    size_t notes_before = p->note_count;
    struct slice rest = in->text;
    struct place at = {.file = in->file, .line = in->first_line, .column = 1};
    size_t settings = 0;
    int r = 0;
    for (; rest.len && r >= 0; at.line++) {
        struct mmp_line line;
        split_words(slice_next(&rest, '\n'), &at, in->indent, &line);
        line.option = in->option;
        r = apply_line(p, &line, in->only_dscp, error);
        settings += r > 0;
    }
    if (r >= 0 && settings == 0) {
        at.line = in->first_line;
        at.column = in->indent + 1;
        r = place_error(error, &at, ERR_USAGE, "no dscp command in it: write lines such as dscp 4 voice 0x2E");
    }
    if (r < 0) {
        p->marks = before;
        p->origins = origins;
        p->note_count = notes_before;
        return r;
    }
    return 0;
}

int policy_apply_mmp_text(struct policy *p, struct slice text, const char *name, struct error *error)
{
    const char *source = arena_printf(&p->arena, "%s, dscp lines of %s", p->built_in ? p->name : p->source, name);
    if (source == NULL)
        return error_set(error, ERR_MEMORY, "%s", error_name(ERR_MEMORY));
    struct mmp_text in = {.text = text, .file = name, .option = "--mmp ", .first_line = 1};
    if (slice_starts(in.text, SLICE("\xef\xbb\xbf"))) /* a byte order mark, as editors on Windows leave it */
        in.text = slice_make(text.at + 3, text.len - 3);
    int r = policy_settle(p, policy_mmp_apply(p, &in, error), error);
    if (r < 0)
        return r;
    p->source = source;
    p->built_in = false;
    return 0;
}

int policy_apply_mmp(struct policy *p, const char *path, struct error *error)
{
    char *text = NULL;
    size_t len = 0;
    int r = policy_read_file(path, &text, &len, error);
    if (r < 0)
        return r;
    r = policy_apply_mmp_text(p, slice_make(text, len), path, error);
    free(text);
    return r;
}
