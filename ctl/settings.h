/*
 * Where the settings of a call come from: a flag, else the environment variable, else the context of the
 * configuration file, else what stands in the table. Thread rule: one thread.
 */
#pragma once
#include "ctl/ctl.h"

extern const struct flag global_flags[];

struct variable {
    const char *name;
    const char *help;
};
extern const struct variable variables[]; /* the environment variables; ends with name NULL */

enum exit_code settings_read(struct ctl *ctl, const struct args *args);
/* $XDG_x_HOME/recoverd/NAME or ~/FALLBACK/recoverd/NAME; NULL without a home. In arena. */
const char *settings_path(struct arena *arena, const char *xdg, const char *fallback, const char *name);
