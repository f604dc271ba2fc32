/*
 * The tables of an environment as AWS shows them now, within a time budget: what could not be asked in time
 * is named, not left out. Thread rule: the request's thread.
 */
#pragma once
#include "engine/engine.h"
#include "store/plans.h"

struct table_state {
    const char *name;
    bool known;                                        /* what follows is AWS's */
    const char *status, *arn, *table_id, *table_class; /* table_id NULL: the peer has none */
    int64_t created_ms, items, bytes;
    bool on_demand;
    int64_t read_units, write_units; /* provisioned */
    bool deletion_protection;
    bool pitr;
    int64_t pitr_days, pitr_earliest_ms, pitr_latest_ms; /* 0: not said */
    struct err err;                                      /* why it is not known */
    struct err pitr_err;                                 /* the same of PITR */
};

struct table_list {
    struct table_state *tables;
    size_t count;
    struct err err; /* why tables behind globs, or all, are not known or shown; code ERR_NONE: they are */
    bool complete;
};

/* Fails only without memory; everything else is in the list. */
int table_list_read(struct engine *engine, const struct environment *environment, int64_t deadline_boot_ms,
                    struct arena *arena, struct table_list *ret_list, struct err *err);
/* Members tables, complete, unknown and, when there is one, tables_error (environment_json.c). */
void table_list_write(struct json_writer *w, const struct table_list *list);
/* An error without status, as in a job. */
void put_failure(struct json_writer *w, const char *name, const struct err *failure);
/* What holds now, what is configured, and the version (environments.c). */
void limits_write(struct json_writer *w, const char *name, const struct environment *environment,
                  const struct environment_limits *limits);
