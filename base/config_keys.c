#include "base/config_internal.h"

#include "base/clock.h"

void config_fault(struct loader *l, struct yaml_place at, const char *format, ...)
{
    char place[1200], detail[500];
    snprintf(place, sizeof place, "%.1100s:%d:%d", l->file, at.line, at.column);
    va_list args;
    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    fault_add(l->faults, place, "%s", detail);
}

void config_no_memory(struct loader *l, struct yaml_place at)
{
    config_fault(l, at, "out of memory");
    if (l->faults->code == ERR_NONE)
        l->faults->code = ERR_NO_MEMORY; /* nothing is wrong with the configuration */
}

struct yaml_place config_place(const struct yaml_node *map)
{
    return map->name ? map->name_place : map->place;
}

static const char *name_of(const struct yaml_node *node)
{
    return node->name ? node->name : "entry";
}

bool config_is(struct loader *l, const struct yaml_node *node, enum yaml_type type)
{
    static const char *const words[] = {
        [YAML_TEXT] = "one value", [YAML_LIST] = "a list", [YAML_MAP] = "a mapping"};
    if (node->type == type)
        return true;
    config_fault(l, node->place, "`%.80s` must be %s", name_of(node), words[type]);
    return false;
}

bool config_text(struct loader *l, const struct yaml_node *node)
{
    if (!config_is(l, node, YAML_TEXT))
        return false;
    size_t len = strlen(node->text);
    if (len == 0 || (!node->quoted && (strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0))) {
        config_fault(l, node->place, "`%.80s` has no value", name_of(node));
        return false;
    }
    if (len > CONFIG_TEXT_MAX) {
        config_fault(l, node->place, "`%.80s` is longer than %d bytes", name_of(node), CONFIG_TEXT_MAX);
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)node->text[i] < 0x20 || node->text[i] == 0x7f) {
            config_fault(l, node->place, "`%.80s` has a control character in it", name_of(node));
            return false;
        }
    }
    return true;
}

void *config_array(struct loader *l, const struct yaml_node *node, size_t size)
{
    void *array = arena_alloc_array(l->arena, size, node->count ? node->count : 1);
    if (!array)
        config_no_memory(l, node->place);
    return array;
}

/* -- one taker for each type -- */

static bool check_text(struct loader *l, const struct config_key *key, const struct yaml_node *node)
{
    if (!config_text(l, node))
        return false;
    if (!key->valid || key->valid(node->text))
        return true;
    config_fault(l, node->place, "`%s` must be %s, not `%.120s`", key->name, key->wanted, node->text);
    return false;
}

static void take_text(struct loader *l, const struct config_key *key, const struct yaml_node *node, void *to)
{
    if (check_text(l, key, node))
        memcpy(to, &node->text, sizeof node->text);
}

static void take_choice(struct loader *l, const struct config_key *key, const struct yaml_node *node,
                        void *to)
{
    if (!config_text(l, node))
        return;
    int index = 0;
    for (const char *word = key->choices; *word; index++) {
        size_t len = strcspn(word, " ");
        if (strlen(node->text) == len && memcmp(node->text, word, len) == 0) {
            memcpy(to, &index, sizeof index);
            return;
        }
        word += len + (word[len] == ' ');
    }
    config_fault(l, node->place, "`%s` must be one of: %s; not `%.80s`", key->name, key->choices, node->text);
}

static void take_flag(struct loader *l, const struct config_key *key, const struct yaml_node *node, void *to)
{
    if (!config_text(l, node))
        return;
    bool yes = strcmp(node->text, "true") == 0;
    if (node->quoted || (!yes && strcmp(node->text, "false") != 0))
        config_fault(l, node->place, "`%s` must be true or false", key->name);
    else
        memcpy(to, &yes, sizeof yes);
}

static bool take_whole(struct loader *l, const struct config_key *key, const struct yaml_node *node,
                       int64_t *ret_value)
{
    if (!config_text(l, node))
        return false;
    int64_t value;
    if (node->quoted || !int_parse(bytes_of(node->text), &value) || value < key->min || value > key->max) {
        config_fault(l, node->place, "`%s` must be a whole number from %lld to %lld", key->name,
                     (long long)key->min, (long long)key->max);
        return false;
    }
    *ret_value = value;
    return true;
}

static void take_int(struct loader *l, const struct config_key *key, const struct yaml_node *node, void *to)
{
    int64_t value;
    if (take_whole(l, key, node, &value))
        memcpy(to, &(int){(int)value}, sizeof(int));
}

static void take_int64(struct loader *l, const struct config_key *key, const struct yaml_node *node, void *to)
{
    int64_t value;
    if (take_whole(l, key, node, &value))
        memcpy(to, &value, sizeof value);
}

