#include "ctl/api.h"

#include <stdarg.h>
#include <unistd.h>
#include <openssl/crypto.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/limits.h"
#include "ctl/files.h"
#include "ctl/interrupt.h"

#define JSON_DEPTH 64

void api_reply_done(struct api_reply *reply)
{
    http_answer_done(&reply->answer);
    json_decref(reply->json);
    *reply = API_REPLY_INIT;
}

/* -- the token -- */

static void forget_token(struct ctl *ctl)
{
    if (ctl->token)
        OPENSSL_cleanse(ctl->token, strlen(ctl->token));
    ctl->token = NULL;
}

static int copy_token(struct ctl *ctl, struct bytes text, char **ret_token, struct err *err)
{
    while (text.len > 0 && strchr(" \t\r\n", text.data[text.len - 1]))
        text.len--;
    if (strcspn(text.data, " \t\r\n") < text.len || text.len == 0)
        return err_set(err, ERR_INVALID_BODY, "the token is empty or has white space in it");
    if (text.len > JWT_MAX)
        return err_set(err, ERR_INVALID_BODY, "the token is longer than %lld bytes", (long long)JWT_MAX);
    *ret_token = arena_strndup(ctl->arena, text.data, text.len);
    return *ret_token ? 0 : err_set(err, ERR_NO_MEMORY, "no memory for the token");
}

static int read_token(struct ctl *ctl, char **ret_token, struct err *err)
{
    struct bytes text;
    int result;

    if (ctl->settings.token)
        return copy_token(ctl, bytes_of(ctl->settings.token), ret_token, err);
    *ret_token = NULL;
    if (!ctl->settings.token_file)
        return 0;
    if (file_read(ctl->settings.token_file, JWT_MAX + 2, ctl->arena, &text, err) < 0)
        return err_wrap(err, "the token");
    result = copy_token(ctl, text, ret_token, err);
    OPENSSL_cleanse((char *)(uintptr_t)text.data, text.len);
    return result;
}

/* True when the file now holds another token. */
static bool renew_token(struct ctl *ctl)
{
    struct err err = ERR_INIT;
    char *token = NULL;

    if (ctl->settings.token || !ctl->settings.token_file || strcmp(ctl->settings.token_file, "-") == 0)
        return false;
    if (read_token(ctl, &token, &err) < 0 || !token || str_is(token, ctl->token))
        return false; /* the 401 is what will be told */
    forget_token(ctl);
    ctl->token = token;
    return true;
}

enum exit_code api_open(struct ctl *ctl)
{
    struct err err = ERR_INIT;

    if (ctl->client)
        return EXIT_DONE;
    ctl->client = http_client_new(&err);
    if (!ctl->client)
        return ctl_err(ctl, EXIT_UNREACHABLE, &err);
    ctl->interrupt = interrupt_start(ctl->client, &err);
    if (!ctl->interrupt)
        return ctl_err(ctl, EXIT_UNREACHABLE, &err);
    if (read_token(ctl, &ctl->token, &err) < 0)
        return ctl_err(ctl, EXIT_USAGE, &err);
    return EXIT_DONE;
}

void api_close(struct ctl *ctl)
{
    interrupt_stop(TAKE(ctl->interrupt));
    http_client_free(TAKE(ctl->client));
    forget_token(ctl);
}

/* -- sending -- */

#define HEADERS_MAX 7

static size_t fill_headers(const struct ctl *ctl, const struct api_call *call, const char *bearer,
                           struct http_header headers[HEADERS_MAX])
{
    size_t count = 0;

    headers[count++] = (struct http_header){"User-Agent", "recoverctl/" RECOVERD_VERSION};
    headers[count++] = (struct http_header){"Accept", call->accept ? call->accept : "application/json"};
    if (ctl->token)
        headers[count++] = (struct http_header){"Authorization", bearer};
    if (call->body.data)
        headers[count++] = (struct http_header){"Content-Type", "application/json"};
    if (call->idempotency_key)
        headers[count++] = (struct http_header){"Idempotency-Key", call->idempotency_key};
    if (call->otp)
        headers[count++] = (struct http_header){"Recoverd-OTP", call->otp};
    return count;
}

static void parse(struct api_reply *reply)
{
    static const struct json_limits limits = {.max_depth = JSON_DEPTH, .allow_duplicates = false};
    const char *type = http_answer_header(&reply->answer, "content-type");
    struct err err = ERR_INIT;

    if (type && strstr(type, "json") && reply->answer.body.len > 0 &&
        json_parse(buffer_bytes(&reply->answer.body), &limits, &reply->json, &err) < 0)
        reply->json = NULL; /* not JSON after all: whoever needs it says so */
}

