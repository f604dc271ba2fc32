/*
 * DynamoDB's numbers: up to 38 significant digits, zero or a magnitude from 1E-130 up to but not including
 * 1E126 (Amazon DynamoDB Developer Guide, "Supported data types and naming rules"). Accepted grammar: an
 * optional sign, digits with an optional point (at least one digit), an optional exponent. Thread rule: any
 * thread.
 */
#pragma once
#include "base/str.h"

#define NUMBER_DIGITS_MAX 38
#define NUMBER_CANONICAL_SIZE 48

/* Canonical text as in CONTRACT.md section 5 (125E-1, 1E2, -7, 0), not terminated. NULL, or what is wrong. */
const char *number_canonical(struct bytes text, char ret_text[NUMBER_CANONICAL_SIZE], size_t *ret_len);

/* Is it a whole number in canonical form as it stands? Most are; false says nothing. */
static inline bool number_is_canonical(const char *text, size_t len)
{
    size_t i = len > 0 && text[0] == '-';
    if (len - i > NUMBER_DIGITS_MAX || i == len || text[i] == '0' || text[len - 1] == '0')
        return false;
    while (i < len && text[i] >= '0' && text[i] <= '9')
        i++;
    return i == len;
}
