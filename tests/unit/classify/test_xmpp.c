#include "testing.h"

#include "classify/xmpp.h"

static enum parse_status parse(const char *text, struct xmpp_head *ret)
{
    return xmpp_head_parse(cur_make(text, strlen(text), false), ret);
}

/* RFC 6120 §4.2, §4.8.2; XEP-0114 §3; XEP-0225 */
static void namespace_of_the_stream_tells_who_is_on_it(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum kind kind;
    } heads[] = {
        {"<?xml version='1.0'?><stream:stream from='juliet@im.example.com' to='im.example.com' version='1.0' "
         "xml:lang='en' "
         "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>",
         KIND_XMPP_CLIENT},
        {"<?xml version='1.0'?>\n<stream:stream xmlns=\"jabber:server\" xmlns:db='jabber:server:dialback' "
         "to='example.net' "
         "xmlns:stream='http://etherx.jabber.org/streams'>",
         KIND_XMPP_SERVER},
        {"<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' "
         "to='plays.shakespeare.lit'>",
         KIND_XMPP_COMPONENT},
        {"\xef\xbb\xbf \r\n<stream:stream\n xmlns:stream='http://etherx.jabber.org/streams'\txmlns = "
         "'jabber:component:connect' >",
         KIND_XMPP_COMPONENT},
        {"<s:stream xmlns='jabber:client' xmlns:s='http://etherx.jabber.org/streams'>", KIND_XMPP_CLIENT},
        {"<stream xmlns='http://etherx.jabber.org/streams'>", KIND_OTHER},
        {"<stream:stream xmlns='jabber:somethingelse' xmlns:stream='http://etherx.jabber.org/streams'>", KIND_OTHER},
    };
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        struct xmpp_head h;
        assert_int_equal(parse(heads[i].text, &h), PARSE_OK);
        assert_int_equal(h.kind, heads[i].kind);
        assert_true(h.complete);
        assert_false(h.tls_follows);
    }
}

static void proceed_says_that_tls_follows(void **state)
{
    (void)state;
    struct xmpp_head h;
    assert_int_equal(
        parse(
            "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
            "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>",
            &h),
        PARSE_OK);
    assert_false(h.tls_follows);
    assert_int_equal(
        parse(
            "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
            "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
            &h),
        PARSE_OK);
    assert_true(h.tls_follows);
}

static void other_xml_is_not_xmpp(void **state)
{
    (void)state;
    static const char *const others[] = {
        "<?xml version='1.0'?><soap:Envelope xmlns:soap='x'>",
        "<?xml version='1.0'?><stream>",
        "<streaming a='b'>",
        "<stream:streams x='y'>",
        "<html>",
        "GET / HTTP/1.1\r\n",
        "<stream type='video' codec='h264'>",
        "<policy-file-request/>",
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct xmpp_head h;
        assert_int_not_equal(parse(others[i], &h), PARSE_OK);
    }
}

static void stanza_in_the_middle_is_known_by_its_element(void **state)
{
    (void)state;
    enum kind kind;
    static const char iq[] = "\n<iq type='get' id='1' xmlns='jabber:client'>";
    static const char presence[] = "<presence/>";
    static const char iqueue[] = "<iqueue a='b'>";
    static const char component[] = "<message from='a' xmlns='jabber:component:accept' to='b'>";
    assert_true(xmpp_stanza_begins(iq, sizeof iq - 1, &kind));
    assert_int_equal(kind, KIND_XMPP_CLIENT);
    assert_true(xmpp_stanza_begins(presence, sizeof presence - 1, &kind));
    assert_int_equal(kind, KIND_OTHER);
    assert_true(xmpp_stanza_begins(component, sizeof component - 1, &kind));
    assert_int_equal(kind, KIND_XMPP_COMPONENT);
    assert_false(xmpp_stanza_begins(iqueue, sizeof iqueue - 1, &kind));
    assert_false(xmpp_stanza_begins("<iq", 3, &kind));
}

static const char whole[] =
    "<?xml version='1.0'?> <stream:stream to='im.example.com' xmlns='jabber:server' "
    "xmlns:stream='http://etherx.jabber.org/streams' version='1.0'><proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";

/* RFC 6120 §4.8.5: the prefix is the sender's choice. */
static const char with_other_prefix[] =
    "\xef\xbb\xbf<s:stream to='im.example.com' xmlns='jabber:server' "
    "xmlns:s='http://etherx.jabber.org/streams'><proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";

static void inspect(void *user, const uint8_t *prefix, size_t len)
{
    struct xmpp_head h = {.kind = KIND_SSH};
    enum kind kind;
    enum parse_status status = xmpp_head_parse(cur_make(prefix, len, false), &h);
    if (status == PARSE_OK)
        assert_true(h.kind == KIND_OTHER || h.kind == KIND_XMPP_SERVER);
    else
        assert_int_equal(h.kind, KIND_SSH);
    assert_int_not_equal(status, PARSE_UNSUPPORTED);
    if (len == *(const size_t *)user)
        assert_true(h.kind == KIND_XMPP_SERVER && h.tls_follows);
    (void)xmpp_stanza_begins((const char *)prefix, len, &kind);
}

static void no_prefix_is_read_beyond_its_end_or_given_up(void **state)
{
    (void)state;
    size_t len = sizeof whole - 1, other_len = sizeof with_other_prefix - 1;
    for_each_prefix((const uint8_t *)whole, len, inspect, &len);
    for_each_prefix((const uint8_t *)with_other_prefix, other_len, inspect, &other_len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(namespace_of_the_stream_tells_who_is_on_it),
        cmocka_unit_test(proceed_says_that_tls_follows),
        cmocka_unit_test(other_xml_is_not_xmpp),
        cmocka_unit_test(stanza_in_the_middle_is_known_by_its_element),
        cmocka_unit_test(no_prefix_is_read_beyond_its_end_or_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