static int send_once(struct ctl *ctl, const struct api_call *call, struct api_reply *reply, struct err *err)
{
    struct http_header headers[HEADERS_MAX];
    char bearer[JWT_MAX + 16], url[8192];
    int result;
    struct http_call http = {.method = call->method ? call->method : "GET",
                             .url = url,
                             .headers = headers,
                             .body = call->body,
                             .sink = call->sink,
                             .reply_max = call->sink ? 0 : API_REPLY_MAX,
                             .timeout_ms = call->timeout_ms,
                             .interrupt = {interrupt_asked, ctl->interrupt}};

    if (!http.timeout_ms && !call->sink)
        http.timeout_ms = API_TIMEOUT_MS;
    if ((size_t)snprintf(url, sizeof(url), "%s%s", ctl->settings.server, call->path) >= sizeof(url))
        return err_set(err, ERR_INVALID_BODY, "the url is too long");
    snprintf(bearer, sizeof(bearer), "Bearer %s", ctl->token ? ctl->token : "");
    http.header_count = fill_headers(ctl, call, bearer, headers);
    result = http_client_send(ctl->client, &http, &reply->answer, err);
    OPENSSL_cleanse(bearer, sizeof(bearer));
    return result;
}

static bool refused_token(const struct api_reply *reply)
{
    const char *problem = api_problem(reply);

    return reply->answer.status == 401 && !str_is(problem, "MFA_REQUIRED") && !str_is(problem, "OTP_INVALID");
}

enum exit_code api_send(struct ctl *ctl, const struct api_call *call, struct api_reply *reply,
                        struct err *err)
{
    for (int attempt = 0;; attempt++) {
        if (send_once(ctl, call, reply, err) < 0)
            return interrupt_raised(ctl->interrupt) ? EXIT_DETACHED
                   : err->code == ERR_INVALID_BODY  ? EXIT_USAGE
                                                    : EXIT_UNREACHABLE;
        parse(reply);
        if (attempt > 0 || !refused_token(reply) || !renew_token(ctl))
            return EXIT_DONE;
        api_reply_done(reply);
    }
}

/* -- explaining -- */

const char *api_problem(const struct api_reply *reply)
{
    return reply->json ? json_get_text(reply->json, "code") : NULL;
}

static void explain_errors(struct ctl *ctl, const json_t *errors)
{
    size_t i;
    json_t *error;

    if (json_array_size(errors) < 2)
        return; /* a single one is the detail */
    json_array_foreach((json_t *)(uintptr_t)errors, i, error) {
        const char *pointer = json_get_text(error, "pointer"), *detail = json_get_text(error, "detail");

        ctl_note(ctl, "  %s: %s", pointer ? pointer : "", detail ? detail : "");
    }
}

static void explain_changes(struct ctl *ctl, const json_t *changes)
{
    size_t i;
    json_t *change;

    json_array_foreach((json_t *)(uintptr_t)changes, i, change) {
        char *text = json_dumps(change, JSON_COMPACT | JSON_ENCODE_ANY);

        ctl_note(ctl, "  changed: %s", text ? text : "?");
        free(text);
    }
}

/* What recoverctl knows to do, where the server speaks of HTTP. */
static const struct {
    const char *problem;
    const char *hint;
} own_hints[] = {
    {"UNAUTHENTICATED",
     "give a token: --token-file FILE, RECOVERD_TOKEN_FILE or RECOVERD_TOKEN; on the server "
     "`recoverctl token mint --config FILE` makes one"},
    {"INVALID_TOKEN", "get a new token from your identity provider, or on the server with `recoverctl token "
                      "mint --config FILE`"},
    {"MFA_REQUIRED",
     "log in again with a second factor, or send a one-time code with --otp (recoverctl totp status)"},
    {"OTP_INVALID", "wait for the next code and run it again with --otp; each code counts once"},
    {"PLAN_STALE", "run it again: it makes a new plan and shows it"},
    {"PLAN_NOT_FOUND", "make the plan again: recoverctl plan ..."},
    {"PLAN_SPENT", "make the plan again: recoverctl plan ..."},
    {"PLAN_REQUIRED", "run it by its kind: recoverctl then makes the plan and shows it"},
    {"INVALID_SPEC", "recoverctl help KIND shows its flags; recoverctl kinds lists the kinds"},
    {"UNKNOWN_KIND", "recoverctl kinds lists them"},
    {"UNKNOWN_ENVIRONMENT", "recoverctl environments lists yours"},
    {"RECOVERY_POINT_NOT_FOUND", "recoverctl points lists yours"},
};

