/*
 * From a configuration to a running server, and back. Each part is made after what it uses and freed before
 * it. Thread rule: the main thread.
 */
#pragma once
#include "audit/actions.h"
#include "handlers/app.h"
#include "server/issuers.h"

struct server {
    struct config *config; /* what is in force */
    struct wait_hub *hub;
    struct store *store;
    struct engine *engine;
    struct app *app;
    struct http_server *ops;
    struct http_server *api;
    struct issuers_said said;
};

/* 0, or an exit code; err says why. What was made stays for server_done. `config` is taken. */
int server_compose(struct server *server, struct config *config, struct err *err);
/* Reads every key, secret and certificate that the configuration names: 0, or -1 with the first that cannot
 * be used. */
int server_check(const struct config *config, struct err *err);
/* Records the start, listens, starts workers: what fails before that leaves every part as it was. 0, or an
 * exit code. */
int server_start(struct server *server, struct err *err);
/* /readyz no, no new requests, replies end, workers hand back, all by the deadline; then the record of it. */
void server_drain(struct server *server, int64_t deadline_boot_ms);
/* Frees what is left; accepts a half-made server. */
void server_done(struct server *server);

/* Reads a PEM pair of the configuration; empty without tls. The caller wipes with buffer_done (they are
 * marked secret). */
struct tls_files {
    struct buffer certificate, key;
};
int tls_files_read(const struct config *config, struct tls_files *ret_files, struct err *err);
void tls_files_done(struct tls_files *files);

/* One audit row of the server itself, in its own transaction. `detail`: a JSON object, or NULL. */
int server_audit(struct server *server, enum audit_action action, const char *outcome, const json_t *detail,
                 struct err *err);
