"""The fault script: which call is to go wrong, and how its answer is spoilt."""

import json
import threading
import time
import zlib
from email.utils import formatdate

from .denials import Denied
from .names import model
from .refusals import refuse
from .wire import Reset

FIELDS = {
    "service": str,
    "operation": str,
    "table": str,
    "skip": int,
    "count": int,
    "do": str,
    "ms": int,
    "s": int,
    "message": str,
}


class Fault:
    def __init__(self, given):
        if not isinstance(given, dict):
            raise ValueError("a fault must be a JSON object")
        for name, value in given.items():
            if name not in FIELDS or not isinstance(value, FIELDS[name]) or isinstance(value, bool):
                raise ValueError(f"not a field of a fault, or of a wrong type: {name}")
        if given.get("do") not in BEFORE | AFTER:
            raise ValueError(f"do must be one of {', '.join(sorted(BEFORE | AFTER))}")
        if not {"service", "operation"} <= set(given):
            raise ValueError("service and operation are required")
        _can_strike(given["service"], given["operation"], given["do"])
        self.given = {"skip": 0, "count": 1, **given}
        self.do = given["do"]
        self.skip, self.left = self.given["skip"], self.given["count"]

    def takes(self, call, resources):
        if self.left <= 0 or (self.given["service"], self.given["operation"]) != (
            call.service,
            call.operation,
        ):
            return False
        if "table" in self.given and self.given["table"] not in resources():
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.left -= 1
        return True


def _can_strike(service, operation, do):
    """ValueError for a fault that no call would ever meet: a test that waits for it could not fail."""
    known = model(service)
    if known is None or operation not in known.operation_names:
        raise ValueError(f"AWS has no operation {service} {operation}")
    if (service, operation) not in ONLY.get(do, {(service, operation)}):
        raise ValueError(f"{do} is only for {', '.join(name for _, name in ONLY[do])}")
    if do == "lie" and service == "cloudformation":
        raise ValueError("what a stack makes cannot be undone: no lie is told of it")


class Faults:
    def __init__(self):
        self.lock, self.faults = threading.Lock(), []

    def reset(self):
        with self.lock:
            self.faults = []

    def add(self, given):
        new = [Fault(one) for one in given]
        with self.lock:
            self.faults += new

    def shown(self):
        with self.lock:
            return [{**fault.given, "left": fault.left} for fault in self.faults]

    def next(self, call, resources):
        """The fault of this call, used up by it, or None; `resources()` names the call's tables."""
        with self.lock:
            return next((fault for fault in self.faults if fault.takes(call, resources)), None)

    def outcome(self, call, resources):
        """How a job that AWS starts by itself is to end, None for well."""
        with self.lock:
            found = [fault for fault in self.faults if fault.do in JOB_ENDS]
            fault = next((fault for fault in found if fault.takes(call, lambda: resources)), None)
        return fault and (fault.do, fault.given.get("message", JOB_ENDS[fault.do]))


# -- before the call: gives a Response to answer with, or None to go on ---------------------------------


def _refusal(kind):
    return lambda fault, call: refuse(call, kind)


def _reset_before(_fault, _call):
    raise Reset


def _delay(fault, _call):
    time.sleep(fault.given.get("ms", 1000) / 1000)


def _unprocessed(_fault, call):
    call.unprocessed = True


def _overlap(_fault, call):
    call.overlaps = True


def _lie(_fault, call):
    call.lies = True


def _job_ends(fault, call):
    call.outcome = (fault.do, fault.given.get("message", JOB_ENDS[fault.do]))


# What becomes of the job that a call starts, and the message of one that fails.
JOB_ENDS = {"job_fails": "An internal error occurred.", "job_partial": None, "job_hollow": None, "job_expires": None}
BEFORE = {
    **{kind: _job_ends for kind in JOB_ENDS},
    "overlap": _overlap,
    "lie": _lie,
    "throttle": _refusal("throttle"),
    "error_500": _refusal("error_500"),
    "error_503": _refusal("error_503"),
    "expired_token": lambda _fault, call: Denied("expired").response(call),
    "denied": _refusal("denied"),
    "conflict": _refusal("conflict"),
    "reset_before": _reset_before,
    "delay": _delay,
    "unprocessed": _unprocessed,
}


# -- after the call: changes the Response ---------------------------------------------------------------


def _reset_after(_fault, _call, _response):
    raise Reset


def _truncate(_fault, _call, response):
    response.cut_at = len(response.body) // 2


def _error_200(_fault, call, response):
    spoilt = refuse(call, "error_500")
    response.status, response.headers, response.body = 200, spoilt.headers, spoilt.body


def _bad_crc(_fault, _call, response):
    for name in list(response.headers):
        if name.lower() == "x-amz-crc32":
            response.headers[name] = str(int(response.headers[name]) ^ 1)
        elif name.lower().startswith("x-amz-checksum-") and not name.lower().endswith("-type"):
            value = response.headers[name]
            response.headers[name] = ("B" if value.startswith("A") else "A") + value[1:]


def _rewrite(change):
    def rewrite(_fault, _call, response):
        answer = json.loads(response.body)
        change(answer)
        response.body = json.dumps(answer, ensure_ascii=False).encode()
        response.headers["x-amz-crc32"] = str(zlib.crc32(response.body))

    return rewrite


def _skew(fault, call, response):
    response.headers["Date"] = formatdate(call.clock.tell(fault.given.get("s", 900)), usegmt=True)


AFTER = {
    "reset_after": _reset_after,
    "truncate": _truncate,
    "error_200": _error_200,
    "bad_crc": _bad_crc,
    "skew": _skew,
    "wrong_count": _rewrite(lambda answer: answer.update(Count=answer.get("Count", 0) + 1)),
    "no_items": _rewrite(lambda answer: answer.pop("Items", None)),
}
# What only some operations can meet.
PAGES = (("dynamodb", "Scan"), ("dynamodb", "Query"))
JOBS = tuple(("backup", f"Start{kind}Job") for kind in ("Backup", "Restore", "Copy"))
ONLY = {
    **dict.fromkeys(("overlap", "wrong_count", "no_items"), PAGES),
    "unprocessed": (("dynamodb", "BatchWriteItem"), ("dynamodb", "BatchGetItem")),
    **dict.fromkeys(JOB_ENDS, JOBS),
}
