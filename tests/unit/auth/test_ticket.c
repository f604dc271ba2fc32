#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/ticket.h"

#define NOW 1700000000000LL

static const uint8_t key[TOTP_KEY_SIZE] = "a key of some bytes";
static const uint8_t other_key[TOTP_KEY_SIZE] = "another key";

static char *make(const char *identity)
{
    static char ticket[TICKET_SIZE];
    struct err err = ERR_INIT;

    assert_int_equal(ticket_make(key, identity, NOW, ticket, &err), 0);
    return ticket;
}

static bool good(const char *ticket, const char *identity, int64_t now)
{
    int64_t made = 0;
    bool result = ticket_check(key, identity, bytes_of(ticket), now, &made);

    assert_int_equal(made, result ? NOW : 0);
    return result;
}

static void a_ticket_is_good_for_its_person_for_five_minutes(void **state)
{
    const char *ticket = make("ann@example.com");

    (void)state;
    assert_true(good(ticket, "ann@example.com", NOW));
    assert_true(good(ticket, "ann@example.com", NOW + TICKET_LIFETIME_MS - 1));
    assert_false(good(ticket, "ann@example.com", NOW + TICKET_LIFETIME_MS));
    assert_false(good(ticket, "ann@example.co", NOW));
    assert_false(good(ticket, "ann@example.comm", NOW));
    assert_false(good(ticket, "", NOW));
}

static void a_ticket_from_far_ahead_is_not_believed(void **state)
{
    (void)state;
    assert_false(good(make("ann"), "ann", NOW - 10 * TICKET_LIFETIME_MS));
}

static void another_key_makes_other_tickets(void **state)
{
    int64_t made;

    (void)state;
    assert_false(ticket_check(other_key, "ann", bytes_of(make("ann")), NOW, &made));
}

static void no_byte_of_a_ticket_can_be_changed(void **state)
{
    char *ticket = make("ann");

    (void)state;
    for (size_t i = 0; ticket[i]; i++) {
        char was = ticket[i];

        ticket[i] = was == 'A' ? 'B' : 'A';
        assert_false(good(ticket, "ann", NOW));
        ticket[i] = was;
    }
    assert_true(good(ticket, "ann", NOW));
}

static void nothing_of_another_length_is_a_ticket(void **state)
{
    char longer[2 * TICKET_SIZE];
    char *ticket = make("ann");
    int64_t made;

    (void)state;
    for (size_t len = 0; ticket[len]; len++)
        assert_false(ticket_check(key, "ann", (struct bytes){ticket, len}, NOW, &made));
    snprintf(longer, sizeof(longer), "%sAAAA", ticket);
    assert_false(good(longer, "ann", NOW));
    snprintf(longer, sizeof(longer), "%s%s", ticket, ticket);
    assert_false(good(longer, "ann", NOW));
}

static void an_identity_too_long_gets_no_ticket(void **state)
{
    char identity[1024], ticket[TICKET_SIZE];
    struct err err = ERR_INIT;

    (void)state;
    memset(identity, 'a', sizeof(identity));
    identity[sizeof(identity) - 1] = '\0';
    assert_int_equal(ticket_make(key, identity, NOW, ticket, &err), -1);
    assert_int_equal(err.code, ERR_INTERNAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ticket_is_good_for_its_person_for_five_minutes),
        cmocka_unit_test(a_ticket_from_far_ahead_is_not_believed),
        cmocka_unit_test(another_key_makes_other_tickets),
        cmocka_unit_test(no_byte_of_a_ticket_can_be_changed),
        cmocka_unit_test(nothing_of_another_length_is_a_ticket),
        cmocka_unit_test(an_identity_too_long_gets_no_ticket),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
