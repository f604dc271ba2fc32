#include "item/gzip_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zlib.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "item/gzip_write.h"
#include "item/lines.h"
#include "tests/support/drip.h"

enum filling { ZEROS, TEXT, NOISE };

static char *fill_block(size_t len, enum filling filling)
{
    char *block = malloc(len + 1);
    uint64_t seed = 88172645463325252ULL;
    assert_non_null(block);
    for (size_t i = 0; i < len; i++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        block[i] = filling == ZEROS ? 0 : filling == TEXT ? (char)("{}\":,abcdef \n"[seed % 13]) : (char)seed;
    }
    return block;
}

/* Compresses by the writer in calls of `piece` bytes; the file's bytes are the caller's. */
static struct bytes written(struct bytes raw, size_t piece, struct gzip_written *ret_written)
{
    struct err err = ERR_INIT;
    _cleanup_(cleanup_close) int fd = memfd_create("gzip", 0);
    _cleanup_(gzip_write_abort_p) struct gzip_write *gzip = gzip_write_open(fd, &err);
    assert_non_null(gzip);
    for (size_t at = 0; at < raw.len; at += piece) {
        size_t n = raw.len - at < piece ? raw.len - at : piece;
        assert_int_equal(gzip_write_add(gzip, raw.data + at, n, &err), 0);
    }
    uint64_t bound = gzip_write_bound(gzip);
    assert_int_equal(gzip_write_raw(gzip), raw.len);
    assert_int_equal(gzip_write_finish(gzip, ret_written, &err), 0);
    assert_true(ret_written->stored_bytes <= bound);
    assert_int_equal(ret_written->stored_bytes, lseek(fd, 0, SEEK_END));
    char *stored = malloc(ret_written->stored_bytes);
    assert_int_equal(pread(fd, stored, ret_written->stored_bytes, 0), ret_written->stored_bytes);
    return (struct bytes){stored, ret_written->stored_bytes};
}

/* The bytes of a file that a writer with a past writes: one file ended, or given up in the middle. */
static void expect_the_same_again(struct bytes raw, bool ended, struct bytes stored)
{
    _cleanup_(cleanup_close) int first = memfd_create("first", 0), fd = memfd_create("again", 0);
    struct err err = ERR_INIT;
    _cleanup_(gzip_write_abort_p) struct gzip_write *gzip = gzip_write_open(first, &err);
    _cleanup_(cleanup_free) char *got = malloc(stored.len);
    struct gzip_written facts;

    assert_int_equal(gzip_write_add(gzip, raw.data, raw.len / 2 + 77, &err), 0);
    if (ended)
        assert_int_equal(gzip_write_finish(gzip, &facts, &err), 0);
    assert_int_equal(gzip_write_again(gzip, fd, &err), 0);
    assert_int_equal(gzip_write_raw(gzip), 0);
    assert_int_equal(gzip_write_add(gzip, raw.data, raw.len, &err), 0);
    assert_int_equal(gzip_write_finish(gzip, &facts, &err), 0);
    assert_int_equal(facts.stored_bytes, stored.len);
    assert_int_equal(facts.raw_bytes, raw.len);
    assert_int_equal(pread(fd, got, stored.len, 0), stored.len);
    assert_memory_equal(got, stored.data, stored.len);
}

/* zlib's opinion of a gzip file of one member: the raw bytes, or -1. */
static long by_zlib(struct bytes stored, char *to, size_t size)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)stored.data,
                  .avail_in = (uInt)stored.len,
                  .next_out = (Bytef *)to,
                  .avail_out = (uInt)size};
    assert_int_equal(inflateInit2(&z, 31), Z_OK);
    int rc = inflate(&z, Z_FINISH);
    long len = rc == Z_STREAM_END && z.avail_in == 0 ? (long)z.total_out : -1;
    inflateEnd(&z);
    return len;
}

