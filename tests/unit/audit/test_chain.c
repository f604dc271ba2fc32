#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "audit/actions.h"
#include "audit/chain.h"
#include "audit/row_json.h"
#include "audit/trail.h"
#include "base/cleanup.h"

#define ROWS 12
#define TRAIL_MAX (1 * MIB)

struct text_field {
    const char *name;
    size_t offset;
};
static const struct text_field text_fields[] = {
#define ROW(name, required) {#name, offsetof(struct audit_row, name)},
    AUDIT_FIELDS(ROW)
#undef ROW
};

static const char **field_at(struct audit_row *row, size_t i)
{
    return (const char **)((char *)row + text_fields[i].offset);
}

static struct audit_row row_at(int64_t seq)
{
    return (struct audit_row){
        .seq = seq,
        .ts_ms = 1900000000000 + seq * 7,
        .node = "n1",
        .actor = "a@x.org",
        .issuer = "https://idp",
        .action = "job.accepted",
        .object = "job/1",
        .environment = "production",
        .outcome = "ok",
        .request_id = "0190-r",
        .job_id = "0190-j",
        .plan_hash = "ab",
        .aws_request_id = "Q",
        .address = "192.0.2.1",
        .detail = "{ \"a\":1.0,\t\"b\" : \"\\u00e9\xc3\xa9\\n\" }",
    };
}

static void hash_row(struct audit_row *row)
{
    struct err err = ERR_INIT;

    assert_int_equal(audit_row_hash(row, row->hash, &err), 0);
}

/* A chain of rows that differ in which fields are absent, empty or filled. */
static void make_chain(struct audit_row *rows, size_t count, unsigned seed)
{
    srandom(seed);
    for (size_t i = 0; i < count; i++) {
        rows[i] = row_at((int64_t)i + 1);
        for (size_t k = 0; k < COUNT_OF(text_fields); k++) {
            static const char *const values[] = {NULL, "", "x", "\xf0\x9f\x94\x91 \" \\ \x01", "https://idp"};

            if (random() % 2 && k != 0 && k != 3 && k != 6 && k != 12)
                *field_at(&rows[i], k) = values[(size_t)random() % (k == 1 ? 4 : 5) + (k == 1)];
        }
        if (i > 0)
            memcpy(rows[i].prev_hash, rows[i - 1].hash, AUDIT_HASH_SIZE);
        hash_row(&rows[i]);
    }
}

/* AUDIT_SOUND, or the first fault; with the head that is known, when `head` is given. */
static enum audit_fault check(const struct audit_row *rows, size_t count, const struct audit_row *head,
                              int64_t *ret_seq)
{
    struct audit_check state;
    struct err err = ERR_INIT;
    int rc = 0;

    audit_check_begin(&state, "n1");
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = audit_check_row(&state, &rows[i], &err);
    if (rc == 0 && head)
        rc = audit_check_head(&state, head->seq, head->hash, &err);
    assert_int_equal(rc == 0, state.fault == AUDIT_SOUND);
    assert_int_equal(err.code, rc == 0 ? ERR_NONE : ERR_MISMATCH);
    *ret_seq = state.fault_seq;
    return state.fault;
}

/* The hash written down a second time, from its definition, byte by byte. */
static void test_the_hash_is_its_definition(void **state)
{
    struct audit_row row = row_at(0x0102030405060708);
    uint8_t data[4096], expected[AUDIT_HASH_SIZE];
    size_t len = 0;

    (void)state;
    row.issuer = NULL;
    row.object = "";
    memset(row.prev_hash, 0xab, sizeof(row.prev_hash));
    memcpy(data, "audit/v1\0\1\2\3\4\5\6\7\x08", 17);
    len = 17;
    for (int i = 7; i >= 0; i--)
        data[len++] = (uint8_t)((uint64_t)row.ts_ms >> (8 * i));
    const char *fields[] = {row.node,           row.actor,   NULL,           row.action, "",
                            row.environment,    row.outcome, row.request_id, row.job_id, row.plan_hash,
                            row.aws_request_id, row.address, row.detail};
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        size_t size = fields[i] ? strlen(fields[i]) : 0;

        memcpy(data + len, fields[i] ? (uint8_t[]){0, 0, 0, (uint8_t)size} : (uint8_t[]){255, 255, 255, 255},
               4);
        memcpy(data + len + 4, fields[i] ? fields[i] : "", size);
        len += 4 + size;
    }
    memset(data + len, 0xab, AUDIT_HASH_SIZE);
    len += AUDIT_HASH_SIZE;
    EVP_Digest(data, len, expected, NULL, EVP_sha256(), NULL);
    hash_row(&row);
    assert_memory_equal(row.hash, expected, AUDIT_HASH_SIZE);
}

