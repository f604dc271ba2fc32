#!/bin/sh
# Runs each test program given and closes with "N passed, N failed". cmocka's own lines are shown only on failure.
passed=0 failed=0
export ASAN_OPTIONS="${ASAN_OPTIONS:-handle_segv=2:allow_user_segv_handler=0:detect_leaks=1}"
for program in "$@"; do
    log="$program.log"
    if "$program" >"$log" 2>&1; then
        n=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test.*/\1/p' "$log" | tail -n 1)
        if [ -z "$n" ] || [ "$n" = 0 ]; then echo "FAIL $program: ran no test"; failed=$((failed + 1)); continue; fi
        echo "ok   $program ($n)"; passed=$((passed + n))
    else
        echo "FAIL $program"; tail -n 60 "$log"; failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
