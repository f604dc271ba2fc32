#include "item/gzip_read.h"

#include <stdlib.h>
#include <isa-l/igzip_lib.h>
#include <openssl/crypto.h>

#include "base/cleanup.h"
#include "base/limits.h"

#define IN_SIZE (64 * 1024)
/* No honest header is longer (a name, a comment, an extra field). */
#define HEADER_MAX 4096
/* Below this a ratio says nothing. */
#define RATIO_FROM ((uint64_t)MIB)

struct gzip_read {
    struct gzip_options options;
    stream_read_fn *read;
    void *arg;
    struct sha256 *sha;
    bool input_ended;
    bool finished; /* everything was handed out */
    bool failed;
    struct gzip_seen seen;
    struct inflate_state state;
    unsigned char in[IN_SIZE];
};

static void member_start(struct gzip_read *gzip)
{
    uint32_t avail_in = gzip->state.avail_in;
    uint8_t *next_in = gzip->state.next_in;
    isal_inflate_init(&gzip->state);
    gzip->state.crc_flag = ISAL_GZIP;
    gzip->state.avail_in = avail_in;
    gzip->state.next_in = next_in;
}

struct gzip_read *gzip_read_new(const struct gzip_options *options, stream_read_fn *read, void *arg,
                                struct err *err)
{
    _cleanup_(gzip_read_free_p) struct gzip_read *gzip = calloc(1, sizeof *gzip);
    if (!gzip) {
        err_set(err, ERR_NO_MEMORY, "no memory for inflating");
        return NULL;
    }
    gzip->options = *options;
    if (!gzip->options.raw_max)
        gzip->options.raw_max = DATA_FILE_RAW_MAX;
    if (!gzip->options.ratio_max)
        gzip->options.ratio_max = GZIP_RATIO_MAX;
    gzip->read = read;
    gzip->arg = arg;
    member_start(gzip);
    gzip->sha = sha256_new(err);
    return gzip->sha ? TAKE(gzip) : NULL;
}

void gzip_read_free(struct gzip_read *gzip)
{
    if (!gzip)
        return;
    sha256_free(gzip->sha);
    OPENSSL_cleanse(gzip, sizeof *gzip);
    free(gzip);
}

static int damaged(struct gzip_read *gzip, const char *what, struct err *err)
{
    return err_set(err, gzip->options.damaged, "%s, after %llu stored bytes", what,
                   (unsigned long long)(gzip->seen.stored_bytes - gzip->state.avail_in));
}

static int read_stored(struct gzip_read *gzip, void *to, size_t size, size_t *ret_len, struct err *err)
{
    size_t n;
    if (gzip->read(gzip->arg, to, size, &n, err) < 0 || sha256_add(gzip->sha, to, n, err) < 0)
        return -1;
    gzip->seen.stored_bytes += n;
    gzip->input_ended = n == 0;
    *ret_len = n;
    return 0;
}

/* Fills the whole buffer, keeping what is left in it: isal_inflate misjudges a header that comes in pieces.
 */
static int fill(struct gzip_read *gzip, struct err *err)
{
    size_t n;
    if (gzip->state.avail_in > 0)
        memmove(gzip->in, gzip->state.next_in, gzip->state.avail_in);
    gzip->state.next_in = gzip->in;
    while (gzip->state.avail_in < IN_SIZE && !gzip->input_ended) {
        if (read_stored(gzip, gzip->in + gzip->state.avail_in, IN_SIZE - gzip->state.avail_in, &n, err) < 0)
            return -1;
        gzip->state.avail_in += (uint32_t)n;
    }
    return 0;
}

static int count_raw(struct gzip_read *gzip, size_t len, struct err *err)
{
    gzip->seen.raw_bytes += len;
    if (gzip->seen.raw_bytes > gzip->options.raw_max)
        return damaged(gzip, "inflates to more than is allowed", err);
    if (gzip->seen.raw_bytes > RATIO_FROM &&
        gzip->seen.raw_bytes / gzip->options.ratio_max > gzip->seen.stored_bytes)
        return damaged(gzip, "inflates to far more than it is", err);
    return 0;
}

/* A member has ended. 1: another begins; 0: that was all. */
static int next_member(struct gzip_read *gzip, struct err *err)
{
    if (gzip->state.avail_in < HEADER_MAX && fill(gzip, err) < 0)
        return -1;
    if (gzip->state.avail_in == 0)
        return 0;
    if (gzip->options.mode == GZIP_ONE)
        return damaged(gzip, "something stands behind the gzip member", err);
    member_start(gzip);
    return 1;
}

