#include "net/http_client.h"

#include <ctype.h>
#include <strings.h>

#include <curl/curl.h>
#include <openssl/crypto.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/limits.h"

#define CONNECT_TIMEOUT_MS 3000
#define POLL_MS 1000
#define RECEIVE_BUFFER                                                                                       \
    ((long)(128 * KIB))                 /* a page of a Scan in eight reads; curl's own 16 KiB would be 64 */
#define SMALL_BODY ((size_t)(60 * KIB)) /* what libcurl sends in one piece with the head (below 64 KiB) */
#define LOW_SPEED_BYTES 1024L
#define LOW_SPEED_S 30L
#define MAX_AGE_S 20L       /* idle connections: load balancers drop them after 60 s and more */
#define MAX_LIFETIME_S 300L /* follows DNS */

struct http_client {
    CURL *easy;
    CURLM *multi;
    char *proxy;
    char *no_proxy;
    char *ca_bundle;
};

/* What the callbacks of one call share. */
struct transfer {
    const struct http_call *call;
    struct http_answer *answer;
    CURL *easy;
    struct bytes left; /* of the body in memory */
    int begun;         /* requests that were about to be sent */
    bool source_failed;
    bool sink_failed;
    bool too_large;
};

/* A copy; NULL for nothing to copy. False without memory. */
static bool copy_text(const char *text, char **ret_copy)
{
    *ret_copy = text && *text ? strdup(text) : NULL;
    return *ret_copy || !text || !*text;
}

static const char *environment(const char *upper, const char *lower)
{
    const char *value = getenv(upper);

    return value && *value ? value : getenv(lower);
}

static struct http_client *client_new(const char *ca_bundle, struct err *err)
{
    struct http_client *client = calloc(1, sizeof(*client));

    if (!client ||
        curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) { /* counted and thread-safe since 7.84 */
        free(client);
        err_set(err, ERR_NO_MEMORY, "no memory for an http client");
        return NULL;
    }
    client->easy = curl_easy_init();
    client->multi = curl_multi_init();
    if (!client->easy || !client->multi || !copy_text(ca_bundle, &client->ca_bundle) ||
        !copy_text(environment("HTTPS_PROXY", "https_proxy"), &client->proxy) ||
        !copy_text(environment("NO_PROXY", "no_proxy"), &client->no_proxy)) {
        http_client_free(client);
        err_set(err, ERR_NO_MEMORY, "no memory for an http client");
        return NULL;
    }
    curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, 8L);
    return client;
}

struct http_client *http_client_new(struct err *err)
{
    return client_new(getenv("AWS_CA_BUNDLE"), err);
}

struct http_client *http_client_new_trusting(const char *ca_file, struct err *err)
{
    return client_new(ca_file, err);
}

void http_client_free(struct http_client *client)
{
    if (!client)
        return;
    curl_easy_cleanup(client->easy);
    curl_multi_cleanup(client->multi);
    free(client->proxy);
    free(client->no_proxy);
    free(client->ca_bundle);
    free(client);
    curl_global_cleanup();
}

void http_client_wake(struct http_client *client)
{
    curl_multi_wakeup(client->multi);
}

/* -- callbacks -- */

static size_t on_read(char *to, size_t size, size_t count, void *arg)
{
    struct transfer *t = arg;
    size_t room = size * count;

    if (t->call->body.data) {
        size_t n = t->left.len < room ? t->left.len : room;
        memcpy(to, t->left.data, n);
        t->left.data += n;
        t->left.len -= n;
        return n;
    }
    long n = t->call->source->read(t->call->source->arg, to, room);
    if (n >= 0 && (size_t)n <= room)
        return (size_t)n;
    t->source_failed = true;
    return CURL_READFUNC_ABORT;
}

static bool is_small(const struct http_call *call)
{
    return call->body.data && call->body.len > 0 && call->body.len < SMALL_BODY;
}

/* Before each request, the repeated one too: refusing that is what keeps curl from sending a small body
 * twice. */
