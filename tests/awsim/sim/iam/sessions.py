"""Temporary credentials: made by STS, known by their token, over when the simulated clock says so."""

import base64
import secrets
import string
import threading
from dataclasses import dataclass

from .callers import Caller

LETTERS = string.ascii_uppercase + "234567"
# Expired ones stay known, so that they are refused as expired; the oldest are forgotten beyond so many.
KEPT = 10000


@dataclass
class Key:
    """A pair of keys and whose it is; `token` and `expires` of a session only."""

    secret: str
    caller: Caller
    token: str | None = None
    expires: float | None = None


class Sessions:
    def __init__(self):
        self.lock, self.keys = threading.Lock(), {}

    def reset(self):
        with self.lock:
            self.keys = {}

    def find(self, access_key):
        return self.keys.get(access_key)

    def make(self, caller, expires):
        """(access key id, Key) of a new session."""
        name = "ASIA" + "".join(secrets.choice(LETTERS) for _ in range(16))
        token = "IQoJb3JpZ2luX2Vj" + base64.b64encode(secrets.token_bytes(300)).decode()
        key = Key(base64.b64encode(secrets.token_bytes(30)).decode(), caller, token, expires)
        with self.lock:
            self.keys[name] = key
            while len(self.keys) > KEPT:
                del self.keys[next(iter(self.keys))]
        return name, key
