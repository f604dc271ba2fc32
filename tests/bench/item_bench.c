/*
 * What an item of 400 bytes costs in item/, in microseconds of CPU: the numbers of REFERENCE.md section 12
 * again. item_bench [items] Reads nothing, writes to a file in memory.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "item/fingerprint.h"
#include "item/gzip_read.h"
#include "item/gzip_write.h"
#include "item/lines.h"
#include "item/page.h"
#include "tests/bench/measure.h"

#define ITEM_ROOM 640
#define ON_PAGE 2500

struct bench {
    char *text; /* a Scan reply of ON_PAGE items */
    size_t len;
    size_t pages;
    struct item_page page;
    struct item_scratch *scratch;
    int fd;
};

static size_t make_item(char *to, unsigned i)
{
    return (size_t)snprintf(to, ITEM_ROOM,
                            "{\"sale_id\":{\"S\":\"S-%08u\"},\"producer\":{\"S\":\"producer %u of the "
                            "northern valley\"},\"amount\":{\"N\":\"%u.%02u\"},"
                            "\"currency\":{\"S\":\"EUR\"},\"at\":{\"S\":\"2026-11-%02uT%02u:14:07Z\"},"
                            "\"buyer\":{\"M\":{\"name\":{\"S\":\"Maria Jos\xc3\xa9 %u\"},"
                            "\"city\":{\"S\":\"Porto\"},\"loyal\":{\"BOOL\":true}}},\"lines\":{\"L\":[{\"M\":"
                            "{\"sku\":{\"S\":\"olives-%u\"},\"n\":{\"N\":\"%u\"}}}]},"
                            "\"tags\":{\"SS\":[\"web\",\"gift\"]},\"token\":{\"S\":\"%08x%08x%08x%08x\"}}",
                            i * 2654435761u, i % 97, i % 1000, i % 100, i % 28 + 1, i % 24, i % 5003, i % 311,
                            i % 12 + 1, i * 2246822519u, i * 3266489917u, i * 668265263u,
                            (i + 7) * 374761393u);
}

static void make_page(struct bench *bench)
{
    bench->text = malloc((size_t)ON_PAGE * ITEM_ROOM + 200);
    if (!bench->text)
        abort();
    size_t len = (size_t)snprintf(bench->text, 20, "{\"Items\":[");
    for (unsigned i = 0; i < ON_PAGE; i++) {
        if (i > 0)
            bench->text[len++] = ',';
        len += make_item(bench->text + len, i);
    }
    len += (size_t)snprintf(bench->text + len, 100, "],\"Count\":%d,\"ScannedCount\":%d}", ON_PAGE, ON_PAGE);
    bench->len = len;
}

static void report(const char *what, double since, const struct bench *bench)
{
    printf("%-42s %6.3f us\n", what,
           (now_us(CLOCK_PROCESS_CPUTIME_ID) - since) / ((double)bench->pages * ON_PAGE));
}

static void bench_split(struct bench *bench)
{
    struct err err = ERR_INIT;
    double since = now_us(CLOCK_PROCESS_CPUTIME_ID);
    for (size_t i = 0; i < bench->pages; i++)
        must(item_page_split(&bench->page, (struct bytes){bench->text, bench->len}, &err) >= 0, err.message);
    report("split of a Scan reply", since, bench);
}

static void bench_page(struct bench *bench)
{
    struct err err = ERR_INIT;
    double since = now_us(CLOCK_PROCESS_CPUTIME_ID);
    for (size_t i = 0; i < bench->pages; i++)
        must(item_page_read(&bench->page, bench->scratch, (struct bytes){bench->text, bench->len}, &err) >= 0,
             err.message);
    report("all of these in one pass", since, bench);
}

