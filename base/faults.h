/*
 * Several faults found in one pass over a body or a configuration. At most FAULTS_MAX are kept; the rest is
 * counted. Memory: the arena given at faults_init. Thread rule: one thread.
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"

struct fault {
    const char *place; /* a JSON pointer, or file:line:column */
    const char *detail;
};

struct faults {
    struct arena *arena;
    struct fault list[FAULTS_MAX];
    size_t count;       /* kept */
    size_t total;       /* found */
    enum err_code code; /* of the first that named one; ERR_NONE: the caller's default */
};

void faults_init(struct faults *faults, struct arena *arena);
void fault_add(struct faults *faults, const char *place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Like fault_add; the first code named this way is the problem's code. */
void fault_add_code(struct faults *faults, enum err_code code, const char *place, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* 0 without faults; else -1 with faults->code or `code`, the first fault's text and, when it is one, its
 * pointer. */
int faults_end(const struct faults *faults, enum err_code code, struct err *err);
