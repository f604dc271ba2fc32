"""Replication: a version is copied under its own id after `replication_lag`, tells its status, and shows in CloudWatch.

Source: S3 User Guide, "What does Amazon S3 replicate?", "Replication configuration file elements", "Using S3 Replication
metrics" (which also says which of them stand in the destination's region: all but the failures).
"""

import copy
import datetime
import uuid
from dataclasses import dataclass

from moto.cloudwatch.models import cloudwatch_backends

from . import lifecycle
from .errors import S3Error
from .store import beside, find

NAMESPACE = "AWS/S3"
COPIED = ("tags", "mode", "until", "hold")


@dataclass
class Task:
    """`whole`: the version itself, else only what may change about it."""

    due: float
    asked: float
    source: object
    version: object
    rule: dict
    whole: bool
    done: bool = False


# -- configuration ------------------------------------------------------------------------------


def put_bucket_replication(ask):
    wanted = ask.given["ReplicationConfiguration"]
    if ask.bucket.versioning != "Enabled":
        raise S3Error(
            "InvalidRequest",
            "Versioning must be 'Enabled' on the bucket to apply a replication configuration",
        )
    rules = wanted["Rules"]
    if not 1 <= len(rules) <= lifecycle.MAX_RULES:
        raise S3Error("MalformedXML")
    for rule in rules:
        rule.setdefault("ID", uuid.uuid4().hex)
        _check_rule(rule)
    if len({rule["ID"] for rule in rules}) != len(rules):
        raise S3Error("InvalidArgument", "Rule Id must be unique")
    newer = [rule["Priority"] for rule in rules if "Filter" in rule]
    if len(set(newer)) != len(newer):
        raise S3Error("InvalidRequest", "Found same priority for more than one rule")
    ask.bucket.replication = wanted
    return {}


def _check_rule(rule):
    """A rule with a Filter is of the newer form and says three things more."""
    if "Filter" in rule and not ("Priority" in rule and "DeleteMarkerReplication" in rule):
        raise S3Error(
            "InvalidRequest", "Priority and DeleteMarkerReplication must be specified when Filter is"
        )
    destination = _destination(rule)
    if destination is None:
        raise S3Error("InvalidRequest", "Destination bucket must exist.")
    if destination.versioning_status != "Enabled":
        raise S3Error("InvalidRequest", "Destination bucket must have versioning enabled.")
    if "Tag" in str(rule.get("Filter", "")) and rule["DeleteMarkerReplication"].get("Status") == "Enabled":
        raise S3Error(
            "InvalidRequest", "Delete marker replication is not supported if any Tag filter is specified"
        )


def _destination(rule):
    return find(rule["Destination"]["Bucket"].removeprefix("arn:aws:s3:::"))


def get_bucket_replication(ask):
    if ask.bucket.replication is None:
        raise S3Error(
            "ReplicationConfigurationNotFoundError",
            "The replication configuration was not found",
            status=404,
            BucketName=ask.bucket.name,
        )
    return {"ReplicationConfiguration": ask.bucket.replication}


def delete_bucket_replication(ask):
    ask.bucket.replication = None
    return {}


# -- what is to be copied -----------------------------------------------------------------------


def _rules(bucket, version):
    """Of the rules that take this version, for each destination the one of the highest priority."""
    found = {}
    for rule in (bucket.replication or {}).get("Rules", ()):
        if lifecycle._fits(rule, version) and _takes(rule, version):
            other = found.get(rule["Destination"]["Bucket"])
            if other is None or rule.get("Priority", 0) > other.get("Priority", 0):
                found[rule["Destination"]["Bucket"]] = rule
    return list(found.values())


def _takes(rule, version):
    if version.marker:
        return rule.get("DeleteMarkerReplication", {"Status": "Enabled"}).get("Status") == "Enabled"
    kms = version.sse.get("ServerSideEncryption", "AES256") != "AES256"
    selected = rule.get("SourceSelectionCriteria", {}).get("SseKmsEncryptedObjects", {}).get("Status")
    return not kms or selected == "Enabled"


def made(s3, bucket, version):
    """A new version; replicas are not copied on."""
    if version.replication is None and bucket.versioning == "Enabled":
        _queue(s3, bucket, version, True)


