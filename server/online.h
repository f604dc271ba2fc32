/*
 * recoverd --check --online: what each environment's credentials may do, tried at AWS. Reads, and writes one
 * small object below recovery_points, which it deletes. What only a restore needs (CreateTable and the like)
 * cannot be tried without its effect: deploy/iam-policy.json lists it. Thread rule: the main thread, before
 * others start.
 */
#pragma once
#include <stdio.h>

#include "base/config.h"

/* A line for each thing tried, `ok` or `FAIL` with the code and the hint. How many failed. */
int online_check(const struct config *config, FILE *out);
