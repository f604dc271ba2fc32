#include "store/sqlite/backend.h"

#include <stdio.h>

static const struct {
    int rc; /* primary code */
    enum err_code code;
} codes[] = {
    {SQLITE_FULL, ERR_STORE_FULL},
    {SQLITE_CORRUPT, ERR_STORE_CORRUPT},
    {SQLITE_NOTADB, ERR_STORE_CORRUPT},
    {SQLITE_NOMEM, ERR_NO_MEMORY},
    {SQLITE_IOERR, ERR_STORE_UNAVAILABLE},
    {SQLITE_CANTOPEN, ERR_STORE_UNAVAILABLE},
    {SQLITE_BUSY, ERR_STORE_UNAVAILABLE},
    {SQLITE_LOCKED, ERR_STORE_UNAVAILABLE},
    {SQLITE_PROTOCOL, ERR_STORE_UNAVAILABLE},
    {SQLITE_PERM, ERR_STORE_UNAVAILABLE},
    {SQLITE_READONLY, ERR_STORE_UNAVAILABLE},
    {SQLITE_TOOBIG, ERR_LIMIT_EXCEEDED},
};

static enum err_code code_of(int rc)
{
    if (rc == SQLITE_CONSTRAINT_UNIQUE || rc == SQLITE_CONSTRAINT_PRIMARYKEY || rc == SQLITE_CONSTRAINT_ROWID)
        return ERR_CONFLICT;
    if (rc == SQLITE_CONSTRAINT_FOREIGNKEY)
        return ERR_NOT_FOUND;
    for (size_t i = 0; i < COUNT_OF(codes); i++)
        if (codes[i].rc == (rc & 0xff))
            return codes[i].code;
    return ERR_INTERNAL;
}

int sqlite_fail(sqlite3 *db, int rc, struct err *err)
{
    /* SQLite's text names tables and columns, never values */
    return err_set(err, code_of(rc), "store: %s (%d)", db ? sqlite3_errmsg(db) : sqlite3_errstr(rc), rc);
}

int connection_exec(struct connection *connection, const char *sql, struct err *err)
{
    int rc = sqlite3_exec(connection->db, sql, NULL, NULL, NULL);

    return rc == SQLITE_OK ? 0 : sqlite_fail(connection->db, rc, err);
}

int connection_pragma(struct connection *connection, const char *sql, int64_t *ret_value, struct err *err)
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(connection->db, sql, -1, &statement, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW)
        *ret_value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return rc == SQLITE_ROW ? 0 : sqlite_fail(connection->db, rc, err);
}

static int note_wal_pages(void *arg, sqlite3 *db, const char *name, int pages)
{
    (void)db;
    (void)name;
    ((struct connection *)arg)->wal_pages = pages;
    return SQLITE_OK;
}

/* One connection does every write and every checkpoint; the others can do neither (REFERENCE.md section 4.1
 * d). */
int connection_write(struct connection *connection, struct err *err)
{
    int64_t is_wal;

    if (connection_exec(connection, "PRAGMA journal_mode = WAL", err) < 0 ||
        connection_pragma(connection, "SELECT journal_mode = 'wal' FROM pragma_journal_mode", &is_wal, err) <
            0)
        return -1;
    /* SQLite leaves the mode as it was, and calls that no error, where the file system has no shared memory
     */
    if (!is_wal)
        return err_set(err, ERR_STORE_UNAVAILABLE,
                       "the store's file system does not allow SQLite's WAL mode");
    /* 64 MiB of a WAL that starts anew stay on the disk; 8 MiB of pages in memory */
    if (connection_exec(connection,
                        "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864; "
                        "PRAGMA cache_size = -8192",
                        err) < 0)
        return -1;
    /* takes the place of SQLite's own checkpoints at commit: the writer does them between commits */
    sqlite3_wal_hook(connection->db, note_wal_pages, connection);
    return 0;
}

static int set_up_reader(struct connection *connection, struct err *err)
{
    sqlite3_db_config(connection->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_wal_autocheckpoint(connection->db, 0);
    return connection_exec(connection, "PRAGMA query_only = ON", err);
}

int connection_open(const char *path, bool writer, struct connection *ret_connection, struct err *err)
{
    int flags = writer ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
    int rc;

    *ret_connection = (struct connection){0};
    rc = sqlite3_open_v2(path, &ret_connection->db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE,
                         NULL);
    if (rc != SQLITE_OK) {
        sqlite_fail(ret_connection->db, rc, err);
        connection_close(ret_connection);
        return err_wrap(err, "open %s", path);
    }
    sqlite3_extended_result_codes(ret_connection->db, 1);
    sqlite3_busy_timeout(ret_connection->db, STORE_BUSY_TIMEOUT_MS);
    sqlite3_db_config(ret_connection->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    if (connection_exec(ret_connection,
                        "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; "
                        "PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY",
                        err) < 0 ||
        (!writer && set_up_reader(ret_connection, err) < 0)) {
        connection_close(ret_connection);
        return err_wrap(err, "open %s", path);
    }
    return 0;
}

void connection_close(struct connection *connection)
{
    statements_free(connection);
    sqlite3_close(connection->db);
    connection->db = NULL;
}