/* Inflates all into `to`: the raw length, or -1 with err. */
static long inflated(struct bytes stored, struct gzip_options options, size_t piece, size_t window, char *to,
                     size_t size, struct gzip_seen *ret_seen, struct err *err)
{
    struct drip drip = {stored, piece};
    options.damaged = ERR_RECOVERY_POINT_DAMAGED;
    _cleanup_(gzip_read_free_p) struct gzip_read *gzip = gzip_read_new(&options, drip_read, &drip, err);
    assert_non_null(gzip);
    size_t len = 0, n = 1;
    while (n > 0) {
        size_t room = size - len < window ? size - len : window;
        if (room == 0) {
            char extra;
            if (gzip_read_some(gzip, &extra, 1, &n, err) < 0)
                return -1;
            assert_int_equal(n, 0);
        } else if (gzip_read_some(gzip, to + len, room, &n, err) < 0) {
            return -1;
        }
        len += n;
    }
    return gzip_read_finish(gzip, ret_seen, err) < 0 ? -1 : (long)len;
}

static void sha256_of(struct bytes data, unsigned char ret_digest[SHA256_BYTES])
{
    struct err err = ERR_INIT;
    _cleanup_(sha256_free_p) struct sha256 *sha = sha256_new(&err);
    assert_int_equal(sha256_once(sha, data, ret_digest, &err), 0);
}

static void what_is_written_is_read_back_by_us_and_by_zlib(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 65535, 65536, 65537, 131072, 1000003, 5000000};
    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        for (enum filling filling = ZEROS; filling <= NOISE; filling++) {
            size_t size = sizes[i];
            _cleanup_(cleanup_free) char *raw = fill_block(size, filling), *again = malloc(size + 1);
            struct gzip_written facts;
            struct gzip_seen seen;
            struct err err = ERR_INIT;
            struct bytes stored = written((struct bytes){raw, size}, 999, &facts);
            unsigned char digest[SHA256_BYTES];
            sha256_of(stored, digest);
            assert_memory_equal(digest, facts.sha256, SHA256_BYTES);
            assert_int_equal(facts.raw_bytes, size);
            assert_int_equal(by_zlib(stored, again, size + 1), size);
            assert_memory_equal(again, raw, size);
            assert_int_equal(inflated(stored, (struct gzip_options){.mode = GZIP_ONE}, 100000, 10007, again,
                                      size, &seen, &err),
                             size);
            assert_memory_equal(again, raw, size);
            assert_memory_equal(seen.sha256, digest, SHA256_BYTES);
            assert_int_equal(seen.stored_bytes, stored.len);
            assert_int_equal(seen.raw_bytes, size);
            assert_int_equal(seen.members, 1);
            free((char *)(uintptr_t)stored.data);
        }
}

static void the_bytes_do_not_depend_on_the_calls(void **state)
{
    (void)state;
    static const size_t pieces[] = {1, 7, 4096, 65536, 70000, 1000000};
    _cleanup_(cleanup_free) char *raw = fill_block(300000, TEXT);
    struct gzip_written first, other;
    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        struct bytes stored = written((struct bytes){raw, 300000}, pieces[i], i ? &other : &first);
        /* RFC 1952 section 2.3.1: flags, then mtime: none */
        assert_memory_equal(stored.data, "\x1f\x8b\x08\0\0\0\0\0", 8);
        if (i)
            assert_memory_equal(first.sha256, other.sha256, SHA256_BYTES);
        free((char *)(uintptr_t)stored.data);
    }
}

static void a_writer_with_a_past_writes_as_a_new_one(void **state)
{
    (void)state;
    _cleanup_(cleanup_free) char *raw = fill_block(300000, TEXT);
    struct bytes all = {raw, 300000};
    struct gzip_written facts;
    struct bytes stored = written(all, 4096, &facts);
    expect_the_same_again(all, true, stored);
    expect_the_same_again(all, false, stored);
    free((char *)(uintptr_t)stored.data);
}

