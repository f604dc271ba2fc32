#include "handlers/cursors.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#define VERSION 1
#define MAC_SIZE 16
#define TEXT_MAX (2 * HTTP_TARGET_MAX + 4 * CLAIM_TEXT_MAX)

/* Length first, so that no two lists of parts give the same text. */
static void add_part(struct buffer *text, const char *part)
{
    buffer_printf(text, "%zu:", strlen(part));
    buffer_add_str(text, part);
}

static int mac(const struct request *req, const uint8_t *head, uint8_t ret_mac[MAC_SIZE], struct err *err)
{
    _cleanup_(buffer_done) struct buffer text = BUFFER_INIT(TEXT_MAX);
    uint8_t whole[EVP_MAX_MD_SIZE];
    unsigned size;

    buffer_add_str(&text, "cursor/v1");
    buffer_add(&text, head, CURSOR_RAW_SIZE - MAC_SIZE);
    add_part(&text, req->route->operation);
    add_part(&text, req->principal->issuer);
    add_part(&text, req->principal->subject);
    add_part(&text, req->http->path);
    for (size_t i = 0; i < req->http->query_count; i++) {
        const struct http_query *query = &req->http->query[i];

        if (strcmp(query->name, "cursor") == 0 || strcmp(query->name, "limit") == 0)
            continue; /* the size of a page may change on the way */
        add_part(&text, query->name);
        add_part(&text, query->value);
    }
    if (buffer_ok(&text, "the filters of a list", err) < 0)
        return -1;
    if (!HMAC(EVP_sha256(), req->app->cursor_key, sizeof(req->app->cursor_key), (const uint8_t *)text.data,
              text.len, whole, &size))
        return err_set(err, ERR_INTERNAL, "hmac is not available");
    memcpy(ret_mac, whole, MAC_SIZE);
    return 0;
}

int cursor_make(const struct request *req, int64_t key, char ret_cursor[CURSOR_SIZE], struct err *err)
{
    uint8_t raw[CURSOR_RAW_SIZE] = {VERSION};

    for (int i = 0; i < 8; i++)
        raw[1 + i] = (uint8_t)((uint64_t)key >> (56 - 8 * i));
    if (mac(req, raw, raw + CURSOR_RAW_SIZE - MAC_SIZE, err) < 0)
        return -1;
    base64url_encode(raw, sizeof(raw), ret_cursor);
    return 0;
}

int cursor_read(const struct request *req, const char *cursor, int64_t *ret_key, struct err *err)
{
    struct bytes text = bytes_of(cursor);
    uint8_t raw[CURSOR_SIZE];
    uint8_t right[MAC_SIZE];
    uint64_t key = 0;

    if (text.len >= CURSOR_SIZE || base64url_decode(text, raw) != CURSOR_RAW_SIZE || raw[0] != VERSION)
        return err_set(err, ERR_INVALID_CURSOR, "the cursor is malformed");
    if (mac(req, raw, right, err) < 0)
        return -1;
    if (CRYPTO_memcmp(right, raw + CURSOR_RAW_SIZE - MAC_SIZE, MAC_SIZE) != 0)
        return err_set(err, ERR_INVALID_CURSOR,
                       "the cursor belongs to another list, other filters, or another caller");
    for (int i = 0; i < 8; i++)
        key = key << 8 | raw[1 + i];
    *ret_key = (int64_t)key;
    return 0;
}
