/* The command line of recoverd (CONTRACT.md section 2). */
#pragma once
#include <stdbool.h>

enum action { ACTION_RUN, ACTION_CHECK, ACTION_INIT, ACTION_MIGRATE, ACTION_VERSION, ACTION_HELP };

/* Exit codes of the process. */
enum { EXIT_DRAINED = 0, EXIT_CONFIG = 2, EXIT_STORE = 3, EXIT_ADDRESS = 4, EXIT_INTERNAL = 70 };

struct options {
    enum action action;
    const char *config; /* FILE; of --config, else RECOVERD_CONFIG */
    const char *dir;    /* of --init */
    bool online;        /* with ACTION_CHECK */
};

/* 0, or EXIT_CONFIG after saying on stderr what is wrong. Strings are argv's or the environment's. */
int options_parse(int argc, char **argv, struct options *ret_options);
void options_help(void); /* to stdout */