static int on_ready(void *arg, char *peer, char *local, int peer_port, int local_port)
{
    struct transfer *t = arg;

    (void)peer, (void)local, (void)peer_port, (void)local_port;
    t->begun++;
    return t->begun > 1 && is_small(t->call) ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

/* Refusing to rewind is what keeps curl from sending a body twice. */
static int on_seek(void *arg, curl_off_t offset, int origin)
{
    (void)arg;
    (void)offset;
    (void)origin;
    return CURL_SEEKFUNC_FAIL;
}

/* All of the body that is announced at once, so that it does not move as it grows. An answer that announces
 * more than may come is refused when it comes. */
static void make_room(struct transfer *t)
{
    curl_off_t announced = -1;

    if (curl_easy_getinfo(t->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced) == CURLE_OK &&
        announced > 0 && (uint64_t)announced <= t->answer->body.max)
        buffer_reserve(&t->answer->body, (size_t)announced);
}

static size_t on_write(char *data, size_t size, size_t count, void *arg)
{
    struct transfer *t = arg;
    size_t len = size * count;
    size_t max = t->call->reply_max;
    const struct http_sink *sink = t->answer->status / 100 == 2 ? t->call->sink : NULL;

    t->answer->received += (int64_t)len;
    if (sink) {
        if (max > 0 && (size_t)t->answer->received > max) {
            t->too_large = true;
            return 0;
        }
        t->sink_failed = !sink->write(sink->arg, data, len);
        return t->sink_failed ? 0 : len;
    }
    if (!t->answer->body.data)
        make_room(t);
    buffer_add(&t->answer->body, data, len);
    t->too_large = t->answer->body.failed;
    return t->too_large ? 0 : len;
}

static void add_header(struct buffer *headers, const char *line, size_t len)
{
    const char *colon = memchr(line, ':', len);

    if (!colon)
        return;
    for (const char *p = line; p < colon; p++)
        buffer_add_char(headers, (char)tolower((unsigned char)*p));
    buffer_add_char(headers, '\0');
    const char *value = colon + 1;
    const char *end = line + len;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    while (end > value && (end[-1] == '\r' || end[-1] == '\n' || end[-1] == ' ' || end[-1] == '\t'))
        end--;
    buffer_add(headers, value, (size_t)(end - value));
    buffer_add_char(headers, '\0');
}

static size_t on_header(char *line, size_t size, size_t count, void *arg)
{
    struct transfer *t = arg;
    size_t len = size * count;
    struct http_answer *answer = t->answer;

    if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) { /* also after a 100: only the last head counts */
        long status = 0;
        curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
        answer->status = (int)status;
        answer->head_at_ms = clock_wall_ms();
        buffer_clear(&answer->headers);
        return len;
    }
    add_header(&answer->headers, line, len);
    t->too_large = answer->headers.failed;
    return t->too_large ? 0 : len;
}

/* -- setting up -- */

/* Tokens stand in it. */
static void cleanup_list(struct curl_slist **list)
{
    for (struct curl_slist *at = *list; at; at = at->next)
        OPENSSL_cleanse(at->data, strlen(at->data));
    curl_slist_free_all(*list);
}

static int header_list(const struct http_call *call, struct curl_slist **ret_list, struct err *err)
{
    _cleanup_(cleanup_list) struct curl_slist *list = curl_slist_append(NULL, "Expect:");

    for (size_t i = 0; list && i < call->header_count; i++) {
        const struct http_header *header = &call->headers[i];
        struct buffer line = BUFFER_INIT(ANSWER_HEAD_MAX);
        line.secret = true;
        if (strpbrk(header->name, "\r\n:") || strpbrk(header->value, "\r\n"))
            return err_set(err, ERR_INVALID_HEADER, "a line break in the value of header %.60s",
                           header->name);
        buffer_printf(&line, *header->value ? "%s: %s" : "%s;", header->name, header->value);
        struct curl_slist *longer = line.failed ? NULL : curl_slist_append(list, line.data);
        buffer_done(&line);
        if (!longer)
            return err_set(err, ERR_NO_MEMORY, "no memory for request headers");
        list = longer;
    }
    if (!list)
        return err_set(err, ERR_NO_MEMORY, "no memory for request headers");
    *ret_list = TAKE(list);
    return 0;
}

