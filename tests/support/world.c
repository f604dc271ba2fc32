#include "tests/support/world.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

static void need(bool ok, const char *what, const struct err *err)
{
    if (ok)
        return;
    fprintf(stderr, "world: %s: %s\n", what, err ? err->message : "");
    exit(99);
}

static void write_file(const char *dir, const char *name, const char *text, mode_t mode)
{
    char path[200];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, mode);
    need(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), path, NULL);
    close(fd);
}

static void load_config(struct world *world, const char *extra)
{
    char text[4000];
    char path[200];
    struct faults faults;
    struct err err = ERR_INIT;

    write_file(world->dir, "secret", "0123456789abcdef0123456789abcdef", 0600);
    write_file(world->dir, "totp.key", "0123456789abcdef0123456789abcdef", 0600);
    snprintf(text, sizeof(text),
             "listen: 127.0.0.1:1\nops_listen: 127.0.0.1:2\ndata_dir: %s\nstore: "
             "sqlite:%s/recoverd.db\nnode: test\n"
             "workers: {threads: 4, lease: 5s, min_free: 1MiB}\ntotp: {key_file: totp.key}\n"
             "auth:\n  issuers:\n    - issuer: https://idp.test/\n      audiences: [recoverd]\n      "
             "algorithms: [HS256]\n"
             "      secret_file: secret\n      mfa: {amr_values: [mfa], max_age: 5m}\n"
             "environments:\n  test:\n    region: us-east-1\n    tables: [\"T*\"]\n    endpoint_url: "
             "http://127.0.0.1:9\n"
             "    recovery_points: file://%s/points\n    allow_unencrypted: true\n%s",
             world->dir, world->dir, world->dir, extra ? extra : "");
    write_file(world->dir, "recoverd.yaml", text, 0600);
    snprintf(path, sizeof(path), "%s/points", world->dir);
    mkdir(path, 0700);
    snprintf(path, sizeof(path), "%s/recoverd.yaml", world->dir);
    faults_init(&faults, world->arena);
    world->config = config_load(path, &faults, &err);
    need(world->config != NULL, "configuration", &err);
}

void world_start_engine(struct world *world, const struct job_kind *const *kinds)
{
    struct engine_options options = {
        .store = world->store, .config = world->config, .kinds = kinds, .node = "test", .has_totp = true};
    struct err err = ERR_INIT;

    memset(options.totp_key, 7, sizeof(options.totp_key));
    need(engine_new(&options, &world->engine, &err) == 0, "engine", &err);
    need(engine_start(world->engine, &err) == 0, "engine start", &err);
}

void world_stop_engine(struct world *world)
{
    if (!world->engine)
        return;
    engine_stop(world->engine, clock_boot_ms() + 10000);
    engine_free(world->engine);
    world->engine = NULL;
}

struct world *world_new(const struct job_kind *const *kinds, const char *extra)
{
    struct world *world = calloc(1, sizeof(*world));
    struct store_options options = {0};
    char url[200];
    struct err err = ERR_INIT;

    need(world != NULL, "memory", NULL);
    folder_make("test", world->dir);
    world->arena = arena_new(64 * MIB);
    load_config(world, extra);
    snprintf(url, sizeof(url), "sqlite:%s/recoverd.db", world->dir);
    options = (struct store_options){.url = url, .data_dir = world->dir, .min_free_bytes = MIB};
    need(store_open(&options, &world->store, &err) == 0, "store", &err);
    world->grant = (struct grant){ROLE_ADMIN, "test"};
    world->principal = (struct principal){.issuer = "https://idp.test/",
                                          .subject = "ann",
                                          .identity = "ann",
                                          .address = "127.0.0.1",
                                          .channel = "rest",
                                          .grants = &world->grant,
                                          .grant_count = 1,
                                          .mfa_by_token = true,
                                          .auth_time_ms = clock_wall_ms(),
                                          .mfa_max_age_ms = 300000};
    if (kinds)
        world_start_engine(world, kinds);
    return world;
}

void world_free(struct world *world)
{
    world_stop_engine(world);
    store_close(world->store);
    config_release(world->config);
    arena_free(world->arena);
    folder_remove(world->dir);
    free(world);
}

int world_check(struct ask *ask, struct err *err)
{
    (void)err;
    ask->resource = "table/T1x";
    return 0;
}

int world_plan(struct ask *ask, struct planning *planning, struct err *err)
{
    (void)ask, (void)planning, (void)err;
    return 0;
}

struct submit world_submit(struct world *world, const char *kind, const char *spec_json)
{
    static const struct json_limits limits = {.max_depth = 32};
    struct submit submit = {.principal = &world->principal,
                            .arena = world->arena,
                            .kind = kind,
                            .environment = "test",
                            .request_id = "00000000-0000-7000-8000-000000000000"};
    struct err err = ERR_INIT;

    submit.faults = arena_make(world->arena, struct faults);
    faults_init(submit.faults, world->arena);
    need(json_parse(bytes_of(spec_json), &limits, &submit.spec, &err) == 0, "spec", &err);
    arena_defer(world->arena, json_decref_p, submit.spec);
    return submit;
}

struct job *world_accept(struct world *world, const char *kind, const char *spec_json)
{
    struct submit submit = world_submit(world, kind, spec_json);
    struct accepted accepted;
    struct err err = ERR_INIT;

    need(engine_submit(world->engine, &submit, &accepted, &err) == 0, "accept", &err);
    return accepted.job;
}

struct job *world_job(struct world *world, const struct id *id)
{
    struct job *job;
    struct err err = ERR_INIT;

    need(engine_job(world->engine, &world->principal, id, world->arena, &job, &err) == 0, "job", &err);
    return job;
}

struct job *world_wait(struct world *world, const struct id *id)
{
    for (int i = 0; i < 2000; i++) {
        struct job *job = world_job(world, id);

        if (job_state_final(job->state))
            return job;
        usleep(10000);
    }
    need(false, "the job did not end", NULL);
    return NULL;
}

struct reading {
    const struct job *job;
    const char *name;
    struct arena *arena;
    struct bytes json;
};

static int read_document(struct tx *tx, void *ctx, struct err *err)
{
    struct reading *r = ctx;

    return tx_document_get(tx, r->job->key, r->name, r->arena, &r->json, err);
}

const char *world_document(struct world *world, const struct job *job, const char *name)
{
    struct reading r = {job, name, world->arena, {0}};
    struct err err = ERR_INIT;

    need(store_read(world->store, read_document, &r, &err) == 0, "document", &err);
    return r.json.data;
}