static void items_become_lines_that_are_read_back_as_they_were(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    struct gzip_written facts;
    _cleanup_(cleanup_close) int fd = memfd_create("items", 0);
    _cleanup_(gzip_write_abort_p) struct gzip_write *writer = gzip_write_open(fd, &err);
    assert_int_equal(gzip_write_item(writer, BYTES("{\"a\":{\"S\":\"x\\n\"}}"), &err), 0);
    assert_int_equal(gzip_write_item(writer, BYTES("{\n\"a\":{\"S\":\"y\"}\n\n}"), &err), 0);
    assert_int_equal(gzip_write_finish(writer, &facts, &err), 0);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    struct gzip_options options = {.mode = GZIP_ONE, .damaged = ERR_RECOVERY_POINT_DAMAGED};
    _cleanup_(gzip_read_free_p) struct gzip_read *reader = gzip_read_new(&options, stream_read_fd, &fd, &err);
    _cleanup_(item_lines_free_p) struct item_lines *lines =
        item_lines_new(gzip_read_some, reader, ERR_ITEM_INVALID, &err);
    struct bytes item;
    struct gzip_seen seen;
    assert_int_equal(item_lines_next(lines, &item, &err), 1);
    assert_true(bytes_is(item, "{\"a\":{\"S\":\"x\\n\"}}"));
    assert_int_equal(item_lines_next(lines, &item, &err), 1);
    assert_true(bytes_is(item, "{ \"a\":{\"S\":\"y\"}  }"));
    assert_int_equal(gzip_read_finish(reader, &seen, &err), -1);
    err = ERR_INIT;
    assert_int_equal(item_lines_next(lines, &item, &err), 0);
    assert_int_equal(gzip_read_finish(reader, &seen, &err), 0);
    assert_memory_equal(seen.sha256, facts.sha256, SHA256_BYTES);
}

#define SMALL                                                                                                \
    "{\"Item\":{\"id\":{\"S\":\"1\"},\"v\":{\"N\":\"12345\"}}}\n{\"Item\":{\"id\":{\"S\":\"2\"},\"v\":{"     \
    "\"N\":\"12345\"}}}\n"

static void every_piece_size_and_window_gives_the_same(void **state)
{
    (void)state;
    struct gzip_written facts;
    struct gzip_seen seen;
    struct err err = ERR_INIT;
    struct bytes stored = written(BYTES(SMALL), 1000, &facts);
    char again[200];
    for (size_t piece = 1; piece <= stored.len; piece++)
        for (size_t window = 1; window <= sizeof SMALL; window += 5) {
            assert_int_equal(inflated(stored, (struct gzip_options){.mode = GZIP_ONE}, piece, window, again,
                                      sizeof SMALL - 1, &seen, &err),
                             sizeof SMALL - 1);
            assert_memory_equal(again, SMALL, sizeof SMALL - 1);
            assert_memory_equal(seen.sha256, facts.sha256, SHA256_BYTES);
        }
    free((char *)(uintptr_t)stored.data);
}

static void a_flipped_bit_is_never_the_same_file_and_never_other_items(void **state)
{
    (void)state;
    struct gzip_written facts;
    struct bytes stored = written(BYTES(SMALL), 1000, &facts);
    _cleanup_(cleanup_free) char *copy = malloc(stored.len), *again = malloc(4096);
    size_t refused = 0;
    for (size_t bit = 0; bit < stored.len * 8; bit++) {
        struct gzip_seen seen;
        struct err err = ERR_INIT;
        memcpy(copy, stored.data, stored.len);
        copy[bit / 8] = (char)(copy[bit / 8] ^ (1 << bit % 8));
        long len = inflated((struct bytes){copy, stored.len}, (struct gzip_options){.mode = GZIP_ONE}, 50, 50,
                            again, 4096, &seen, &err);
        if (len < 0) {
            assert_int_equal(err.code, ERR_RECOVERY_POINT_DAMAGED);
            refused++;
            continue;
        }
        /* a byte of the header that means nothing, or the bits that fill deflate's last byte: the items are
         * right, the file is still another */
        assert_int_equal(len, sizeof SMALL - 1);
        assert_memory_equal(again, SMALL, sizeof SMALL - 1);
        assert_memory_not_equal(seen.sha256, facts.sha256, SHA256_BYTES);
        assert_true(bit / 8 < 10 || bit / 8 == stored.len - 9);
    }
    assert_true(refused >= (stored.len - 11) * 8);
    free((char *)(uintptr_t)stored.data);
}

static void a_file_that_is_cut_anywhere_is_damaged(void **state)
{
    (void)state;
    struct gzip_written facts;
    struct bytes stored = written(BYTES(SMALL), 1000, &facts);
    char again[4096];
    for (size_t len = 0; len < stored.len; len++)
        for (size_t piece = 1; piece <= 64; piece += 21)
            for (enum gzip_mode mode = GZIP_ONE; mode <= GZIP_MANY; mode++) {
                struct gzip_seen seen;
                struct err err = ERR_INIT;
                assert_int_equal(inflated((struct bytes){stored.data, len},
                                          (struct gzip_options){.mode = mode}, piece, 4096, again, 4096,
                                          &seen, &err),
                                 -1);
                assert_int_equal(err.code, ERR_RECOVERY_POINT_DAMAGED);
            }
    free((char *)(uintptr_t)stored.data);
}

