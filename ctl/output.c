#include "ctl/output.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "ctl/text.h"

#define CELL_MAX 512
#define COLUMNS_MAX 12

/* -- cells -- */

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

/* What is cut says so. */
static void text_cell(const char *text, char *ret_cell, size_t size)
{
    if (!str_copy(ret_cell, size, text))
        memcpy(ret_cell + size - 3, "..", 3);
}

/* 2026-01-30T14:30:00.000Z as 2026-01-30 14:30:00; other text as it is. */
static void time_cell(const char *text, char *ret_cell, size_t size)
{
    if (strlen(text) == 24 && text[10] == 'T' && text[19] == '.')
        snprintf(ret_cell, size, "%.10s %.8s", text, text + 11);
    else
        text_cell(text, ret_cell, size);
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
            text_cell(json_string_value(value), ret_cell, size);
    } else if (json_is_number(value)) {
        number_cell(value, form, ret_cell, size);
    } else if (json_is_boolean(value)) {
        str_copy(ret_cell, size, json_is_true(value) ? "yes" : "no");
    } else {
        char *text = json_dumps(value, JSON_COMPACT);

        text_cell(text ? text : "?", ret_cell, size);
        free(text);
    }
}

/* -- tables -- */

#define CUT_MAX 44       /* of a column within the members of an object */
#define CUT_LAST_MAX 100 /* and of its last one */
#define ENTRIES_WIDTH_MAX 150

struct table {
    const struct column *columns;
    size_t count;
    size_t widths[COLUMNS_MAX];
    int indent;
    bool cut;
};

static void pad(FILE *to, size_t count)
{
    while (count-- > 0)
        fputc(' ', to);
}

static void cut(char *text, size_t columns)
{
    char *at = text;

    if (text_width(text) <= columns)
        return;
    for (size_t i = 0; i < columns - 2; i++)
        do
            at++;
        while (((unsigned char)*at & 0xc0) == 0x80);
    str_copy(at, 3, "..");
}

static void table_cell(const struct table *table, size_t c, const json_t *row, char ret_text[CELL_MAX])
{
    cell(find(row, table->columns[c].path), table->columns[c].form, ret_text, CELL_MAX);
    if (table->cut)
        cut(ret_text, c + 1 == table->count ? CUT_LAST_MAX : CUT_MAX);
}

static size_t table_measure(struct table *table, const json_t *items)
{
    size_t i, sum = 0;
    json_t *row;

    for (size_t c = 0; c < table->count; c++)
        table->widths[c] = text_width(table->columns[c].title);
    json_array_foreach((json_t *)(uintptr_t)items, i, row) {
        for (size_t c = 0; c < table->count; c++) {
            char text[CELL_MAX];

            table_cell(table, c, row, text);
            if (text_width(text) > table->widths[c])
                table->widths[c] = text_width(text);
        }
    }
    for (size_t c = 0; c < table->count; c++)
        sum += table->widths[c] + 2;
    return sum;
}

static void put_cells(FILE *to, const struct table *table, const json_t *row)
{
    pad(to, (size_t)table->indent);
    for (size_t c = 0; c < table->count; c++) {
        char text[CELL_MAX];

        if (row)
            table_cell(table, c, row, text);
        else
            str_copy(text, sizeof(text), table->columns[c].title);
        text_put(to, text);
        if (c + 1 < table->count)
            pad(to, table->widths[c] - text_width(text) + 2);
    }
    fputc('\n', to);
}

static void put_rows(FILE *to, const struct table *table, const json_t *items)
{
    size_t i;
    json_t *row;

    put_cells(to, table, NULL);
    json_array_foreach((json_t *)(uintptr_t)items, i, row)
        put_cells(to, table, row);
}

static void put_table(FILE *to, const json_t *items, const struct column *columns)
{
    struct table table = {.columns = columns};

    while (columns[table.count].title && table.count < COLUMNS_MAX)
        table.count++;
    table_measure(&table, items);
    put_rows(to, &table, items);
}

/* -- documents -- */

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

    text_put(ctl->out, id ? id : "");
    fputc('\n', ctl->out);
}

void output_list(struct ctl *ctl, const json_t *page, struct bytes raw, const struct column *columns,
                 const char *id_member)
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
    json_array_foreach((json_t *)(uintptr_t)items, i, row) {
        if (ctl->settings.output == OUTPUT_JSONL)
            output_line(ctl, row);
        else
            put_id(ctl, row, id_member);
    }
}

/* -- members -- */

