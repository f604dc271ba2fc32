/*
 * One call of recoverctl: its settings, the connection to the server, and how it speaks. stdout carries only
 * the result, everything else goes to stderr. Functions here and in the other files that return enum
 * exit_code have said what went wrong already. Thread rule: one thread, but for the one that waits for Ctrl-C
 * (interrupt.h).
 */
#pragma once
#include <jansson.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"
#include "ctl/exits.h"
#include "ctl/flags.h"
#include "net/http_client.h"

enum output { OUTPUT_TABLE, OUTPUT_JSON, OUTPUT_JSONL, OUTPUT_ID };

struct settings {
    const char *server;      /* without a slash at its end */
    const char *token;       /* as given in the environment, or NULL */
    const char *token_file;  /* NULL: none */
    const char *environment; /* NULL: to be found out */
    enum output output;
    bool quiet;
    bool color;    /* on stderr */
    bool terminal; /* stdin and stderr are one: questions can be asked, a bar can be drawn */
};

struct interrupt;

struct ctl {
    struct arena *arena;
    struct settings settings;
    struct http_client *client;
    struct interrupt *interrupt;
    char *token; /* in use; wiped at the end */
    FILE *out;
    FILE *log;
};

/* The command line as main got it. */
int ctl_main(int argc, char **argv);

/* "recoverctl: ..." on stderr, and the code back. */
enum exit_code ctl_fail(struct ctl *ctl, enum exit_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* "hint: ..." on stderr. */
void ctl_hint(struct ctl *ctl, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What a function below (base, net, auth, audit) said. */
enum exit_code ctl_err(struct ctl *ctl, enum exit_code code, const struct err *err);
enum exit_code ctl_no_memory(struct ctl *ctl);
/* A line on stderr, also with -q: what belongs to a failure. */
void ctl_note(struct ctl *ctl, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A line on stderr, not with -q. */
void ctl_say(struct ctl *ctl, const char *format, ...) __attribute__((format(printf, 2, 3)));