/* "90s" rather than "90000": bounds are shown in the largest unit that leaves a whole number. */
static const char *in_units(int64_t value, bool duration, char text[24])
{
    static const struct {
        int64_t size;
        const char *name;
    } units[2][5] = {{{1LL << 40, "TiB"}, {GIB, "GiB"}, {MIB, "MiB"}, {KIB, "KiB"}, {1, "B"}},
                     {{86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}}};
    size_t i = value == 0 ? 4 : 0;
    while (value % units[duration][i].size != 0)
        i++;
    snprintf(text, 24, "%lld%s", (long long)(value / units[duration][i].size), units[duration][i].name);
    return text;
}

static void take_measure(struct loader *l, const struct config_key *key, const struct yaml_node *node,
                         void *to)
{
    if (!config_text(l, node))
        return;
    bool duration = key->type == CONFIG_DURATION;
    struct bytes text = bytes_of(node->text);
    int64_t value;
    char min[24], max[24];
    if (!(duration ? duration_parse(text, &value) : size_parse(text, &value)))
        config_fault(l, node->place, "`%s` must be a %s, not `%.80s`", key->name,
                     duration ? "duration such as 500ms, 30s, 5m, 4h or 35d" : "size such as 64KiB or 5GiB",
                     node->text);
    else if (value < key->min || value > key->max)
        config_fault(l, node->place, "`%s` must be from %s to %s", key->name,
                     in_units(key->min, duration, min), in_units(key->max, duration, max));
    else
        memcpy(to, &value, sizeof value);
}

static bool is_double(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

static void take_texts(struct loader *l, const struct config_key *key, const struct yaml_node *node, void *to)
{
    if (!config_is(l, node, YAML_LIST))
        return;
    if ((int64_t)node->count < key->min || (int64_t)node->count > key->max) {
        config_fault(l, node->place, "`%s` must have %lld to %lld entries", key->name, (long long)key->min,
                     (long long)key->max);
        return;
    }
    const char **names = config_array(l, node, sizeof *names);
    struct name_list list = {names, 0};
    for (const struct yaml_node *entry = node->first; names && entry; entry = entry->next) {
        if (!check_text(l, key, entry))
            continue;
        if (is_double(names, list.count, entry->text))
            config_fault(l, entry->place, "`%.80s` stands twice in `%s`", entry->text, key->name);
        else
            names[list.count++] = entry->text;
    }
    memcpy(to, &list, sizeof list);
}

static void take_later(struct loader *l, const struct config_key *key, const struct yaml_node *node, void *to)
{
    (void)to;
    config_fault(l, config_place(node), "`%s`: not in this version", key->name);
}

typedef void taker(struct loader *l, const struct config_key *key, const struct yaml_node *node, void *to);
static taker *const takers[] = {
    [CONFIG_TEXT] = take_text,        [CONFIG_CHOICE] = take_choice,      [CONFIG_FLAG] = take_flag,
    [CONFIG_INT] = take_int,          [CONFIG_INT64] = take_int64,        [CONFIG_DURATION] = take_measure,
    [CONFIG_SIZE] = take_measure,     [CONFIG_TEXTS] = take_texts,        [CONFIG_PATH] = config_take_path,
    [CONFIG_FILE] = config_take_file, [CONFIG_SECRET] = config_take_file, [CONFIG_LATER] = take_later,
};

/* -- the loop -- */

static void unknown_key(struct loader *l, const struct config_key *keys, const struct yaml_node *node)
{
    const char *nearest = NULL;
    size_t best = strlen(node->name) / 3 + 2; /* a slip or two, not another word */
    for (const struct config_key *key = keys; key->type != CONFIG_END; key++) {
        size_t d = str_distance(node->name, key->name);
        if (d < best && key->type != CONFIG_LATER) {
            best = d;
            nearest = key->name;
        }
    }
    if (nearest)
        config_fault(l, node->name_place, "unknown key `%.80s`; did you mean `%s`?", node->name, nearest);
    else
        config_fault(l, node->name_place, "unknown key `%.80s`", node->name);
}

static void take_member(struct loader *l, const struct config_key *keys, const struct yaml_node *node,
                        void *object)
{
    const struct config_key *key = keys;
    while (key->type != CONFIG_END && strcmp(key->name, node->name) != 0)
        key++;
    if (key->type == CONFIG_END)
        unknown_key(l, keys, node);
    else if (key->type == CONFIG_OBJECT)
        config_take(l, key->keys, node, object);
    else if (key->type == CONFIG_SPECIAL)
        key->take(l, node, object);
    else
        takers[key->type](l, key, node, (char *)object + key->offset);
}

void config_take(struct loader *l, const struct config_key *keys, const struct yaml_node *map, void *object)
{
    if (!config_is(l, map, YAML_MAP))
        return;
    for (const struct yaml_node *node = map->first; node; node = node->next)
        take_member(l, keys, node, object);
    for (const struct config_key *key = keys; key->type != CONFIG_END; key++) {
        if (key->required && !yaml_get(map, key->name))
            config_fault(l, config_place(map), "`%s` is missing", key->name);
    }
}
