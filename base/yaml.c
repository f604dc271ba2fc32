#include "base/yaml.h"

#include <stdlib.h>
#include <yaml.h>

#include "base/cleanup.h"

struct reader {
    yaml_parser_t parser;
    const char *file;
    struct arena *arena;
    struct faults *faults;
    struct yaml_node *root;
    struct level {
        struct yaml_node *node;
        struct yaml_node *last;
        const char *name; /* of the member whose value comes next; NULL: its key does */
        struct yaml_place name_place;
    } levels[CONFIG_DEPTH];
    size_t depth;
};

static struct yaml_place place_of(const yaml_mark_t *mark)
{
    return (struct yaml_place){(int)mark->line + 1, (int)mark->column + 1};
}

#define FAULT(r, at, ...) fault_at((r)->faults, (r)->file, (at), __VA_ARGS__)

__attribute__((format(printf, 4, 5))) static int fault_at(struct faults *faults, const char *file,
                                                          struct yaml_place at, const char *format, ...)
{
    char place[1200], detail[400];
    snprintf(place, sizeof place, "%.1100s:%d:%d", file, at.line, at.column);
    va_list args;
    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    fault_add(faults, place, "%s", detail);
    return -1;
}

/* Nothing is wrong with the text. */
static int no_memory_at(struct reader *r, struct yaml_place at)
{
    if (r->faults->code == ERR_NONE)
        r->faults->code = ERR_NO_MEMORY;
    return FAULT(r, at, "out of memory");
}

static struct level *top(struct reader *r)
{
    return r->depth > 0 ? &r->levels[r->depth - 1] : NULL;
}

static const char *copy_text(struct reader *r, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    size_t len = event->data.scalar.length;
    if (memchr(text, '\0', len)) {
        FAULT(r, place_of(&event->start_mark), "the text has a NUL in it");
        return NULL;
    }
    const char *copy = arena_strndup(r->arena, text, len);
    if (!copy)
        no_memory_at(r, place_of(&event->start_mark));
    return copy;
}

static bool is_key(const struct level *level)
{
    return level && level->node->type == YAML_MAP && !level->name;
}

/* Hangs a new node where the document is: at the root, behind the last entry, or under the key that was read.
 */
static struct yaml_node *hang(struct reader *r, enum yaml_type type, const yaml_event_t *event)
{
    struct level *level = top(r);
    struct yaml_place at = place_of(&event->start_mark);
    if (is_key(level)) {
        FAULT(r, at, "a key must be a plain text");
        return NULL;
    }
    struct yaml_node *node = arena_make(r->arena, struct yaml_node);
    if (!node) {
        no_memory_at(r, at);
        return NULL;
    }
    *node = (struct yaml_node){.type = type, .place = at, .text = ""};
    if (!level) {
        r->root = node;
        return node;
    }
    node->name = TAKE(level->name);
    node->name_place = level->name_place;
    *(level->last ? &level->last->next : &level->node->first) = node;
    level->last = node;
    level->node->count++;
    return node;
}

static int on_open(struct reader *r, enum yaml_type type, const yaml_event_t *event)
{
    struct yaml_node *node = hang(r, type, event);
    if (!node)
        return -1;
    if (r->depth == CONFIG_DEPTH)
        return FAULT(r, node->place, "nested deeper than %d", CONFIG_DEPTH);
    r->levels[r->depth++] = (struct level){.node = node};
    return 0;
}

static int on_text(struct reader *r, const yaml_event_t *event)
{
    struct level *level = top(r);
    const char *text = copy_text(r, event);
    if (!text)
        return -1;
    if (is_key(level)) {
        level->name = text;
        level->name_place = place_of(&event->start_mark);
        return 0;
    }
    struct yaml_node *node = hang(r, YAML_TEXT, event);
    if (!node)
        return -1;
    node->text = text;
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    return 0;
}

/* By name, and where names are equal by place. */
static int compare_members(const void *a, const void *b)
{
    const struct yaml_node *x = *(const struct yaml_node *const *)a, *y = *(const struct yaml_node *const *)b;
    int order = strcmp(x->name, y->name);
    if (order == 0)
        order = x->name_place.line - y->name_place.line;
    return order ? order : x->name_place.column - y->name_place.column;
}

static void unhang(struct yaml_node *map, const struct yaml_node *member)
{
    struct yaml_node **at = &map->first;
    /* member is one of map's */
    while (*at != member) // NOLINT(clang-analyzer-core.NullDereference)
        at = &(*at)->next;
    *at = member->next;
    map->count--;
}

/* Sorted, because a file of one mapping may have tens of thousands of keys. The first of a name stays in the
 * tree. */
static int refuse_repeated(struct reader *r, struct yaml_node *map)
{
    if (map->type != YAML_MAP || map->count < 2)
        return 0;
    size_t count = map->count, i = 0;
    _cleanup_(cleanup_free) struct yaml_node **members = calloc(count, sizeof(struct yaml_node *));
    if (!members)
        return no_memory_at(r, map->place);
    for (struct yaml_node *at = map->first; at; at = at->next)
        members[i++] = at;
    qsort(members, count, sizeof(struct yaml_node *), compare_members);
    const struct yaml_node *first = members[0];
    for (i = 1; i < count; i++) {
        if (strcmp(first->name, members[i]->name) != 0) {
            first = members[i];
            continue;
        }
        FAULT(r, members[i]->name_place, "key `%.100s` is repeated; it stands at %.150s:%d:%d already",
              first->name, r->file, first->name_place.line, first->name_place.column);
        if (r->faults->total > FAULTS_MAX)
            return -1; /* nothing more would be kept, and each removal walks the mapping */
        unhang(map, members[i]);
    }
    return 0;
}

