"""What awsim itself keeps: the clock, the settings, the ledger."""

import re
import threading
import time
from datetime import datetime, timezone

DEFAULTS = {
    "table_create_delay": "200ms",
    "table_update_delay": "200ms",
    "backup_delay": "1s",
    "restore_delay": "1s",
    "export_delay": "1s",
    "backup_start_delay": "1s",
    "copy_delay": "1s",
    "import_delay": "1s",
    "replication_lag": "2s",
    "function_update_delay": "200ms",
    "dns_change_delay": "1s",
    "stack_delay": "200ms",
    "item_count_lag": "0s",
    "pitr_lag": "5m",
}
DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")
UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
ROW = ("seq", "at", "service", "operation", "resource", "effect", "status", "principal", "wrong")


def seconds(text):
    """The seconds of `500ms 30s 5m 4h 35d`; ValueError for anything else."""
    match = DURATION.fullmatch(text) if isinstance(text, str) else None
    if not match:
        raise ValueError(f"not a duration: {text!r}")
    return float(match[1]) * UNITS[match[2]]


def rfc3339(now):
    return datetime.fromtimestamp(now, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Clock:
    """The simulated time: the host's, plus what it was moved forward by. Never backward."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.ahead, self.told = 0.0, set()

    def now(self):
        return time.time() + self.ahead

    def advance(self, text):
        self.ahead += seconds(text)

    def tell(self, off):
        """An answer's Date is so far off, by a fault: a client that believes it may sign by it."""
        self.told.add(off)
        return self.now() + off

    def times(self):
        """What a client may take for the time now."""
        now = self.now()
        return [now, time.time(), *(now + off for off in tuple(self.told))]  # others may tell meanwhile


class Settings:
    def __init__(self):
        self.reset()

    def reset(self):
        self.texts = dict(DEFAULTS)

    def change(self, given):
        """All or nothing; ValueError names what is wrong."""
        for name, text in given.items():
            if name not in DEFAULTS:
                raise ValueError(f"no such setting: {name}; there are {', '.join(sorted(DEFAULTS))}")
            seconds(text)
        self.texts.update(given)

    def seconds(self, name):
        return seconds(self.texts[name])


class Ledger:
    """Every call that reached AWS, in the order of its end. It never forgets: a test counts effects in it."""

    def __init__(self, clock):
        self.clock, self.lock, self.rows, self.wrong = clock, threading.Lock(), [], []

    def reset(self):
        """The rows; what was wrong stays until it is taken: no test may lose it."""
        with self.lock:
            self.rows = []

    def add(self, call, status):
        with self.lock:
            self.rows.append(
                (
                    len(self.rows) + 1,
                    self.clock.now(),
                    call.service,
                    call.operation,
                    call.resource,
                    call.effect,
                    status,
                    call.principal,
                    call.wrong,
                )
            )
            if call.wrong:
                self.wrong.append(self.rows[-1])

    def take_wrong(self):
        """The requests that AWS's models do not know, and forgets them."""
        with self.lock:
            rows, self.wrong = self.wrong, []
        return _shown(rows)

    def find(self, service=None, operation=None, resource=None, since=None):
        """`since`: a seq (rows after it) or a time (rows at or after it)."""
        with self.lock:
            rows = list(self.rows)
        if since is not None and since.isdigit():
            rows = rows[int(since) :]
        elif since is not None:
            start = datetime.fromisoformat(since).timestamp()
            rows = [row for row in rows if row[1] >= start]
        return _shown(
            row
            for row in rows
            if service in (None, row[2]) and operation in (None, row[3]) and _within(row[4], resource)
        )


def _shown(rows):
    return [dict(zip(ROW, row), at=rfc3339(row[1])) for row in rows]


def _within(resource, asked):
    """A bucket's name finds its objects too."""
    return asked is None or resource == asked or (resource or "").startswith(asked + "/")
