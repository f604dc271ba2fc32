/* TLS, reload of the certificate, and the drain with a long poll open. */
#include "tests/unit/http/fixture.h"

static struct fixture fixture;
static struct tls_pair first_pair, second_pair;
static struct raw_reply reply;

static int start(void **state)
{
    struct http_server_options options;
    struct err err = ERR_INIT;

    (void)state;
    signal(SIGPIPE, SIG_IGN);
    memset(&fixture, 0, sizeof(fixture));
    fixture.hub = wait_hub_new(8);
    tls_make_pair(&first_pair, "first");
    tls_make_pair(&second_pair, "second");
    options = fixture_options(&fixture);
    options.deadlines.header_ms = 1500;
    options.certificate_pem = tls_certificate(&first_pair);
    options.key_pem = tls_key(&first_pair);
    if (http_server_start(&options, &fixture.server, &err) < 0)
        fail_msg("%s", err.message);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fixture_stop(&fixture);
    return 0;
}

#define SEND(client, text) SSL_write((client)->ssl, text, (int)strlen(text))

static void a_request_over_tls_is_served(void **state)
{
    struct tls_client client;

    (void)state;
    assert_true(tls_connect(&client, http_server_port(fixture.server), 0));
    SEND(&client, "GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    tls_read_all(&client, &reply);
    assert_int_equal(raw_status(&reply), 200);
    assert_true(raw_has(&reply, "\"tls\":true"));
    assert_true(reply.closed);
    tls_close(&client);
}

static void a_file_and_a_folded_header_over_tls(void **state)
{
    struct tls_client client;

    (void)state;
    assert_true(tls_connect(&client, http_server_port(fixture.server), TLS1_2_VERSION));
    SEND(&client, "GET /file HTTP/1.1\r\nHost: x\r\nRange: bytes=3-5\r\nConnection: close\r\n\r\n");
    tls_read_all(&client, &reply);
    assert_int_equal(raw_status(&reply), 206);
    assert_string_equal(raw_body(&reply), "345");
    tls_close(&client);
    assert_true(tls_connect(&client, http_server_port(fixture.server), 0));
    SEND(&client,
         "GET /a HTTP/1.1\r\nHost: x\r\nX-A: 1\r\n 2\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n");
    tls_read_all(&client, &reply);
    assert_int_equal(raw_status(&reply), 400);
    assert_true(reply.closed);
    assert_int_equal(fixture_load(&fixture.responded), 1);
    tls_close(&client);
}

static void tls_1_1_is_refused(void **state)
{
    struct tls_client client;

    (void)state;
    assert_false(tls_connect(&client, http_server_port(fixture.server), TLS1_1_VERSION));
    tls_close(&client);
}

static void plain_http_on_the_tls_port_gets_nothing(void **state)
{
    (void)state;
    raw_request(http_server_port(fixture.server), "GET /a HTTP/1.1\r\nHost: x\r\n\r\n", &reply);
    assert_int_equal(raw_status(&reply), 0);
    assert_int_equal(fixture_load(&fixture.begun), 0);
}

static void common_name(struct tls_client *client, char *name, int size)
{
    X509 *certificate = SSL_get1_peer_certificate(client->ssl);

    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, size);
    X509_free(certificate);
}