def changed(s3, bucket, version):
    if version.replication in ("PENDING", "COMPLETED"):
        _queue(s3, bucket, version, False)


def _queue(s3, bucket, version, whole):
    now = s3.clock.now()
    rules = _rules(bucket, version)
    for rule in rules:
        s3.queue.append(Task(now + s3.settings.seconds("replication_lag"), now, bucket, version, rule, whole))
        _measure(s3, s3.queue[-1], now)
    if rules and not version.marker:
        version.replication = "PENDING"


# -- as time goes on ----------------------------------------------------------------------------


def settle(s3):
    now = s3.clock.now()
    due = [task for task in s3.queue if task.due <= now]
    s3.queue = [task for task in s3.queue if task.due > now]
    for task in due:
        _finish(s3, task)


def _finish(s3, task):
    fake, version = _destination(task.rule), task.version
    if version not in task.source.versions(version.key):
        return  # deleted for good before it was copied
    target = beside(fake) if fake is not None and fake.versioning_status == "Enabled" else None
    fits = target is not None and (version.mode is None or fake.object_lock_enabled)
    if fits:
        _copy(s3, task, target)
    if not version.marker and version.replication == "PENDING":
        left = any(other.version is version for other in s3.queue)
        version.replication = "FAILED" if not fits else "PENDING" if left else "COMPLETED"
    _measure(s3, task, task.due, fits)


def _copy(s3, task, target):
    version = task.version
    there = next((one for one in target.versions(version.key) if one.id == version.id), None)
    if there is not None:
        for name in COPIED:
            setattr(there, name, getattr(version, name))
        return
    replica = copy.copy(version)
    replica.replication, replica.noncurrent, replica.thaw = "REPLICA", None, None
    replica.storage = task.rule["Destination"].get("StorageClass", version.storage)
    key = task.rule["Destination"].get("EncryptionConfiguration", {}).get("ReplicaKmsKeyID")
    if key and version.sse.get("SSEKMSKeyId"):
        replica.sse = {**version.sse, "SSEKMSKeyId": key}
    versions = target.objects.setdefault(version.key, [])
    # Between versions of the destination's own it takes its place by time.
    place = sum(one.modified <= replica.modified for one in versions)
    versions.insert(place, replica)
    for older, newer in zip(versions, versions[1:]):
        older.noncurrent = older.noncurrent or newer.modified
    s3.note(target, "REPLICATE", version.key, "made")


# -- CloudWatch ---------------------------------------------------------------------------------


def _measure(s3, task, at, ok=None):
    """Where the rule wants metrics: what is pending, and when something ended its latency or that it failed."""
    wanted = task.rule["Destination"].get("Metrics", {}).get("Status") == "Enabled"
    fake = _destination(task.rule)
    if not wanted:
        return
    pending = [
        other for other in s3.queue if other.rule["ID"] == task.rule["ID"] and other.source is task.source
    ]
    values = {
        "OperationsPendingReplication": (len(pending), "Count"),
        "BytesPendingReplication": (sum(other.version.size for other in pending if other.whole), "Bytes"),
        "ReplicationLatency": (max((at - other.asked for other in [*pending, task]), default=0.0), "Seconds"),
    }
    if fake is not None:
        _put(s3, task, fake.region_name, values, at)
    if ok is not None:
        _put(
            s3,
            task,
            task.source.fake.region_name,
            {"OperationsFailedReplication": (0 if ok else 1, "Count")},
            at,
        )


def _put(s3, task, region, values, at):
    names = (
        ("SourceBucket", task.source.name),
        ("DestinationBucket", task.rule["Destination"]["Bucket"][13:]),
        ("RuleId", task.rule["ID"]),
    )
    dimensions = [{"Name": name, "Value": value} for name, value in names]
    when = datetime.datetime.fromtimestamp(at, datetime.timezone.utc).replace(tzinfo=None)  # as moto keeps it
    data = [
        {"MetricName": name, "Dimensions": dimensions, "Timestamp": when, "Value": value, "Unit": unit}
        for name, (value, unit) in values.items()
    ]
    cloudwatch_backends[task.source.fake.account_id][region].put_metric_data(NAMESPACE, data)