static void test_every_field_counts_and_no_two_fields_can_trade_bytes(void **state)
{
    uint8_t seen[3 * COUNT_OF(text_fields) + 4][AUDIT_HASH_SIZE];
    size_t count = 0;
    struct audit_row base = row_at(5);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(text_fields); i++)
        *field_at(&base, i) = "v";
    for (size_t i = 0; i < COUNT_OF(text_fields); i++) {
        static const char *const values[] = {NULL, "", "vv"};

        for (size_t k = 0; k < COUNT_OF(values); k++) {
            struct audit_row row = base;

            *field_at(&row, i) = values[k];
            hash_row(&row);
            memcpy(seen[count++], row.hash, AUDIT_HASH_SIZE);
        }
    }
    for (int i = 0; i < 4; i++) {
        struct audit_row row = base;

        row.seq += i == 1;
        row.ts_ms += i == 2;
        row.prev_hash[31] = i == 3;
        hash_row(&row);
        memcpy(seen[count++], row.hash, AUDIT_HASH_SIZE);
    }
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(seen[i], seen[k], AUDIT_HASH_SIZE);
}

static void test_a_whole_chain_is_sound(void **state)
{
    struct audit_row rows[ROWS];
    int64_t seq;

    (void)state;
    for (unsigned seed = 0; seed < 50; seed++) {
        make_chain(rows, ROWS, seed);
        assert_int_equal(check(rows, ROWS, &rows[ROWS - 1], &seq), AUDIT_SOUND);
    }
}

static void test_any_edit_of_any_field_is_found_at_its_row(void **state)
{
    struct audit_row rows[ROWS];
    int64_t seq;

    (void)state;
    for (unsigned seed = 0; seed < 20; seed++) {
        for (size_t at = 0; at < ROWS; at++) {
            for (size_t i = 0; i < COUNT_OF(text_fields); i++) {
                make_chain(rows, ROWS, seed);
                const char **field = field_at(&rows[at], i);
                *field = *field ? (random() % 2 ? NULL : "edited") : "";
                enum audit_fault fault = check(rows, ROWS, NULL, &seq);
                assert_true(fault == AUDIT_FAULT_HASH || (i == 0 && fault == AUDIT_FAULT_NODE));
                assert_int_equal(seq, at + 1);
            }
            make_chain(rows, ROWS, seed);
            rows[at].ts_ms++;
            assert_int_equal(check(rows, ROWS, NULL, &seq), AUDIT_FAULT_HASH);
            make_chain(rows, ROWS, seed);
            rows[at].hash[random() % AUDIT_HASH_SIZE] ^= 1;
            assert_int_equal(check(rows, ROWS, NULL, &seq), AUDIT_FAULT_HASH);
            make_chain(rows, ROWS, seed);
            rows[at].prev_hash[random() % AUDIT_HASH_SIZE] ^= 1;
            assert_int_equal(check(rows, ROWS, NULL, &seq), AUDIT_FAULT_LINK);
            assert_int_equal(seq, at + 1);
        }
    }
}

static void test_an_edit_with_its_hash_made_anew_is_found_at_the_next_row(void **state)
{
    struct audit_row rows[ROWS], whole[ROWS];
    int64_t seq;

    (void)state;
    make_chain(whole, ROWS, 3);
    for (size_t at = 0; at < ROWS; at++) {
        memcpy(rows, whole, sizeof(rows));
        rows[at].actor = "somebody else";
        hash_row(&rows[at]);
        /* the last one has no next row: only a head that somebody kept finds it */
        assert_int_equal(check(rows, ROWS, NULL, &seq), at + 1 < ROWS ? AUDIT_FAULT_LINK : AUDIT_SOUND);
        assert_int_equal(check(rows, ROWS, &whole[ROWS - 1], &seq),
                         at + 1 < ROWS ? AUDIT_FAULT_LINK : AUDIT_FAULT_HEAD);
        if (at + 1 < ROWS)
            assert_int_equal(seq, at + 2);
        /* the rest written anew as well */
        for (size_t i = at + 1; i < ROWS; i++) {
            memcpy(rows[i].prev_hash, rows[i - 1].hash, AUDIT_HASH_SIZE);
            hash_row(&rows[i]);
        }
        assert_int_equal(check(rows, ROWS, &whole[ROWS - 1], &seq), AUDIT_FAULT_HEAD);
    }
}

