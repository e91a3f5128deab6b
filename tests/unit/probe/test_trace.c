#include "testing.h"

#include <stdio.h>

#include "base/clock.h"
#include "probe/trace.h"

/* A network in a time of its own: a row of routers and a target behind them. */
enum { PENDING_MAX = 4096, SENT_MAX = 8192, NODES_MAX = 40 };

struct box {
    bool silent;
    double burst, per_second; /* of ICMP errors; 0: no limit */
    double tokens;
    int64_t filled_ns;
    int rewrite_to;     /* what marks other than 0 become on their way in; -1: nothing */
    uint16_t only_flow; /* the rewriting is for this flow (its packets go another way); 0xFFFF: all */
    bool now_and_then;  /* and for half of the packets only, without a pattern */
};

struct network {
    struct trace_io io;
    struct box nodes[NODES_MAX]; /* 1..count; the last one is the target */
    size_t count;
    int64_t now, rtt_ns;
    unsigned lose_one_in;
    bool duplicate, silent_target;
    int refuse;    /* what send() returns for each packet */
    unsigned full; /* so many sends find the queue full first */
    uint64_t packets;
    int64_t sent_ns[SENT_MAX];
    struct trace_event pending[PENDING_MAX];
    int64_t due_ns[PENDING_MAX];
    size_t pending_count;
};

static void schedule(struct network *n, const struct trace_event *e, int64_t when)
{
    assert_true(n->pending_count < PENDING_MAX);
    n->pending[n->pending_count] = *e;
    n->due_ns[n->pending_count++] = when;
}

static bool has_token(struct box *x, int64_t now)
{
    if (x->per_second <= 0)
        return true;
    x->tokens += (double)(now - x->filled_ns) / 1e9 * x->per_second;
    x->tokens = x->tokens > x->burst ? x->burst : x->tokens;
    x->filled_ns = now;
    if (x->tokens < 1)
        return false;
    x->tokens -= 1;
    return true;
}

static struct addr address_of(size_t hop, uint16_t flow)
{
    uint8_t bytes[4] = {10, 0, (uint8_t)hop, (uint8_t)(flow + 1)};
    return addr_v4(bytes);
}

static int sim_send(void *user, const struct trace_probe *p, struct error *error)
{
    struct network *n = user;
    dscp_t mark = p->dscp;
    if (n->full) {
        n->full--;
        return ERR_LIMIT;
    }
    if (n->refuse)
        return error_set(error, n->refuse, "refused");
    assert_true(n->packets < SENT_MAX);
    n->sent_ns[n->packets++] = n->now;
    if (n->lose_one_in && n->packets % n->lose_one_in == 0)
        return 0;
    size_t end = p->ttl < n->count ? p->ttl : n->count;
    uint16_t way = 0;
    for (size_t i = 1; i <= end; i++) {
        const struct box *x = &n->nodes[i];
        bool elsewhere = x->only_flow != 0xFFFF;
        if (x->rewrite_to < 0 || (elsewhere && x->only_flow != p->flow) ||
            (x->now_and_then && (p->number * 2654435761U >> 20 & 1)))
            continue;
        mark = mark ? (dscp_t)x->rewrite_to : mark;
        way = elsewhere ? p->flow : 0;
    }
    struct box *x = &n->nodes[end];
    bool target = end == n->count;
    if (x->silent || (target && n->silent_target) || !has_token(x, n->now))
        return 0;
    struct trace_event e = {.number = p->number,
                            .from_target = target,
                            .quoted_ttl = (uint8_t)(p->ttl - end + 1),
                            .reply = {.addr = address_of(end, target ? 0 : way),
                                      .quoted_dscp = (int8_t)mark,
                                      .answer = target ? TRACE_PORT_UNREACHABLE : TRACE_TIME_EXCEEDED,
                                      .rtt_ms = (double)n->rtt_ns / 1e6}};
    schedule(n, &e, n->now + n->rtt_ns);
    if (n->duplicate)
        schedule(n, &e, n->now + n->rtt_ns + NS_PER_MS);
    return 0;
}

static int sim_receive(void *user, int64_t wait_ns, struct trace_event *ret, uint64_t *strays, struct error *error)
{
    struct network *n = user;
    size_t first = n->pending_count;
    (void)strays;
    (void)error;
    for (size_t i = 0; i < n->pending_count; i++)
        if (first == n->pending_count || n->due_ns[i] < n->due_ns[first])
            first = i;
    if (first == n->pending_count || n->due_ns[first] > n->now + wait_ns) {
        n->now += wait_ns;
        return 0;
    }
    n->now = n->due_ns[first] > n->now ? n->due_ns[first] : n->now;
    *ret = n->pending[first];
    n->pending[first] = n->pending[--n->pending_count];
    n->due_ns[first] = n->due_ns[n->pending_count];
    return 1;
}

