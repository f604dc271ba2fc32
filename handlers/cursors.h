/*
 * Cursors of lists: opaque, signed, good only for the same caller, path and filters. Thread rule: the
 * request's thread.
 */
#pragma once
#include "handlers/request.h"

#define CURSOR_RAW_SIZE (1 + 8 + 16)
#define CURSOR_SIZE BASE64_SIZE(CURSOR_RAW_SIZE)

int cursor_make(const struct request *req, int64_t key, char ret_cursor[CURSOR_SIZE], struct err *err);
/* INVALID_CURSOR for anything that cursor_make did not make for this caller and these filters. */
int cursor_read(const struct request *req, const char *cursor, int64_t *ret_key, struct err *err);
