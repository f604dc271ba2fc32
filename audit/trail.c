#include "audit/trail.h"

#include <stdlib.h>

#include "audit/row_json.h"

struct trail {
    struct audit_row *rows;
    size_t count;
};

static int by_node_and_seq(const void *a, const void *b)
{
    const struct audit_row *left = a, *right = b;
    int order = strcmp(left->node, right->node);

    return order ? order : (left->seq > right->seq) - (left->seq < right->seq);
}

static size_t count_lines(struct bytes text)
{
    size_t count = 1;

    for (size_t i = 0; i < text.len; i++)
        count += text.data[i] == '\n';
    return count;
}

static int read_lines(struct bytes text, struct arena *arena, struct trail *trail, struct err *err)
{
    const char *end = text.data + text.len;
    size_t line = 0;

    trail->rows = arena_array(arena, struct audit_row, count_lines(text));
    if (!trail->rows)
        return err_set(err, ERR_NO_MEMORY, "no memory for an audit trail of %zu bytes", text.len);
    for (const char *at = text.data; at < end;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        struct bytes json = {at, (size_t)((newline ? newline : end) - at)};

        line++;
        if (json.len > 0 && json.data[json.len - 1] == '\r')
            json.len--;
        if (json.len > 0 && audit_row_parse(json, arena, &trail->rows[trail->count++], err) < 0)
            return err_wrap(err, "line %zu", line);
        at = newline ? newline + 1 : end;
    }
    return 0;
}

static int verify_node(const struct trail *trail, size_t *index, struct audit_node_report *report,
                       struct err *err)
{
    const struct audit_row *first = &trail->rows[*index];
    struct audit_check check;

    audit_check_begin_part(&check);
    for (; *index < trail->count && strcmp(trail->rows[*index].node, first->node) == 0; ++*index)
        if (audit_check_row(&check, &trail->rows[*index], err) < 0)
            return -1;
    *report = (struct audit_node_report){first->node, first->seq, check.next_seq - 1, check.rows, {0}};
    memcpy(report->head, check.last_hash, AUDIT_HASH_SIZE);
    return 0;
}

int audit_trail_verify(struct bytes ndjson, struct arena *arena, struct audit_trail_report *ret_report,
                       struct err *err)
{
    struct audit_trail_report *report = arena_make(arena, struct audit_trail_report);
    struct trail trail = {0};

    if (!report)
        return err_set(err, ERR_NO_MEMORY, "no memory for an audit trail");
    if (read_lines(ndjson, arena, &trail, err) < 0)
        return -1;
    qsort(trail.rows, trail.count, sizeof(*trail.rows), by_node_and_seq);
    for (size_t i = 0; i < trail.count;) {
        if (report->node_count == AUDIT_NODES_MAX)
            return err_set(err, ERR_LIMIT_EXCEEDED, "rows of more than %d nodes", AUDIT_NODES_MAX);
        if (verify_node(&trail, &i, &report->nodes[report->node_count++], err) < 0)
            return -1;
    }
    *ret_report = *report;
    return 0;
}
