#include "item/gzip_write.h"

#include <stdlib.h>
#include <isa-l/igzip_lib.h>
#include <openssl/crypto.h>

#include "base/cleanup.h"
#include "item/stream.h"

/* Input is always deflated in these pieces, which makes the output independent of the calls. */
#define PIECE (64 * 1024)
#define LEVEL 1
/* What deflate may hold back (its window, a block's tokens) and the member's trailer, at their largest. */
#define HELD_BACK (512 * 1024)

struct gzip_write {
    int fd;
    bool failed; /* or finished: takes no more */
    struct sha256 *sha;
    size_t in_len;
    uint64_t raw_bytes;
    uint64_t stored_bytes;
    struct isal_zstream stream;
    unsigned char in[PIECE];
    unsigned char out[PIECE];
    unsigned char level[ISAL_DEF_LVL1_DEFAULT];
};

int gzip_write_again(struct gzip_write *gzip, int fd, struct err *err)
{
    sha256_free(gzip->sha);
    OPENSSL_cleanse(gzip, sizeof *gzip);
    gzip->fd = fd;
    isal_deflate_init(&gzip->stream);
    gzip->stream.level = LEVEL;
    gzip->stream.level_buf = gzip->level;
    gzip->stream.level_buf_size = sizeof gzip->level;
    gzip->stream.gzip_flag = IGZIP_GZIP;
    gzip->stream.next_out = gzip->out;
    gzip->stream.avail_out = PIECE;
    gzip->sha = sha256_new(err);
    gzip->failed = !gzip->sha;
    return gzip->sha ? 0 : -1;
}

struct gzip_write *gzip_write_open(int fd, struct err *err)
{
    _cleanup_(gzip_write_abort_p) struct gzip_write *gzip = calloc(1, sizeof *gzip);
    if (!gzip) {
        err_set(err, ERR_NO_MEMORY, "no memory for compressing");
        return NULL;
    }
    return gzip_write_again(gzip, fd, err) == 0 ? TAKE(gzip) : NULL;
}

void gzip_write_abort(struct gzip_write *gzip)
{
    if (!gzip)
        return;
    sha256_free(gzip->sha);
    OPENSSL_cleanse(gzip, sizeof *gzip);
    free(gzip);
}

static int flush_out(struct gzip_write *gzip, struct err *err)
{
    size_t len = PIECE - gzip->stream.avail_out;
    if (sha256_add(gzip->sha, gzip->out, len, err) < 0 ||
        stream_write_fd(gzip->fd, gzip->out, len, err) < 0) {
        gzip->failed = true;
        return -1;
    }
    gzip->stored_bytes += len;
    gzip->stream.next_out = gzip->out;
    gzip->stream.avail_out = PIECE;
    return 0;
}

/* Deflates what is in `in`; with `last` also ends the member. */
static int deflate_in(struct gzip_write *gzip, bool last, struct err *err)
{
    struct isal_zstream *stream = &gzip->stream;
    stream->next_in = gzip->in;
    stream->avail_in = (uint32_t)gzip->in_len;
    stream->end_of_stream = last;
    stream->flush = NO_FLUSH;
    for (;;) {
        int rc = isal_deflate(stream);
        if (rc != COMP_OK) {
            gzip->failed = true;
            return err_set(err, ERR_INTERNAL, "igzip: error %d", rc);
        }
        if (stream->avail_out == 0) {
            if (flush_out(gzip, err) < 0)
                return -1;
        } else if (last ? stream->internal_state.state == ZSTATE_END : stream->avail_in == 0) {
            break;
        }
    }
    gzip->in_len = 0;
    return 0;
}

int gzip_write_add(struct gzip_write *gzip, const void *data, size_t len, struct err *err)
{
    const char *at = data;
    if (gzip->failed)
        return err_set(err, ERR_IO, "the file was given up, or is finished");
    gzip->raw_bytes += len;
    while (len > 0) {
        size_t n = PIECE - gzip->in_len < len ? PIECE - gzip->in_len : len;
        memcpy(gzip->in + gzip->in_len, at, n);
        gzip->in_len += n;
        at += n;
        len -= n;
        if (gzip->in_len == PIECE && deflate_in(gzip, false, err) < 0)
            return -1;
    }
    return 0;
}

/* Raw line breaks can only stand between tokens (RFC 8259 section 7), where a space does as well. */
static int add_on_one_line(struct gzip_write *gzip, struct bytes item, struct err *err)
{
    const char *end = item.data + item.len;
    for (const char *at = item.data; at < end; at++) {
        const char *feed = memchr(at, '\n', (size_t)(end - at));
        const char *stop = feed ? feed : end;
        if (gzip_write_add(gzip, at, (size_t)(stop - at), err) < 0 ||
            (feed && gzip_write_add(gzip, " ", 1, err) < 0))
            return -1;
        at = stop;
    }
    return 0;
}

int gzip_write_item(struct gzip_write *gzip, struct bytes item, struct err *err)
{
    static const char before[] = "{\"Item\":";
    size_t len = sizeof before - 1 + item.len + 2;
    if (!gzip->failed && len < PIECE - gzip->in_len && !memchr(item.data, '\n', item.len)) {
        unsigned char *to = gzip->in + gzip->in_len;
        memcpy(to, before, sizeof before - 1);
        memcpy(to + sizeof before - 1, item.data, item.len);
        to[len - 2] = '}';
        to[len - 1] = '\n';
        gzip->in_len += len;
        gzip->raw_bytes += len;
        return 0;
    }
    if (gzip_write_add(gzip, before, sizeof before - 1, err) < 0 || add_on_one_line(gzip, item, err) < 0)
        return -1;
    return gzip_write_add(gzip, "}\n", 2, err);
}

uint64_t gzip_write_raw(const struct gzip_write *gzip)
{
    return gzip->raw_bytes;
}

uint64_t gzip_write_bound(const struct gzip_write *gzip)
{
    return gzip->stored_bytes + (PIECE - gzip->stream.avail_out) + gzip->in_len + HELD_BACK;
}

int gzip_write_finish(struct gzip_write *gzip, struct gzip_written *ret_written, struct err *err)
{
    struct gzip_written written = {0};
    if (gzip->failed)
        return err_set(err, ERR_IO, "the file was given up, or is finished");
    if (deflate_in(gzip, true, err) < 0 || flush_out(gzip, err) < 0)
        return -1;
    gzip->failed = true;
    if (sha256_end(gzip->sha, written.sha256, err) < 0)
        return -1;
    written.raw_bytes = gzip->raw_bytes;
    written.stored_bytes = gzip->stored_bytes;
    *ret_written = written;
    return 0;
}
