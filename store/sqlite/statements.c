/* Prepared statements, kept per connection and found by the address of their text. */
#include "store/sqlite/backend.h"

#include <stdint.h>
#include <stdlib.h>

static struct statement **slot_of(struct connection *connection, const char *sql)
{
    uint64_t mixed = (uint64_t)(uintptr_t)sql * 0x9e3779b97f4a7c15;

    return &connection->slots[(mixed >> 32) % STATEMENT_SLOTS];
}

static struct statement *prepare(struct connection *connection, const char *sql, struct err *err)
{
    struct statement **slot = slot_of(connection, sql);
    struct statement *statement;
    int rc, alike = 0;

    for (statement = *slot; statement; statement = statement->next) {
        if (statement->sql == sql && !statement->busy)
            return statement;
        alike += statement->sql == sql;
    }
    statement = calloc(1, sizeof(*statement));
    if (!statement) {
        err_set(err, ERR_NO_MEMORY, "no memory for a statement");
        return NULL;
    }
    rc = sqlite3_prepare_v3(connection->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement->prepared, NULL);
    if (rc != SQLITE_OK) {
        sqlite_fail(connection->db, rc, err);
        free(statement);
        return NULL;
    }
    statement->sql = sql;
    statement->extra = alike >= STORE_STATEMENTS_ALIKE;
    statement->next = *slot;
    *slot = statement;
    return statement;
}

static int bind(sqlite3_stmt *prepared, int at, const struct value *value)
{
    switch (value->type) {
    case VALUE_NULL:
        return sqlite3_bind_null(prepared, at);
    case VALUE_INT:
        return sqlite3_bind_int64(prepared, at, value->integer);
    case VALUE_REAL:
        return sqlite3_bind_double(prepared, at, value->real);
    case VALUE_TEXT:
        return sqlite3_bind_text64(prepared, at, value->bytes.data, value->bytes.len, SQLITE_STATIC,
                                   SQLITE_UTF8);
    case VALUE_BLOB:
        return sqlite3_bind_blob64(prepared, at, value->bytes.data, value->bytes.len, SQLITE_STATIC);
    }
    return SQLITE_MISUSE;
}

int statement_begin(struct tx *tx, const char *sql, const struct value *values, size_t count,
                    void **ret_statement, struct err *err)
{
    struct connection *connection = tx->connection;
    struct statement *statement = prepare(connection, sql, err);
    int rc;

    if (!statement)
        return -1;
    for (size_t i = 0; i < count; i++) {
        rc = bind(statement->prepared, (int)i + 1, &values[i]);
        if (rc != SQLITE_OK) {
            sqlite3_clear_bindings(statement->prepared);
            return sqlite_fail(connection->db, rc, err);
        }
    }
    statement->busy = true;
    *ret_statement = statement;
    return 0;
}

int statement_next(struct tx *tx, void *statement, struct err *err)
{
    struct connection *connection = tx->connection;
    int rc = sqlite3_step(((struct statement *)statement)->prepared);

    if (rc == SQLITE_ROW)
        return 1;
    return rc == SQLITE_DONE ? 0 : sqlite_fail(connection->db, rc, err);
}

static struct bytes bytes_at(const void *data, int len)
{
    return (struct bytes){data ? data : "", (size_t)len}; /* SQLite has no address for an empty blob */
}

/* Looked up once: sqlite3_column_int64 and its like look up, lock and check each time. A connection is one
 * thread's at a time (NOMUTEX), and there SQLite's manual allows this use of an unprotected value. */
struct value statement_column(void *statement, int column)
{
    sqlite3_value *found = sqlite3_column_value(((struct statement *)statement)->prepared, column);
    struct value value = {.type = VALUE_NULL};

    switch (sqlite3_value_type(found)) {
    case SQLITE_INTEGER:
        value.type = VALUE_INT;
        value.integer = sqlite3_value_int64(found);
        break;
    case SQLITE_FLOAT:
        value.type = VALUE_REAL;
        value.real = sqlite3_value_double(found);
        break;
    case SQLITE_TEXT:
        value.type = VALUE_TEXT;
        value.bytes = bytes_at(sqlite3_value_text(found), sqlite3_value_bytes(found));
        break;
    case SQLITE_BLOB:
        value.type = VALUE_BLOB;
        value.bytes = bytes_at(sqlite3_value_blob(found), sqlite3_value_bytes(found));
        break;
    }
    return value;
}

int64_t statement_changes(struct tx *tx)
{
    return sqlite3_changes64(((struct connection *)tx->connection)->db);
}

/* A list with many values in its filter has as many walks of one text open: memory of a moment, not for good.
 */
static void drop(struct connection *connection, struct statement *statement)
{
    struct statement **at = slot_of(connection, statement->sql);

    while (*at != statement)
        at = &(*at)->next;
    *at = statement->next;
    sqlite3_finalize(statement->prepared);
    free(statement);
}

void statement_done(struct tx *tx, void *statement)
{
    struct statement *done = statement;

    sqlite3_reset(done->prepared); /* its error was told by the step that had it */
    if (done->extra) {
        drop(tx->connection, done);
        return;
    }
    sqlite3_clear_bindings(done->prepared);
    done->busy = false;
}

void statements_free(struct connection *connection)
{
    for (size_t i = 0; i < STATEMENT_SLOTS; i++) {
        struct statement *next;

        for (struct statement *statement = connection->slots[i]; statement; statement = next) {
            next = statement->next;
            sqlite3_finalize(statement->prepared);
            free(statement);
        }
        connection->slots[i] = NULL;
    }
}
