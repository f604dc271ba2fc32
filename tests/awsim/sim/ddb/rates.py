"""Throttling by table: a bucket of units for each second, on the simulated clock; a page may leave it in debt."""

import threading

from .errors import DdbError

KINDS = {"read": "read_units_per_second", "write": "write_units_per_second"}
SMALLEST = 0.5  # units: an eventually consistent read


class Meter:
    """What a table may still consume; without a rate there is no end to it."""

    def __init__(self, clock, per_second):
        self.clock, self.per_second = clock, per_second
        self.left = {kind: max(rate, 1.0) for kind, rate in per_second.items()}
        self.at = clock.now()

    def _fill(self):
        now = self.clock.now()
        for kind, rate in self.per_second.items():
            # At most the units of one second wait to be used: AWS's burst of five minutes would hide throttling.
            self.left[kind] = min(max(rate, 1.0), self.left[kind] + rate * (now - self.at))
        self.at = now

    def has(self, kind):
        self._fill()
        return kind not in self.left or self.left[kind] >= SMALLEST

    def admit(self, kind, arn):
        """Refuses as DynamoDB does when nothing is left."""
        if self.has(kind):
            return
        raise DdbError(
            "ProvisionedThroughputExceededException",
            "The level of configured provisioned throughput for the table was exceeded. "
            "Consider increasing your provisioning level with the UpdateTable API.",
            ThrottlingReasons=[
                {"reason": f"Table{kind.capitalize()}ProvisionedThroughputExceeded", "resource": arn}
            ],
        )

    def spend(self, kind, units):
        if kind in self.left:
            self.left[kind] -= units


class Rates:
    """table name -> Meter."""

    def __init__(self, clock):
        self.clock, self.lock = clock, threading.Lock()
        self.reset()

    def reset(self):
        self.given, self.meters = {}, {}

    def change(self, given):
        """ValueError names what is wrong; a table without units has no rate any more."""
        if not isinstance(given.get("table"), str) or set(given) - {"table", *KINDS.values()}:
            raise ValueError(f"a rate has table and any of {', '.join(KINDS.values())}")
        for name in KINDS.values():
            units = given.get(name, 1)
            if isinstance(units, bool) or not isinstance(units, (int, float)) or units <= 0:
                raise ValueError(f"{name} must be a number above 0")
        per_second = {kind: float(given[name]) for kind, name in KINDS.items() if name in given}
        with self.lock:
            self.given[given["table"]] = given
            self.meters[given["table"]] = Meter(self.clock, per_second)

    def shown(self):
        return list(self.given.values())

    def of(self, name):
        with self.lock:
            return self.meters.setdefault(name, Meter(self.clock, {}))
