#include "aws/profile_file.h"

#include <ctype.h>
#include <errno.h>
#include <unistd.h>

#include "aws/credentials_internal.h"
#include "base/cleanup.h"
#include "base/limits.h"

#define PROFILE_FILE_MAX ((size_t)MIB)
#define PROFILE_ENTRIES_MAX 20000

static void find_path(const char *variable, const char *name, char *ret_path, size_t size)
{
    const char *set = getenv(variable);
    const char *home = getenv("HOME");

    if (set && *set)
        snprintf(ret_path, size, "%s", set);
    else
        snprintf(ret_path, size, "%s/.aws/%s", home ? home : "", name);
}

static char *trim(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    char *end = text + strlen(text);
    while (end > text && isspace((unsigned char)end[-1]))
        *--end = '\0';
    return text;
}

/* "[profile x]" in the config file, "[x]" in the credentials file; "[default]" in both. */
static const char *section_name(char *line, bool config)
{
    char *end = strchr(line, ']');

    if (!end)
        return NULL;
    *end = '\0';
    char *name = trim(line + 1);
    if (config && str_starts(name, "profile") && isspace((unsigned char)name[7]))
        return trim(name + 8);
    if (config && strcmp(name, "default") != 0 && !strpbrk(name, " \t"))
        return NULL; /* the config file names profiles with the word profile */
    return name;
}

static int add_entry(struct profile_files *files, struct profile_entry entry, struct err *err)
{
    if (files->count == PROFILE_ENTRIES_MAX)
        return err_set(err, ERR_AWS_CREDENTIALS, "the shared AWS files have more than %d lines",
                       PROFILE_ENTRIES_MAX);
    files->entries[files->count++] = entry;
    return 0;
}

static int add_line(struct profile_files *files, const char *section, char *line, struct err *err)
{
    char *equals = strchr(line, '=');

    if (!section || !equals)
        return 0;
    *equals = '\0';
    char *value = trim(equals + 1);
    for (char *p = value; *p; p++) { /* a comment begins behind a space */
        if ((*p == '#' || *p == ';') && p > value && isspace((unsigned char)p[-1])) {
            *p = '\0';
            break;
        }
    }
    char *key = trim(line);
    for (char *p = key; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    return add_entry(files, (struct profile_entry){section, key, trim(value)}, err);
}

static int take_apart(struct profile_files *files, char *text, bool config, struct err *err)
{
    const char *section = NULL;

    for (char *next = text; next && *next;) {
        char *line = next;
        char *end = strchr(line, '\n');
        next = end ? end + 1 : NULL;
        if (end)
            *end = '\0';
        bool nested = *line == ' ' || *line == '\t'; /* belongs to the key above: nothing that we read */
        if (*line == '#' || *line == ';')
            continue;
        if (*line == '[') {
            section = section_name(line, config);
            if (section && add_entry(files, (struct profile_entry){section, "", ""}, err) != 0)
                return -1;
        } else if (!nested && add_line(files, section, line, err) != 0) {
            return -1;
        }
    }
    return 0;
}

int profile_files_read(struct arena *arena, struct profile_files *ret_files, struct err *err)
{
    static const char *const places[2][2] = {{"AWS_SHARED_CREDENTIALS_FILE", "credentials"},
                                             {"AWS_CONFIG_FILE", "config"}};
    char path[4096];

    *ret_files =
        (struct profile_files){.entries = arena_array(arena, struct profile_entry, PROFILE_ENTRIES_MAX)};
    if (!ret_files->entries)
        return err_set(err, ERR_NO_MEMORY, "no memory for the shared AWS files");
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        ret_files->text[i] = BUFFER_INIT(PROFILE_FILE_MAX);
        find_path(places[i][0], places[i][1], path, sizeof(path));
        if (access(path, F_OK) != 0 && errno == ENOENT)
            continue;
        if (credentials_read_file(path, &ret_files->text[i], err) != 0)
            return -1;
        if (ret_files->text[i].data && take_apart(ret_files, ret_files->text[i].data, i == 1, err) != 0)
            return -1;
    }
    return 0;
}

void profile_files_done(struct profile_files *files)
{
    buffer_done(&files->text[0]);
    buffer_done(&files->text[1]);
}

bool profile_exists(const struct profile_files *files, const char *profile)
{
    for (size_t i = 0; i < files->count; i++) {
        if (strcmp(files->entries[i].section, profile) == 0)
            return true;
    }
    return false;
}

const char *profile_get(const struct profile_files *files, const char *profile, const char *key)
{
    for (size_t i = 0; i < files->count; i++) { /* the credentials file's lines come first */
        const struct profile_entry *entry = &files->entries[i];
        if (strcmp(entry->section, profile) == 0 && strcmp(entry->key, key) == 0 && *entry->value)
            return entry->value;
    }
    return NULL;
}
