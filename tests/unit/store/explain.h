/* What SQLite plans for every statement that a test has run on the writer: no big table is walked from end to
 * end. */
#pragma once
#include "tests/unit/store/fixture.h"

#include "store/sqlite/backend.h"

static inline void assert_plan(sqlite3 *db, const char *sql, size_t *ret_lines)
{
    char *explain = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sql);
    bool walk = strstr(sql, "key > ?1 AND key < ?2") != NULL;
    sqlite3_stmt *statement = NULL;

    assert_int_equal(sqlite3_prepare_v2(db, explain, -1, &statement, NULL), SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        const char *line = (const char *)sqlite3_column_text(statement, 3);

        (*ret_lines)++;
        /* a whole index may be walked where it holds only the rows that are wanted, or in the order that is
         * wanted */
        if (strncmp(line, "SCAN ", 5) == 0 && strcmp(line, "SCAN CONSTANT ROW") != 0 &&
            strcmp(line, "SCAN g") != 0 &&
            (walk || (!strstr(line, " USING ") && !strstr(line, "audit_node"))))
            fail_msg("%s: %s", line, sql);
        /* the value is looked up in its own index; a range of keys alone would walk past every other row */
        if (walk && (strstr(line, "TEMP B-TREE") || (strstr(sql, "= ?3") && !strstr(line, "=? AND rowid>?"))))
            fail_msg("%s: %s", line, sql);
    }
    sqlite3_finalize(statement);
    sqlite3_free(explain);
}

/* Returns how many lines of plans were looked at, so that a test can say that there were some. */
static inline size_t assert_plans(struct fixture *f)
{
    struct session session;
    size_t lines = 0;

    session_begin_on(&session, f->store, false);
    struct connection *connection = session.tx->connection;
    for (size_t i = 0; i < STATEMENT_SLOTS; i++)
        for (struct statement *statement = connection->slots[i]; statement; statement = statement->next)
            assert_plan(connection->db, statement->sql, &lines);
    session_end_on(&session, 0);
    return lines;
}

/* The teardown of the conformance tests. */
static inline int checked_down(void **state)
{
    struct fixture *f = *state;

    if (f->session.open) /* an assert has left it: the writer waits */
        session_end_on(&f->session, -1);
    if (f->store && str_starts(f->url, "sqlite:"))
        assert_true(assert_plans(f) > 0);
    return fixture_down(state);
}