static void two_members_are_for_foreign_files_only(void **state)
{
    (void)state;
    struct gzip_written facts;
    struct bytes stored = written(BYTES(SMALL), 1000, &facts);
    _cleanup_(cleanup_free) char *twice = malloc(3 * stored.len);
    char again[4096];
    for (int i = 0; i < 3; i++)
        memcpy(twice + (size_t)i * stored.len, stored.data, stored.len);
    for (size_t piece = 1; piece <= 2 * stored.len; piece++) {
        struct gzip_seen seen;
        struct err err = ERR_INIT;
        struct bytes two = {twice, 2 * stored.len};
        assert_int_equal(
            inflated(two, (struct gzip_options){.mode = GZIP_MANY}, piece, 33, again, 4096, &seen, &err),
            2 * (sizeof SMALL - 1));
        assert_memory_equal(again, SMALL SMALL, 2 * (sizeof SMALL - 1));
        assert_int_equal(seen.members, 2);
        assert_int_equal(
            inflated(two, (struct gzip_options){.mode = GZIP_ONE}, piece, 4096, again, 4096, &seen, &err),
            -1);
        assert_int_equal(err.code, ERR_RECOVERY_POINT_DAMAGED);
        /* a second member that is cut, or damaged in its checksum */
        err = ERR_INIT;
        assert_int_equal(inflated((struct bytes){twice, 2 * stored.len - 1},
                                  (struct gzip_options){.mode = GZIP_MANY}, piece, 4096, again, 4096, &seen,
                                  &err),
                         -1);
        err = ERR_INIT;
        twice[2 * stored.len - 6] ^= 1;
        assert_int_equal(
            inflated(two, (struct gzip_options){.mode = GZIP_MANY}, piece, 4096, again, 4096, &seen, &err),
            -1);
        assert_int_equal(err.code, ERR_RECOVERY_POINT_DAMAGED);
        twice[2 * stored.len - 6] ^= 1;
    }
    free((char *)(uintptr_t)stored.data);
}

static void bytes_behind_the_member_are_damage(void **state)
{
    (void)state;
    static const char *const tails[] = {"\0", "x", "\x1f\x8b", "\n"};
    struct gzip_written facts;
    struct bytes stored = written(BYTES(SMALL), 1000, &facts);
    for (size_t i = 0; i < COUNT_OF(tails); i++)
        for (size_t piece = 1; piece <= stored.len + 2; piece++)
            for (enum gzip_mode mode = GZIP_ONE; mode <= GZIP_MANY; mode++) {
                char again[4096], longer[1024];
                size_t tail = tails[i][0] ? strlen(tails[i]) : 1;
                struct gzip_seen seen;
                struct err err = ERR_INIT;
                memcpy(longer, stored.data, stored.len);
                memcpy(longer + stored.len, tails[i], tail);
                assert_int_equal(inflated((struct bytes){longer, stored.len + tail},
                                          (struct gzip_options){.mode = mode}, piece, 4096, again, 4096,
                                          &seen, &err),
                                 -1);
                assert_int_equal(err.code, ERR_RECOVERY_POINT_DAMAGED);
            }
    free((char *)(uintptr_t)stored.data);
}

static int check(struct bytes stored, struct gzip_options options, struct gzip_seen *ret_seen,
                 struct err *err)
{
    options.damaged = ERR_RECOVERY_POINT_DAMAGED;
    _cleanup_(gzip_read_free_p) struct gzip_read *gzip =
        gzip_read_new(&options, stream_read_bytes, &stored, err);
    return gzip_read_check(gzip, ret_seen, err);
}

