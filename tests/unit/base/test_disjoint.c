#include "testing.h"

#include "base/disjoint.h"

enum { COUNT = 500, JOINS = 400 };

static void each_begins_alone(void **state)
{
    (void)state;
    uint32_t parent[COUNT];
    disjoint_begin(parent, COUNT);
    for (uint32_t i = 0; i < COUNT; i++)
        assert_int_equal(disjoint_root(parent, i), i);
}

/* Against names that are written over one by one: who has whose name, and that the least is the root. */
static void sets_are_those_of_the_plain_way(void **state)
{
    (void)state;
    uint32_t parent[COUNT], name[COUNT], x = 12345;
    disjoint_begin(parent, COUNT);
    for (uint32_t i = 0; i < COUNT; i++)
        name[i] = i;
    for (int n = 0; n < JOINS; n++) {
        x = x * 1664525 + 1013904223;
        uint32_t a = (x >> 16) % COUNT;
        x = x * 1664525 + 1013904223;
        uint32_t b = (x >> 16) % COUNT;
        uint32_t less = name[a] < name[b] ? name[a] : name[b], more = name[a] < name[b] ? name[b] : name[a];
        for (uint32_t i = 0; i < COUNT; i++)
            if (name[i] == more)
                name[i] = less;
        disjoint_join(parent, a, b);
    }
    for (uint32_t i = 0; i < COUNT; i++)
        assert_int_equal(disjoint_root(parent, i), name[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_begins_alone),
        cmocka_unit_test(sets_are_those_of_the_plain_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
