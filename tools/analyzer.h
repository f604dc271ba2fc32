/*
 * Told to the analyzers only: what fails by these answers -1, so an out-param that is written on success is
 * written when the answer is 0. (They see one file at a time, and take 0 for possible.)
 */
#pragma once
#include "auth/failure.h"
#include "base/err.h"
#define err_set(...) ((err_set)(__VA_ARGS__), -1)
#define err_wrap(...) ((err_wrap)(__VA_ARGS__), -1)
#define auth_fail(...) ((auth_fail)(__VA_ARGS__), -1)