static void a_bomb_is_stopped_by_size_and_by_ratio(void **state)
{
    (void)state;
    enum { SIZE = 20000000 };
    _cleanup_(cleanup_free) char *raw = fill_block(SIZE, ZEROS);
    struct gzip_written facts;
    struct gzip_seen seen;
    struct err err = ERR_INIT;
    struct bytes stored = written((struct bytes){raw, SIZE}, SIZE, &facts);
    assert_int_equal(check(stored, (struct gzip_options){.mode = GZIP_ONE}, &seen, &err), 0);
    assert_int_equal(check(stored, (struct gzip_options){.mode = GZIP_ONE, .raw_max = SIZE}, &seen, &err), 0);
    assert_int_equal(check(stored, (struct gzip_options){.mode = GZIP_ONE, .raw_max = SIZE - 1}, &seen, &err),
                     -1);
    assert_int_equal(err.code, ERR_RECOVERY_POINT_DAMAGED);
    err = ERR_INIT;
    assert_int_equal(check(stored, (struct gzip_options){.mode = GZIP_MANY, .ratio_max = 50}, &seen, &err),
                     -1);
    assert_int_equal(err.code, ERR_RECOVERY_POINT_DAMAGED);
    free((char *)(uintptr_t)stored.data);
}

static void what_is_not_gzip_is_damaged_and_plain_is_plain(void **state)
{
    (void)state;
    char again[200];
    struct gzip_seen seen;
    struct err err = ERR_INIT;
    unsigned char digest[SHA256_BYTES];
    assert_int_equal(
        inflated(BYTES(SMALL), (struct gzip_options){.mode = GZIP_MANY}, 1000, 200, again, 200, &seen, &err),
        -1);
    assert_int_equal(err.code, ERR_RECOVERY_POINT_DAMAGED);
    err = ERR_INIT;
    assert_int_equal(
        inflated(BYTES(""), (struct gzip_options){.mode = GZIP_ONE}, 1000, 200, again, 200, &seen, &err), -1);
    err = ERR_INIT;
    assert_int_equal(
        inflated(BYTES(SMALL), (struct gzip_options){.mode = GZIP_PLAIN}, 7, 200, again, 200, &seen, &err),
        sizeof SMALL - 1);
    assert_memory_equal(again, SMALL, sizeof SMALL - 1);
    sha256_of(BYTES(SMALL), digest);
    assert_memory_equal(digest, seen.sha256, SHA256_BYTES);
    assert_int_equal(
        inflated(BYTES(""), (struct gzip_options){.mode = GZIP_PLAIN}, 7, 200, again, 200, &seen, &err), 0);
}

/* A member as others write it: every optional part of the header, with a checksum of its own. */
static size_t foreign(const char *raw, size_t len, char *to, size_t size)
{
    gz_header header = {.time = 1234567,
                        .os = 3,
                        .name = (Bytef *)(uintptr_t) "data.json",
                        .hcrc = 1,
                        .comment = (Bytef *)(uintptr_t) "made elsewhere",
                        .extra = (Bytef *)(uintptr_t) "ab\1\0x",
                        .extra_len = 5};
    z_stream z = {.next_in = (Bytef *)(uintptr_t)raw,
                  .avail_in = (uInt)len,
                  .next_out = (Bytef *)to,
                  .avail_out = (uInt)size};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflateSetHeader(&z, &header), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t stored = z.total_out;
    deflateEnd(&z);
    return stored;
}

static void a_foreign_header_with_name_and_checksum_is_read(void **state)
{
    (void)state;
    _cleanup_(cleanup_free) char *raw = fill_block(200000, TEXT), *again = malloc(200000);
    char stored[250000];
    struct bytes file = {stored, foreign(raw, 200000, stored, sizeof stored)};
    for (size_t piece = 1; piece < 100; piece += 7) {
        struct gzip_seen seen;
        struct err err = ERR_INIT;
        if (inflated(file, (struct gzip_options){.mode = GZIP_MANY}, piece, 65536, again, 200000, &seen,
                     &err) != 200000)
            fail_msg("pieces of %zu: %s", piece, err.message);
        assert_memory_equal(again, raw, 200000);
    }
}

static void a_foreign_header_may_stand_anywhere_in_the_readers_buffer(void **state)
{
    (void)state;
    _cleanup_(cleanup_free) char *raw = fill_block(70000, NOISE), *again = malloc(140000);
    char stored[150000];
    /* the first member ends round 65536, so that the header of the second lies across that place */
    for (size_t len = 65400; len < 65540; len++) {
        struct gzip_seen seen;
        struct err err = ERR_INIT;
        size_t first = foreign(raw, len, stored, sizeof stored);
        size_t second = foreign(raw, 1000, stored + first, sizeof stored - first);
        long got = inflated((struct bytes){stored, first + second}, (struct gzip_options){.mode = GZIP_MANY},
                            100000, 65536, again, 140000, &seen, &err);
        if (got != (long)len + 1000)
            fail_msg("a header at %zu: %s", first, err.message);
        assert_memory_equal(again, raw, len);
        assert_memory_equal(again + len, raw, 1000);
    }
}

