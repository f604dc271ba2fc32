#!/usr/bin/env python3
"""make bench: what recoverd costs, beside what its users have today, in one run on one machine.

run.py [ROW...]: one file of rows/ a row or a family of rows; all of them without a name. CPU time is user and system time of the
process that does the work (recoverd; the peer's process), never of the stub or the load. Prints a table and writes
build/bench.json. Nothing here is asserted: goals are shown as met or missed, and a peer that is not installed as missing.
BENCH_ITEMS (1,000,000), BENCH_PEER_ITEMS (200,000: a peer's cost per item does not depend on it), BENCH_LARGE (10,000,000; 0: skip).
"""
import importlib
import sys

from common import machine, write_rows

FAMILIES = ("get_job", "post_job", "token", "tables", "segments", "sign")


def main():
    print(machine() + "\n")
    for name in sys.argv[1:] or FAMILIES:
        importlib.import_module("rows." + name).measure()
    write_rows()


if __name__ == "__main__":
    main()