static void test_any_deletion_insertion_and_swap_is_found(void **state)
{
    struct audit_row rows[ROWS + 1], whole[ROWS];
    int64_t seq;

    (void)state;
    for (unsigned seed = 0; seed < 20; seed++) {
        make_chain(whole, ROWS, seed);
        const struct audit_row *head = &whole[ROWS - 1];
        for (size_t a = 0; a < ROWS; a++) {
            /* deleted, as it is and with the rest renumbered */
            memcpy(rows, whole, sizeof(whole));
            memmove(&rows[a], &rows[a + 1], (ROWS - a - 1) * sizeof(*rows));
            assert_int_equal(check(rows, ROWS - 1, head, &seq),
                             a + 1 < ROWS ? AUDIT_FAULT_GAP : AUDIT_FAULT_HEAD);
            for (size_t i = a; i < ROWS - 1; i++)
                rows[i].seq--;
            assert_int_not_equal(check(rows, ROWS - 1, head, &seq), AUDIT_SOUND);
            /* inserted: a copy, and one with a hash of its own */
            memcpy(rows, whole, sizeof(whole));
            memmove(&rows[a + 1], &rows[a], (ROWS - a) * sizeof(*rows));
            assert_int_equal(check(rows, ROWS + 1, head, &seq), AUDIT_FAULT_REPEATED);
            rows[a].actor = "inserted";
            hash_row(&rows[a]);
            for (size_t i = a + 1; i <= ROWS; i++)
                rows[i].seq++;
            assert_int_not_equal(check(rows, ROWS + 1, head, &seq), AUDIT_SOUND);
            for (size_t b = 0; b < a; b++) {
                memcpy(rows, whole, sizeof(whole));
                rows[a] = whole[b];
                rows[b] = whole[a];
                assert_int_equal(check(rows, ROWS, head, &seq), AUDIT_FAULT_GAP);
                rows[a].seq = (int64_t)a + 1;
                rows[b].seq = (int64_t)b + 1;
                assert_int_not_equal(check(rows, ROWS, head, &seq), AUDIT_SOUND);
            }
        }
        for (size_t cut = 0; cut < ROWS; cut++)
            assert_int_equal(check(whole, cut, head, &seq), AUDIT_FAULT_HEAD);
        assert_int_equal(check(whole, ROWS, head, &seq), AUDIT_SOUND);
    }
}

static void test_a_check_can_begin_behind_a_kept_head_and_stays_failed(void **state)
{
    struct audit_row rows[ROWS];
    struct audit_check check_state;
    struct err err = ERR_INIT;

    (void)state;
    make_chain(rows, ROWS, 1);
    audit_check_begin_after(&check_state, "n1", 5, rows[4].hash);
    for (size_t i = 5; i < ROWS; i++)
        assert_int_equal(audit_check_row(&check_state, &rows[i], &err), 0);
    assert_int_equal(check_state.rows, ROWS - 5);
    for (int64_t seq = ROWS - 1; seq <= ROWS + 1; seq++) { /* a head is a hash at its own place */
        struct audit_check at_end = check_state;
        struct err none = ERR_INIT;
        assert_int_equal(audit_check_head(&at_end, seq, rows[ROWS - 1].hash, &none), seq == ROWS ? 0 : -1);
        assert_int_equal(at_end.fault, seq == ROWS ? AUDIT_SOUND : AUDIT_FAULT_HEAD);
    }
    audit_check_begin_after(&check_state, "n1", 5, rows[3].hash);
    assert_int_equal(audit_check_row(&check_state, &rows[5], &err), -1);
    assert_int_equal(check_state.fault, AUDIT_FAULT_LINK);
    assert_non_null(strstr(err.message, "n1/6"));
    memcpy(check_state.last_hash, rows[4].hash, AUDIT_HASH_SIZE); /* even when the row would be right now */
    assert_int_equal(audit_check_row(&check_state, &rows[5], &err), -1);
    assert_int_equal(audit_check_head(&check_state, 5, rows[4].hash, &err), -1);
    /* a row of another node that links as if it were one of this */
    struct audit_row foreign = rows[1];
    foreign.node = "n2";
    hash_row(&foreign);
    err = ERR_INIT;
    audit_check_begin(&check_state, "n1");
    assert_int_equal(audit_check_row(&check_state, &rows[0], &err), 0);
    assert_int_equal(audit_check_row(&check_state, &foreign, &err), -1);
    assert_int_equal(check_state.fault, AUDIT_FAULT_NODE);
    /* a part from row 1 on has to begin like a chain */
    struct audit_row first = rows[0];
    first.prev_hash[0] = 1;
    hash_row(&first);
    err = ERR_INIT;
    audit_check_begin_part(&check_state);
    assert_int_equal(audit_check_row(&check_state, &first, &err), -1);
    assert_int_equal(check_state.fault, AUDIT_FAULT_LINK);
}

