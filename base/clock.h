/*
 * The clocks. `wall` for rows and tokens (milliseconds since 1970, UTC), `boot` for leases, deadlines and
 * rates (CLOCK_BOOTTIME: never set, runs on in suspend). AWS time per environment is wall plus a measured
 * offset (aws/). Tests may replace both by clock_replace before threads start; nothing in the product does.
 * Thread rule: any thread.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

int64_t clock_wall_ms(void);
int64_t clock_boot_ms(void);
int64_t clock_boot_us(void);
void clock_replace(int64_t (*wall_ms)(void), int64_t (*boot_ms)(void)); /* NULL puts the real one back */

#define TIME_SIZE 32
/* RFC 3339 UTC with milliseconds: 2026-01-30T14:30:00.000Z. Years 0000..9999; others are clamped. */
void time_format(int64_t wall_ms, char ret_text[TIME_SIZE]);
/* 20260130T143000Z, as SigV4 writes it. */
void time_format_basic(int64_t wall_ms, char ret_text[TIME_SIZE]);
/* yyyymmdd-hhmmss, as recovery point folders are named. */
void time_format_folder(int64_t wall_ms, char ret_text[TIME_SIZE]);
/* RFC 3339 with Z or offset, 0..9 fraction digits (cut to milliseconds); leap seconds and impossible dates
 * refused. */
bool time_parse(struct bytes text, int64_t *ret_wall_ms);
/* IMF-fixdate of RFC 9110 5.6.7, as in the Date header; the day's name is not compared. */
bool time_parse_http(struct bytes text, int64_t *ret_wall_ms);

/* 500ms 30s 5m 4h 35d; 64KiB 5GiB (B KiB MiB GiB TiB). False when malformed or out of int64. */
bool duration_parse(struct bytes text, int64_t *ret_ms);
bool size_parse(struct bytes text, int64_t *ret_bytes);
