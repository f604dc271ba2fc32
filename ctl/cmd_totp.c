/* totp enrol, status, remove. */
#include <openssl/crypto.h>

#include "auth/ticket.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "ctl/api.h"
#include "ctl/commands.h"
#include "ctl/output.h"
#include "ctl/server_config.h"
#include "ctl/terminal.h"

#define OTP_SIZE 32
#define OTP_HELP "send a present one-time code, asked on the terminal (without one: a line of standard input)"

const struct flag totp_enrol_flags[] = {
    {"config", 0, "FILE", "the server's configuration: makes the ticket that allows it; RECOVERD_CONFIG",
     false, NULL},
    {"otp", 0, NULL, OTP_HELP, false, NULL},
    {0},
};
const struct flag totp_remove_flags[] = {
    {"otp", 0, NULL, OTP_HELP, false, NULL},
    {0},
};

/* Whoever the token is for is who the ticket is for. */
static enum exit_code make_ticket(struct ctl *ctl, const struct config *config, char ret_ticket[TICKET_SIZE])
{
    _cleanup_(api_reply_done) struct api_reply me = API_REPLY_INIT;
    uint8_t key[TOTP_KEY_SIZE];
    struct err err = ERR_INIT;
    const char *identity;
    int result;
    enum exit_code code = api_get(ctl, &me, "/v1/me");

    if (code != EXIT_DONE)
        return code;
    identity = json_get_text(me.json, "identity");
    if (!identity)
        return ctl_fail(ctl, EXIT_UNREACHABLE, "the server does not say who you are");
    if (!config->totp_key_file)
        return ctl_fail(ctl, EXIT_USAGE, "%s has no totp.key_file", config->path);
    if (totp_key_load(config->totp_key_file, key, &err) < 0)
        return ctl_err(ctl, EXIT_USAGE, &err);
    result = ticket_make(key, identity, clock_wall_ms(), ret_ticket, &err);
    OPENSSL_cleanse(key, sizeof(key));
    return result < 0 ? ctl_err(ctl, EXIT_USAGE, &err) : EXIT_DONE;
}

static enum exit_code ask_code(struct ctl *ctl, const struct args *args, char ret_otp[OTP_SIZE])
{
    ret_otp[0] = '\0';
    return args_on(args, "otp") ? terminal_ask(ctl, "one-time code: ", true, ret_otp, OTP_SIZE) : EXIT_DONE;
}

static enum exit_code enrol(struct ctl *ctl, const char *ticket, const char *otp)
{
    _cleanup_(api_reply_done) struct api_reply reply = API_REPLY_INIT;
    json_auto_t *body = ticket[0] ? json_pack("{s:s}", "ticket", ticket) : json_object();
    _cleanup_(cleanup_free) char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    struct api_call call = {
        .method = "POST", .path = "/v1/me/totp", .body = bytes_of(text), .otp = otp[0] ? otp : NULL};
    enum exit_code code = text ? api_ask(ctl, &call, &reply) : ctl_no_memory(ctl);

    if (text)
        OPENSSL_cleanse(text, call.body.len);
    if (code != EXIT_DONE)
        return code;
    output_object(ctl, reply.json, buffer_bytes(&reply.answer.body), "secret");
    ctl_say(ctl, "put the secret into an authenticator now: it is not shown again");
    return EXIT_DONE;
}

enum exit_code totp_enrol(struct ctl *ctl, const struct args *args)
{
    _cleanup_(config_release_p) struct config *config = NULL;
    char ticket[TICKET_SIZE] = "", otp[OTP_SIZE];
    const char *path = args_get(args, "config"), *variable = getenv("RECOVERD_CONFIG");
    enum exit_code code =
        path || (variable && variable[0]) ? server_config_load(ctl, path, &config) : EXIT_DONE;

    if (code == EXIT_DONE)
        code = api_open(ctl);
    if (code == EXIT_DONE && config)
        code = make_ticket(ctl, config, ticket);
    if (code == EXIT_DONE)
        code = ask_code(ctl, args, otp);
    if (code == EXIT_DONE)
        code = enrol(ctl, ticket, otp);
    OPENSSL_cleanse(ticket, sizeof(ticket));
    OPENSSL_cleanse(otp, sizeof(otp));
    return code;
}

enum exit_code totp_status(struct ctl *ctl, const struct args *args)
{
    _cleanup_(api_reply_done) struct api_reply reply = API_REPLY_INIT;
    enum exit_code code = api_open(ctl);

    (void)args;
    if (code == EXIT_DONE)
        code = api_get(ctl, &reply, "/v1/me/totp");
    if (code == EXIT_DONE)
        output_object(ctl, reply.json, buffer_bytes(&reply.answer.body), "enrolled");
    return code;
}

enum exit_code totp_remove(struct ctl *ctl, const struct args *args)
{
    _cleanup_(api_reply_done) struct api_reply reply = API_REPLY_INIT;
    struct api_call call = {.method = "DELETE", .path = "/v1/me/totp"};
    char otp[OTP_SIZE];
    enum exit_code code = api_open(ctl);

    if (code == EXIT_DONE)
        code = ask_code(ctl, args, otp);
    if (code != EXIT_DONE)
        return code;
    call.otp = otp[0] ? otp : NULL;
    code = api_ask(ctl, &call, &reply);
    OPENSSL_cleanse(otp, sizeof(otp));
    if (code == EXIT_DONE)
        ctl_say(ctl, "removed");
    return code;
}
