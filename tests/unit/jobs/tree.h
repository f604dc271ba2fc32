/* A folder with a root in it, and small files put there or looked at behind recoverd's back. */
#pragma once
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "jobs/root.h"
#include "tests/support/folder.h"

struct tree {
    char dir[FOLDER_SIZE];
    char uri[128];
    struct environment environment;
    struct arena *arena;
    struct root_options options;
    struct root *root;
    struct err err;
};

static inline void tree_make(struct tree *t)
{
    *t = (struct tree){0};
    folder_make("jobs", t->dir);
    snprintf(t->uri, sizeof(t->uri), "file://%s/points", t->dir);
    t->environment = (struct environment){.name = "test", .region = "us-east-1", .recovery_points = t->uri};
    t->arena = arena_new(32 * MIB);
    assert_non_null(t->arena);
    t->options = (struct root_options){.environment = &t->environment, .arena = t->arena, .data_dir = t->dir};
    assert_int_equal(root_open(&t->options, t->uri, &t->root, &t->err), 0);
}

static inline void tree_drop(struct tree *t)
{
    root_close(t->root);
    arena_free(t->arena);
    folder_remove(t->dir);
}

static inline char *tree_path(struct tree *t, const char *name)
{
    char *path = arena_printf(t->arena, "%s/points/%s", t->dir, name);
    assert_non_null(path);
    return path;
}

static inline bool tree_has(struct tree *t, const char *name)
{
    struct stat st;
    return lstat(tree_path(t, name), &st) == 0;
}

static inline size_t tree_count(struct tree *t)
{
    struct root_file *files;
    size_t count;
    assert_int_equal(root_list(t->root, "", &files, &count, &t->err), 0);
    return count;
}

/* Behind the root's back. */
static inline void tree_write(struct tree *t, const char *name, struct bytes content)
{
    _cleanup_(cleanup_file) FILE *file = fopen(tree_path(t, name), "w");
    assert_non_null(file);
    assert_int_equal(fwrite(content.data ? content.data : "", 1, content.len, file), content.len);
}

static inline struct bytes tree_read(struct tree *t, const char *name)
{
    struct bytes content;
    assert_int_equal(root_get(t->root, name, 64 * MIB, &content, &t->err), 0);
    return content;
}

static inline void tree_put(struct tree *t, const char *name, const char *content)
{
    assert_int_equal(root_put(t->root, name, bytes_of(content), &t->err), 0);
}

#define assert_fails(call, expected, error)                                                                  \
    do {                                                                                                     \
        err_clear(error);                                                                                    \
        assert_int_equal((call), -1);                                                                        \
        assert_string_equal(err_info((error)->code)->name, err_info(expected)->name);                        \
        err_clear(error);                                                                                    \
    } while (0)
