/* What AWS and the machine's owner write: errors of any protocol, and the shared credentials and config
 * files. Codes and messages end where they must and are text; a profile's values are found again by their
 * keys. */
#include "tests/fuzz/fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "aws/call_error.h"
#include "aws/profile_file.h"

static void judge_fault(struct bytes headers, struct bytes body, enum aws_protocol protocol)
{
    struct http_answer answer = HTTP_ANSWER_INIT;
    struct aws_fault fault;

    answer.status = 400;
    answer.headers = BUFFER_INIT(headers.len + 16);
    answer.body = BUFFER_INIT(body.len + 16);
    if (headers.len > 0) { /* as http_client leaves them: name NUL value NUL */
        buffer_add_str(&answer.headers, "x-amzn-errortype");
        buffer_add(&answer.headers, "", 1);
        for (size_t i = 0; i < headers.len; i++)
            buffer_add_char(&answer.headers, headers.data[i] ? headers.data[i] : ' ');
        buffer_add(&answer.headers, "", 1);
    }
    answer.headers.failed = false;
    buffer_add_bytes(&answer.body, body);
    aws_fault_read(&answer, protocol, &fault);
    HOLDS(memchr(fault.code, '\0', sizeof fault.code) && memchr(fault.message, '\0', sizeof fault.message));
    HOLDS(fault.found || !fault.code[0]);
    HOLDS(aws_request_id(&answer));
    http_answer_done(&answer);
}

/* Both files are one text of ours. */
static void judge_profiles(struct bytes text)
{
    static int fd = -1;
    _cleanup_(arena_free_p) struct arena *arena = big_arena();
    struct profile_files files;
    struct err err = ERR_INIT;
    char path[64];

    if (fd < 0) {
        fd = memfd_create("credentials", 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        setenv("AWS_SHARED_CREDENTIALS_FILE", path, 1);
        setenv("AWS_CONFIG_FILE", path, 1);
    }
    HOLDS(ftruncate(fd, 0) == 0 && pwrite(fd, text.data, text.len, 0) == (ssize_t)text.len);
    int rc = profile_files_read(arena, &files, &err);
    judge(rc, &err);
    for (size_t i = 0; rc == 0 && i < files.count && i < 50; i++) {
        const struct profile_entry *entry = &files.entries[i];

        HOLDS(profile_exists(&files, entry->section));
        HOLDS(!*entry->value || profile_get(&files, entry->section, entry->key));
    }
    profile_files_done(&files);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    unsigned what = input_byte(&in);

    if (what % 4 == 3) {
        judge_profiles(input_rest(&in));
    } else {
        struct bytes headers = input_line(&in);
        judge_fault(headers, input_rest(&in), (enum aws_protocol)(what / 4 % 4));
    }
    return 0;
}