static void a_full_disk_is_told_from_a_broken_one(void **state)
{
    (void)state;
    _cleanup_(cleanup_free) char *raw = fill_block(300000, NOISE);
    struct gzip_written facts;
    struct err err = ERR_INIT;
    _cleanup_(cleanup_close) int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_true(full >= 0);
    _cleanup_(gzip_write_abort_p) struct gzip_write *gzip = gzip_write_open(full, &err);
    assert_int_equal(gzip_write_add(gzip, raw, 300000, &err), -1);
    assert_int_equal(err.code, ERR_DISK_FULL);
    err = ERR_INIT;
    assert_int_equal(gzip_write_add(gzip, raw, 1, &err), -1);
    assert_int_equal(gzip_write_finish(gzip, &facts, &err), -1);
    _cleanup_(gzip_write_abort_p) struct gzip_write *broken = gzip_write_open(-1, &err);
    err = ERR_INIT;
    assert_int_equal(gzip_write_add(broken, "x", 1, &err), 0);
    assert_int_equal(gzip_write_finish(broken, &facts, &err), -1);
    assert_int_equal(err.code, ERR_IO);
}

static void short_writes_are_carried_on(void **state)
{
    (void)state;
    /* A file size limit makes write() take a part; a pipe that is read slowly does so too. */
    _cleanup_(cleanup_free) char *raw = fill_block(1000000, NOISE), *got = malloc(1100000);
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t child = fork();
    if (child == 0) {
        struct err err = ERR_INIT;
        struct gzip_written facts;
        close(ends[0]);
        struct gzip_write *gzip = gzip_write_open(ends[1], &err);
        _exit(gzip && gzip_write_add(gzip, raw, 1000000, &err) == 0 &&
                      gzip_write_finish(gzip, &facts, &err) == 0
                  ? 0
                  : 1);
    }
    close(ends[1]);
    size_t len = 0;
    for (ssize_t n = 1; n > 0; len += n > 0 ? (size_t)n : 0)
        n = read(ends[0], got + len, 1009);
    close(ends[0]);
    _cleanup_(cleanup_free) char *again = malloc(1000001);
    assert_int_equal(by_zlib((struct bytes){got, len}, again, 1000001), 1000000);
    assert_memory_equal(again, raw, 1000000);
    /* a limit in the middle of a block: the part is taken, the rest is an error, nothing is lost silently */
    struct rlimit before, limit;
    _cleanup_(cleanup_close) int fd = memfd_create("limited", 0);
    struct gzip_written facts;
    struct err err = ERR_INIT;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = (struct rlimit){100000, before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    _cleanup_(gzip_write_abort_p) struct gzip_write *gzip = gzip_write_open(fd, &err);
    setrlimit(RLIMIT_FSIZE, &limit);
    int rc = gzip_write_add(gzip, raw, 1000000, &err);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(rc, -1);
    assert_int_equal(err.code, ERR_IO);
    assert_int_equal(gzip_write_finish(gzip, &facts, &err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_back_by_us_and_by_zlib),
        cmocka_unit_test(the_bytes_do_not_depend_on_the_calls),
        cmocka_unit_test(a_writer_with_a_past_writes_as_a_new_one),
        cmocka_unit_test(items_become_lines_that_are_read_back_as_they_were),
        cmocka_unit_test(every_piece_size_and_window_gives_the_same),
        cmocka_unit_test(a_flipped_bit_is_never_the_same_file_and_never_other_items),
        cmocka_unit_test(a_file_that_is_cut_anywhere_is_damaged),
        cmocka_unit_test(two_members_are_for_foreign_files_only),
        cmocka_unit_test(bytes_behind_the_member_are_damage),
        cmocka_unit_test(a_bomb_is_stopped_by_size_and_by_ratio),
        cmocka_unit_test(what_is_not_gzip_is_damaged_and_plain_is_plain),
        cmocka_unit_test(a_foreign_header_with_name_and_checksum_is_read),
        cmocka_unit_test(a_foreign_header_may_stand_anywhere_in_the_readers_buffer),
        cmocka_unit_test(a_full_disk_is_told_from_a_broken_one),
        cmocka_unit_test(short_writes_are_carried_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
