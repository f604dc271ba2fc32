/* sd_notify(3) without its library: one datagram to NOTIFY_SOCKET. Thread rule: any. */
#pragma once

/* "READY=1", "STOPPING=1", "RELOADING=1". Without the variable nothing happens; failures do not matter. */
void notify(const char *state);
/* RELOADING=1 wants the time with it (sd_notify(3), MONOTONIC_USEC). */
void notify_reloading(void);
