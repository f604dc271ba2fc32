/* What is done in blocks, against what is done a byte at a time: the portable blocks here, those of this
 * processor by every other test of the room. */
#define SCAN_PORTABLE 1
#include "item/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "item/number.h"
#include "item/sha256_two.h"

static void portable_blocks_stop_where_a_byte_stops(void **state)
{
    (void)state;
    char text[SCAN_STEP + 1];
    for (int at = 0; at < SCAN_STEP; at++) {
        for (int byte = 0; byte < 256; byte++) {
            for (int behind = 0; behind < 256; behind += 15) {
                memset(text, 'a', sizeof text);
                memset(text + at, behind, (size_t)(SCAN_STEP - at));
                text[at] = (char)byte;
                scan_block block = scan_load(text);
                uint64_t stops = scan_stops(block);
                bool stop = byte == '"' || byte == '\\' || byte < 0x20;
                assert_int_equal(stops && scan_first(stops) == (size_t)at, stop);
                assert_int_equal(scan_highs(block) && scan_first(scan_highs(block)) == (size_t)at,
                                 byte >= 0x80);
            }
        }
    }
}

static void plain_text_is_copied_up_to_the_first_byte_that_needs_a_look(void **state)
{
    (void)state;
    static const char stops[] = {'"', '\\', '\n', '\x7f', (char)0xc3};
    char text[64], out[64 + SCAN_STEP];
    for (size_t len = 0; len < sizeof text; len++) {
        for (size_t i = 0; i < sizeof stops; i++) {
            memset(text, 'x', sizeof text);
            text[len] = stops[i];
            char *to = out;
            const char *at = text_copy_plain(text, text + sizeof text, &to);
            size_t want = stops[i] == '\x7f' ? sizeof text : len;
            assert_int_equal(at - text, want);
            assert_int_equal(to - out, want);
            assert_memory_equal(out, text, want);
        }
    }
}

static void two_digests_are_those_of_each(void **state)
{
    (void)state;
    enum { MOST = 200 };
    unsigned char a[MOST + SHA256_ROOM], b[MOST + SHA256_ROOM], want[2][SHA256_BYTES], got[2][SHA256_BYTES];
    struct err err = ERR_INIT;
    _cleanup_(sha256_free_p) struct sha256 *sha = sha256_new(&err);
    for (size_t i = 0; i < MOST; i++) {
        a[i] = (unsigned char)(i * 7);
        b[i] = (unsigned char)(i * 31 + 5);
    }
    for (size_t len_a = 0; len_a <= MOST; len_a++) {
        for (size_t len_b = 0; len_b <= MOST; len_b += 1 + len_a % 3) {
            assert_int_equal(sha256_once(sha, (struct bytes){(char *)a, len_a}, want[0], &err), 0);
            assert_int_equal(sha256_once(sha, (struct bytes){(char *)b, len_b}, want[1], &err), 0);
            for (int fast = 0; fast <= sha256_two_fast(); fast++) {
                unsigned char copy_a[MOST + SHA256_ROOM], copy_b[MOST + SHA256_ROOM];
                memcpy(copy_a, a, len_a);
                memcpy(copy_b, b, len_b);
                struct sha256_text texts[2] = {{copy_a, len_a}, {copy_b, len_b}};
                assert_int_equal(sha256_two(sha, fast, texts, got, &err), 0);
                assert_memory_equal(got, want, sizeof want);
            }
        }
    }
}

static void a_number_taken_as_canonical_is_canonical(void **state)
{
    (void)state;
    static const char *const numbers[] = {"1",
                                          "-1",
                                          "7",
                                          "12",
                                          "-987654321",
                                          "0",
                                          "-0",
                                          "10",
                                          "01",
                                          "-01",
                                          "1.5",
                                          "",
                                          "-",
                                          "+1",
                                          "1e3",
                                          "1E3",
                                          "a",
                                          "1a",
                                          "12345678901234567890123456789012345678",
                                          "123456789012345678901234567890123456789",
                                          "-12345678901234567890123456789012345678"};
    int taken = 0;
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        struct bytes text = bytes_of(numbers[i]);
        char form[NUMBER_CANONICAL_SIZE];
        size_t len;
        if (!number_is_canonical(text.data, text.len))
            continue;
        taken++;
        assert_null(number_canonical(text, form, &len));
        assert_true(bytes_equal(text, (struct bytes){form, len}));
    }
    assert_int_equal(taken, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(portable_blocks_stop_where_a_byte_stops),
        cmocka_unit_test(plain_text_is_copied_up_to_the_first_byte_that_needs_a_look),
        cmocka_unit_test(two_digests_are_those_of_each),
        cmocka_unit_test(a_number_taken_as_canonical_is_canonical),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
