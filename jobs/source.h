/*
 * What a restore or a validation reads: a recovery point of the catalogue, a tree by uri, or a single file by
 * uri (plain or gzip, lines {"Item":...} or an AWS export tree). One shape for all: a capsule or none, and
 * data files.
 */
#pragma once
#include "item/canonical.h"
#include "item/fingerprint.h"
#include "jobs/manifest.h"
#include "jobs/root.h"

struct source_file {
    const char *path; /* below the root */
    int64_t size;     /* stored */
    bool foreign;     /* no manifest entry of ours: members, sizes and sums are not known */
    bool plain;
    struct manifest_file expected; /* when not foreign */
    /* of an AWS export, whose own manifest says so: */
    bool exported;
    int64_t exported_items;
    uint8_t md5[16];
};

struct source {
    struct root *root;
    const char *uri;              /* as shown */
    struct recovery_point *point; /* NULL: not in the catalogue */
    struct manifest *manifest;    /* NULL: a foreign file */
    struct hash identity;         /* manifest sha256, or SHA-256 over paths and sizes of foreign files */
    struct bytes capsule;         /* JSON; data NULL: none */
    struct source_file *files;
    size_t file_count;
    int64_t items; /* -1: unknown */
};

/* The members of a `source` in a spec: FIELD_ONE_OF("source", source_fields, ...). */
extern const struct field source_fields[];

/* check's part: spec.source names something allowed and visible; says the touch, and the resource of a point
 * of the catalogue when ask->resource is not said yet. Adds faults. */
int source_check(struct ask *ask, const json_t *source, const char *pointer, struct err *err);
/* Reads catalogue, manifest (against the catalogue's sha256) and capsule; lists what is there.
 * RECOVERY_POINT_NOT_FOUND, RECOVERY_POINT_DAMAGED (naming the file), RECOVERY_POINT_UNUSABLE (writing,
 * failed), SOURCE_UNREADABLE. Memory: options->arena. Who may was judged by source_check. */
int source_open(const struct root_options *options, struct store *store, const json_t *source,
                struct source **ret_source, struct err *err);
/* The same also for a point that was found to be damaged: to look at it again, never to restore it. */
int source_open_damaged(const struct root_options *options, struct store *store, const json_t *source,
                        struct source **ret_source, struct err *err);
/* A uri as the catalogue keeps it: the folder, also when its manifest.json was named. In arena; NULL without
 * memory. */
char *source_folder(struct arena *arena, const char *uri);
void source_close(struct source *source); /* accepts NULL */
static inline void source_close_p(struct source **source)
{
    source_close(*source);
}

/* How much of a file is looked at. Each says what those before it say, too. */
enum source_depth {
    SOURCE_BYTES, /* the stored bytes: size and sha256 */
    SOURCE_LINES, /* inflated: one member with its checksum, the raw size, as many lines as items */
    SOURCE_ITEMS, /* every line an item, and their fingerprint */
};
/* Reads one file whole and checks it. Foreign files, and those for whose manifest no catalogue vouches, are
 * always looked at as SOURCE_ITEMS: whoever changed a file could have changed its manifest as well.
 * RECOVERY_POINT_DAMAGED with file and line. `go` is asked often (work_go). */
struct source_sums {
    int64_t items, raw_bytes;       /* of SOURCE_BYTES, what the manifest says of these bytes */
    struct fingerprint fingerprint; /* of SOURCE_ITEMS */
};
int source_file_check(struct source *source, const struct source_file *file, enum source_depth depth,
                      int (*go)(void *arg, struct err *err), void *go_arg, struct source_sums *ret_sums,
                      struct err *err);
/* Calls each item of a file in order: the raw attribute map, borrowed during the call. Checks on the way as
 * source_file_check with SOURCE_LINES does; so a file's first write comes after that said yes. */
typedef int source_item_fn(void *arg, struct bytes item, int64_t line, struct err *err);
int source_file_items(struct source *source, const struct source_file *file, source_item_fn *fn, void *arg,
                      struct err *err);

/* Steps that are split by file: at most `parts` parts, each a run of files that follow each other in
 * source->files. A part's cursor is the number of its next file. The source must be the same in the splitting
 * step and in the parts: identity is kept in the parts' spec, SOURCE_UNREADABLE when it differs. */
struct source_run {
    size_t next, to; /* indexes of source->files */
};
/* source_file_check in an attempt: its memory is taken from the workers' budget, work_go is asked. */
int source_work_check(struct work *work, struct source *source, const struct source_file *file,
                      enum source_depth depth, struct source_sums *ret_sums, struct err *err);
int source_split(struct work *work, const struct source *source, size_t parts, struct err *err);
int source_run_of(struct work *work, const struct source *source, struct source_run *ret_run,
                  struct err *err);
/* The file at run->next is done: the cursor that says so. */
void source_run_cursor(const struct source_run *run, char ret_cursor[32]);
/* work_advance with that cursor; the caller then counts run->next on. */
int source_run_advance(struct work *work, const struct source_run *run, int64_t items, int64_t bytes,
                       struct err *err);
