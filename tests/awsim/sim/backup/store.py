"""What AWS Backup keeps, by account and region, and its agenda: what happens by itself, in order of simulated time."""

import base64
import binascii
import copy
import heapq
import itertools
import threading
from dataclasses import dataclass, field

from ..names import Call
from .errors import invalid, not_found

OPT_IN = {"DynamoDB": True, "S3": True}
MANAGED = {"DynamoDB": False}
PAGE = 1000
SERVICE = "backup.amazonaws.com"


@dataclass
class Place:
    """What one account keeps in one region; jobs by kind (backup, restore, copy) and id, tags by ARN."""

    account: str
    region: str
    vaults: dict = field(default_factory=dict)
    plans: dict = field(default_factory=dict)
    backup: dict = field(default_factory=dict)
    restore: dict = field(default_factory=dict)
    copy: dict = field(default_factory=dict)
    tags: dict = field(default_factory=dict)
    opt_in: dict = field(default_factory=lambda: dict(OPT_IN))
    managed: dict = field(default_factory=lambda: dict(MANAGED))

    def arn(self, kind, name):
        return f"arn:aws:backup:{self.region}:{self.account}:{kind}:{name}"


class Store:
    """`lock` guards everything below, and is taken before DynamoDB's and moto's. `app`: the clock and the services."""

    def __init__(self, app):
        self.app, self.lock, self.numbers = app, threading.RLock(), itertools.count()
        self.places, self.agenda = {}, []

    def reset(self):
        with self.lock:
            self.places, self.agenda = {}, []

    def shadow(self):
        """A Store with the same content, whose changes do not reach this one."""
        other = copy.copy(self)
        other.places, other.agenda = copy.deepcopy((self.places, self.agenda))
        return other

    @property
    def now(self):
        return self.app.clock.now()

    def seconds(self, setting):
        return self.app.settings.seconds(setting)

    def place(self, account, region):
        if (account, region) not in self.places:
            self.places[account, region] = Place(account, region)
        return self.places[account, region]

    def of(self, call):
        return self.place(call.account, call.region)

    def plan(self, at, event, *about):
        """`event(store, at, *about)` happens at that time."""
        heapq.heappush(self.agenda, (at, next(self.numbers), event, about))

    def settle(self):
        """What is due by now, in its order; called before each call, so that every service shows it in time."""
        first = self.agenda[:1]  # without the lock: one step, so that most calls wait for nobody
        if not first or first[0][0] > self.now:
            return
        with self.lock:
            while self.agenda and self.agenda[0][0] <= self.now:
                at, _, event, about = heapq.heappop(self.agenda)
                event(self, at, *about)

    def note(self, place, service, operation, resource, effect, session=None):
        """A ledger row for what AWS Backup does by itself, as itself or as a session of its role."""
        call = Call(service, operation, resource, None, place.region, place.account, session or SERVICE, effect)
        self.app.ledger.add(call, 200)


def page(found, request, shown):
    """(the page's rows as shown, {"NextToken"} when there are more); `found` is in a stable order, ids first."""
    limit, token = request.get("MaxResults", PAGE), request.get("NextToken")
    start = 0
    if token is not None:
        ids = [one.id for one in found]
        try:
            start = ids.index(base64.urlsafe_b64decode(token.encode()).decode()) + 1
        except (binascii.Error, UnicodeDecodeError, ValueError):
            raise invalid("Provided NextToken is not valid") from None
    rows = found[start : start + limit]
    more = len(found) > start + limit
    last = base64.urlsafe_b64encode(rows[-1].id.encode()).decode() if more else None
    return [shown(one) for one in rows], {"NextToken": last} if more else {}


def find_job(store, call, kind, job_id):
    """The caller's job of this kind (backup, restore, copy)."""
    call.resource = job_id
    job = getattr(store.of(call), kind).get(job_id)
    if job is None:
        raise not_found(f"Cannot find {kind.capitalize()} job: {job_id}")
    return job


def by_token(former, request):
    """The job that this token asked for; a token stands for one request only."""
    token = request.get("IdempotencyToken")
    for job in former.values() if token else ():
        if job.request.get("IdempotencyToken") == token:
            if job.request != request:
                raise invalid("IdempotencyToken was used before with other parameters")
            return job
    return None


def fits(request, **filters):
    """Whether each given filter holds: a value must be equal, a function must accept."""
    for name, expected in filters.items():
        if name in request and not (expected(request[name]) if callable(expected) else expected == request[name]):
            return False
    return True


def within(request, created, completed):
    """The four filters by time that all lists of jobs have."""
    return fits(
        request,
        ByCreatedAfter=lambda at: created > at,
        ByCreatedBefore=lambda at: created < at,
        ByCompleteAfter=lambda at: completed is not None and completed > at,
        ByCompleteBefore=lambda at: completed is not None and completed < at,
    )


def given(**members):
    """The members that have a value; times in milliseconds, as AWS tells them."""
    return {
        name: round(value, 3) if isinstance(value, float) else value
        for name, value in members.items()
        if value is not None
    }