static int on_close(struct reader *r)
{
    struct yaml_node *node = r->levels[--r->depth].node;
    return refuse_repeated(r, node);
}

/* Says which of anchor and tag an event carries, which this reader does not take. */
static void refuse_extras(struct reader *r, const yaml_event_t *event)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;
    if (event->type == YAML_SCALAR_EVENT) {
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
    }
    if (anchor)
        FAULT(r, place_of(&event->start_mark), "anchors are not taken here: &%.60s", (const char *)anchor);
    if (tag)
        FAULT(r, place_of(&event->start_mark), "tags are not taken here: %.60s", (const char *)tag);
}

/* The alias becomes an empty text, so that the faults behind it are found too. */
static int on_alias(struct reader *r, const yaml_event_t *event)
{
    FAULT(r, place_of(&event->start_mark), "aliases are not taken here: *%.60s",
          (const char *)event->data.alias.anchor);
    struct level *level = top(r);
    if (is_key(level)) {
        level->name = "";
        level->name_place = place_of(&event->start_mark);
        return 0;
    }
    return hang(r, YAML_TEXT, event) ? 0 : -1;
}

/* 1: more; 0: the stream has ended; -1: a fault that ends the reading. */
static int on_event(struct reader *r, const yaml_event_t *event)
{
    refuse_extras(r, event);
    switch (event->type) {
    case YAML_STREAM_END_EVENT:
        return 0;
    case YAML_DOCUMENT_START_EVENT:
        return r->root ? FAULT(r, place_of(&event->start_mark), "a second document begins here; one is taken")
                       : 1;
    case YAML_MAPPING_START_EVENT:
        return on_open(r, YAML_MAP, event) < 0 ? -1 : 1;
    case YAML_SEQUENCE_START_EVENT:
        return on_open(r, YAML_LIST, event) < 0 ? -1 : 1;
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        return on_close(r) < 0 ? -1 : 1;
    case YAML_SCALAR_EVENT:
        return on_text(r, event) < 0 ? -1 : 1;
    case YAML_ALIAS_EVENT:
        return on_alias(r, event) < 0 ? -1 : 1;
    default:
        return 1;
    }
}

static int syntax_fault(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    const char *problem = p->problem ? p->problem : "not YAML";
    if (p->error == YAML_MEMORY_ERROR)
        return no_memory_at(r, place_of(&p->mark));
    if (p->context)
        return FAULT(r, place_of(&p->problem_mark), "%.120s, %.120s (line %zu)", problem, p->context,
                     p->context_mark.line + 1);
    return FAULT(r, place_of(&p->problem_mark), "%.120s", problem);
}

static int read_events(struct reader *r)
{
    for (;;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&r->parser, &event))
            return syntax_fault(r);
        int more = on_event(r, &event);
        yaml_event_delete(&event);
        if (more <= 0)
            return more;
    }
}

/* libyaml would guess UTF-16 from a byte order mark, and its own fault has no line for bad UTF-8. */
static int check_bytes(struct reader *r, struct bytes text)
{
    struct yaml_place at = {1, 1};
    if (text.len > CONFIG_MAX)
        return FAULT(r, at, "the file is larger than %lld KiB", CONFIG_MAX / KIB);
    size_t good = utf8_valid_until(text);
    if (good == text.len)
        return 0;
    for (size_t i = 0; i < good; i++) {
        if (text.data[i] == '\n')
            at = (struct yaml_place){at.line + 1, 1};
        else if (((unsigned char)text.data[i] & 0xc0) != 0x80)
            at.column++;
    }
    return FAULT(r, at, "the file is not UTF-8");
}

static struct yaml_node *empty_map(struct reader *r)
{
    struct yaml_node *map = arena_make(r->arena, struct yaml_node);
    if (map)
        *map = (struct yaml_node){.type = YAML_MAP, .place = {1, 1}, .text = ""};
    else
        no_memory_at(r, ((struct yaml_place){1, 1}));
    return map;
}

struct yaml_node *yaml_read(struct bytes text, const char *file, struct arena *arena, struct faults *faults)
{
    struct reader r = {.file = file, .arena = arena, .faults = faults};
    if (check_bytes(&r, text) < 0)
        return NULL;
    if (!yaml_parser_initialize(&r.parser)) {
        no_memory_at(&r, ((struct yaml_place){1, 1}));
        return NULL;
    }
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text.data, text.len);
    int rc = read_events(&r);
    yaml_parser_delete(&r.parser);
    if (rc < 0)
        return NULL;
    return r.root ? r.root : empty_map(&r);
}

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *name)
{
    if (!map || map->type != YAML_MAP)
        return NULL;
    for (const struct yaml_node *at = map->first; at; at = at->next) {
        if (strcmp(at->name, name) == 0)
            return at;
    }
    return NULL;
}