static void set_route(struct http_client *client, const struct http_call *call, bool local)
{
    CURL *easy = client->easy;

    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_URL, call->url);
    curl_easy_setopt(easy, CURLOPT_PROXY, !local && client->proxy ? client->proxy : "");
    curl_easy_setopt(easy, CURLOPT_NOPROXY, client->no_proxy ? client->no_proxy : "");
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (client->ca_bundle) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, client->ca_bundle);
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL); /* the bundle replaces the system's, it does not add */
    }
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, RECEIVE_BUFFER);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, MAX_AGE_S);
    curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN, MAX_LIFETIME_S);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "recoverd/" RECOVERD_VERSION);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)(call->connect_timeout_ms > 0 ? call->connect_timeout_ms : CONNECT_TIMEOUT_MS));
    if (call->timeout_ms > 0) {
        curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)call->timeout_ms);
        return;
    }
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, LOW_SPEED_BYTES);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, LOW_SPEED_S);
}

static void set_method(struct http_client *client, const struct http_call *call)
{
    CURL *easy = client->easy;
    bool has_body = call->body.data || call->source;
    curl_off_t len = call->body.data ? (curl_off_t)call->body.len
                     : call->source  ? (curl_off_t)call->source->len
                                     : 0;
    bool get = strcmp(call->method, "GET") == 0;
    bool head = strcmp(call->method, "HEAD") == 0;

    if (head)
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    if ((get || head) && !has_body) {
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, call->fresh_connection ? 1L : 0L);
        return;
    }
    if (has_body || strcmp(call->method, "DELETE") != 0) {
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, len);
        if (is_small(
                call)) /* one write, one packet, one wake-up of the server; it goes by no read function */
            curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->body.data);
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call->method);
    /* without a byte of body there is nothing to rewind, so nothing would stop curl's own repeat */
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, call->fresh_connection || len == 0 ? 1L : 0L);
}

static void set_callbacks(struct transfer *t)
{
    curl_easy_setopt(t->easy, CURLOPT_PREREQFUNCTION, on_ready);
    curl_easy_setopt(t->easy, CURLOPT_PREREQDATA, t);
    curl_easy_setopt(t->easy, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(t->easy, CURLOPT_READDATA, t);
    curl_easy_setopt(t->easy, CURLOPT_SEEKFUNCTION, on_seek);
    curl_easy_setopt(t->easy, CURLOPT_SEEKDATA, t);
    curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_write);
    curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(t->easy, CURLOPT_HEADERDATA, t);
}

/* -- running -- */

static enum err_code interrupted(const struct http_interrupt *interrupt)
{
    return interrupt && interrupt->asked ? interrupt->asked(interrupt->arg) : ERR_NONE;
}

/* Drives the transfer to its end. 0 with *ret_code, or -1 when it was interrupted. */
static int drive(struct http_client *client, const struct http_call *call, CURLcode *ret_code,
                 struct err *err)
{
    for (;;) {
        int running = 0;
        enum err_code code = interrupted(&call->interrupt);
        if (code != ERR_NONE)
            return err_set(err, code, "the call to %.200s was interrupted", call->url);
        if (curl_multi_perform(client->multi, &running) != CURLM_OK) {
            *ret_code = CURLE_FAILED_INIT;
            return 0;
        }
        int left = 0;
        for (CURLMsg *msg; (msg = curl_multi_info_read(client->multi, &left));) {
            if (msg->msg == CURLMSG_DONE) {
                *ret_code = msg->data.result;
                return 0;
            }
        }
        curl_multi_poll(client->multi, NULL, 0, POLL_MS, NULL);
    }
}

static int fail(const struct transfer *t, CURLcode code, struct err *err)
{
    struct bytes host = http_url_host(t->call->url);
    bool no_memory = t->answer->body.no_memory || t->answer->headers.no_memory;

    if (t->source_failed)
        return err_set(err, ERR_IO, "reading the body to send failed");
    if (t->sink_failed)
        return err_set(err, ERR_IO, "taking the answer's body failed");
    if (t->too_large && !no_memory)
        return err_set(err, ERR_LIMIT_EXCEEDED, "the answer of %.*s is too large", (int)host.len, host.data);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return err_set(err, ERR_AWS_TIMEOUT, "%.*s did not answer in time", (int)host.len, host.data);
    if (code == CURLE_OUT_OF_MEMORY || no_memory)
        return err_set(err, ERR_NO_MEMORY, "no memory for a request");
    return err_set(err, ERR_AWS_UNREACHABLE, "%.*s: %s", (int)host.len, host.data,
                   code == CURLE_SEND_FAIL_REWIND || t->begun > 1
                       ? "the connection was reset before the answer"
                       : curl_easy_strerror(code));
}

