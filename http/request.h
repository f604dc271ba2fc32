/*
 * One request as the layers above see it. Everything in it lives in its arena or in the connection's memory
 * and is valid from http_handler.begin until http_handler.done has returned. Thread rule: the connection's
 * thread.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/id.h"
#include "base/str.h"

struct http_field {     /* a header */
    struct bytes name;  /* as sent; compare without case */
    struct bytes value; /* no white space round it */
};

struct http_query {
    const char *name;
    const char *value; /* "" when there was no `=` */
};

struct http_request {
    struct arena *arena; /* REQUEST_ARENA_MAX */
    const char *method;
    bool is_head;
    bool tls;
    const char *path;            /* raw, before the `?` */
    const char *const *segments; /* decoded; `/` has none; a `/` at the end makes an empty last one */
    size_t segment_count;
    const struct http_query *query; /* decoded, in order */
    size_t query_count;
    const struct http_field *headers;
    size_t header_count;
    int64_t content_length; /* 0 when none is announced */
    struct bytes body;      /* empty in begin */
    const char *address;    /* the client's, numeric; behind trusted proxies what they say */
    const char *peer;       /* who is connected to us, numeric */
    char id[ID_SIZE];
    int64_t received_boot_ms;
    int fd;     /* for wait_hub_wait only */
    void *user; /* for the layer above */
};

/* The first header of this name, or data NULL. Names whose repetition is dangerous were refused by the gate.
 */
struct bytes http_request_header(const struct http_request *request, const char *name);
/* The n-th (from 0) header of this name; data NULL behind the last. */
struct bytes http_request_header_at(const struct http_request *request, const char *name, size_t n);
/* The first query value of this name, or NULL. */
const char *http_request_query(const struct http_request *request, const char *name);
/* Content-Type is application/json (or a +json type), in UTF-8. */
bool http_request_is_json(const struct http_request *request);
