/* YAML and the configuration made of it. A tree has places within its text and texts without NUL; config_load
 * either gives a snapshot or says at least one fault, and reads the same bytes the same way twice. */
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/config.h"
#include "base/yaml.h"

static size_t judge_node(const struct yaml_node *node, int lines, unsigned depth)
{
    size_t count = 0, nodes = 1;

    HOLDS(depth <= CONFIG_DEPTH + 1);
    HOLDS(node->place.line >= 1 && node->place.line <= lines && node->place.column >= 1);
    HOLDS(node->text && (node->type != YAML_TEXT || !node->first));
    for (const struct yaml_node *child = node->first; child; child = child->next) {
        HOLDS(!child->name == (node->type == YAML_LIST));
        nodes += judge_node(child, lines, depth + 1);
        count++;
    }
    HOLDS(count == node->count);
    return nodes;
}

static void judge_faults(const struct faults *faults)
{
    HOLDS(faults->count <= FAULTS_MAX && faults->count <= faults->total);
    for (size_t i = 0; i < faults->count; i++)
        HOLDS(faults->list[i].place[0] && faults->list[i].detail[0]);
}

static void judge_tree(struct bytes text)
{
    _cleanup_(arena_free_p) struct arena *arena = big_arena();
    struct faults faults;
    int lines = 2;

    faults_init(&faults, arena);
    for (size_t i = 0; i < text.len; i++)
        lines += text.data[i] == '\n' || text.data[i] == '\r' ||
                 (unsigned char)text.data[i] >= 0x80; /* NEL, LS, PS */
    struct yaml_node *root = yaml_read(text, "file", arena, &faults);
    judge_faults(&faults);
    HOLDS(root || faults.total > 0);
    if (root)
        judge_node(root, lines, 1);
    HOLDS(yaml_get(root, "no such member, surely") == NULL);
}

static struct config *load(const char *path, char ret_sha256[65])
{
    _cleanup_(arena_free_p) struct arena *arena = big_arena();
    struct err err = ERR_INIT;
    struct faults faults;

    faults_init(&faults, arena);
    struct config *config = config_load(path, &faults, &err);
    judge(config ? 0 : -1, &err);
    judge_faults(&faults);
    HOLDS(!config == (faults.total > 0));
    ret_sha256[0] = '\0';
    if (config)
        memcpy(ret_sha256, config->sha256, 65);
    return config;
}

static void judge_config(struct bytes text)
{
    _cleanup_(cleanup_close) int fd = memfd_create("recoverd.yaml", MFD_CLOEXEC);
    char path[64], one[65], two[65];

    HOLDS(fd >= 0 && write(fd, text.data, text.len) == (ssize_t)text.len);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct config *config = load(path, one), *again = load(path, two);
    HOLDS(strcmp(one, two) == 0);
    if (config) {
        json_auto_t *changes = config_security_changes(config, again),
                    *first = config_security_changes(NULL, config);
        _cleanup_(arena_free_p) struct arena *arena = big_arena();

        HOLDS(json_object_size(json_object_get(changes, "before")) == 0 &&
              json_object_size(json_object_get(changes, "after")) == 0 &&
              json_object_size(json_object_get(first, "after")) > 0);
        HOLDS(strcmp(config_restart_keys(config, again, arena), "") == 0);
        HOLDS(config->issuer_count > 0 && config->issuer_count <= CONFIG_ISSUERS_MAX);
        HOLDS(config->environment_count <= CONFIG_ENVIRONMENTS_MAX);
    }
    config_release(config);
    config_release(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = {(const char *)data, size};

    judge_tree(text);
    if (size > 0)
        judge_config(text);
    return 0;
}
