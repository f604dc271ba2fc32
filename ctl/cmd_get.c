/* get POINT PATH: a file of a recovery point, checked against the sha256 that its ETag is. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/evp.h>

#include "base/cleanup.h"
#include "ctl/api.h"
#include "ctl/commands.h"
#include "ctl/interrupt.h"
#include "ctl/source.h"
#include "ctl/text.h"

const struct flag get_flags[] = {
    {"output-file", 'O', "FILE",
     "write to this file instead of stdout; it appears only when it is whole and right", false, NULL},
    {0},
};

struct download {
    FILE *to;
    EVP_MD_CTX *md;
    int64_t bytes;
    int failed; /* errno of what could not be written; 0: all was */
};

static bool take(void *arg, const char *data, size_t len)
{
    struct download *download = arg;

    download->bytes += (int64_t)len;
    if (fwrite(data, 1, len, download->to) != len)
        download->failed = errno;
    return download->failed == 0 && EVP_DigestUpdate(download->md, data, len) == 1;
}

static void md_free(EVP_MD_CTX **md)
{
    EVP_MD_CTX_free(*md);
}

/* "<64 hex>" */
static bool etag_sha256(const char *etag, char ret_hex[65])
{
    char raw[32];

    if (!etag || strlen(etag) != 66 || etag[0] != '"' || etag[65] != '"' ||
        !hex_decode((struct bytes){etag + 1, 64}, raw, 32))
        return false;
    memcpy(ret_hex, etag + 1, 64);
    ret_hex[64] = '\0';
    return true;
}

static enum exit_code judge(struct ctl *ctl, const struct download *download, const struct api_reply *reply,
                            const char *path)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    char wanted[65], found[65];

    if (EVP_DigestFinal_ex(download->md, sum, NULL) != 1)
        return ctl_no_memory(ctl);
    hex_encode(sum, 32, found);
    if (!etag_sha256(http_answer_header(&reply->answer, "etag"), wanted))
        return ctl_fail(ctl, EXIT_FAILED, "%s: the server did not say its sha256, so it is not checked",
                        path);
    if (strcmp(wanted, found) == 0)
        return EXIT_DONE;
    return ctl_fail(ctl, EXIT_FAILED, "%s is damaged: its sha256 is %s, it should be %s", path, found,
                    wanted);
}

static enum exit_code fetch(struct ctl *ctl, const char *id, const char *path, FILE *to,
                            struct download *download)
{
    _cleanup_(api_reply_done) struct api_reply reply = API_REPLY_INIT;
    _cleanup_(md_free) EVP_MD_CTX *md = EVP_MD_CTX_new();
    struct http_sink sink = {take, download};
    bool manifest = strcmp(path, "manifest.json") == 0; /* it lists the files and so is none of them */
    struct api_call call = {.accept = "*/*", .sink = &sink};
    struct err err = ERR_INIT;
    enum exit_code code;

    *download = (struct download){.to = to, .md = md};
    call.path = manifest ? arena_printf(ctl->arena, "/v1/recovery-points/%s/manifest", id)
                         : arena_printf(ctl->arena, "/v1/recovery-points/%s/files/%s", id,
                                        api_escaped(ctl->arena, path, "/"));
    if (!md || !call.path || EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1)
        return ctl_no_memory(ctl);
    code = api_send(ctl, &call, &reply, &err);
    if (fflush(to) != 0 && !download->failed)
        download->failed = errno;
    if (download->failed)
        return ctl_fail(ctl, EXIT_UNREACHABLE, "writing %s: %s", path, strerror(download->failed));
    if (code != EXIT_DONE)
        return api_explain_err(ctl, code, &err);
    return reply.answer.status / 100 == 2 ? judge(ctl, download, &reply, path) : api_explain(ctl, &reply);
}

static enum exit_code to_file(struct ctl *ctl, const char *id, const char *path, const char *file,
                              struct download *download)
{
    char *temporary = arena_printf(ctl->arena, "%s.XXXXXX", file);
    int fd = temporary ? mkostemp(temporary, O_CLOEXEC) : -1; /* 0600: it is data of the table */
    FILE *to = fd >= 0 ? fdopen(fd, "w") : NULL;
    enum exit_code code;

    if (!to) {
        code = ctl_fail(ctl, EXIT_USAGE, "%s: %s", file, strerror(errno));
        if (fd >= 0) {
            close(fd);
            unlink(temporary);
        }
        return code;
    }
    interrupt_grace(ctl->interrupt, true); /* Ctrl-C too takes away what was begun */
    code = fetch(ctl, id, path, to, download);
    if (fclose(to) != 0 && code == EXIT_DONE)
        code = ctl_fail(ctl, EXIT_UNREACHABLE, "%s: %s", file, strerror(errno));
    if (code == EXIT_DONE && rename(temporary, file) < 0)
        code = ctl_fail(ctl, EXIT_USAGE, "%s: %s", file, strerror(errno));
    if (code != EXIT_DONE)
        unlink(temporary);
    interrupt_grace(ctl->interrupt, false);
    return code;
}

enum exit_code get_file(struct ctl *ctl, const struct args *args)
{
    const char *file = args_get(args, "output-file"), *id;
    struct download download = {0};
    char size[TEXT_SHORT];
    enum exit_code code = source_point(ctl, args->words[0], &id);

    if (code == EXIT_DONE)
        code = api_open(ctl);
    if (code != EXIT_DONE)
        return code;
    if (!file || strcmp(file, "-") == 0)
        return fetch(ctl, id, args->words[1], ctl->out, &download);
    code = to_file(ctl, id, args->words[1], file, &download);
    text_bytes(download.bytes, size);
    if (code == EXIT_DONE)
        ctl_say(ctl, "%s: %s, sha256 as it should be", file, size);
    return code;
}
