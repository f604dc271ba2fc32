/* The migration files, carried inside the binary. The Makefile makes this object depend on them. */
#include "store/sqlite/backend.h"

#define CARRY(symbol, path)                                                                                  \
    __asm__(".pushsection .rodata\n"                                                                         \
            ".balign 8\n"                                                                                    \
            ".globl " #symbol "\n.hidden " #symbol "\n" #symbol ":\n"                                        \
            ".incbin \"" path "\"\n"                                                                         \
            ".globl " #symbol "_end\n.hidden " #symbol "_end\n" #symbol "_end:\n"                            \
            ".byte 0\n"                                                                                      \
            ".popsection\n");                                                                                \
    /* NOLINTNEXTLINE(bugprone-macro-parentheses): a declared name stands in none */                         \
    extern const char symbol[] __attribute__((visibility("hidden")));                                        \
    extern const char symbol##_end[] __attribute__((visibility("hidden")))

CARRY(sqlite_migration_0001, "migrations/sqlite/0001_first.sql");
CARRY(sqlite_migration_0002, "migrations/sqlite/0002_touch_writer.sql");

/* Numbered from 1 without a gap; forward only. */
const struct migration sqlite_migrations[] = {
    {1, "first", sqlite_migration_0001, sqlite_migration_0001_end},
    {2, "touch_writer", sqlite_migration_0002, sqlite_migration_0002_end},
};
const size_t sqlite_migration_count = COUNT_OF(sqlite_migrations);
