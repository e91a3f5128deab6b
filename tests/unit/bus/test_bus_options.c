#include "testing.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "bus/bus_options.h"

static char folder[64];

static int setup(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/qosmark-bus-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static const char *const names[] = {"c.yaml", "sensor.creds", "ca.pem", "key.pem", "cert.pem"};

static const char *path_of(const char *name)
{
    static char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        (void)unlink(path_of(names[i]));
    return rmdir(folder);
}

static void write_file(const char *name, const char *text, mode_t mode)
{
    const char *path = path_of(name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static const char credentials[] = "-----BEGIN NATS USER JWT-----\n"
                                  "eyJ0.a.b\n"
                                  "------END NATS USER JWT------\n\n"
                                  "************************* IMPORTANT *************************\n"
                                  "-----BEGIN USER NKEY SEED-----\r\n"
                                  "SUAIBDPBAUTWCWBKIO6XHQNINK5FWJW4OHLXC3HQ2KFE4PEJUA44CNHTC4\r\n"
                                  "------END USER NKEY SEED------\n";

static void servers_are_taken_as_they_are_written(void **state)
{
    struct bus_options o = {0};
    struct error error = {0};
    (void)state;
    assert_int_equal(bus_options_servers(&o, "nats://a, b.example:4333,[2001:db8::1]:4222", &error), 0);
    assert_int_equal(o.server_count, 3);
    assert_string_equal(o.servers[0], "nats://a");
    assert_string_equal(o.servers[1], "nats://b.example:4333");
    assert_string_equal(o.servers[2], "nats://[2001:db8::1]:4222");
    assert_false(o.tls);
    bus_options_done(&o);
    assert_int_equal(bus_options_servers(&o, "TLS://a", &error), 0);
    assert_true(o.tls);
    bus_options_done(&o);
}

static void what_is_no_server_is_refused(void **state)
{
    static const char *const wrong[] = {"",        "nats://",   "http://a", "nats://a:0",  "nats://a:65536", "a:b:c",
                                        "nats://a/", "nats:// a", "a,,b",     "nats://[]:4", "nats://[::1",    "a\nb"};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct bus_options o = {0};
        struct error error = {0};
        if (bus_options_servers(&o, wrong[i], &error) != ERR_USAGE)
            fail_msg("\"%s\" was taken", wrong[i]);
        assert_true(error.text[0]);
        bus_options_done(&o);
    }
}

static void a_password_on_the_command_line_is_refused_and_not_repeated(void **state)
{
    struct bus_options o = {0};
    struct error error = {0};
    (void)state;
    assert_int_equal(bus_options_servers(&o, "nats://sensor:hush@a", &error), ERR_USAGE);
    assert_non_null(strstr(error.text, "command line"));
    assert_null(strstr(error.text, "hush"));
    bus_options_done(&o);
}

static void a_file_holds_all_that_it_takes(void **state)
{
    struct bus_options o = {0};
    struct error error = {0};
    (void)state;
    write_file("c.yaml",
               "credentials: sensor.creds\n"
               "inbox: _INBOX_berlin-1\n"
               "tls: {ca: ca.pem, certificate: cert.pem, key: key.pem, server-name: b}\n",
               0640);
    write_file("sensor.creds", credentials, 0600);
    write_file("ca.pem", "a CA\n", 0644);
    write_file("cert.pem", "a certificate\n", 0644);
    write_file("key.pem", "a key\n", 0600);
    if (bus_options_file(&o, path_of("c.yaml"), &error) < 0)
        fail_msg("%s", error.text);
    assert_string_equal(o.jwt, "eyJ0.a.b");
    assert_string_equal(o.seed, "SUAIBDPBAUTWCWBKIO6XHQNINK5FWJW4OHLXC3HQ2KFE4PEJUA44CNHTC4");
    assert_string_equal(o.ca, "a CA\n");
    assert_string_equal(o.certificate, "a certificate\n");
    assert_string_equal(o.key, "a key\n");
    assert_string_equal(o.server_name, "b");
    assert_string_equal(o.inbox, "_INBOX_berlin-1");
    assert_true(o.tls);
    assert_null(o.user);
    bus_options_done(&o);
}

static void assert_refused(const char *text, const char *why)
{
    struct bus_options o = {0};
    struct error error = {0};
    write_file("c.yaml", text, 0600);
    int r = bus_options_file(&o, path_of("c.yaml"), &error);
    if (r >= 0 || !strstr(error.text, why))
        fail_msg("%s: \"%s\", and not \"%s\"", text, error.text, why);
    assert_null(strstr(error.text, "hush"));
    bus_options_done(&o);
}

static void what_does_not_go_together_is_refused(void **state)
{
    (void)state;
    assert_refused("user: a\n", "come together");
    assert_refused("user: a\npassword: hush\ntoken: hush\n", "is enough");
    assert_refused("user: a\nuser: b\npassword: hush\n", "second time");
    assert_refused("passwort: hush\n", ":1:1:");
    assert_refused("tls: [a]\n", "mapping");
    assert_refused("tls: {kay: a}\n", "server-name");
    assert_refused("user: [a]\n", "single value");
    assert_refused("tls: {ca: nowhere.pem}\n", "nowhere.pem");
    assert_refused("inbox: \"a.>\"\n", "inbox is");
    assert_refused("inbox: \"a b\"\n", "inbox is");
    assert_refused("", "mapping");
    assert_refused("user: \"a\npassword: b", "c.yaml:");
}

static void secrets_that_all_can_read_are_refused(void **state)
{
    struct bus_options o = {0};
    struct error error = {0};
    (void)state;
    write_file("c.yaml", "token: hush\n", 0644);
    assert_int_equal(bus_options_file(&o, path_of("c.yaml"), &error), ERR_USAGE);
    assert_non_null(strstr(error.text, "every user"));
    write_file("c.yaml", "credentials: sensor.creds\n", 0600);
    write_file("sensor.creds", credentials, 0604);
    assert_int_equal(bus_options_file(&o, path_of("c.yaml"), &error), ERR_USAGE);
    assert_non_null(strstr(error.text, "sensor.creds can be read"));
    assert_null(o.seed);
    bus_options_done(&o);
}

static void the_environment_is_as_good(void **state)
{
    char path[128];
    struct bus_options o = {0};
    struct error error = {0};
    struct bus_environment e = {.user = "a", .password = "b", .token = ""};
    (void)state;
    assert_int_equal(bus_options_environment(&o, &e, &error), 0);
    assert_string_equal(o.user, "a");
    assert_string_equal(o.password, "b");
    assert_null(o.token);
    assert_false(o.tls);
    bus_options_done(&o);
    write_file("sensor.creds", credentials, 0600);
    slice_copy(slice_make(path_of("sensor.creds"), strlen(path_of("sensor.creds"))), path, sizeof path);
    e = (struct bus_environment){.credentials = path};
    assert_int_equal(bus_options_environment(&o, &e, &error), 0);
    assert_string_equal(o.jwt, "eyJ0.a.b");
    bus_options_done(&o);
    e = (struct bus_environment){.password = "hush"};
    assert_int_equal(bus_options_environment(&o, &e, &error), ERR_USAGE);
    bus_options_done(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(servers_are_taken_as_they_are_written),
        cmocka_unit_test(what_is_no_server_is_refused),
        cmocka_unit_test(a_password_on_the_command_line_is_refused_and_not_repeated),
        cmocka_unit_test_setup_teardown(a_file_holds_all_that_it_takes, setup, teardown),
        cmocka_unit_test_setup_teardown(what_does_not_go_together_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(secrets_that_all_can_read_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(the_environment_is_as_good, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