static const char *inflate_fault(int rc)
{
    switch (rc) {
    case ISAL_INVALID_WRAPPER:
    case ISAL_UNSUPPORTED_METHOD:
        return "not gzip";
    case ISAL_INCORRECT_CHECKSUM:
        return "checksum or length of a gzip member do not hold";
    default:
        return "not deflate";
    }
}

/* One call of isal_inflate. It returns 0 both when it wants input and when a member ends: the state says
 * which. */
static int inflate_step(struct gzip_read *gzip, struct err *err)
{
    uint32_t out_before = gzip->state.avail_out, in_before = gzip->state.avail_in;
    enum isal_block_state block_before = gzip->state.block_state;
    int rc = isal_inflate(&gzip->state);
    if (rc < 0 || rc == ISAL_NEED_DICT)
        return damaged(gzip, inflate_fault(rc), err);
    if (gzip->state.block_state == ISAL_BLOCK_FINISH) {
        gzip->seen.members++;
        return 0;
    }
    if (gzip->state.avail_out != out_before)
        return 0;
    if (gzip->state.avail_in == 0) {
        if (gzip->input_ended && gzip->state.block_state == block_before)
            return damaged(gzip, "cut off", err);
        return fill(gzip, err);
    }
    if (gzip->state.avail_in == in_before && gzip->state.block_state == block_before)
        return damaged(gzip, "not deflate", err);
    return 0;
}

static int inflate_some(struct gzip_read *gzip, void *to, size_t size, size_t *ret_len, struct err *err)
{
    uint32_t room = size > IN_SIZE * 16 ? IN_SIZE * 16 : (uint32_t)size;
    gzip->state.next_out = to;
    gzip->state.avail_out = room;
    while (gzip->state.avail_out == room) {
        if (gzip->state.block_state == ISAL_BLOCK_FINISH) {
            int more = next_member(gzip, err);
            if (more < 0)
                return -1;
            if (more == 0) {
                gzip->finished = true;
                break;
            }
            gzip->state.next_out = to;
            gzip->state.avail_out = room;
        }
        if (inflate_step(gzip, err) < 0)
            return -1;
    }
    *ret_len = room - gzip->state.avail_out;
    return count_raw(gzip, *ret_len, err);
}

static int plain_some(struct gzip_read *gzip, void *to, size_t size, size_t *ret_len, struct err *err)
{
    if (read_stored(gzip, to, size, ret_len, err) < 0)
        return -1;
    gzip->finished = gzip->input_ended;
    return count_raw(gzip, *ret_len, err);
}

int gzip_read_some(void *arg, void *to, size_t size, size_t *ret_len, struct err *err)
{
    struct gzip_read *gzip = arg;
    size_t n = 0;
    if (gzip->failed)
        return err_set(err, gzip->options.damaged, "the file was given up before");
    if (!gzip->finished && size > 0) {
        bool plain = gzip->options.mode == GZIP_PLAIN;
        if ((plain ? plain_some(gzip, to, size, &n, err) : inflate_some(gzip, to, size, &n, err)) < 0) {
            gzip->failed = true;
            return -1;
        }
    }
    *ret_len = n;
    return 0;
}

int gzip_read_finish(struct gzip_read *gzip, struct gzip_seen *ret_seen, struct err *err)
{
    if (!gzip->finished || gzip->failed)
        return err_set(err, ERR_INTERNAL, "a file was taken for read before its end");
    gzip->failed = true;
    if (sha256_end(gzip->sha, gzip->seen.sha256, err) < 0)
        return -1;
    *ret_seen = gzip->seen;
    return 0;
}

int gzip_read_check(struct gzip_read *gzip, struct gzip_seen *ret_seen, struct err *err)
{
    enum { SIZE = 256 * 1024 };
    _cleanup_(cleanup_free) char *scrap = malloc(SIZE);
    size_t n = 1;
    int rc = 0;
    if (!scrap)
        return err_set(err, ERR_NO_MEMORY, "no memory for checking a file");
    while (rc == 0 && n > 0)
        rc = gzip_read_some(gzip, scrap, SIZE, &n, err);
    OPENSSL_cleanse(scrap, SIZE); /* items went through it, also when the file is damaged */
    return rc < 0 ? -1 : gzip_read_finish(gzip, ret_seen, err);
}