static const char *hint_of(const json_t *problem)
{
    const char *code = json_get_text(problem, "code");

    for (size_t i = 0; i < COUNT_OF(own_hints); i++)
        if (str_is(own_hints[i].problem, code))
            return own_hints[i].hint;
    return json_get_text(problem, "hint");
}

static void explain_aws(struct ctl *ctl, const json_t *aws)
{
    const char *service = json_get_text(aws, "service"), *operation = json_get_text(aws, "operation");
    const char *code = json_get_text(aws, "code"), *id = json_get_text(aws, "request_id");

    if (aws)
        ctl_note(ctl, "  AWS %s %s: %s%s%s", service ? service : "", operation ? operation : "",
                 code ? code : "no code", id ? ", request " : "", id ? id : "");
}

enum exit_code api_explain(struct ctl *ctl, const struct api_reply *reply)
{
    const json_t *problem = reply->json;
    const char *title = json_get_text(problem, "title"), *detail = json_get_text(problem, "detail");
    const char *request = http_answer_header(&reply->answer, "x-request-id");
    enum exit_code code = exit_of_answer(reply->answer.status, api_problem(reply));

    if (code == EXIT_DONE) /* 2xx, but not what was asked for */
        return ctl_fail(ctl, EXIT_UNREACHABLE, "%s answered %d without JSON: is it a recoverd?",
                        ctl->settings.server, reply->answer.status);
    if (!title) {
        ctl_fail(ctl, code, "%s answered %d", ctl->settings.server, reply->answer.status);
        ctl_hint(ctl, "is it a recoverd? recoverctl check looks");
        return code;
    }
    ctl_fail(ctl, code, "%s%s%s (%s)", title, detail ? ": " : "", detail ? detail : "",
             api_problem(reply) ? api_problem(reply) : "no code");
    explain_errors(ctl, json_object_get(problem, "errors"));
    explain_changes(ctl, json_object_get(problem, "changes"));
    explain_aws(ctl, json_object_get(problem, "aws"));
    if (hint_of(problem))
        ctl_hint(ctl, "%s", hint_of(problem));
    if (request)
        ctl_note(ctl, "request %s", request);
    return code;
}

enum exit_code api_explain_err(struct ctl *ctl, enum exit_code code, const struct err *err)
{
    if (code == EXIT_DETACHED)
        return code;
    if (code == EXIT_USAGE) {
        ctl_err(ctl, code, err);
        ctl_hint(ctl, "plain http is only for a server on this machine; use https://, with AWS_CA_BUNDLE for "
                      "a private authority");
        return code;
    }
    ctl_fail(ctl, code, "cannot reach %s: %s", ctl->settings.server, err->message);
    ctl_hint(ctl, "is the server running, and is its URL right (--server, RECOVERD_URL)?%s",
             str_starts(ctl->settings.server, "https://")
                 ? " AWS_CA_BUNDLE names the certificates of a private authority"
                 : "");
    return code;
}

enum exit_code api_ask(struct ctl *ctl, const struct api_call *call, struct api_reply *reply)
{
    struct err err = ERR_INIT;
    enum exit_code code = api_send(ctl, call, reply, &err);

    if (code != EXIT_DONE)
        return api_explain_err(ctl, code, &err);
    if (reply->answer.status / 100 != 2)
        return api_explain(ctl, reply);
    return reply->json || call->sink || reply->answer.status == 204 ? EXIT_DONE : api_explain(ctl, reply);
}

enum exit_code api_get(struct ctl *ctl, struct api_reply *reply, const char *format, ...)
{
    char path[8192];
    va_list list;
    int len;

    va_start(list, format);
    len = vsnprintf(path, sizeof(path), format, list);
    va_end(list);
    if (len < 0 || (size_t)len >= sizeof(path))
        return ctl_fail(ctl, EXIT_USAGE, "the request is too long");
    return api_ask(ctl, &(struct api_call){.path = path}, reply);
}

/* -- paths -- */

void api_escape(struct buffer *out, const char *text, const char *keep)
{
    static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    for (; *text; text++)
        if (strchr(unreserved, *text) || strchr(keep, *text))
            buffer_add_char(out, *text);
        else
            buffer_printf(out, "%%%02X", (unsigned)(unsigned char)*text);
}

const char *api_escaped(struct arena *arena, const char *text, const char *keep)
{
    _cleanup_(buffer_done) struct buffer out = BUFFER_INIT(HTTP_TARGET_MAX);

    api_escape(&out, text, keep);
    return arena_strdup(arena, out.data && !out.failed ? out.data : "");
}
