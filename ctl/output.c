#include "ctl/output.h"

#include <math.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "ctl/text.h"

#define CELL_MAX 512
#define COLUMNS_MAX 12

/* -- cells ---------------------------------------------------------------------------------------------------------- */

static const json_t *find(const json_t *object, const char *path)
{
    while (object && *path) {
        char name[64];
        size_t len = strcspn(path, "/");

        if (!bytes_copy(name, sizeof(name), (struct bytes){path, len}))
            return NULL;
        object = json_object_get(object, name);
        path += len + (path[len] == '/');
    }
    return object;
}

/* 2026-01-30T14:30:00.000Z as 2026-01-30 14:30:00; other text as it is. */
static void time_cell(const char *text, char *ret_cell, size_t size)
{
    if (strlen(text) == 24 && text[10] == 'T' && text[19] == '.')
        snprintf(ret_cell, size, "%.10s %.8s", text, text + 11);
    else
        str_copy(ret_cell, size, text);
}

static void number_cell(const json_t *value, enum column_form form, char *ret_cell, size_t size)
{
    char text[TEXT_SHORT];

    if (json_is_real(value)) {
        snprintf(ret_cell, size, "%.6g", json_real_value(value));
        return;
    }
    if (form == COLUMN_BYTES)
        text_bytes((int64_t)json_integer_value(value), text);
    else if (form == COLUMN_COUNT_NUMBER)
        text_count((int64_t)json_integer_value(value), text);
    else
        snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(value));
    str_copy(ret_cell, size, text);
}

static void cell(const json_t *value, enum column_form form, char *ret_cell, size_t size)
{
    if (!value || json_is_null(value)) {
        str_copy(ret_cell, size, "-");
    } else if (json_is_string(value)) {
        if (form == COLUMN_TIME)
            time_cell(json_string_value(value), ret_cell, size);
        else
            str_copy(ret_cell, size, json_string_value(value));
    } else if (json_is_number(value)) {
        number_cell(value, form, ret_cell, size);
    } else if (json_is_boolean(value)) {
        str_copy(ret_cell, size, json_is_true(value) ? "yes" : "no");
    } else {
        char *text = json_dumps(value, JSON_COMPACT);

        str_copy(ret_cell, size, text ? text : "?");
        free(text);
    }
}

/* -- tables --------------------------------------------------------------------------------------------------------- */

static void pad(FILE *to, size_t count)
{
    while (count-- > 0)
        fputc(' ', to);
}

static size_t count_columns(const struct column *columns)
{
    size_t count = 0;

    while (columns[count].title && count < COLUMNS_MAX)
        count++;
    return count;
}

static void put_cells(FILE *to, const struct column *columns, size_t count, const json_t *row, const size_t widths[COLUMNS_MAX])
{
    for (size_t i = 0; i < count; i++) {
        char text[CELL_MAX];

        if (row)
            cell(find(row, columns[i].path), columns[i].form, text, sizeof(text));
        else
            str_copy(text, sizeof(text), columns[i].title);
        text_put(to, text);
        if (i + 1 < count)
            pad(to, widths[i] - text_width(text) + 2);
    }
    fputc('\n', to);
}

static void put_table(FILE *to, const json_t *items, const struct column *columns)
{
    size_t widths[COLUMNS_MAX], count = count_columns(columns), i;
    json_t *row;

    for (size_t c = 0; c < count; c++)
        widths[c] = text_width(columns[c].title);
    json_array_foreach((json_t *)(uintptr_t)items, i, row)
    {
        for (size_t c = 0; c < count; c++) {
            char text[CELL_MAX];

            cell(find(row, columns[c].path), columns[c].form, text, sizeof(text));
            if (text_width(text) > widths[c])
                widths[c] = text_width(text);
        }
    }
    put_cells(to, columns, count, NULL, widths);
    json_array_foreach((json_t *)(uintptr_t)items, i, row)
        put_cells(to, columns, count, row, widths);
}

/* -- documents ------------------------------------------------------------------------------------------------------ */

static void put_document(struct ctl *ctl, const json_t *value, struct bytes raw)
{
    if (raw.data)
        fwrite(raw.data, 1, raw.len, ctl->out);
    else
        json_dumpf(value, ctl->out, JSON_COMPACT | JSON_ENCODE_ANY);
    if (!raw.data || raw.len == 0 || raw.data[raw.len - 1] != '\n')
        fputc('\n', ctl->out);
}

