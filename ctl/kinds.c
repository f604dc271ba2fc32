#include "ctl/kinds.h"

#include <openssl/evp.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "ctl/api.h"
#include "ctl/files.h"
#include "ctl/settings.h"

#define CACHE_MAX (4 * 1024 * 1024)

static const char *cache_path(struct ctl *ctl)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    char hex[HEX_SIZE(8)], name[64];

    if (EVP_Digest(ctl->settings.server, strlen(ctl->settings.server), sum, NULL, EVP_sha256(), NULL) != 1)
        return NULL;
    hex_encode(sum, 8, hex);
    snprintf(name, sizeof(name), "kinds-%s.json", hex);
    return settings_path(ctl->arena, "XDG_CACHE_HOME", ".cache", name);
}

/* A cache that cannot be written is only slower. */
static void keep(struct ctl *ctl, struct bytes text)
{
    const char *path = cache_path(ctl);
    struct err err = ERR_INIT;

    if (!path)
        return;
    file_make_folders(path);
    file_replace(path, text, 0600, &err);
}

enum exit_code kinds_fetch(struct ctl *ctl, const json_t **ret_kinds)
{
    _cleanup_(api_reply_done) struct api_reply reply = API_REPLY_INIT;
    enum exit_code code = api_open(ctl);

    if (code == EXIT_DONE)
        code = api_get(ctl, &reply, "/v1/kinds");
    if (code != EXIT_DONE)
        return code;
    if (!json_is_array(json_object_get(reply.json, "items")))
        return ctl_fail(ctl, EXIT_UNREACHABLE, "%s answered without a list of kinds: is it a recoverd?",
                        ctl->settings.server);
    keep(ctl, buffer_bytes(&reply.answer.body));
    *ret_kinds = json_incref(reply.json);
    return arena_defer(ctl->arena, json_decref_p, reply.json) < 0 ? ctl_no_memory(ctl) : EXIT_DONE;
}

const json_t *kinds_cached(struct ctl *ctl)
{
    static const struct json_limits limits = {.max_depth = 64, .allow_duplicates = false};
    const char *path = cache_path(ctl);
    struct err err = ERR_INIT;
    struct bytes text;
    json_t *kinds = NULL;

    if (!path || file_read(path, CACHE_MAX, ctl->arena, &text, &err) < 0 ||
        json_parse(text, &limits, &kinds, &err) < 0)
        return NULL;
    return arena_defer(ctl->arena, json_decref_p, kinds) < 0 ? NULL : kinds;
}

const json_t *kinds_for_help(struct ctl *ctl)
{
    const json_t *kinds = kinds_cached(ctl);
    FILE *log = ctl->log;

    if (kinds)
        return kinds;
    ctl->log = fopen("/dev/null", "w"); /* help is there without a server too: nothing to complain about */
    if (ctl->log && kinds_fetch(ctl, &kinds) != EXIT_DONE)
        kinds = NULL;
    if (ctl->log)
        fclose(ctl->log);
    ctl->log = log;
    return kinds;
}

const json_t *kinds_find(const json_t *kinds, const char *name)
{
    size_t i;
    json_t *kind;

    json_array_foreach(json_object_get(kinds, "items"), i, kind) {
        if (str_is(json_get_text(kind, "name"), name))
            return kind;
    }
    return NULL;
}

/* How many of the words spell the name; 0: they do not. */
static size_t spells(const char *name, const char *const *words, size_t count)
{
    size_t used = 0;

    if (count > 0 && str_is(name, words[0]))
        return 1;
    while (*name && used < count) {
        size_t len = strcspn(name, ".");

        if (strlen(words[used]) != len || memcmp(words[used], name, len) != 0)
            return 0;
        used++;
        name += len + (name[len] == '.');
    }
    return *name ? 0 : used;
}

const json_t *kinds_by_words(const json_t *kinds, const char *const *words, size_t count, size_t *ret_used)
{
    size_t i;
    json_t *kind;

    json_array_foreach(json_object_get(kinds, "items"), i, kind) {
        const char *name = json_get_text(kind, "name");

        *ret_used = name ? spells(name, words, count) : 0;
        if (*ret_used > 0)
            return kind;
    }
    return NULL;
}

const char *kind_words(struct arena *arena, const json_t *kind)
{
    const char *name = json_get_text(kind, "name");
    char *words = arena_strdup(arena, name ? name : "");

    for (char *at = words; at && *at; at++)
        if (*at == '.')
            *at = ' ';
    return words ? words : "";
}
