#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "item/sha256.h"

static const char *hmac_of(struct bytes key, struct bytes data)
{
    static char hex[HEX_SIZE(SHA256_BYTES)];
    unsigned char digest[SHA256_BYTES];
    struct err err = ERR_INIT;
    struct sha256 *sha = sha256_new(&err);

    assert_non_null(sha);
    assert_int_equal(sha256_hmac(sha, key, data, digest, &err), 0);
    hex_encode(digest, sizeof(digest), hex);
    sha256_free(sha);
    return hex;
}

static void hmacs_are_those_of_rfc_4231(void **state)
{
    char long_key[131], short_key[20];

    (void)state;
    memset(long_key, 0xaa, sizeof(long_key));
    memset(short_key, 0x0b, sizeof(short_key));
    assert_string_equal(hmac_of((struct bytes){short_key, sizeof(short_key)}, BYTES("Hi There")),
                        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    assert_string_equal(hmac_of(BYTES("Jefe"), BYTES("what do ya want for nothing?")),
                        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    assert_string_equal(hmac_of((struct bytes){long_key, sizeof(long_key)},
                                BYTES("Test Using Larger Than Block-Size Key - Hash Key First")),
                        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    assert_string_equal(hmac_of(BYTES(""), BYTES("")),
                        "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

/* The output may lie where the key does: a chain of keys is derived so. */
static void an_hmac_may_overwrite_its_key(void **state)
{
    unsigned char key[SHA256_BYTES] = {0}, other[SHA256_BYTES];
    struct err err = ERR_INIT;
    struct sha256 *sha = sha256_new(&err);

    (void)state;
    assert_non_null(sha);
    assert_int_equal(
        sha256_hmac(sha, (struct bytes){(const char *)key, sizeof(key)}, BYTES("x"), other, &err), 0);
    assert_int_equal(sha256_hmac(sha, (struct bytes){(const char *)key, sizeof(key)}, BYTES("x"), key, &err),
                     0);
    assert_memory_equal(key, other, sizeof(key));
    sha256_free(sha);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hmacs_are_those_of_rfc_4231),
        cmocka_unit_test(an_hmac_may_overwrite_its_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
