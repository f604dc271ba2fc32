#include "aws/sts.h"

#include "aws/xml.h"
#include "base/cleanup.h"
#include "base/limits.h"

int sts_get_caller_identity(struct aws_session *session, struct sts_identity *ret_identity, struct err *err)
{
    _cleanup_(aws_reply_done) struct aws_reply reply = AWS_REPLY_INIT;
    _cleanup_(arena_free_p) struct arena *arena = arena_new((size_t)MIB);
    struct aws_call call = {.service = AWS_STS,
                            .operation = "GetCallerIdentity",
                            .body = BYTES("Action=GetCallerIdentity&Version=2011-06-15"),
                            .reply_max = (size_t)CREDENTIAL_REPLY_MAX};
    struct xml_node *root = NULL;

    if (!arena)
        return err_set(err, ERR_NO_MEMORY, "no memory for GetCallerIdentity");
    if (aws_send(session, &call, &reply, err) != 0 ||
        xml_parse(buffer_bytes(&reply.answer.body), arena, &root, err) != 0)
        return -1;
    const struct xml_node *result = xml_child(root, "GetCallerIdentityResult");
    const char *account = xml_text(result, "Account");
    const char *arn = xml_text(result, "Arn"), *user = xml_text(result, "UserId");
    struct sts_identity identity = {.account = ""};
    if (!account || strlen(account) != 12 || strspn(account, "0123456789") != 12)
        return err_set(err, ERR_AWS_LIED, "GetCallerIdentity answered without an account");
    str_copy(identity.account, sizeof(identity.account), account);
    str_copy(identity.arn, sizeof(identity.arn), arn ? arn : "");
    str_copy(identity.user_id, sizeof(identity.user_id), user ? user : "");
    *ret_identity = identity;
    return 0;
}
