#include "jobs/data_file.h"

#include "base/cleanup.h"
#include "base/limits.h"
#include "item/gzip_write.h"

/* The floor of free space is looked at when this much was added since the last look. */
#define LOOK_EVERY (4 * MIB)

struct data_writer {
    struct data_writer_options options;
    int64_t number;
    bool open; /* a file is; what follows is its */
    struct spool spool;
    struct gzip_write *gzip; /* made for the first one, and kept for the next */
    struct fingerprint fingerprint;
    uint64_t looked_at; /* raw bytes at the last look at the disk */
};

int data_writer_new(const struct data_writer_options *options, struct data_writer **ret_writer,
                    struct err *err)
{
    _cleanup_(data_writer_free_p) struct data_writer *writer = calloc(1, sizeof(*writer));

    if (!writer)
        return err_set(err, ERR_NO_MEMORY, "no memory for a data file");
    writer->options = *options;
    if (!writer->options.stored_max)
        writer->options.stored_max = DATA_FILE_STORED_MAX;
    writer->number = options->number;
    writer->spool = SPOOL_NONE;
    *ret_writer = TAKE(writer);
    return 0;
}

static void drop_open_file(struct data_writer *writer)
{
    writer->open = false;
    root_spool_close(&writer->spool);
    writer->fingerprint = FINGERPRINT_EMPTY;
    writer->looked_at = 0;
}

void data_writer_free(struct data_writer *writer)
{
    if (!writer)
        return;
    drop_open_file(writer);
    gzip_write_abort(writer->gzip);
    free(writer);
}

char *data_writer_path(const struct data_writer *writer)
{
    return arena_printf(writer->options.arena, "tables/%s/data/%04d-%06lld.json.gz", writer->options.table,
                        writer->options.part, (long long)writer->number);
}

/* Failures of jobs must still find room to be recorded: the spool leaves the last min_free bytes alone. */
static int look_at_disk(struct data_writer *writer, struct err *err)
{
    int64_t free_bytes;

    if (root_free_bytes(writer->options.root, &free_bytes, err) < 0)
        return -1;
    if (free_bytes < writer->options.min_free)
        return err_set(err, ERR_DISK_FULL,
                       "%lld bytes are free for data files; %lld are left alone (workers.min_free)",
                       (long long)free_bytes, (long long)writer->options.min_free);
    return 0;
}

static int begin(struct data_writer *writer, struct err *err)
{
    char *path = data_writer_path(writer);

    if (!path)
        return err_set(err, ERR_NO_MEMORY, "no memory for a path");
    if (root_spool_open(writer->options.root, path, &writer->spool, err) < 0 || look_at_disk(writer, err) < 0)
        return -1;
    if (!writer->gzip)
        writer->gzip = gzip_write_open(writer->spool.fd, err);
    else if (gzip_write_again(writer->gzip, writer->spool.fd, err) < 0)
        return -1;
    writer->open = writer->gzip != NULL;
    return writer->open ? 0 : -1;
}

static int add_item(struct data_writer *writer, struct bytes item, struct err *err)
{
    if (gzip_write_raw(writer->gzip) - writer->looked_at >= LOOK_EVERY) {
        if (look_at_disk(writer, err) < 0)
            return -1;
        writer->looked_at = gzip_write_raw(writer->gzip);
    }
    return gzip_write_item(writer->gzip, item, err);
}

int data_writer_add(struct data_writer *writer, const struct item_page *page, struct err *err)
{
    if (page->count == 0)
        return 0;
    if (!writer->open && begin(writer, err) < 0) {
        drop_open_file(writer);
        return -1;
    }
    for (size_t i = 0; i < page->count; i++) {
        if (add_item(writer, page->items[i], err) < 0)
            return -1;
        fingerprint_add_digest(&writer->fingerprint, page->digests[i]);
        if (writer->options.sample)
            item_sample_add(writer->options.sample, page->digests[i]);
    }
    return 0;
}

bool data_writer_full(const struct data_writer *writer)
{
    /* A page that does not compress at all must still fit. What is inflated is bounded too: a reader refuses
     * more. */
    return writer->open && (gzip_write_bound(writer->gzip) + PAGE_MAX + MIB > writer->options.stored_max ||
                            gzip_write_raw(writer->gzip) + 2 * PAGE_MAX > DATA_FILE_RAW_MAX);
}

bool data_writer_empty(const struct data_writer *writer)
{
    return !writer->open;
}

int64_t data_writer_raw(const struct data_writer *writer)
{
    return writer->open ? (int64_t)gzip_write_raw(writer->gzip) : 0;
}

int64_t data_writer_number(const struct data_writer *writer)
{
    return writer->number;
}

static int place(struct data_writer *writer, const struct gzip_written *written, char **ret_path,
                 struct err *err)
{
    for (int i = 0; i < PLACE_TRIES; i++) {
        char *path = data_writer_path(writer);

        if (!path)
            return err_set(err, ERR_NO_MEMORY, "no memory for a path");
        writer->number++;
        if (root_place(writer->options.root, &writer->spool, path, (int64_t)written->stored_bytes,
                       written->sha256, err) == 0) {
            *ret_path = path;
            return 0;
        }
        if (err->code != ERR_AWS_CONDITION || writer->spool.fd < 0)
            return -1;
        err_clear(err); /* a leftover stands there; it is swept before the manifest is written */
    }
    return err_set(err, ERR_ROOT_UNWRITABLE, "%d files of other runs stand in the way of part %d",
                   PLACE_TRIES, writer->options.part);
}

static int seal(struct data_writer *writer, struct data_file *ret_file, struct err *err)
{
    char text[FINGERPRINT_SIZE];
    struct gzip_written written;
    struct data_file file = {.items = (int64_t)writer->fingerprint.count};
    char *path = NULL;

    fingerprint_format(&writer->fingerprint, text);
    file.fingerprint = arena_strdup(writer->options.arena, text);
    if (!file.fingerprint)
        return err_set(err, ERR_NO_MEMORY, "no memory for a data file");
    if (gzip_write_finish(writer->gzip, &written, err) < 0 || place(writer, &written, &path, err) < 0)
        return -1;
    file.path = path;
    file.stored_size = (int64_t)written.stored_bytes;
    file.raw_size = (int64_t)written.raw_bytes;
    memcpy(file.sha256.bytes, written.sha256, sizeof(file.sha256.bytes));
    *ret_file = file;
    return 0;
}

int data_writer_seal(struct data_writer *writer, struct data_file *ret_file, struct err *err)
{
    int result =
        writer->open ? seal(writer, ret_file, err) : err_set(err, ERR_INTERNAL, "there is no open data file");

    drop_open_file(writer);
    return result;
}
