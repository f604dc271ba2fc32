/* The server's configuration, for what is done on the server itself. Thread rule: one thread. */
#pragma once
#include "base/config.h"
#include "ctl/ctl.h"

/* `path` NULL: RECOVERD_CONFIG. Every fault is said. The caller releases *ret_config. */
enum exit_code server_config_load(struct ctl *ctl, const char *path, struct config **ret_config);
static inline void config_release_p(struct config **config)
{
    config_release(*config);
}