static int64_t sim_now(void *user)
{
    return ((struct network *)user)->now;
}

static struct network *network_of(size_t count)
{
    struct network *n = calloc(1, sizeof *n);
    assert_non_null(n);
    n->io = (struct trace_io){.user = n, .send = sim_send, .receive = sim_receive, .now = sim_now};
    n->count = count;
    n->now = NS_PER_S;
    n->rtt_ns = 20 * NS_PER_MS;
    for (size_t i = 0; i < NODES_MAX; i++)
        n->nodes[i] = (struct box){.rewrite_to = -1, .only_flow = 0xFFFF};
    return n;
}

static struct trace_plan plan_of(uint16_t flows)
{
    return (struct trace_plan){.marks = {0, 46, 34, 26},
                               .mark_count = 4,
                               .flows = flows,
                               .first_hop = 1,
                               .max_hops = 30,
                               .retries = 2,
                               .queries = 1,
                               .timeout_ns = NS_PER_S,
                               .rate = 1000};
}

static struct trace_document *run(struct network *n, const struct trace_plan *plan)
{
    struct trace_document *d = trace_document_new();
    struct error error = {0};
    assert_non_null(d);
    assert_int_equal(trace_run(plan, &n->io, d, &error), 0);
    return d;
}

static void expect_all_hops(const struct trace_document *d, size_t hops)
{
    for (size_t i = 0; i < d->path_count; i++) {
        const struct trace_path *p = &d->paths[i];
        assert_int_equal(p->hop_count, hops);
        assert_true(p->reached);
        for (size_t k = 0; k < hops; k++) {
            assert_int_equal(p->hops[k].ttl, k + 1);
            assert_true(p->hops[k].reply_count >= 1);
        }
    }
}

static void a_clean_path_costs_one_probe_a_hop_and_mark(void **state)
{
    (void)state;
    struct network *n = network_of(6);
    struct trace_plan plan = plan_of(1);
    struct trace_document *d = run(n, &plan);
    expect_all_hops(d, 6);
    assert_int_equal(d->path_count, 4);
    for (size_t i = 0; i < d->path_count; i++)
        for (size_t k = 0; k < 6; k++)
            assert_int_equal(trace_hop_mark(&d->paths[i].hops[k]), d->paths[i].dscp);
    /* the control's window reaches at most three hops beyond the target */
    assert_in_range(n->packets, 24, 27);
    assert_int_equal(d->sent, n->packets);
    trace_document_free(d);
    free(n);
}

static void the_rate_is_kept(void **state)
{
    (void)state;
    struct network *n = network_of(20);
    struct trace_plan plan = plan_of(8);
    plan.rate = 100;
    struct trace_document *d = run(n, &plan);
    expect_all_hops(d, 20);
    for (size_t i = 0; i + 100 < n->packets; i++)
        assert_true(n->sent_ns[i + 100] - n->sent_ns[i] >= NS_PER_S * 98 / 100);
    trace_document_free(d);
    free(n);
}

static void both_ends_of_a_change_are_asked_twice(void **state)
{
    (void)state;
    struct network *n = network_of(5);
    struct trace_plan plan = plan_of(1);
    n->nodes[3].rewrite_to = 0;
    struct trace_document *d = run(n, &plan);
    expect_all_hops(d, 5);
    for (size_t i = 0; i < 4; i++) {
        const struct trace_path *p = &d->paths[i];
        for (size_t k = 0; k < 5; k++) {
            assert_int_equal(trace_hop_mark(&p->hops[k]), k < 2 ? p->dscp : 0);
            if (k < 4) /* the target has answered all that the window sent beyond it */
                assert_int_equal(p->hops[k].answered, p->dscp && (k == 1 || k == 2) ? 2 : 1);
        }
    }
    trace_document_free(d);
    free(n);
}

static void a_silent_hop_is_a_gap_and_not_asked_for_ever(void **state)
{
    (void)state;
    struct network *n = network_of(5);
    struct trace_plan plan = plan_of(1);
    n->nodes[2].silent = true;
    struct trace_document *d = run(n, &plan);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(d->paths[i].hop_count, 5);
        assert_int_equal(d->paths[i].hops[1].reply_count, 0);
        assert_int_equal(d->paths[i].hops[1].sent, i == 0 ? 3 : 1); /* the control has tried for the others */
        assert_int_equal(trace_hop_mark(&d->paths[i].hops[1]), TRACE_MARK_UNKNOWN);
        assert_true(d->paths[i].reached);
    }
    trace_document_free(d);
    free(n);
}