/* -- frontier -- */

/* RFC 6962 section 2.1 as it stands there: split at the largest power of two below n. */
static void tree_hash(uint8_t (*leaves)[AUDIT_HASH_SIZE], size_t n, uint8_t *out)
{
    uint8_t data[1 + 2 * AUDIT_HASH_SIZE];
    size_t k = 1;

    if (n == 1) {
        data[0] = 0;
        memcpy(data + 1, leaves[0], AUDIT_HASH_SIZE);
        EVP_Digest(data, 1 + AUDIT_HASH_SIZE, out, NULL, EVP_sha256(), NULL);
        return;
    }
    while (2 * k < n)
        k *= 2;
    data[0] = 1;
    tree_hash(leaves, k, data + 1);
    tree_hash(leaves + k, n - k, data + 1 + AUDIT_HASH_SIZE);
    EVP_Digest(data, sizeof(data), out, NULL, EVP_sha256(), NULL);
}

static void test_the_frontier_has_the_root_of_rfc_6962_at_every_size(void **state)
{
    static uint8_t leaves[200][AUDIT_HASH_SIZE];
    struct audit_frontier frontier;
    uint8_t root[AUDIT_HASH_SIZE], expected[AUDIT_HASH_SIZE], packed[AUDIT_FRONTIER_BYTES];
    struct err err = ERR_INIT;

    (void)state;
    audit_frontier_init(&frontier);
    assert_int_equal(audit_frontier_root(&frontier, root, &err), 0);
    EVP_Digest("", 0, expected, NULL, EVP_sha256(), NULL);
    assert_memory_equal(root, expected, sizeof(root));
    for (size_t n = 1; n <= COUNT_OF(leaves); n++) {
        memset(leaves[n - 1], (int)n, AUDIT_HASH_SIZE);
        assert_int_equal(audit_frontier_add(&frontier, leaves[n - 1], &err), 0);
        assert_int_equal(audit_frontier_root(&frontier, root, &err), 0);
        tree_hash(leaves, n, expected);
        assert_memory_equal(root, expected, sizeof(root));
        /* the store's form brings the same back */
        size_t len = audit_frontier_pack(&frontier, packed);
        struct audit_frontier again;
        assert_int_equal(len, 8 + 32 * (size_t)__builtin_popcountll(n));
        assert_int_equal(audit_frontier_unpack((struct bytes){(char *)packed, len}, &again, &err), 0);
        frontier = again;
    }
    assert_int_equal(audit_frontier_unpack((struct bytes){(char *)packed, 7}, &frontier, &err), -1);
    assert_int_equal(err.code, ERR_STORE_CORRUPT);
    packed[7] ^= 1;
    assert_int_equal(audit_frontier_unpack((struct bytes){(char *)packed, 8 + 32 * 3}, &frontier, &err), -1);
    packed[0] = 0xff;
    assert_int_equal(audit_frontier_unpack((struct bytes){(char *)packed, sizeof(packed)}, &frontier, &err),
                     -1);
}

/* -- JSON -- */

static void write_row(struct buffer *out, const struct audit_row *row)
{
    struct json_writer w;

    json_put_begin(&w, out);
    audit_row_write(&w, NULL, row);
    buffer_add_char(out, '\n');
}