static void a_new_certificate_serves_new_connections_and_old_ones_go_on(void **state)
{
    struct tls_client before, after;
    struct err err = ERR_INIT;
    char name[32];

    (void)state;
    assert_true(tls_connect(&before, http_server_port(fixture.server), 0));
    common_name(&before, name, sizeof(name));
    assert_string_equal(name, "first");
    assert_int_equal(http_server_replace_certificate(fixture.server, tls_certificate(&second_pair),
                                                     tls_key(&second_pair), &err),
                     0);
    assert_true(tls_connect(&after, http_server_port(fixture.server), 0));
    common_name(&after, name, sizeof(name));
    assert_string_equal(name, "second");
    SEND(&before, "GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    tls_read_all(&before, &reply);
    assert_int_equal(raw_status(&reply), 200);
    tls_close(&before);
    tls_close(&after);
}

static void a_key_of_another_certificate_is_refused_and_the_old_one_stays(void **state)
{
    struct tls_client client;
    struct err err = ERR_INIT;
    char name[32];

    (void)state;
    assert_int_equal(http_server_replace_certificate(fixture.server, tls_certificate(&second_pair),
                                                     tls_key(&first_pair), &err),
                     -1);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_true(tls_connect(&client, http_server_port(fixture.server), 0));
    common_name(&client, name, sizeof(name));
    assert_string_equal(name, "first");
    tls_close(&client);
}

static void *shake_hands(void *arg)
{
    int *good = arg;

    for (int i = 0; i < 25; i++) {
        struct tls_client client;

        if (tls_connect(&client, http_server_port(fixture.server), i % 2 ? TLS1_2_VERSION : 0))
            fixture_count(good);
        tls_close(&client);
    }
    return NULL;
}

static void certificates_may_change_while_handshakes_run(void **state)
{
    const struct tls_pair *pairs[] = {&first_pair, &second_pair};
    struct err err = ERR_INIT;
    pthread_t threads[2];
    int good = 0;

    (void)state;
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, shake_hands, &good);
    for (int i = 0; i < 100; i++) {
        const struct tls_pair *pair = pairs[i % 2];

        assert_int_equal(
            http_server_replace_certificate(fixture.server, tls_certificate(pair), tls_key(pair), &err), 0);
        poll(NULL, 0, 1);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(fixture_load(&good), 50);
}

/* Does this process listen there? Asked of its own sockets: another test program may be given a port that
 * became free. */
static bool listening_on(int port)
{
    for (int fd = 3; fd < 1024; fd++) {
        struct sockaddr_in address;
        socklen_t size = sizeof(address);
        int listens = 0;
        socklen_t len = sizeof(listens);

        if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) == 0 && listens &&
            getsockname(fd, (struct sockaddr *)&address, &size) == 0 && address.sin_family == AF_INET &&
            ntohs(address.sin_port) == port)
            return true;
    }
    return false;
}

static void a_drain_answers_the_long_poll_and_ends_every_connection(void **state)
{
    struct tls_client waiting, idle;

    (void)state;
    assert_true(tls_connect(&idle, http_server_port(fixture.server), 0));
    assert_true(tls_connect(&waiting, http_server_port(fixture.server), 0));
    SEND(&waiting, "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_true(fixture_await(&fixture.waiting, 1));
    assert_true(listening_on(http_server_port(fixture.server)));
    http_server_drain_begin(fixture.server);
    tls_read_all(&waiting, &reply);
    assert_int_equal(raw_status(&reply), 200);
    assert_true(raw_has(&reply, "Connection: close"));
    assert_true(reply.closed);
    assert_false(listening_on(http_server_port(fixture.server)));
    tls_read_all(&idle, &reply);
    assert_int_equal(reply.len, 0);
    for (int i = 0; i < 500 && http_server_connections(fixture.server) > 0; i++)
        poll(NULL, 0, 10);
    assert_int_equal(http_server_connections(fixture.server), 0);
    assert_int_equal(fixture_load(&fixture.waited), WAIT_DRAIN); /* and not the poll's own 50 s */
    tls_close(&waiting);
    tls_close(&idle);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(a_request_over_tls_is_served),
        TEST(a_file_and_a_folded_header_over_tls),
        TEST(tls_1_1_is_refused),
        TEST(plain_http_on_the_tls_port_gets_nothing),
        TEST(a_new_certificate_serves_new_connections_and_old_ones_go_on),
        TEST(a_key_of_another_certificate_is_refused_and_the_old_one_stays),
        TEST(certificates_may_change_while_handshakes_run),
        TEST(a_drain_answers_the_long_poll_and_ends_every_connection),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
