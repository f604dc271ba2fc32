"""A check of an RS256 token with all its claims, beside OpenSSL's verification of the signature alone and libjwt's of both."""
from common import MOST, row, run_program

TOKENS = 2048  # twice what the cache holds


def measure():
    found = run_program("token_bench", TOKENS)
    work = f"RS256 check of a token of {found['token_bytes']} bytes"
    row("token", work, "us CPU", found["check"], "OpenSSL, signature alone", found["openssl"], 1.5, MOST)
    row("token_libjwt", work, "us CPU", found["check"], "libjwt", found["libjwt"])
    row("token_cached", "the same, found in the cache", "us CPU", found["cached"], "a microsecond", 1, 1, MOST)
