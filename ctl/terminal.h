/*
 * Questions on the terminal, and where there is none, a line of standard input. Ctrl-C ends a question.
 * Thread rule: one thread.
 */
#pragma once
#include "ctl/ctl.h"

/* The line without its end, cut to `size`. `hidden`: without echo. EXIT_DETACHED after Ctrl-C; EXIT_USAGE at
 * the end of input; the line is then wiped. */
enum exit_code terminal_ask(struct ctl *ctl, const char *question, bool hidden, char *ret_line, size_t size);
int terminal_width(void); /* of stderr; 80 when it is not known */
