/* Between the files of jobs/root.h: what a root is, and what each kind of root does. Not for other files. */
#pragma once
#include "base/cleanup.h"
#include "base/limits.h"
#include "jobs/root.h"

struct root_files;
struct s3_bucket;

struct root_ops {
    int (*open)(struct root *root, struct err *err);
    void (*close)(struct root *root);
    int (*spool_open)(struct root *root, const char *path, struct spool *ret_spool, struct err *err);
    int (*place)(struct root *root, struct spool *spool, const char *path, int64_t size,
                 const uint8_t sha256[SHA256_BYTES], struct err *err);
    int (*read_open)(struct root *root, const char *path, struct root_reader *reader, struct err *err);
    int (*read_some)(struct root_reader *reader, void *to, size_t size, size_t *ret_len, struct err *err);
    /* Appends what it finds in any order, doubles and all. */
    int (*list)(struct root *root, const char *folder, struct root_files *files, struct err *err);
    int (*delete)(struct root *root, const char *path, struct err *err);
    int (*keeps)(struct root *root, const char *path, struct root_keep *ret_keep,
                 struct err *err); /* NULL: nothing */
};
extern const struct root_ops root_file_ops;
extern const struct root_ops root_s3_ops;

struct root {
    const struct root_ops *ops;
    struct root_options options;
    const char *uri;      /* without a slash at its end; in the options' arena */
    char request_id[80];  /* AWS's, of the last write */
    int base_fd;          /* file: the configured folder; -1 when it does not exist */
    const char *base;     /* file: its path */
    const char *below;    /* file: from base to the root, "" or a/b. s3: the key prefix, "" or a/b */
    const char *bucket;   /* s3 */
    struct s3_bucket *s3; /* in the arena */
    const char *ensured;  /* file: the folder that was last made and synced */
};

struct root_reader {
    struct root *root;
    const char *path;
    const char *key; /* s3 */
    int64_t size;
    int64_t at;     /* s3: fetched up to here */
    int fd;         /* file */
    char etag[160]; /* s3: the object that was there at the first look */
    char *chunk;    /* s3: what was fetched ahead */
    size_t chunk_len, chunk_at;
};

/* A list that grows on the heap, its paths in the arena; bounded by ROOT_FILES_MAX. */
struct root_files {
    struct arena *arena;
    struct root_file *files;
    size_t count, room;
};
int root_files_add(struct root_files *files, const char *path, int64_t size, struct err *err);

/* [A-Za-z0-9._/=-], relative, no empty or dot segment, at most 1024 bytes. */
bool root_path_ok(const char *path);
/* `below` and path as one: a/b/c. In arena, NULL without memory. */
char *root_join(struct root *root, const char *path);
