#include "item/lines.h"

#include <stdlib.h>
#include <openssl/crypto.h>

#include "base/limits.h"
#include "item/scan.h"

/* Room for {"Item": and } and some spaces round an item of the largest size. */
#define LINE_MAX_BYTES ((size_t)ITEM_WIRE_MAX + 64)
#define BUFFER_FIRST ((size_t)256 * KIB)

struct item_lines {
    stream_read_fn *read;
    void *arg;
    enum err_code invalid;
    uint64_t number;
    char *data;
    size_t size;
    size_t from;    /* the next line begins here */
    size_t to;      /* bytes behind this are unused */
    size_t scanned; /* no line feed before this */
    bool ended;
};

struct item_lines *item_lines_new(stream_read_fn *read, void *arg, enum err_code invalid, struct err *err)
{
    struct item_lines *lines = calloc(1, sizeof *lines);
    char *data = malloc(BUFFER_FIRST);
    if (!lines || !data) {
        free(lines);
        free(data);
        err_set(err, ERR_NO_MEMORY, "no memory for reading lines");
        return NULL;
    }
    *lines =
        (struct item_lines){.read = read, .arg = arg, .invalid = invalid, .data = data, .size = BUFFER_FIRST};
    return lines;
}

void item_lines_free(struct item_lines *lines)
{
    if (!lines)
        return;
    OPENSSL_cleanse(lines->data, lines->size);
    free(lines->data);
    free(lines);
}

static int grow(struct item_lines *lines, struct err *err)
{
    size_t size = lines->size * 2 < LINE_MAX_BYTES ? lines->size * 2 : LINE_MAX_BYTES;
    char *data = malloc(size);
    if (!data)
        return err_set(err, ERR_NO_MEMORY, "no memory for a line");
    memcpy(data, lines->data, lines->to);
    OPENSSL_cleanse(lines->data, lines->size);
    free(lines->data);
    lines->data = data;
    lines->size = size;
    return 0;
}

/* Makes room behind `to` and reads into it. */
static int fill(struct item_lines *lines, struct err *err)
{
    if (lines->from > 0) {
        memmove(lines->data, lines->data + lines->from, lines->to - lines->from);
        lines->to -= lines->from;
        lines->scanned -= lines->from;
        lines->from = 0;
    }
    if (lines->to == lines->size) {
        if (lines->size >= LINE_MAX_BYTES)
            return err_set(err, lines->invalid, "line %llu: more than %zu bytes",
                           (unsigned long long)lines->number + 1, LINE_MAX_BYTES);
        if (grow(lines, err) < 0)
            return -1;
    }
    size_t n;
    if (lines->read(lines->arg, lines->data + lines->to, lines->size - lines->to, &n, err) < 0)
        return -1;
    lines->to += n;
    lines->ended = n == 0;
    return 0;
}

/* 1: a line without its line feed; 0: the end. */
static int next_line(struct item_lines *lines, struct bytes *ret_line, struct err *err)
{
    for (;;) {
        const char *feed = lines->scanned < lines->to
                               ? memchr(lines->data + lines->scanned, '\n', lines->to - lines->scanned)
                               : NULL;
        size_t end = feed ? (size_t)(feed - lines->data) : lines->to;
        if (feed || (lines->ended && end > lines->from)) {
            *ret_line = (struct bytes){lines->data + lines->from, end - lines->from};
            lines->from = lines->scanned = feed ? end + 1 : end;
            return 1;
        }
        if (lines->ended)
            return 0;
        lines->scanned = lines->to;
        if (fill(lines, err) < 0)
            return -1;
    }
}

static bool line_item(struct bytes line, struct bytes *ret_item)
{
    struct scan in = scan_of(line);
    struct bytes name;
    return scan_take(&in, '{') && scan_string(&in, &name) && bytes_is(name, "Item") && scan_take(&in, ':') &&
           scan_object(&in, ret_item) && scan_take(&in, '}') && scan_at_end(&in);
}

static bool line_is_framed(struct bytes line)
{
    static const char before[] = "{\"Item\":{", behind[] = "}}";
    return line.len >= sizeof before - 1 + sizeof behind - 1 && bytes_starts(line, before) &&
           memcmp(line.data + line.len - (sizeof behind - 1), behind, sizeof behind - 1) == 0;
}

static int not_an_item(const struct item_lines *lines, struct err *err)
{
    return err_set(err, lines->invalid, "line %llu: not {\"Item\":{...}}", (unsigned long long)lines->number);
}

int item_lines_next(struct item_lines *lines, struct bytes *ret_item, struct err *err)
{
    struct bytes line, item;
    int more = next_line(lines, &line, err);
    if (more <= 0)
        return more;
    lines->number++;
    if (!line_item(line, &item))
        return not_an_item(lines, err);
    *ret_item = item;
    return 1;
}

int item_lines_skip(struct item_lines *lines, struct err *err)
{
    struct bytes line;
    int more = next_line(lines, &line, err);
    if (more <= 0)
        return more;
    lines->number++;
    return line_is_framed(line) ? 1 : not_an_item(lines, err);
}

uint64_t item_lines_number(const struct item_lines *lines)
{
    return lines->number;
}
