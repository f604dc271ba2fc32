/* XML answers: a tree no deeper than its limit, texts that are UTF-8 and end where they say. */
#include "tests/fuzz/fuzz.h"

#include "aws/xml.h"

static void judge_node(const struct xml_node *node, unsigned depth)
{
    HOLDS(depth <= 32 && node->name && node->text && strlen(node->text) == node->text_len);
    HOLDS(!strchr(node->name, ':'));
    HOLDS(utf8_valid_until((struct bytes){node->text, node->text_len}) == node->text_len);
    for (const struct xml_node *child = node->child; child; child = child->next) {
        const struct xml_node *first = xml_child(node, child->name);

        HOLDS(first && strcmp(first->name, child->name) == 0 && xml_text(node, child->name) == first->text);
        HOLDS(!xml_again(child) || strcmp(xml_again(child)->name, child->name) == 0);
        judge_node(child, depth + 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_(arena_free_p) struct arena *arena = arena_new((size_t)(256 * KIB));
    struct err err = ERR_INIT;
    struct xml_node *root;
    int rc = xml_parse((struct bytes){(const char *)data, size}, arena, &root, &err);

    judge(rc, &err);
    HOLDS(rc == 0 || err.code == ERR_AWS_LIED || err.code == ERR_NO_MEMORY);
    if (rc == 0)
        judge_node(root, 1);
    return 0;
}
