/*
 * The shared files of the AWS command line, ~/.aws/config and ~/.aws/credentials (AWS_CONFIG_FILE,
 * AWS_SHARED_CREDENTIALS_FILE), read into one list. What the credentials file says of a profile wins.
 * The text is secret: profile_files_done wipes it, and every name and value points into it. Thread rule: one
 * thread at a time. Source: AWS SDKs and Tools Reference Guide, "Shared config and credentials files".
 */
#pragma once
#include "base/arena.h"
#include "base/buffer.h"
#include "base/err.h"

struct profile_entry {
    const char *section; /* a profile's name, or "services x" and the like as written */
    const char *key;     /* lower case */
    const char *value;
};

struct profile_files {
    struct buffer text[2]; /* credentials, config; taken apart in place */
    struct profile_entry *entries;
    size_t count;
};

/* Files that do not exist are empty. -1 with AWS_CREDENTIALS for what cannot be read, or NO_MEMORY; also then
 * profile_files_done is called. */
int profile_files_read(struct arena *arena, struct profile_files *ret_files, struct err *err);
void profile_files_done(struct profile_files *files);
bool profile_exists(const struct profile_files *files, const char *profile);
const char *profile_get(const struct profile_files *files, const char *profile,
                        const char *key); /* NULL without */
