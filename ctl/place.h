/*
 * Which environment a call is for, when nobody says: that of the recovery point it starts from, else the only
 * one that holds the table, else the only one there is. Thread rule: one thread.
 */
#pragma once
#include "ctl/ctl.h"

/* *ret_environment in arena. EXIT_USAGE with the list when it cannot be told. */
enum exit_code place_find(struct ctl *ctl, const json_t *spec, const char **ret_environment);