void output_line(struct ctl *ctl, const json_t *row)
{
    json_dumpf(row, ctl->out, JSON_COMPACT | JSON_ENCODE_ANY);
    fputc('\n', ctl->out);
}

static void put_id(struct ctl *ctl, const json_t *row, const char *id_member)
{
    const char *id = json_get_text(row, id_member);

    fprintf(ctl->out, "%s\n", id ? id : "");
}

void output_list(struct ctl *ctl, const json_t *page, struct bytes raw, const struct column *columns, const char *id_member)
{
    const json_t *items = json_object_get(page, "items");
    size_t i;
    json_t *row;

    switch (ctl->settings.output) {
    case OUTPUT_JSON:
        put_document(ctl, page, raw);
        return;
    case OUTPUT_TABLE:
        put_table(ctl->out, items, columns);
        return;
    case OUTPUT_JSONL:
    case OUTPUT_ID:
        break;
    }
    json_array_foreach((json_t *)(uintptr_t)items, i, row)
    {
        if (ctl->settings.output == OUTPUT_JSONL)
            output_line(ctl, row);
        else
            put_id(ctl, row, id_member);
    }
}

/* -- members -------------------------------------------------------------------------------------------------------- */

static enum column_form form_of(const char *name, const json_t *value)
{
    static const char *const counts = "items done total read_units count sampled mismatches";

    if (json_is_string(value))
        return str_ends(name, "_at") || str_is(name, "from") || str_is(name, "to") ? COLUMN_TIME : COLUMN_TEXT;
    if (str_ends(name, "bytes"))
        return COLUMN_BYTES;
    return str_listed(counts, name) ? COLUMN_COUNT_NUMBER : COLUMN_TEXT;
}

static bool is_empty(const json_t *value)
{
    return json_is_null(value) || (json_is_array(value) && json_array_size(value) == 0) ||
           (json_is_object(value) && json_object_size(value) == 0);
}

/* Rows of a list: the members of an object beside each other, so that a list of checks reads as one. */
static void put_entry(FILE *to, const json_t *entry, int indent)
{
    const char *name, *gap = "";
    char text[CELL_MAX];
    json_t *value;

    pad(to, (size_t)indent);
    fputs("- ", to);
    if (!json_is_object(entry)) {
        cell(entry, COLUMN_TEXT, text, sizeof(text));
        text_put(to, text);
    }
    json_object_foreach((json_t *)(uintptr_t)entry, name, value)
    {
        if (is_empty(value))
            continue;
        cell(value, form_of(name, value), text, sizeof(text));
        fprintf(to, "%s", gap);
        text_put(to, name);
        fputc(' ', to);
        text_put(to, text);
        gap = ", ";
    }
    fputc('\n', to);
}

static size_t name_width(const json_t *object)
{
    size_t width = 0;
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        if (!is_empty(value) && !json_is_object(value) && !json_is_array(value) && text_width(name) > width)
            width = text_width(name);
    }
    return width;
}

void output_members(FILE *to, const json_t *object, int indent)
{
    size_t width = name_width(object), i;
    const char *name;
    json_t *value, *entry;

    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        char text[CELL_MAX];

        if (is_empty(value))
            continue;
        pad(to, (size_t)indent);
        text_put(to, name);
        fputc(':', to);
        if (json_is_object(value)) {
            fputc('\n', to);
            output_members(to, value, indent + 2);
        } else if (json_is_array(value)) {
            fputc('\n', to);
            json_array_foreach(value, i, entry)
                put_entry(to, entry, indent + 2);
        } else {
            cell(value, form_of(name, value), text, sizeof(text));
            pad(to, text_width(name) < width ? width - text_width(name) + 1 : 1);
            text_put(to, text);
            fputc('\n', to);
        }
    }
}

void output_object(struct ctl *ctl, const json_t *object, struct bytes raw, const char *id_member)
{
    switch (ctl->settings.output) {
    case OUTPUT_JSON:
        put_document(ctl, object, raw);
        break;
    case OUTPUT_JSONL:
        output_line(ctl, object);
        break;
    case OUTPUT_ID:
        put_id(ctl, object, id_member);
        break;
    case OUTPUT_TABLE:
        output_members(ctl->out, object, 0);
        break;
    }
}

enum exit_code output_end(struct ctl *ctl)
{
    return fflush(ctl->out) == 0 && !ferror(ctl->out) ? EXIT_DONE
                                                      : ctl_fail(ctl, EXIT_UNREACHABLE, "the result could not be written to stdout");
}
