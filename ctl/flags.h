/*
 * The command line as data: flags of a command, and what a call gave. From the same tables come help,
 * completion and the manual page. Thread rule: one thread; texts are borrowed from argv or live in the arena.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

struct flag {
    const char *name; /* without dashes; NULL ends a table */
    char letter;      /* 0: none */
    const char *arg;  /* what the value is, in capitals; NULL: a switch */
    const char *help;
    bool repeat;
    const char *choices; /* space-separated, for completion and help; NULL: free */
};

#define ARGS_VALUES_MAX 256
#define ARGS_WORDS_MAX 128 /* a whole line, where `complete` gets it */

struct arg_value {
    const struct flag *flag;
    const char *value; /* "true" or "false" for a switch */
};

struct args {
    struct arg_value values[ARGS_VALUES_MAX];
    size_t value_count;
    const char *words[ARGS_WORDS_MAX]; /* what is no flag */
    size_t word_count;
};

/* Tables that hold the flags of one call, NULL at the end. */
typedef const struct flag *const *flag_tables;

const struct flag *flags_find(flag_tables tables, const char *name, size_t len);
/* Reads argv: `--name VALUE`, `--name=VALUE`, `--switch`, `--switch=false`, `-x VALUE`; `--` ends flags. With
 * `rest`, what is no flag of the tables goes there as it stands (*rest_count of them; room for argc), else an
 * unknown flag is a fault. INVALID_BODY with what is wrong. */
int args_parse(flag_tables tables, int argc, char *const *argv, struct args *args, const char **rest,
               int *rest_count, struct err *err);
const char *args_get(const struct args *args, const char *name); /* the last; NULL when absent */
bool args_on(const struct args *args, const char *name);         /* a switch that is on */
