/* SIGHUP: a new configuration with its keys and certificates, all or nothing. Thread rule: the main thread.
 */
#pragma once
#include "server/compose.h"

/* Logs and records what happened; a faulty file leaves everything as it was. */
void server_reload(struct server *server);
/* Writes each fault on stderr as file:line:column: text. */
void report_faults(const struct faults *faults, const struct err *err);