/* Linux: net.ipv4.icmp_ratelimit gives 6 at once and one a second, for each peer. */
static void a_router_that_limits_is_waited_for(void **state)
{
    (void)state;
    struct network *n = network_of(4);
    struct trace_plan plan = plan_of(4);
    for (size_t i = 1; i <= 4; i++)
        n->nodes[i] = (struct box){
            .rewrite_to = -1, .only_flow = 0xFFFF, .burst = 6, .per_second = 1, .tokens = 6, .filled_ns = n->now};
    struct trace_document *d = run(n, &plan);
    expect_all_hops(d, 4);
    for (size_t i = 0; i < d->path_count; i++)
        for (size_t k = 0; k < 4; k++)
            assert_int_equal(trace_hop_mark(&d->paths[i].hops[k]), d->paths[i].dscp);
    assert_true(n->now < 30 * NS_PER_S);
    trace_document_free(d);
    free(n);
}

static void lost_packets_are_sent_again(void **state)
{
    (void)state;
    for (unsigned lose = 3; lose < 12; lose++) {
        struct network *n = network_of(8);
        struct trace_plan plan = plan_of(3);
        n->lose_one_in = lose;
        struct trace_document *d = run(n, &plan);
        expect_all_hops(d, 8);
        trace_document_free(d);
        free(n);
    }
}

static void a_silent_target_ends_the_path_after_a_gap(void **state)
{
    (void)state;
    struct network *n = network_of(4);
    struct trace_plan plan = plan_of(2);
    n->silent_target = true;
    struct trace_document *d = run(n, &plan);
    for (size_t i = 0; i < d->path_count; i++) {
        assert_int_equal(d->paths[i].hop_count, 3);
        assert_false(d->paths[i].reached);
        assert_true(d->paths[i].silent_tail);
    }
    trace_document_free(d);
    n->now = NS_PER_S;
    n->packets = 0;
    n->nodes[1].silent = n->nodes[2].silent = n->nodes[3].silent = true; /* nobody at all */
    d = run(n, &plan);
    assert_int_equal(d->paths[0].hop_count, 0);
    assert_int_equal(d->answered, 0);
    assert_true(n->packets < 100);
    trace_document_free(d);
    free(n);
}

static void answers_later_than_the_timeout_count(void **state)
{
    (void)state;
    struct network *n = network_of(4);
    struct trace_plan plan = plan_of(1);
    n->rtt_ns = 1500 * NS_PER_MS;
    struct trace_document *d = run(n, &plan);
    expect_all_hops(d, 4);
    trace_document_free(d);
    free(n);
}

static void copies_and_strays_do_no_harm(void **state)
{
    (void)state;
    struct network *n = network_of(4);
    struct trace_plan plan = plan_of(2);
    n->duplicate = true;
    struct trace_event nonsense = {.number = 0}, future = {.number = 60000};
    schedule(n, &nonsense, n->now);
    schedule(n, &future, n->now);
    struct trace_document *d = run(n, &plan);
    expect_all_hops(d, 4);
    assert_int_equal(d->strays, 2);
    trace_document_free(d);
    free(n);
}

static void a_flow_that_fares_otherwise_gets_all_marks(void **state)
{
    (void)state;
    struct network *n = network_of(5);
    struct trace_plan plan = plan_of(4);
    n->nodes[3].rewrite_to = 0;
    n->nodes[3].only_flow = 2;
    struct trace_document *d = run(n, &plan);
    size_t of_flow[4] = {0};
    for (size_t i = 0; i < d->path_count; i++) {
        const struct trace_path *p = &d->paths[i];
        assert_true(p->flow < 4);
        of_flow[p->flow]++;
        assert_int_equal(trace_hop_mark(&p->hops[4]), p->flow == 2 ? 0 : p->dscp);
        assert_true(i == 0 || d->paths[i - 1].flow <= p->flow);
    }
    assert_int_equal(of_flow[0], 4);
    assert_int_equal(of_flow[1], 1);
    assert_int_equal(of_flow[2], 4);
    assert_int_equal(of_flow[3], 1);
    trace_document_free(d);
    free(n);
}

/* Half of the packets are re-marked: several queries bring it out, and no one mark is claimed. */
static void marks_now_and_then_are_not_taken_for_one(void **state)
{
    (void)state;
    struct network *n = network_of(4);
    struct trace_plan plan = plan_of(1);
    plan.queries = 6;
    n->nodes[3].rewrite_to = 10;
    n->nodes[3].now_and_then = true;
    struct trace_document *d = run(n, &plan);
    size_t unsteady = 0;
    for (size_t i = 1; i < 4; i++)
        for (size_t k = 2; k < 4; k++)
            unsteady +=
                d->paths[i].hops[k].reply_count > 1 && trace_hop_mark(&d->paths[i].hops[k]) == TRACE_MARK_UNKNOWN;
    assert_true(unsteady >= 3);
    trace_document_free(d);
    free(n);
}

