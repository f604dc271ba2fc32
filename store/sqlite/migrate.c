#include "store/sqlite/backend.h"

#include <inttypes.h>
#include <stdio.h>
#include <openssl/evp.h>

static int checksum(const struct migration *migration, struct hash *ret_hash, struct err *err)
{
    if (EVP_Digest(migration->sql, (size_t)(migration->end - migration->sql), ret_hash->bytes, NULL,
                   EVP_sha256(), NULL) != 1)
        return err_set(err, ERR_INTERNAL, "sha256 of migration %d failed", migration->number);
    return 0;
}

/* A file is ours by its application_id; one without is taken only when there is nothing in it. */
int migrate_check_owner(struct connection *writer, struct err *err)
{
    int64_t application_id, objects;

    if (connection_pragma(writer, "PRAGMA application_id", &application_id, err) < 0 ||
        connection_pragma(writer, "SELECT count(*) FROM sqlite_schema", &objects, err) < 0)
        return -1;
    if (application_id == SQLITE_APPLICATION_ID || (application_id == 0 && objects == 0))
        return 0;
    return err_set(err, ERR_STORE_UNAVAILABLE,
                   "the file is a database of another program (application_id 0x%08" PRIx64 ")",
                   (uint64_t)application_id);
}

static int record(struct connection *writer, const struct migration *migration, struct err *err)
{
    static const char sql[] =
        "INSERT INTO migration (number, name, sha256, applied_at) VALUES (?1, ?2, ?3, ?4)";
    struct hash hash;
    sqlite3_stmt *statement = NULL;
    int rc;

    if (checksum(migration, &hash, err) < 0)
        return -1;
    rc = sqlite3_prepare_v2(writer->db, sql, -1, &statement, NULL);
    if (rc == SQLITE_OK) {
        sqlite3_bind_int(statement, 1, migration->number);
        sqlite3_bind_text(statement, 2, migration->name, -1, SQLITE_STATIC);
        sqlite3_bind_blob(statement, 3, hash.bytes, sizeof(hash.bytes), SQLITE_STATIC);
        sqlite3_bind_int64(statement, 4, clock_wall_ms());
        rc = sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
    return rc == SQLITE_DONE ? 0 : sqlite_fail(writer->db, rc, err);
}

static int apply_in_tx(struct connection *writer, const struct migration *migration, struct err *err)
{
    char version[64];

    snprintf(version, sizeof(version), "PRAGMA user_version = %d; PRAGMA application_id = %d",
             migration->number, SQLITE_APPLICATION_ID);
    if (connection_exec(
            writer,
            "CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL, "
            "sha256 BLOB NOT NULL, applied_at INTEGER NOT NULL) STRICT",
            err) < 0 ||
        connection_exec(writer, migration->sql, err) < 0 || record(writer, migration, err) < 0 ||
        connection_exec(writer, version, err) < 0)
        return err_wrap(err, "migration %d %s", migration->number, migration->name);
    return 0;
}

static int apply(struct connection *writer, const struct migration *migration, struct err *err)
{
    if (connection_exec(writer, "BEGIN IMMEDIATE", err) < 0)
        return -1;
    if (apply_in_tx(writer, migration, err) < 0 || connection_exec(writer, "COMMIT", err) < 0) {
        if (!sqlite3_get_autocommit(writer->db))
            sqlite3_exec(writer->db, "ROLLBACK", NULL, NULL, NULL); /* the first error is the one to tell */
        return -1;
    }
    return 0;
}

/* What was applied must be what this program would apply: an edited file means that nobody knows the schema.
 */
static int check_applied(struct connection *writer, const struct migration *migration, struct err *err)
{
    static const char sql[] = "SELECT sha256 FROM migration WHERE number = ?1";
    struct hash hash;
    sqlite3_stmt *statement = NULL;
    bool same = false;
    int rc;

    if (checksum(migration, &hash, err) < 0)
        return -1;
    rc = sqlite3_prepare_v2(writer->db, sql, -1, &statement, NULL);
    if (rc == SQLITE_OK) {
        sqlite3_bind_int(statement, 1, migration->number);
        rc = sqlite3_step(statement);
        same = rc == SQLITE_ROW && sqlite3_column_bytes(statement, 0) == (int)sizeof(hash.bytes) &&
               memcmp(sqlite3_column_blob(statement, 0), hash.bytes, sizeof(hash.bytes)) == 0;
    }
    sqlite3_finalize(statement);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        return sqlite_fail(writer->db, rc, err);
    if (!same)
        return err_set(err, ERR_SCHEMA_UNKNOWN, "migration %d %s was applied with another text",
                       migration->number, migration->name);
    return 0;
}

int migrate(struct connection *writer, const struct migration *migrations, size_t count, struct err *err)
{
    int64_t version;

    if (connection_pragma(writer, "PRAGMA user_version", &version, err) < 0)
        return -1;
    if (version < 0 || version > (int64_t)count)
        return err_set(err, ERR_SCHEMA_UNKNOWN, "the store has schema %" PRId64 ", this program knows %zu",
                       version, count);
    for (size_t i = 0; i < count; i++)
        if ((i < (size_t)version ? check_applied : apply)(writer, &migrations[i], err) < 0)
            return -1;
    return 0;
}