static void test_a_row_comes_back_from_json_with_the_same_hash(void **state)
{
    struct audit_row rows[ROWS];

    (void)state;
    for (unsigned seed = 0; seed < 50; seed++) {
        make_chain(rows, ROWS, seed);
        rows[0].ts_ms = 0;
        hash_row(&rows[0]);
        for (size_t i = 0; i < ROWS; i++) {
            struct buffer out = BUFFER_INIT(TRAIL_MAX);
            struct arena *arena = arena_new(1 * MIB);
            struct audit_row back;
            struct err err = ERR_INIT;

            write_row(&out, &rows[i]);
            if (audit_row_parse(buffer_bytes(&out), arena, &back, &err) < 0)
                fail_msg("%s: %s", err.message, out.data);
            assert_memory_equal(back.hash, rows[i].hash, AUDIT_HASH_SIZE);
            for (size_t k = 0; k < COUNT_OF(text_fields); k++)
                assert_true(str_is(*field_at(&back, k), *field_at(&rows[i], k)));
            hash_row(&back);
            assert_memory_equal(back.hash, rows[i].hash, AUDIT_HASH_SIZE);
            arena_free(arena);
            buffer_done(&out);
        }
    }
}

static void test_json_that_is_no_row_is_refused(void **state)
{
    struct audit_row row = row_at(1);
    struct buffer out = BUFFER_INIT(TRAIL_MAX);

    (void)state;
    hash_row(&row);
    write_row(&out, &row);
    json_t *whole = json_loads(out.data, 0, NULL);
    const char *name;
    json_t *value;
    json_object_foreach(whole, name, value) {
        for (int i = 0; i < 4; i++) { /* absent, of another type, cut, one more */
            json_t *changed = json_copy(whole);

            if (i == 0)
                json_object_del(changed, name);
            else if (i == 1)
                json_object_set_new(changed, name, json_pack("[b]", 1));
            else if (i == 2)
                json_object_set_new(changed, "more", json_null());
            else if (strcmp(name, "hash") == 0 || strcmp(name, "prev_hash") == 0 || strcmp(name, "at") == 0)
                json_object_set_new(changed, name, json_string("00"));
            else {
                json_decref(changed);
                continue;
            }
            char *text = json_dumps(changed, 0);
            struct arena *arena = arena_new(1 * MIB);
            struct audit_row back;
            struct err err = ERR_INIT;
            assert_int_equal(audit_row_parse(bytes_of(text), arena, &back, &err), -1);
            arena_free(arena);
            free(text);
            json_decref(changed);
        }
    }
    json_decref(whole);
    buffer_done(&out);
}

static int verify(struct buffer *text, struct audit_trail_report *report, struct err *err)
{
    struct arena *arena = arena_new(4 * MIB);

    *err = ERR_INIT;
    int rc = audit_trail_verify(buffer_bytes(text), arena, report, err);
    arena_free(arena); /* the nodes' names are not used below */
    return rc;
}

