/*
 * Text for people: what came from outside is cleaned of control characters before a terminal sees it;
 * numbers, sizes and times in one form. Thread rule: pure but for the stream.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define TEXT_SHORT 48

/* Control characters (C0, DEL, C1) and broken UTF-8 become '?'. */
void text_put(FILE *to, const char *text);
size_t text_width(const char *text);                           /* characters, each one column */
void text_count(int64_t value, char ret_text[TEXT_SHORT]);     /* 1,234,567 */
void text_bytes(int64_t value, char ret_text[TEXT_SHORT]);     /* 1.2 MiB */
void text_seconds(int64_t seconds, char ret_text[TEXT_SHORT]); /* 0:12, 1:02:03 */
void text_elapsed(int64_t ms, char ret_text[TEXT_SHORT]);      /* 0.4 s, 1:02 */
