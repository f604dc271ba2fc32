/*
 * Memory that runs out: the n-th allocation of the calling thread fails, of our own code and of jansson
 * (base/json_scan.c). The program is linked with the linker's --wrap for each allocator (Makefile:
 * test_no_memory), so it works under AddressSanitizer too. Allocations of other libraries are left alone.
 */
#pragma once
#include <stdbool.h>

/* The n-th from now on fails, from 1; later ones succeed. 0: none, and what has failed is still told. */
void alloc_fail_at(long n);
/* The n-th and those behind it, `count` in all: a second try for less room finds none either. */
void alloc_fail_run(long n, long count);
/* Whether it has failed since it was last set to. */
bool alloc_failed(void);
