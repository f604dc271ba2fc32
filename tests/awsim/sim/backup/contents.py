"""What a recovery point holds, and how it is taken: a table's items and form, a bucket's objects."""

import copy
import uuid
from dataclasses import dataclass, replace
from types import SimpleNamespace

from moto.s3.models import s3_backends

from ..ddb.backups import Backup
from ..ddb.restores import Snapshot
from ..names import Call
from .buckets import Bucket

TABLE, BUCKET = "arn:aws:dynamodb:", "arn:aws:s3:::"


class Unready(Exception):
    """Not now, perhaps in a while."""


class Failed(Exception):
    """For good; `category` is the MessageCategory of the job."""

    def __init__(self, message, category="FAILURE"):
        super().__init__(message)
        self.message, self.category = message, category


@dataclass(frozen=True)
class Content:
    """`data`: a Snapshot, or a tuple of Objects. Never changed, so that copies of recovery points share it."""

    kind: str
    name: str
    arn: str
    data: object
    size: int
    tags: dict
    own_arn: str | None = None  # where DynamoDB keeps it: the backup's own ARN

    def __deepcopy__(self, _memo):
        return self

    def spoilt(self, outcome):
        """What the fault script leaves of it: half, nothing, or all."""
        kind = outcome and outcome[0]
        if kind == "job_partial":
            return self._part(lambda parts: parts[: len(parts) // 2])
        return self._part(lambda parts: ()) if kind == "job_hollow" else self

    def _part(self, some):
        if self.kind == "S3":
            data = tuple(some(self.data))
            return replace(self, data=data, size=sum(len(one.body) for one in data))
        data = copy.copy(self.data)
        data.items = type(data.items)(some(list(data.items.items())))
        data.bytes = sum(stored.size for stored in data.items.values())
        return replace(self, data=data, size=data.bytes)


def kind_of(arn):
    """DynamoDB, S3, or None for what is neither a table's nor a bucket's ARN."""
    if arn.startswith(TABLE) and arn.split(":", 5)[5].startswith("table/") and arn.count("/") == 1:
        return "DynamoDB"
    return "S3" if arn.startswith(BUCKET) and "/" not in arn else None


def name_of(arn):
    return arn.removeprefix(BUCKET) if arn.startswith(BUCKET) else arn.rpartition("/")[2]


def everything(store, place):
    """(ARN, type, tags) of each resource of an account and region that can be backed up."""
    with store.app.dynamodb.lock:
        tables = [
            (table.arn, "DynamoDB", dict(table.tags)) for table in store.app.dynamodb.tables(_call(place)).values()
        ]
    yield from tables
    for name, bucket in list(s3_backends[place.account]["aws"].buckets.items()):
        if (bucket.region_name or "us-east-1") == place.region:
            yield BUCKET + name, "S3", Bucket(store, place.account, place.region, name).tags()


def reading(place, arn):
    """(action, resource) that a role needs to back it up."""
    if kind_of(arn) == "S3":
        return "s3:GetObject", arn + "/*"
    return "dynamodb:StartAwsBackupJob" if place.managed["DynamoDB"] else "dynamodb:CreateBackup", arn


def _call(place):
    return Call("dynamodb", "AWSBackup", None, None, place.region, place.account)


def exists(store, place, arn):
    if kind_of(arn) == "S3":
        return Bucket(store, place.account, place.region, name_of(arn)).exists()
    with store.app.dynamodb.lock:
        table = store.app.dynamodb.tables(_call(place)).get(name_of(arn))
        return table is not None and table.arn == arn


def past(dynamodb, at):
    """DynamoDB's store, for which it is `at` now."""
    view = copy.copy(dynamodb)
    view.clock = SimpleNamespace(now=lambda: at)
    return view


def take(store, place, arn, at, delay):
    """The Content as of now; Unready, Failed. `delay`: how long DynamoDB's own backup is CREATING."""
    if kind_of(arn) == "S3":
        return _take_bucket(store, place, arn)
    with store.app.dynamodb.lock:
        return _take_table(store, place, arn, at, delay)


def _take_table(store, place, arn, at, delay):
    call, dynamodb = _call(place), past(store.app.dynamodb, at)
    table = dynamodb.tables(call).get(name_of(arn))
    if table is None or table.status(at) == "DELETING":
        raise Failed(f"Requested resource not found: Table: {name_of(arn)} not found")
    if table.status(at) != "ACTIVE":
        raise Unready
    if place.managed["DynamoDB"]:
        snapshot = Snapshot(table)
        return Content("DynamoDB", table.name, arn, snapshot, snapshot.bytes, dict(table.tags))
    backup = Backup(dynamodb, table, f"awsbackup-{uuid.uuid4()}", "AWS_BACKUP", delay)
    dynamodb.backups.setdefault((place.account, place.region), {})[backup.arn] = backup
    return Content("DynamoDB", table.name, arn, backup.snapshot, backup.snapshot.bytes, {}, backup.arn)


def _take_bucket(store, place, arn):
    bucket = Bucket(store, place.account, place.region, name_of(arn))
    with store.app.moto.lock:
        if not bucket.exists():
            raise Failed(f"The specified bucket does not exist: {bucket.name}")
        if not bucket.versioned():
            raise Failed(f"Versioning must be enabled on the bucket {bucket.name} to back it up", "InvalidParameters")
        objects = tuple(one for key in bucket.keys() if (one := bucket.read(key)))
    size = sum(len(one.body) for one in objects)
    return Content("S3", bucket.name, arn, objects, size, bucket.tags())


def drop(store, place, content):
    """Frees what another service keeps of it."""
    with store.app.dynamodb.lock:
        store.app.dynamodb.backups.get((place.account, place.region), {}).pop(content.own_arn, None)