static void bench_canonical(struct bench *bench)
{
    struct err err = ERR_INIT;
    struct bytes form;
    double since = now_us(CLOCK_PROCESS_CPUTIME_ID);
    for (size_t i = 0; i < bench->pages; i++)
        for (size_t j = 0; j < bench->page.count; j++)
            must(item_canonical(bench->scratch, bench->page.items[j], &form, &err) >= 0, err.message);
    report("canonical form", since, bench);
}

static void bench_fingerprint(struct bench *bench)
{
    struct err err = ERR_INIT;
    struct fingerprint sum = FINGERPRINT_EMPTY;
    double since = now_us(CLOCK_PROCESS_CPUTIME_ID);
    for (size_t i = 0; i < bench->pages; i++)
        for (size_t j = 0; j < bench->page.count; j++)
            must(fingerprint_add(&sum, bench->scratch, bench->page.items[j], &err) >= 0, err.message);
    report("canonical form and SHA-256 and sum", since, bench);
}

static void bench_write(struct bench *bench)
{
    struct err err = ERR_INIT;
    struct gzip_written written;
    _cleanup_(gzip_write_abort_p) struct gzip_write *gzip = gzip_write_open(bench->fd, &err);
    double since = now_us(CLOCK_PROCESS_CPUTIME_ID);
    for (size_t i = 0; i < bench->pages; i++)
        for (size_t j = 0; j < bench->page.count; j++)
            must(gzip_write_item(gzip, bench->page.items[j], &err) >= 0, err.message);
    must(gzip_write_finish(gzip, &written, &err) >= 0, err.message);
    report("lines, igzip, SHA-256 and CRC of the file", since, bench);
    printf("%-42s %6.1f bytes raw, %.1f stored\n", "a line",
           (double)written.raw_bytes / ((double)bench->pages * ON_PAGE),
           (double)written.stored_bytes / ((double)bench->pages * ON_PAGE));
}

static void bench_read(struct bench *bench, bool with_fingerprint)
{
    struct err err = ERR_INIT;
    struct gzip_options options = {
        .mode = GZIP_ONE, .damaged = ERR_RECOVERY_POINT_DAMAGED, .raw_max = UINT64_MAX};
    struct fingerprint sum = FINGERPRINT_EMPTY;
    struct bytes item;
    int more;
    if (lseek(bench->fd, 0, SEEK_SET) < 0)
        abort();
    double since = now_us(CLOCK_PROCESS_CPUTIME_ID);
    _cleanup_(gzip_read_free_p) struct gzip_read *gzip =
        gzip_read_new(&options, stream_read_fd, &bench->fd, &err);
    _cleanup_(item_lines_free_p) struct item_lines *lines =
        item_lines_new(gzip_read_some, gzip, ERR_ITEM_INVALID, &err);
    while ((more = item_lines_next(lines, &item, &err)) > 0)
        if (with_fingerprint)
            must(fingerprint_add(&sum, bench->scratch, item, &err) >= 0, err.message);
    must(more >= 0, err.message);
    report(with_fingerprint ? "read back, inflate, lines, fingerprint" : "read back, inflate, lines", since,
           bench);
}

int main(int argc, char **argv)
{
    struct err err = ERR_INIT;
    long items = argc > 1 ? strtol(argv[1], NULL, 10) : 500000;
    struct bench bench = {.pages = (size_t)(items / ON_PAGE) + 1, .fd = memfd_create("bench", MFD_CLOEXEC)};
    bench.scratch = item_scratch_new(&err);
    if (!bench.scratch || bench.fd < 0)
        return 1;
    make_page(&bench);
    printf("%zu items of %zu bytes\n", bench.pages * ON_PAGE, bench.len / ON_PAGE - 1);
    bench_split(&bench);
    bench_canonical(&bench);
    bench_fingerprint(&bench);
    bench_page(&bench);
    bench_write(&bench);
    bench_read(&bench, false);
    bench_read(&bench, true);
    item_page_done(&bench.page);
    item_scratch_free(bench.scratch);
    free(bench.text);
    close(bench.fd);
    return 0;
}
