/* Saved audit trails. One that verifies says the same of itself when its rows are written again; one that we
 * make verifies, and does not once a row is lost from its middle, changed or repeated. */
#include "tests/fuzz/fuzz.h"

#include "audit/actions.h"
#include "audit/row_json.h"
#include "audit/trail.h"

static int verify(struct bytes text, struct audit_trail_report *report)
{
    _cleanup_(arena_free_p) struct arena *arena = big_arena();
    struct err err = ERR_INIT;
    char *copy = exact_copy(text);
    int rc = audit_trail_verify((struct bytes){copy, text.len}, arena, report, &err);

    judge(rc, &err);
    for (size_t i = 0; rc == 0 && i < report->node_count; i++) {
        HOLDS(report->nodes[i].rows > 0);
        HOLDS((uint64_t)report->nodes[i].last_seq - (uint64_t)report->nodes[i].first_seq + 1 ==
              report->nodes[i].rows);
        report->nodes[i].node = NULL; /* it was the arena's */
    }
    free(copy);
    return rc;
}

static void write_row(struct buffer *out, const struct audit_row *row)
{
    struct json_writer w;

    json_put_begin(&w, out);
    audit_row_write(&w, NULL, row);
    buffer_add_char(out, '\n');
}

static void judge_text(struct bytes text)
{
    _cleanup_(arena_free_p) struct arena *arena = big_arena();
    _cleanup_(buffer_done) struct buffer out = BUFFER_INIT((size_t)(4 * MIB));
    struct input in = {(const uint8_t *)text.data, text.len};
    struct audit_trail_report report, again;
    struct err err = ERR_INIT;

    if (verify(text, &report) < 0)
        return;
    while (in.left > 0) {
        struct bytes line = input_line(&in);
        struct audit_row row;

        if (line.len > 0 && line.data[line.len - 1] == '\r')
            line.len--;
        if (line.len == 0)
            continue;
        HOLDS(audit_row_parse(line, arena, &row, &err) == 0);
        write_row(&out, &row);
    }
    HOLDS(!out.failed && verify(buffer_bytes(&out), &again) == 0 && again.node_count == report.node_count);
    for (size_t i = 0; i < report.node_count; i++)
        HOLDS(memcmp(&report.nodes[i], &again.nodes[i], sizeof report.nodes[i]) == 0);
}

#define ROWS 6

/* A chain of rows whose texts are the input's. */
static void make_rows(struct input *in, struct arena *arena, struct audit_row rows[ROWS])
{
    uint8_t last[AUDIT_HASH_SIZE] = {0};
    struct err err = ERR_INIT;

    for (int i = 0; i < ROWS; i++) {
        struct audit_row *row = &rows[i];
        struct bytes text = input_line(in);

        if (text.len > 512 || utf8_valid_until(text) < text.len ||
            (text.len && memchr(text.data, '\0', text.len)))
            text = BYTES("text");
        *row = (struct audit_row){.seq = i + 1,
                                  .ts_ms = 1700000000000 + i,
                                  .node = "n1",
                                  .actor = "alice",
                                  .action = audit_action_info(AUDIT_JOB_ACCEPTED)->word,
                                  .outcome = "ok"};
        row->object = arena_strndup(arena, text.data ? text.data : "", text.len);
        row->address = i % 2 ? "" : NULL;
        row->detail = "{\"a\":1}";
        memcpy(row->prev_hash, last, sizeof last);
        HOLDS(audit_row_hash(row, row->hash, &err) == 0 && audit_row_sound(row, &err) == 0);
        memcpy(last, row->hash, sizeof last);
    }
}

static int verify_rows(const struct audit_row *rows, int without, int twice)
{
    _cleanup_(buffer_done) struct buffer out = BUFFER_INIT((size_t)(4 * MIB));
    struct audit_trail_report report;

    for (int i = ROWS - 1; i >= 0; i--) { /* newest first, as the API gives it */
        if (i != without)
            write_row(&out, &rows[i]);
        if (i == twice)
            write_row(&out, &rows[i]);
    }
    return verify(buffer_bytes(&out), &report);
}

static void judge_made(struct input *in)
{
    _cleanup_(arena_free_p) struct arena *arena = big_arena();
    unsigned which = input_byte(in) % ROWS, field = input_byte(in) % 6,
             byte = input_byte(in) % AUDIT_HASH_SIZE;
    struct audit_row rows[ROWS];

    make_rows(in, arena, rows);
    HOLDS(verify_rows(rows, -1, -1) == 0);
    HOLDS(verify_rows(rows, -1, (int)which) < 0);
    HOLDS((verify_rows(rows, (int)which, -1) < 0) ==
          (which > 0 && which < ROWS - 1)); /* an end may be missing */
    struct audit_row *row = &rows[which];
    if (field == 0)
        row->object = arena_printf(arena, "%s!", row->object);
    else if (field == 1)
        row->address = row->address ? NULL : "";
    else if (field == 2)
        row->detail = "{\"a\": 1}";
    else if (field == 3)
        row->ts_ms++;
    else if (field == 4)
        row->hash[byte] ^= 1;
    else
        row->prev_hash[byte] ^= 1;
    HOLDS(verify_rows(rows, -1, -1) < 0);
}

static void judge_frontier(struct bytes data)
{
    uint8_t packed[AUDIT_FRONTIER_BYTES], root[AUDIT_HASH_SIZE];
    struct audit_frontier frontier;
    struct err err = ERR_INIT;
    int rc = audit_frontier_unpack(data, &frontier, &err);

    judge(rc, &err);
    if (rc < 0)
        return;
    HOLDS(audit_frontier_pack(&frontier, packed) == data.len && memcmp(packed, data.data, data.len) == 0);
    audit_frontier_root(&frontier, root, &err);
    struct err full = ERR_INIT;
    audit_frontier_add(&frontier, root, &full);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    unsigned what = input_byte(&in);

    if (what % 4 == 0)
        judge_made(&in);
    else if (what % 4 == 1)
        judge_frontier(input_rest(&in));
    else
        judge_text(input_rest(&in));
    return 0;
}