static enum column_form form_of(const char *name, const json_t *value)
{
    static const char *const counts = "items done total read_units count sampled mismatches";

    if (json_is_string(value))
        return str_ends(name, "_at") || str_is(name, "from") || str_is(name, "to") ? COLUMN_TIME
                                                                                   : COLUMN_TEXT;
    if (str_ends(name, "bytes"))
        return COLUMN_BYTES;
    return str_listed(counts, name) ? COLUMN_COUNT_NUMBER : COLUMN_TEXT;
}

/* Nothing in it, at any depth (documents are at most 64 deep). */
static bool is_empty(const json_t *value)
{
    size_t i;
    const char *name;
    json_t *inner;

    if (!value || json_is_null(value))
        return true;
    json_array_foreach((json_t *)(uintptr_t)value, i, inner)
        if (!is_empty(inner))
            return false;
    json_object_foreach((json_t *)(uintptr_t)value, name, inner)
        if (!is_empty(inner))
            return false;
    return json_is_array(value) || json_is_object(value);
}

/* -- lists within an object -- */

static void add_column(struct column *columns, size_t *count, const char *name, const json_t *value)
{
    for (size_t i = 0; i < *count; i++)
        if (strcmp(columns[i].title, name) == 0)
            return;
    if (*count < COLUMNS_MAX && !is_empty(value))
        columns[(*count)++] = (struct column){name, name, form_of(name, value)};
}

/* The members of all entries: first those that people look for first. */
static size_t columns_of(const json_t *entries, struct column columns[COLUMNS_MAX])
{
    static const char *const first[] = {"name", "ok", "state", "status", "outcome", "wanted", "found"};
    size_t count = 0, i;
    const char *name;
    json_t *entry, *value;

    for (size_t f = 0; f < COUNT_OF(first); f++)
        json_array_foreach((json_t *)(uintptr_t)entries, i, entry)
            add_column(columns, &count, first[f], json_object_get(entry, first[f]));
    json_array_foreach((json_t *)(uintptr_t)entries, i, entry)
        json_object_foreach(entry, name, value)
            add_column(columns, &count, name, value);
    return count;
}

static void put_plain_entry(FILE *to, const json_t *entry, int indent)
{
    char text[CELL_MAX];

    json_auto_t *rest = json_is_object(entry) ? json_copy((json_t *)(uintptr_t)entry) : NULL;

    cell(rest ? json_object_get(rest, "name") : entry, COLUMN_TEXT, text, sizeof(text));
    pad(to, (size_t)indent);
    fputs("- ", to);
    text_put(to, text);
    fputc('\n', to);
    json_object_del(rest, "name");
    output_members(to, rest, indent + 4);
}

/* As a table where it fits with every column, else one after the other. */
static void put_entries(FILE *to, const json_t *entries, int indent)
{
    struct column columns[COLUMNS_MAX];
    struct table table = {.columns = columns, .indent = indent, .cut = true};
    size_t i;
    json_t *entry;

    table.count = columns_of(entries, columns);
    if (table.count > 0 && table.count < COLUMNS_MAX && table_measure(&table, entries) <= ENTRIES_WIDTH_MAX) {
        put_rows(to, &table, entries);
        return;
    }
    json_array_foreach((json_t *)(uintptr_t)entries, i, entry)
        put_plain_entry(to, entry, indent);
}

static size_t name_width(const json_t *object)
{
    size_t width = 0;
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)object, name, value) {
        if (!is_empty(value) && !json_is_object(value) && !json_is_array(value) && text_width(name) > width)
            width = text_width(name);
    }
    return width;
}

static void put_plain(FILE *to, const json_t *value, enum column_form form)
{
    char text[CELL_MAX];

    if (json_is_string(value) && form == COLUMN_TEXT) { /* however long */
        text_put(to, json_string_value(value));
    } else {
        cell(value, form, text, sizeof(text));
        text_put(to, text);
    }
    fputc('\n', to);
}

void output_members(FILE *to, const json_t *object, int indent)
{
    size_t width = name_width(object);
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)object, name, value) {
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
            put_entries(to, value, indent + 2);
        } else {
            pad(to, text_width(name) < width ? width - text_width(name) + 1 : 1);
            put_plain(to, value, form_of(name, value));
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
    return fflush(ctl->out) == 0 && !ferror(ctl->out)
               ? EXIT_DONE
               : ctl_fail(ctl, EXIT_UNREACHABLE, "the result could not be written to stdout");
}
