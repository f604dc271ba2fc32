/* Rows that the server appends to its chain. */
#include "tests/unit/store/fixture.h"

#include "audit/chain.h"
#include "audit/log.h"
#include "store/query.h"

static int append_fn(struct tx *tx, void *ctx, struct err *err)
{
    struct audit_entry entry = audit_entry_by(NULL, AUDIT_SERVER_STARTED, "ok");

    (void)ctx;
    return tx_audit(tx, "n1", &entry, err);
}

static int delete_last_fn(struct tx *tx, void *ctx, struct err *err)
{
    static const char sql[] = "DELETE FROM audit WHERE key = (SELECT max(key) FROM audit)";

    (void)ctx;
    return query_run(tx, sql, NO_VALUES, err);
}

static int delete_first_fn(struct tx *tx, void *ctx, struct err *err)
{
    static const char sql[] = "DELETE FROM audit WHERE key = (SELECT min(key) FROM audit)";

    (void)ctx;
    return query_run(tx, sql, NO_VALUES, err);
}

static void rows_follow_each_other_and_their_frontier_counts_them(void **state)
{
    struct fixture *f = *state;
    struct audit_head head;
    struct audit_frontier frontier;
    struct tx *tx;

    for (int i = 0; i < 5; i++)
        ok(store_tx(f->store, "test", append_fn, NULL, &f->err));
    tx = begin(f);
    ok(tx_audit_head(tx, "n1", f->arena, &head, &f->err));
    assert_int_equal(head.seq, 5);
    ok(audit_frontier_unpack(head.frontier, &frontier, &f->err));
    assert_int_equal(frontier.size, 5);
    commit(f);
}

static void a_chain_whose_end_is_gone_is_not_written_on(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 3; i++)
        ok(store_tx(f->store, "test", append_fn, NULL, &f->err));
    ok(store_tx(f->store, "test", delete_first_fn, NULL, &f->err)); /* as when old rows are put away */
    ok(store_tx(f->store, "test", append_fn, NULL, &f->err));
    ok(store_tx(f->store, "test", delete_last_fn, NULL, &f->err));
    refused(STORE_CORRUPT, store_tx(f->store, "test", append_fn, NULL, &f->err));
    for (int i = 0; i < 2; i++) /* all of them: as if nothing had ever been */
        ok(store_tx(f->store, "test", delete_last_fn, NULL, &f->err));
    refused(STORE_CORRUPT, store_tx(f->store, "test", append_fn, NULL, &f->err));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_up, fixture_down)
    const struct CMUnitTest tests[] = {
        TEST(rows_follow_each_other_and_their_frontier_counts_them),
        TEST(a_chain_whose_end_is_gone_is_not_written_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