static void a_host_that_refuses_to_send_is_no_silent_path(void **state)
{
    (void)state;
    struct network *n = network_of(4);
    struct trace_plan plan = plan_of(1);
    n->refuse = ERR_IO;
    struct trace_document *d = run(n, &plan);
    assert_int_equal(d->sent, 0);
    assert_true(d->not_sent > 0);
    trace_document_free(d);
    n->refuse = 0;
    n->full = 5;
    d = run(n, &plan);
    expect_all_hops(d, 4);
    trace_document_free(d);
    n->refuse = ERR_INCOMPLETE;
    struct error error = {0};
    d = trace_document_new();
    assert_int_equal(trace_run(&plan, &n->io, d, &error), ERR_INCOMPLETE);
    assert_string_equal(error.text, "refused");
    trace_document_free(d);
    free(n);
}

static void the_first_hop_may_be_any(void **state)
{
    (void)state;
    struct network *n = network_of(6);
    struct trace_plan plan = plan_of(1);
    plan.first_hop = 3;
    plan.max_hops = 5;
    struct trace_document *d = run(n, &plan);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(d->paths[i].hop_count, 3);
        assert_int_equal(d->paths[i].hops[0].ttl, 3);
        assert_false(d->paths[i].reached);
        assert_false(d->paths[i].silent_tail);
    }
    trace_document_free(d);
    free(n);
}

static void an_interrupt_keeps_what_was_found(void **state)
{
    (void)state;
    static volatile sig_atomic_t stop = 1;
    struct network *n = network_of(4);
    struct trace_plan plan = plan_of(1);
    plan.stop = &stop;
    struct trace_document *d = run(n, &plan);
    assert_true(d->interrupted);
    assert_int_equal(d->path_count, 4);
    trace_document_free(d);
    free(n);
}

/* What was not asked any more is no loss of the network: policy/judge_trace_paths.c leaves an interrupted trace alone. */
static void a_trace_that_fails_on_its_way_did_not_come_to_its_end(void **state)
{
    (void)state;
    struct network *n = network_of(4);
    struct trace_plan plan = plan_of(1);
    struct error error = {0};
    struct trace_document *d = trace_document_new();
    assert_non_null(d);
    n->refuse = ERR_MEMORY;
    assert_int_equal(trace_run(&plan, &n->io, d, &error), ERR_MEMORY);
    assert_true(d->interrupted);
    trace_document_free(d);
    free(n);
}

static void nonsense_plans_are_refused(void **state)
{
    (void)state;
    struct network *n = network_of(4);
    struct trace_plan plans[] = {plan_of(0), plan_of(TRACE_FLOWS_MAX + 1), plan_of(1), plan_of(1), plan_of(1)};
    plans[2].mark_count = 0;
    plans[3].first_hop = 9;
    plans[3].max_hops = 8;
    plans[4].rate = 0;
    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
        struct error error = {0};
        struct trace_document *d = trace_document_new();
        assert_int_equal(trace_run(&plans[i], &n->io, d, &error), ERR_USAGE);
        trace_document_free(d);
    }
    assert_int_equal(n->packets, 0);
    free(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clean_path_costs_one_probe_a_hop_and_mark),
        cmocka_unit_test(the_rate_is_kept),
        cmocka_unit_test(both_ends_of_a_change_are_asked_twice),
        cmocka_unit_test(a_silent_hop_is_a_gap_and_not_asked_for_ever),
        cmocka_unit_test(a_router_that_limits_is_waited_for),
        cmocka_unit_test(lost_packets_are_sent_again),
        cmocka_unit_test(a_silent_target_ends_the_path_after_a_gap),
        cmocka_unit_test(answers_later_than_the_timeout_count),
        cmocka_unit_test(copies_and_strays_do_no_harm),
        cmocka_unit_test(a_flow_that_fares_otherwise_gets_all_marks),
        cmocka_unit_test(marks_now_and_then_are_not_taken_for_one),
        cmocka_unit_test(a_host_that_refuses_to_send_is_no_silent_path),
        cmocka_unit_test(the_first_hop_may_be_any),
        cmocka_unit_test(an_interrupt_keeps_what_was_found),
        cmocka_unit_test(a_trace_that_fails_on_its_way_did_not_come_to_its_end),
        cmocka_unit_test(nonsense_plans_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
