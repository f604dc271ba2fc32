#include "aws/xml.h"

#include <expat.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/limits.h"

#define XML_DEPTH_MAX 32

struct reader {
    XML_Parser parser;
    struct arena *arena;
    struct xml_node *open[XML_DEPTH_MAX];
    struct xml_node *last[XML_DEPTH_MAX]; /* child of open[i] */
    struct buffer text[XML_DEPTH_MAX];
    unsigned depth;
    struct xml_node *root;
    const char *fault;
    bool no_memory;
};

static void stop(struct reader *reader, const char *fault)
{
    if (!reader->fault)
        reader->fault = fault;
    XML_StopParser(reader->parser, XML_FALSE);
}

static void on_start(void *arg, const XML_Char *name, const XML_Char **attributes)
{
    struct reader *reader = arg;
    const char *colon = strrchr(name, ':');
    struct xml_node *node = arena_make(reader->arena, struct xml_node);

    (void)attributes;
    if (reader->depth == XML_DEPTH_MAX) {
        stop(reader, "it is nested too deep");
        return;
    }
    if (node)
        node->name = arena_strdup(reader->arena, colon ? colon + 1 : name);
    if (!node || !node->name) {
        reader->no_memory = true;
        stop(reader, "it is too large");
        return;
    }
    node->text = "";
    if (reader->depth == 0) {
        reader->root = node;
    } else {
        unsigned parent = reader->depth - 1;
        if (reader->last[parent])
            reader->last[parent]->next = node;
        else
            reader->open[parent]->child = node;
        reader->last[parent] = node;
    }
    reader->open[reader->depth] = node;
    reader->last[reader->depth] = NULL;
    buffer_clear(&reader->text[reader->depth]);
    reader->depth++;
}

static void on_text(void *arg, const XML_Char *text, int len)
{
    struct reader *reader = arg;

    if (reader->depth > 0 && reader->depth <= XML_DEPTH_MAX)
        buffer_add(&reader->text[reader->depth - 1], text, (size_t)len);
}

static void on_end(void *arg, const XML_Char *name)
{
    struct reader *reader = arg;

    (void)name;
    if (reader->fault) /* expat still ends an empty element whose beginning was refused */
        return;
    struct buffer *text = &reader->text[--reader->depth];
    struct xml_node *node = reader->open[reader->depth];
    if (text->len == 0 && !text->failed)
        return;
    node->text_len = text->len;
    node->text = arena_strndup(reader->arena, text->data, text->len);
    if (!node->text || text->failed) {
        node->text = "";
        reader->no_memory = true;
        stop(reader, "it is too large");
    }
}

static void on_doctype(void *arg, const XML_Char *name, const XML_Char *system, const XML_Char *public,
                       int internal)
{
    (void)name;
    (void)system;
    (void)public;
    (void)internal;
    stop(arg, "it has a document type");
}

int xml_parse(struct bytes text, struct arena *arena, struct xml_node **ret_root, struct err *err)
{
    struct reader reader = {.arena = arena, .parser = XML_ParserCreate(NULL)};

    if (!reader.parser)
        return err_set(err, ERR_NO_MEMORY, "no memory to read xml");
    for (size_t i = 0; i < XML_DEPTH_MAX; i++)
        reader.text[i] = BUFFER_INIT((size_t)MIB);
    XML_SetUserData(reader.parser, &reader);
    XML_SetElementHandler(reader.parser, on_start, on_end);
    XML_SetCharacterDataHandler(reader.parser, on_text);
    XML_SetStartDoctypeDeclHandler(reader.parser, on_doctype);
    bool fits = text.data && text.len < (size_t)AWS_REPLY_MAX;
    if (!fits || XML_Parse(reader.parser, text.data, (int)text.len, 1) != XML_STATUS_OK) {
        if (!reader.fault)
            reader.fault =
                fits ? XML_ErrorString(XML_GetErrorCode(reader.parser)) : "it is empty or too large";
    }
    XML_ParserFree(reader.parser);
    for (size_t i = 0; i < XML_DEPTH_MAX; i++)
        buffer_done(&reader.text[i]);
    if (reader.fault)
        return err_set(err, reader.no_memory ? ERR_NO_MEMORY : ERR_AWS_LIED,
                       "the answer's xml cannot be read: %s", reader.fault);
    *ret_root = reader.root;
    return 0;
}

const struct xml_node *xml_child(const struct xml_node *node, const char *name)
{
    for (const struct xml_node *child = node ? node->child : NULL; child; child = child->next) {
        if (strcmp(child->name, name) == 0)
            return child;
    }
    return NULL;
}

const struct xml_node *xml_again(const struct xml_node *node)
{
    for (const struct xml_node *next = node->next; next; next = next->next) {
        if (strcmp(next->name, node->name) == 0)
            return next;
    }
    return NULL;
}

const char *xml_text(const struct xml_node *node, const char *name)
{
    const struct xml_node *child = xml_child(node, name);

    return child ? child->text : NULL;
}
