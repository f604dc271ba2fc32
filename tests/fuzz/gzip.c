/* Gzip beside zlib: what is taken as one member is what zlib inflates, byte for byte, with nothing behind it;
 * and what gzip_write made is always read back. */
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "item/gzip_read.h"
#include "item/gzip_write.h"
#include "tests/support/drip.h"

#define RAW_MAX (1 << 20)

static int inflate_ours(struct bytes stored, enum gzip_mode mode, size_t piece, struct buffer *out,
                        struct gzip_seen *seen, struct err *err)
{
    const struct gzip_options options = {
        .mode = mode, .damaged = ERR_RECOVERY_POINT_DAMAGED, .raw_max = RAW_MAX};
    struct drip drip = {stored, piece};
    _cleanup_(gzip_read_free_p) struct gzip_read *gzip = gzip_read_new(&options, drip_read, &drip, err);
    char chunk[777];
    size_t len = 1;

    HOLDS(gzip);
    while (len > 0) {
        if (gzip_read_some(gzip, chunk, sizeof chunk, &len, err) < 0)
            return -1;
        buffer_add(out, chunk, len);
    }
    return gzip_read_finish(gzip, seen, err);
}

/* One member and nothing behind it, by zlib. */
static bool inflate_theirs(struct bytes stored, struct buffer *out)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)stored.data, .avail_in = (uInt)stored.len};
    unsigned char chunk[4096];
    int rc = Z_OK;

    HOLDS(inflateInit2(&z, 16 + 15) == Z_OK);
    while (rc == Z_OK && out->len <= RAW_MAX) {
        z.next_out = chunk;
        z.avail_out = sizeof chunk;
        rc = inflate(&z, Z_NO_FLUSH);
        buffer_add(out, chunk, sizeof chunk - z.avail_out);
        if (rc == Z_BUF_ERROR)
            break;
    }
    inflateEnd(&z);
    return rc == Z_STREAM_END && z.avail_in == 0 && out->len <= RAW_MAX;
}

static void judge_read(struct bytes stored, size_t piece)
{
    _cleanup_(buffer_done) struct buffer one = BUFFER_INIT(RAW_MAX + 4096),
                                         many = BUFFER_INIT(RAW_MAX + 4096),
                                         plain = BUFFER_INIT(RAW_MAX + 4096),
                                         theirs = BUFFER_INIT(RAW_MAX + 8192);
    struct err err = ERR_INIT, other = ERR_INIT, none = ERR_INIT;
    struct gzip_seen seen, seen_many, seen_plain;
    int rc = inflate_ours(stored, GZIP_ONE, piece, &one, &seen, &err);

    judge(rc, &err);
    if (rc == 0) {
        HOLDS(inflate_theirs(stored, &theirs) && bytes_equal(buffer_bytes(&one), buffer_bytes(&theirs)));
        HOLDS(seen.members == 1 && seen.raw_bytes == one.len && seen.stored_bytes == stored.len);
        HOLDS(inflate_ours(stored, GZIP_MANY, 1 + piece / 2, &many, &seen_many, &other) == 0);
        HOLDS(bytes_equal(buffer_bytes(&one), buffer_bytes(&many)));
    } else {
        judge(inflate_ours(stored, GZIP_MANY, 1 + piece / 2, &many, &seen_many, &other), &other);
    }
    HOLDS(inflate_ours(stored, GZIP_PLAIN, piece, &plain, &seen_plain, &none) == 0);
    HOLDS(bytes_equal(buffer_bytes(&plain), stored) && seen_plain.raw_bytes == stored.len);
}

static void judge_write(struct bytes raw, size_t piece)
{
    _cleanup_(cleanup_close) int fd = memfd_create("fuzz", MFD_CLOEXEC);
    _cleanup_(buffer_done) struct buffer back = BUFFER_INIT(RAW_MAX + 4096);
    struct err err = ERR_INIT;
    _cleanup_(gzip_write_abort_p) struct gzip_write *gzip = gzip_write_open(fd, &err);
    struct gzip_written written;
    struct gzip_seen seen;
    struct bytes rest = raw;

    HOLDS(fd >= 0 && gzip);
    while (rest.len > 0) {
        size_t len = rest.len < piece ? rest.len : piece;

        HOLDS(gzip_write_add(gzip, rest.data, len, &err) == 0);
        rest = (struct bytes){rest.data + len, rest.len - len};
    }
    uint64_t bound = gzip_write_bound(gzip);
    HOLDS(gzip_write_raw(gzip) == raw.len && gzip_write_finish(gzip, &written, &err) == 0);
    HOLDS(written.raw_bytes == raw.len && written.stored_bytes <= bound);
    char *stored = malloc(written.stored_bytes);
    HOLDS(stored && pread(fd, stored, written.stored_bytes, 0) == (ssize_t)written.stored_bytes);
    HOLDS(inflate_ours((struct bytes){stored, written.stored_bytes}, GZIP_ONE, SIZE_MAX, &back, &seen,
                       &err) == 0);
    HOLDS(bytes_equal(buffer_bytes(&back), raw) && memcmp(seen.sha256, written.sha256, SHA256_BYTES) == 0);
    free(stored);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    unsigned what = input_byte(&in);
    struct bytes rest = input_rest(&in);

    if (what % 8 == 7)
        judge_write(rest, 1 + what * 4);
    else
        judge_read(rest, 1 + what);
    return 0;
}