static void measure(struct transfer *t)
{
    curl_off_t pretransfer = 0;
    curl_off_t total = 0;

    curl_easy_getinfo(t->easy, CURLINFO_PRETRANSFER_TIME_T, &pretransfer);
    curl_easy_getinfo(t->easy, CURLINFO_TOTAL_TIME_T, &total);
    /* the connection, TLS included, was ready and writing began; or began a second time and was refused */
    t->answer->may_have_effect = pretransfer > 0 || t->begun > 1;
    t->answer->latency_us = (int64_t)total;
}

static int check_url(const struct http_call *call, bool *ret_local, struct err *err)
{
    struct bytes host = http_url_host(call->url);
    bool https = str_starts(call->url, "https://");

    *ret_local = http_host_is_local(host);
    if (!host.data || (!https && !str_starts(call->url, "http://")))
        return err_set(err, ERR_INVALID_BODY, "not an http url");
    if (!https && !*ret_local)
        return err_set(err, ERR_INVALID_BODY, "plain http to %.*s is refused: it is not this machine",
                       (int)host.len, host.data);
    return 0;
}

int http_client_send(struct http_client *client, const struct http_call *call, struct http_answer *answer,
                     struct err *err)
{
    struct transfer t = {.call = call, .answer = answer, .easy = client->easy, .left = call->body};
    _cleanup_(cleanup_list) struct curl_slist *list = NULL;
    CURLcode code = CURLE_OK;
    bool local = false;

    http_answer_done(answer);
    answer->headers = BUFFER_INIT(ANSWER_HEAD_MAX);
    answer->body = BUFFER_INIT(call->reply_max > 0 && !call->sink ? call->reply_max : (size_t)MIB);
    if (check_url(call, &local, err) != 0 || header_list(call, &list, err) != 0)
        return -1;
    curl_easy_reset(client->easy); /* keeps connections */
    set_route(client, call, local);
    set_method(client, call);
    set_callbacks(&t);
    curl_easy_setopt(client->easy, CURLOPT_HTTPHEADER, list);
    if (curl_multi_add_handle(client->multi, client->easy) != CURLM_OK)
        return err_set(err, ERR_INTERNAL, "curl takes no request");
    int rc = drive(client, call, &code, err);
    measure(&t);
    curl_multi_remove_handle(client->multi, client->easy);
    curl_easy_setopt(client->easy, CURLOPT_HTTPHEADER, NULL);
    if (rc != 0)
        return -1;
    return code == CURLE_OK ? 0 : fail(&t, code, err);
}

int http_client_sleep(struct http_client *client, int64_t ms, const struct http_interrupt *interrupt,
                      struct err *err)
{
    int64_t until = clock_boot_ms() + ms;

    for (;;) {
        enum err_code code = interrupted(interrupt);
        if (code != ERR_NONE)
            return err_set(err, code, "a wait was interrupted");
        int64_t left = until - clock_boot_ms();
        if (left <= 0)
            return 0;
        curl_multi_poll(client->multi, NULL, 0, (int)(left < POLL_MS ? left : POLL_MS), NULL);
    }
}

/* -- the answer -- */

/* Walks all of them: *at starts at 0; false at the end. */
static bool next_header(const struct http_answer *answer, size_t *at, struct http_header *ret_header)
{
    const struct buffer *headers = &answer->headers;

    if (*at >= headers->len)
        return false;
    ret_header->name = headers->data + *at;
    ret_header->value = ret_header->name + strlen(ret_header->name) + 1;
    *at = (size_t)(ret_header->value + strlen(ret_header->value) + 1 - headers->data);
    return true;
}

const char *http_answer_header(const struct http_answer *answer, const char *name)
{
    struct http_header header;

    for (size_t at = 0; next_header(answer, &at, &header);) {
        if (strcasecmp(header.name, name) == 0)
            return header.value;
    }
    return NULL;
}

void http_answer_done(struct http_answer *answer)
{
    buffer_done(&answer->headers);
    buffer_done(&answer->body);
    *answer = HTTP_ANSWER_INIT;
}
