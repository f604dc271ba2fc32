/*
 * Writes the data files of a recovery point: tables/<table>/data/<part>-<n>.json.gz, one gzip member of at
 * most DATA_FILE_STORED_MAX bytes, lines {"Item":...}, and adds up the fingerprint of what is in it. A file
 * is spooled, sealed, and placed; recording it is the caller's (work_advance), so that a file that was placed
 * but not recorded is never listed. Thread rule: one attempt's. Memory: about 1 MiB.
 */
#pragma once
#include "item/fingerprint.h"
#include "item/page.h"
#include "jobs/item_sample.h"
#include "jobs/root.h"
#include "store/parts.h"

struct data_writer;

struct data_writer_options {
    struct root *root;   /* the recovery point's folder */
    struct arena *arena; /* of what seal returns */
    const char *table;
    int part;                   /* of the scan */
    int64_t number;             /* of the next file, from 0 */
    int64_t min_free;           /* bytes of disk that are left alone */
    struct item_sample *sample; /* to which each item is added; NULL: none. Borrowed */
    size_t stored_max;          /* 0: DATA_FILE_STORED_MAX */
};

int data_writer_new(const struct data_writer_options *options, struct data_writer **ret_writer,
                    struct err *err);
void data_writer_free(struct data_writer *writer); /* accepts NULL; what was not sealed is gone */

/* The items of a page that was read (item_page_read). DISK_FULL (also at the floor of free space), IO; the
 * open file is then of no use. */
int data_writer_add(struct data_writer *writer, const struct item_page *page, struct err *err);
/* A page more of raw items could make the file larger than a file may be: seal it. */
bool data_writer_full(const struct data_writer *writer);
bool data_writer_empty(const struct data_writer *writer);
/* Raw bytes (inflated, lines and all) that the open file holds so far. */
int64_t data_writer_raw(const struct data_writer *writer);
/* Synced and in its place. *ret_file: path, sizes, sums; in arena, part_key not set. Where another file
 * stands in the way (placed by a run that died before it was recorded) the next number is taken. The writer
 * then begins the next file. */
int data_writer_seal(struct data_writer *writer, struct data_file *ret_file, struct err *err);
/* Of the next file. */
int64_t data_writer_number(const struct data_writer *writer);
/* The path that the open file will most probably have. In arena; NULL without memory. */
char *data_writer_path(const struct data_writer *writer);

static inline void data_writer_free_p(struct data_writer **writer)
{
    data_writer_free(*writer);
}
