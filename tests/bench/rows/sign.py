"""A SigV4 signature of a small request beside its own SHA-256 and HMACs."""
from common import MOST, row, run_program

ROUNDS = 300_000


def measure():
    found = run_program("sign_bench", ROUNDS)
    row("sign", "SigV4 of a Scan, the day's key kept", "us CPU", found["kept"], "its SHA-256 and HMACs raw", found["raw_kept"], 3, MOST)
    row("sign_fresh", "SigV4 of a Scan, key derived anew", "us CPU", found["fresh"], "its SHA-256 and HMACs raw", found["raw_fresh"],
        3, MOST)
