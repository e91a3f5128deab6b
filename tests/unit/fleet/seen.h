#ifndef QOSMARK_TESTS_FLEET_SEEN_H
#define QOSMARK_TESTS_FLEET_SEEN_H

/* What a collector concludes from a world of sensors. */
#include "world.h"

enum { SEEN_MAX = 64, PPS = 50, SECONDS = 60, PACKETS = PPS * SECONDS };

#define T0        (WORLD_BEGIN * NS_PER_S)
#define WINDOW_NS (300 * NS_PER_S)

struct seen {
    struct crossing rows[SEEN_MAX];
    char names[SEEN_MAX][2][FLEET_NAME_MAX];
    size_t count;
    struct fleet_point points[SEEN_MAX];
    char point_names[SEEN_MAX][FLEET_NAME_MAX];
    size_t point_count;
    char notes[SEEN_MAX][512];
    size_t note_count;
    bool keep_all; /* rows of several windows */
};

static inline int on_begin(void *user, int64_t window_ns, bool final)
{
    struct seen *s = user;
    (void)window_ns;
    (void) final;
    if (!s->keep_all)
        s->count = s->point_count = s->note_count = 0;
    return 0;
}

static inline int on_crossing(void *user, const struct crossing *c)
{
    struct seen *s = user;
    assert_true(s->count < SEEN_MAX);
    s->rows[s->count] = *c;
    snprintf(s->names[s->count][0], FLEET_NAME_MAX, "%s", c->first);
    snprintf(s->names[s->count][1], FLEET_NAME_MAX, "%s", c->second);
    s->rows[s->count].first = s->names[s->count][0];
    s->rows[s->count].second = s->names[s->count][1];
    s->count++;
    return 0;
}

static inline int on_point(void *user, const struct fleet_point *p)
{
    struct seen *s = user;
    assert_true(s->point_count < SEEN_MAX);
    s->points[s->point_count] = *p;
    snprintf(s->point_names[s->point_count], FLEET_NAME_MAX, "%s", p->name);
    s->point_count++;
    return 0;
}

static inline int on_note(void *user, int64_t window_ns, const char *text)
{
    struct seen *s = user;
    (void)window_ns;
    assert_true(s->note_count < SEEN_MAX);
    snprintf(s->notes[s->note_count++], sizeof s->notes[0], "%s", text);
    return 0;
}

static inline struct join_sink sink_of(struct seen *s)
{
    return (struct join_sink){on_begin, on_crossing, on_point, on_note, s};
}

static inline struct join *new_join(const struct topology *t)
{
    struct join_options o = {.key = {1, 2}, .window_ns = WINDOW_NS, .grace_ns = 60 * NS_PER_S, .topology = t};
    struct join *j = join_new(&o);
    assert_non_null(j);
    return j;
}

static inline void take(struct join *j, const struct world *w, size_t i)
{
    assert_int_equal(join_take(j, &w->messages[i].delta, w->messages[i].stored_ns, i + 1), 0);
}

/* What the messages of the world say, as a final word. */
static inline void conclude_with(const struct world *w, const struct topology *t, struct seen *s)
{
    struct join *j = new_join(t);
    struct join_sink sink = sink_of(s);
    for (size_t i = 0; i < w->count; i++)
        take(j, w, i);
    assert_int_equal(join_close(j, T0 + 100000 * NS_PER_S, &sink), 0);
    join_free(j);
}

static inline void conclude(const struct world *w, struct seen *s)
{
    conclude_with(w, NULL, s);
}

static inline const struct crossing *between(const struct seen *s, const char *first, const char *second)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->rows[i].first, first) == 0 && strcmp(s->rows[i].second, second) == 0)
            return &s->rows[i];
    return NULL;
}

static inline uint64_t cell(const struct crossing *c, dscp_t before, dscp_t after)
{
    for (size_t i = 0; i < c->cell_count; i++)
        if (c->cells[i].before == before && c->cells[i].after == after)
            return c->cells[i].packets;
    return 0;
}

static inline struct world_sensor sensor(const char *point)
{
    return (struct world_sensor){.site = "s",
                                 .point = point,
                                 .phase_ns = T0 % (WORLD_INTERVAL_S * NS_PER_S),
                                 .start_ns = T0 - 1000 * NS_PER_S,
                                 .from_ns = T0,
                                 .to_ns = T0 + 120 * NS_PER_S};
}

static inline struct world_stream voice(uint8_t ttl)
{
    return (struct world_stream){"10.0.0.1:5000", "10.9.0.1:6000", 0xabcd1234, ttl, 17, KIND_RTP_AUDIO, CLASS_VOICE};
}

/* `n` packets of a stream, 20 ms apart, marked and as late as said. */
static inline void send(struct world_packet *p, size_t n, uint16_t sequence, dscp_t dscp, int64_t late_ns)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (struct world_packet){T0 + 10 * NS_PER_S + (int64_t)i * NS_PER_S / PPS + late_ns,
                                     (uint16_t)(sequence + i), (uint32_t)(77777 + 160 * i), dscp};
}

#endif
