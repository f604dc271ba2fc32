/* Lines {"Item":...}, fed in pieces of any size: the items are the same however the bytes were cut, and each
 * is within its own line. */
#include "tests/fuzz/fuzz.h"

#include "base/json.h"
#include "item/lines.h"
#include "tests/support/drip.h"

/* All items joined by line feeds in *out; the last return value. */
static int read_all(struct bytes text, size_t piece, struct buffer *out, struct err *err)
{
    struct drip drip = {text, piece};
    _cleanup_(item_lines_free_p) struct item_lines *lines =
        item_lines_new(drip_read, &drip, ERR_ITEM_INVALID, err);
    struct bytes item;
    uint64_t number = 0;
    int more;

    HOLDS(lines);
    while ((more = item_lines_next(lines, &item, err)) == 1) {
        HOLDS(item_lines_number(lines) == ++number);
        HOLDS(!memchr(item.data, '\n', item.len) && item.data[0] == '{' &&
              strchr("}]", item.data[item.len - 1]));
        buffer_add_bytes(out, item);
        buffer_add_char(out, '\n');
    }
    return more;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    size_t piece = 1 + input_byte(&in);
    struct bytes text = input_rest(&in);
    _cleanup_(buffer_done) struct buffer cut = BUFFER_INIT(2 * text.len + 16),
                                         whole = BUFFER_INIT(2 * text.len + 16);
    struct err err = ERR_INIT, other = ERR_INIT;
    int rc = read_all(text, piece, &cut, &err);

    judge(rc, &err);
    HOLDS(read_all(text, SIZE_MAX, &whole, &other) == rc);
    HOLDS(err.code == other.code && strcmp(err.message, other.message) == 0);
    HOLDS(bytes_equal(buffer_bytes(&cut), buffer_bytes(&whole)));
    return 0;
}
