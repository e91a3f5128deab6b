#include "cli/interrupt.h"

#include "cli/output.h"

/* A handler can reach nothing but this. */
static volatile sig_atomic_t came;

static void note(int number)
{
    came = 1;
    if (number == SIGINT)
        (void)signal(number, output_interrupted);
}

void interrupt_catch(void)
{
    struct sigaction action = {.sa_handler = note};
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
}

bool interrupt_came(void)
{
    return came;
}

bool interrupt_stops(void *user)
{
    (void)user;
    return came;
}

const volatile sig_atomic_t *interrupt_flag(void)
{
    return &came;
}