static void test_a_saved_trail_is_verified_in_any_order_and_for_each_node(void **state)
{
    struct audit_row rows[2][ROWS];
    struct audit_trail_report report;
    struct buffer text = BUFFER_INIT(TRAIL_MAX);
    struct err err;

    (void)state;
    make_chain(rows[0], ROWS, 1);
    for (size_t i = 0; i < ROWS; i++) {
        rows[1][i] = rows[0][i];
        rows[1][i].node = "n2";
        if (i > 0)
            memcpy(rows[1][i].prev_hash, rows[1][i - 1].hash, AUDIT_HASH_SIZE);
        hash_row(&rows[1][i]);
    }
    assert_int_equal(verify(&text, &report, &err), 0);
    assert_int_equal(report.node_count, 0);
    for (size_t i = ROWS;
         i-- > 0;) { /* newest first, two nodes in turn, without the first three of the second */
        write_row(&text, &rows[0][i]);
        if (i >= 3)
            write_row(&text, &rows[1][i]);
        buffer_add_str(&text, "\r\n\n");
    }
    if (verify(&text, &report, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(report.node_count, 2);
    assert_int_equal(report.nodes[0].rows, ROWS);
    assert_int_equal(report.nodes[0].first_seq, 1);
    assert_int_equal(report.nodes[0].last_seq, ROWS);
    assert_memory_equal(report.nodes[0].head, rows[0][ROWS - 1].hash, AUDIT_HASH_SIZE);
    assert_int_equal(report.nodes[1].first_seq, 4);
    /* the same row again; a line that is none */
    struct buffer copy = BUFFER_INIT(TRAIL_MAX);
    buffer_add_bytes(&copy, buffer_bytes(&text));
    write_row(&copy, &rows[0][4]);
    assert_int_equal(verify(&copy, &report, &err), -1);
    assert_int_equal(err.code, ERR_MISMATCH);
    buffer_add_str(&text, "{}\n");
    assert_int_equal(verify(&text, &report, &err), -1);
    assert_non_null(strstr(err.message, "line"));
    buffer_done(&copy);
    buffer_done(&text);
}

static void test_no_byte_of_a_saved_trail_can_change_what_it_says(void **state)
{
    struct audit_row rows[3];
    struct audit_trail_report report;
    struct buffer text = BUFFER_INIT(TRAIL_MAX);
    struct err err;

    (void)state;
    make_chain(rows, 3, 2);
    for (size_t i = 0; i < 3; i++)
        write_row(&text, &rows[i]);
    assert_int_equal(verify(&text, &report, &err), 0);
    for (size_t i = 0; i + 1 < text.len; i++) {
        char was = text.data[i];

        /* another letter or digit: case of hex digits apart, nothing may still verify */
        text.data[i] = was == 'q' ? 'z' : 'q';
        if (verify(&text, &report, &err) == 0)
            fail_msg("byte %zu of %s", i, text.data);
        text.data[i] = was;
    }
    buffer_done(&text);
}

/* -- the table -- */

static void test_each_action_has_one_word_and_its_outcomes(void **state)
{
    (void)state;
    for (unsigned i = 0; i < AUDIT_ACTION_COUNT; i++) {
        const struct audit_action_info *info = audit_action_info(i);
        enum audit_action back;

        assert_true(audit_action_by_word(info->word, &back));
        assert_int_equal(back, i); /* no word twice */
        assert_non_null(strchr(info->word, '.'));
        assert_true(*info->outcomes && *info->meaning);
        assert_false(audit_outcome_fits(info->word, "nonsense"));
        assert_false(audit_outcome_fits(info->word, NULL));
    }
    assert_true(audit_outcome_fits("job.finished", "partial"));
    assert_false(audit_outcome_fits("job.finished", "succeeded partial"));
    assert_false(audit_outcome_fits("job.unheard", "ok"));
    assert_null(audit_action_info(AUDIT_ACTION_COUNT));
}

static void test_a_row_that_json_could_not_carry_is_refused_before_it_is_written(void **state)
{
    struct audit_row good = row_at(1);
    struct err err = ERR_INIT;

    (void)state;
    if (audit_row_sound(&good, &err) < 0)
        fail_msg("%s", err.message);
    struct audit_row bad[11];
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        bad[i] = good;
    bad[0].seq = 0;
    bad[1].ts_ms = -1;
    bad[2].node = NULL;
    bad[3].actor = NULL;
    bad[4].action = "job.unheard";
    bad[5].outcome = "nonsense";
    bad[6].object = "\xff";
    bad[7].detail = "[1]";
    bad[8].detail = "{\"a\":1,}";
    bad[9].detail = "{} ";
    bad[9].outcome = NULL;
    bad[10].detail = "";
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        err = ERR_INIT;
        assert_int_equal(audit_row_sound(&bad[i], &err), -1);
        assert_int_equal(err.code, ERR_INTERNAL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_hash_is_its_definition),
        cmocka_unit_test(test_every_field_counts_and_no_two_fields_can_trade_bytes),
        cmocka_unit_test(test_a_whole_chain_is_sound),
        cmocka_unit_test(test_any_edit_of_any_field_is_found_at_its_row),
        cmocka_unit_test(test_an_edit_with_its_hash_made_anew_is_found_at_the_next_row),
        cmocka_unit_test(test_any_deletion_insertion_and_swap_is_found),
        cmocka_unit_test(test_a_check_can_begin_behind_a_kept_head_and_stays_failed),
        cmocka_unit_test(test_the_frontier_has_the_root_of_rfc_6962_at_every_size),
        cmocka_unit_test(test_a_row_comes_back_from_json_with_the_same_hash),
        cmocka_unit_test(test_json_that_is_no_row_is_refused),
        cmocka_unit_test(test_a_saved_trail_is_verified_in_any_order_and_for_each_node),
        cmocka_unit_test(test_no_byte_of_a_saved_trail_can_change_what_it_says),
        cmocka_unit_test(test_each_action_has_one_word_and_its_outcomes),
        cmocka_unit_test(test_a_row_that_json_could_not_carry_is_refused_before_it_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
