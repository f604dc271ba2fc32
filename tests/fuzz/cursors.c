/* Cursors of lists. What is read was made for this caller, path and filters: making it again gives the same
 * text, and it is good for nobody else. */
#include "tests/fuzz/fuzz.h"

#include "handlers/cursors.h"

static const struct route route = {.operation = "listJobs"};
static const struct principal alice = {.issuer = "https://idp", .subject = "alice"};
static const struct principal bob = {.issuer = "https://idp", .subject = "bob"};

static void refused(const struct request *req, const char *cursor)
{
    struct err err = ERR_INIT;
    int64_t key;

    HOLDS(cursor_read(req, cursor, &key, &err) == -1 && err.code == ERR_INVALID_CURSOR);
}

static void judge_text(const struct request *req, const char *text)
{
    struct err err = ERR_INIT;
    char again[CURSOR_SIZE];
    int64_t key;
    int rc = cursor_read(req, text, &key, &err);

    judge(rc, &err);
    if (rc == 0)
        HOLDS(cursor_make(req, key, again, &err) == 0 && strcmp(again, text) == 0);
}

static void judge_made(struct request *req, struct input *in)
{
    struct err err = ERR_INIT;
    int64_t key = (int64_t)input_u64(in), got;
    char cursor[CURSOR_SIZE];
    size_t place = input_byte(in);
    unsigned change = input_byte(in) & 0x7f;

    HOLDS(cursor_make(req, key, cursor, &err) == 0 && strlen(cursor) < CURSOR_SIZE);
    HOLDS(cursor_read(req, cursor, &got, &err) == 0 && got == key);
    req->principal = &bob;
    refused(req, cursor);
    req->principal = &alice;
    place %= strlen(cursor);
    cursor[place] = (char)((unsigned)cursor[place] ^ change);
    if (change)
        refused(req, cursor);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct app app = {.cursor_key = "a key of thirty-two bytes ....."};
    struct input in = {data, size};
    char *text = c_string(input_line(&in)), *name = c_string(input_line(&in)),
         *value = c_string(input_line(&in));
    const struct http_query query[] = {{name, value}, {"limit", "5"}, {"cursor", text}};
    struct http_request http = {.path = "/v1/jobs", .query = query, .query_count = COUNT_OF(query)};
    struct request req = {.app = &app, .http = &http, .route = &route, .principal = &alice};

    judge_text(&req, text);
    judge_made(&req, &in);
    free(text);
    free(name);
    free(value);
    return 0;
}
