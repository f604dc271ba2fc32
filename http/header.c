#include "http/header.h"

#include <ctype.h>
#include <strings.h>

static bool is_tchar(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

bool http_is_token(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!is_tchar((unsigned char)text.data[i]))
            return false;
    return text.len > 0;
}

bool http_name_is(struct bytes name, const char *wanted)
{
    return name.len == strlen(wanted) && strncasecmp(name.data, wanted, name.len) == 0;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

struct bytes http_trim(struct bytes text)
{
    while (text.len > 0 && is_space(text.data[0])) {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && is_space(text.data[text.len - 1]))
        text.len--;
    return text;
}

/* Offset of `stop` outside quotes, or text.len. */
static size_t find_outside_quotes(struct bytes text, char stop)
{
    bool quoted = false;

    for (size_t i = 0; i < text.len; i++) {
        if (quoted && text.data[i] == '\\')
            i++;
        else if (text.data[i] == '"')
            quoted = !quoted;
        else if (!quoted && text.data[i] == stop)
            return i;
    }
    return text.len;
}

static struct bytes take(struct bytes *text, char stop)
{
    size_t at = find_outside_quotes(*text, stop);
    struct bytes part = {text->data, at};
    size_t used = at < text->len ? at + 1 : at;

    text->data += used;
    text->len -= used;
    return http_trim(part);
}

bool http_list_next(struct bytes *list, struct bytes *ret_element)
{
    while (list->len > 0) {
        struct bytes element = take(list, ',');

        if (element.len > 0) {
            *ret_element = element;
            return true;
        }
    }
    return false;
}

static bool unquote(struct bytes *value)
{
    if (value->len == 0 || value->data[0] != '"')
        return true;
    if (value->len < 2 || value->data[value->len - 1] != '"')
        return false;
    value->data++;
    value->len -= 2;
    return true;
}

bool http_parameter_next(struct bytes *parameters, struct bytes *ret_name, struct bytes *ret_value)
{
    while (parameters->len > 0) {
        struct bytes before = *parameters;
        struct bytes value = take(parameters, ';');
        struct bytes name;

        if (value.len == 0)
            continue;
        name = take(&value, '=');
        value = http_trim(value);
        if (!http_is_token(name) || !unquote(&value)) {
            *parameters = before;
            return false;
        }
        *ret_name = name;
        *ret_value = value;
        return true;
    }
    return false;
}

bool http_media_parse(struct bytes value, struct http_media *ret_media)
{
    struct bytes type, name, charset;
    struct bytes rest = value;
    struct http_media media = {.utf8 = true};
    const char *slash;

    if (!value.data)
        return false;
    type = take(&rest, ';');
    slash = type.len > 0 ? memchr(type.data, '/', type.len) : NULL;
    if (!slash || type.len >= sizeof(media.type) ||
        !http_is_token((struct bytes){type.data, (size_t)(slash - type.data)}) ||
        !http_is_token((struct bytes){slash + 1, type.len - (size_t)(slash - type.data) - 1}))
        return false;
    for (size_t i = 0; i < type.len; i++)
        media.type[i] = (char)tolower((unsigned char)type.data[i]);
    while (http_parameter_next(&rest, &name, &charset))
        if (http_name_is(name, "charset"))
            media.utf8 = media.utf8 && http_name_is(charset, "utf-8");
    if (rest.len > 0)
        return false;
    *ret_media = media;
    return true;
}

bool http_wait_parse(const char *text, int *ret_seconds)
{
    uint64_t seconds;

    if (!uint_parse(bytes_of(text), &seconds) || seconds > HTTP_WAIT_MAX_S)
        return false;
    *ret_seconds = (int)seconds;
    return true;
}

int http_prefer_wait(struct bytes prefer)
{
    struct bytes element, name, value;

    while (prefer.data && http_list_next(&prefer, &element)) {
        uint64_t seconds;

        if (!http_parameter_next(&element, &name, &value) || !http_name_is(name, "wait"))
            continue;
        if (!uint_parse(value, &seconds))
            return 0;
        return seconds > HTTP_WAIT_MAX_S ? HTTP_WAIT_MAX_S : (int)seconds;
    }
    return 0;
}

/* qvalue of RFC 9110 12.4.2 in thousandths; -1 when malformed. */
static int parse_q(struct bytes text)
{
    int q = 0, scale = 1000;

    if (text.len == 0 || text.len > 5 || (text.data[0] != '0' && text.data[0] != '1'))
        return -1;
    if (text.len > 1 && text.data[1] != '.')
        return -1;
    q = (text.data[0] - '0') * 1000;
    for (size_t i = 2; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return -1;
        scale /= 10;
        q += (text.data[i] - '0') * scale;
    }
    return q > 1000 ? -1 : q;
}

/* The element's first part and its q; a malformed q counts as 0, so that the element is never chosen by
 * mistake. */
static struct bytes split_q(struct bytes element, int *ret_q)
{
    struct bytes first = take(&element, ';'), name, value;

    *ret_q = 1000;
    while (http_parameter_next(&element, &name, &value))
        if (http_name_is(name, "q")) {
            int q = parse_q(value);

            *ret_q = q < 0 ? 0 : q;
        }
    return first;
}

/* How closely the range names the type: 3 itself, 2 type/, 1 everything, 0 not at all. */
static int range_rank(struct bytes range, const char *type)
{
    size_t slash = strcspn(type, "/");

    if (http_name_is(range, type))
        return 3;
    if (range.len == slash + 2 && range.data[slash + 1] == '*' &&
        strncasecmp(range.data, type, slash + 1) == 0)
        return 2;
    return bytes_is(range, "*/*") ? 1 : 0;
}

static int accept_q(struct bytes accept, const char *type)
{
    struct bytes element;
    int best_rank = 0, best_q = 0;

    while (http_list_next(&accept, &element)) {
        int q, rank = range_rank(split_q(element, &q), type);

        if (rank > best_rank) {
            best_rank = rank;
            best_q = q;
        }
    }
    return best_q;
}

int http_accept(struct bytes accept, const char *const *offers, size_t offer_count)
{
    int best = -1, best_q = 0;

    if (!accept.data || http_trim(accept).len == 0)
        return offer_count > 0 ? 0 : -1;
    for (size_t i = 0; i < offer_count; i++) {
        int q = accept_q(accept, offers[i]);

        if (q > best_q) {
            best_q = q;
            best = (int)i;
        }
    }
    return best;
}

bool http_accepts_coding(struct bytes accept_encoding, const char *coding)
{
    struct bytes element;
    int star = 0;

    while (accept_encoding.data && http_list_next(&accept_encoding, &element)) {
        int q;
        struct bytes name = split_q(element, &q);

        if (http_name_is(name, coding))
            return q > 0;
        if (bytes_is(name, "*"))
            star = q;
    }
    return star > 0;
}

int http_idempotency_key(struct bytes value, char ret_key[IDEMPOTENCY_KEY_MAX + 1], struct err *err)
{
    char key[IDEMPOTENCY_KEY_MAX + 1];
    size_t len = 0;
    bool quoted;

    if (!value.data) {
        ret_key[0] = '\0';
        return 0;
    }
    value = http_trim(value);
    quoted = value.len > 0 && value.data[0] == '"';
    if (quoted && !unquote(&value))
        return err_set(err, ERR_INVALID_HEADER, "Idempotency-Key has an opening quote but no closing one");
    for (size_t i = 0; i < value.len; i++) {
        char c = value.data[i];

        if (quoted && c == '\\') {
            if (++i == value.len || (value.data[i] != '"' && value.data[i] != '\\'))
                return err_set(err, ERR_INVALID_HEADER, "Idempotency-Key has a bad escape");
            c = value.data[i];
        } else if (c == '"') {
            return err_set(err, ERR_INVALID_HEADER, "Idempotency-Key has a quote inside");
        }
        if (c <= ' ' || c > '~')
            return err_set(err, ERR_INVALID_HEADER, "Idempotency-Key may hold visible ASCII characters only");
        if (len == IDEMPOTENCY_KEY_MAX)
            return err_set(err, ERR_INVALID_HEADER, "Idempotency-Key is longer than %d", IDEMPOTENCY_KEY_MAX);
        key[len++] = c;
    }
    if (len == 0)
        return err_set(err, ERR_INVALID_HEADER, "Idempotency-Key is empty");
    key[len] = '\0';
    memcpy(ret_key, key, len + 1);
    return 0;
}
