#include "audit/row_json.h"

#include "base/cleanup.h"
#include "base/clock.h"

static const struct text_member {
    const char *name;
    size_t offset;
    bool required;
} members[] = {
#define ROW(name, required) {#name, offsetof(struct audit_row, name), required},
    AUDIT_FIELDS(ROW)
#undef ROW
};
/* seq, at, prev_hash, hash */
#define OTHER_MEMBERS 4

static void write_hash(struct json_writer *w, const char *name, const uint8_t hash[AUDIT_HASH_SIZE])
{
    char text[HEX_SIZE(AUDIT_HASH_SIZE)];

    hex_encode(hash, AUDIT_HASH_SIZE, text);
    json_put_text(w, name, text);
}

void audit_row_write(struct json_writer *w, const char *name, const struct audit_row *row)
{
    char at[TIME_SIZE];

    json_put_object(w, name);
    json_put_int(w, "seq", row->seq);
    time_format(row->ts_ms, at); /* not json_put_time: 0 is a date here */
    json_put_text(w, "at", at);
    for (size_t i = 0; i < COUNT_OF(members); i++)
        json_put_text(w, members[i].name, *(const char *const *)((const char *)row + members[i].offset));
    write_hash(w, "prev_hash", row->prev_hash);
    write_hash(w, "hash", row->hash);
    json_put_object_end(w);
}

static int read_text(const json_t *object, const struct text_member *member, struct arena *arena,
                     struct audit_row *row, struct err *err)
{
    const json_t *value = json_object_get(object, member->name);
    const char *text = json_string_value(value);
    const char **to = (const char **)((char *)row + member->offset);

    *to = NULL;
    if (json_is_null(value) && !member->required)
        return 0;
    if (!text || strlen(text) != json_string_length(value))
        return err_set(err, ERR_INVALID_BODY, "an audit row's %s is absent or no text", member->name);
    *to = arena_strdup(arena, text);
    return *to ? 0 : err_set(err, ERR_NO_MEMORY, "no memory for an audit row");
}

static int read_hash(const json_t *object, const char *name, uint8_t ret_hash[AUDIT_HASH_SIZE],
                     struct err *err)
{
    const json_t *value = json_object_get(object, name);
    struct bytes text = {json_string_value(value), json_string_length(value)};

    if (!text.data || !hex_decode(text, ret_hash, AUDIT_HASH_SIZE))
        return err_set(err, ERR_INVALID_BODY, "an audit row's %s is not 64 hex digits", name);
    return 0;
}

static int read_row(const json_t *object, struct arena *arena, struct audit_row *row, struct err *err)
{
    const json_t *seq = json_object_get(object, "seq");
    const json_t *at = json_object_get(object, "at");

    if (json_object_size(object) != COUNT_OF(members) + OTHER_MEMBERS)
        return err_set(err, ERR_INVALID_BODY, "not an audit row: %zu members", json_object_size(object));
    if (!json_is_integer(seq))
        return err_set(err, ERR_INVALID_BODY, "an audit row's seq is no integer");
    row->seq = (int64_t)json_integer_value(seq);
    if (!json_is_string(at) || !time_parse(bytes_of(json_string_value(at)), &row->ts_ms))
        return err_set(err, ERR_INVALID_BODY, "an audit row's `at` is no time");
    for (size_t i = 0; i < COUNT_OF(members); i++)
        if (read_text(object, &members[i], arena, row, err) < 0)
            return -1;
    return read_hash(object, "prev_hash", row->prev_hash, err) < 0
               ? -1
               : read_hash(object, "hash", row->hash, err);
}

int audit_row_parse(struct bytes json, struct arena *arena, struct audit_row *ret_row, struct err *err)
{
    static const struct json_limits limits = {.max_depth = 4, .allow_duplicates = false};
    json_auto_t *object = NULL;
    struct audit_row row = {0};

    if (json.len > AUDIT_LINE_MAX)
        return err_set(err, ERR_LIMIT_EXCEEDED, "an audit row of %zu bytes", json.len);
    if (json_parse(json, &limits, &object, err) < 0)
        return -1;
    if (!json_is_object(object))
        return err_set(err, ERR_INVALID_BODY, "an audit row is an object");
    if (read_row(object, arena, &row, err) < 0)
        return -1;
    *ret_row = row;
    return 0;
}
