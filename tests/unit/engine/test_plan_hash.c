/* What a plan's hash stands for: every part of what is approved, each with its length. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "base/cleanup.h"
#include "tests/support/world.h"
#include "tests/unit/engine/kinds.h"

static struct world *begin(void)
{
    test_kinds_reset();
    return world_new(test_kinds, NULL);
}

static struct plan_row *plan_of(struct world *w, const char *spec_json)
{
    struct submit submit = world_submit(w, "test.guarded", spec_json);
    struct plan_row *row;
    struct err err = ERR_INIT;

    assert_int_equal(engine_plan(w->engine, &submit, &row, &err), 0);
    return row;
}

/* SHA-256 over be64(length) and bytes of each part, by the definition alone. */
static struct hash hash_of(const struct bytes *parts, size_t count)
{
    struct hash hash;
    EVP_MD_CTX *md = EVP_MD_CTX_new();

    assert_int_equal(EVP_DigestInit_ex(md, EVP_sha256(), NULL), 1);
    for (size_t i = 0; i < count; i++) {
        uint8_t len[8] = {0};

        len[6] = (uint8_t)(parts[i].len >> 8);
        len[7] = (uint8_t)parts[i].len;
        EVP_DigestUpdate(md, len, sizeof(len));
        EVP_DigestUpdate(md, parts[i].data, parts[i].len);
    }
    EVP_DigestFinal_ex(md, hash.bytes, NULL);
    EVP_MD_CTX_free(md);
    return hash;
}

static void a_plans_hash_covers_who_what_where_and_what_was_found(void **state)
{
    (void)state;
    struct world *w = begin();
    const struct plan_row *row = plan_of(w, "{\"table\":\"T1x\",\"parts\":2}");
    const struct bytes parts[] = {BYTES("plan/v1"),      row->nonce, BYTES("ann"),   BYTES("test"),
                                  BYTES("test.guarded"), row->spec,  row->identities};
    struct hash right = hash_of(parts, COUNT_OF(parts));

    assert_int_equal(row->nonce.len, 16);
    assert_memory_equal(row->hash.bytes, right.bytes, sizeof(right.bytes));
    /* and what it covers is what was asked for and found */
    assert_non_null(strstr(row->spec.data, "\"table\":\"T1x\""));
    assert_non_null(strstr(row->spec.data, "\"parts\":2"));
    assert_non_null(strstr(row->identities.data, "table/T1x"));
    world_free(w);
}

static void the_same_plan_twice_has_two_hashes(void **state)
{
    (void)state;
    struct world *w = begin();
    const struct plan_row *one = plan_of(w, "{\"table\":\"T1x\"}"), *two = plan_of(w, "{\"table\":\"T1x\"}");

    assert_memory_not_equal(one->nonce.data, two->nonce.data, 16);
    assert_memory_not_equal(one->hash.bytes, two->hash.bytes, sizeof(one->hash.bytes));
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plans_hash_covers_who_what_where_and_what_was_found),
        cmocka_unit_test(the_same_plan_twice_has_two_hashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
