"""What a restore makes of a recovery point, and the metadata that says where: a new table, objects in a bucket."""

import json

from ..ddb.errors import DdbError
from ..ddb.restores import restore
from ..ddb.store import NAME
from ..mends import keys
from ..names import Call
from .buckets import Bucket
from .contents import Failed, past
from .errors import invalid

# In AWS's spelling; the case of a key does not matter.
KEYS = {
    "DynamoDB": ("targetTableName", "encryptionType", "kmsMasterKeyArn"),
    "S3": (
        "DestinationBucketName",
        "NewBucket",
        "Encrypted",
        "EncryptionType",
        "KMSKey",
        "CreationToken",
        "ItemsToRestore",
        "RestoreACLs",
    ),
}
REQUIRED = {"DynamoDB": "targetTableName", "S3": "DestinationBucketName"}
ENCRYPTIONS = {
    "DynamoDB": ("encryptionType", ("Default", "KMS")),
    "S3": ("EncryptionType", ("original", "SSE-S3", "SSE-KMS")),
}
KEY_OF = {"DynamoDB": ("kmsMasterKeyArn", "KMS"), "S3": ("KMSKey", "SSE-KMS")}
ITEMS = 5


def metadata_of(content):
    """What StartRestoreJob takes as it is, but for the target's name, which is the source's."""
    if content.kind == "S3":
        return {"DestinationBucketName": content.name, "NewBucket": "false", "EncryptionType": "original"}
    sse = content.data.sse
    found = {"targetTableName": content.name, "encryptionType": "KMS" if sse else "Default"}
    return found | ({"kmsMasterKeyArn": sse["KMSMasterKeyArn"]} if sse else {})


def checked(kind, given):
    """The metadata in AWS's spelling; refuses keys that are unknown, missing or do not fit together."""
    spelling = {key.lower(): key for key in KEYS[kind]}
    if unknown := sorted(key for key in given if key.lower() not in spelling):
        raise invalid(f"Invalid restore metadata. Unrecognized key : {', '.join(unknown)}")
    found = {spelling[key.lower()]: value for key, value in given.items()}
    if not found.get(REQUIRED[kind]):
        raise invalid(f"Invalid restore metadata. Missing key : {REQUIRED[kind]}")
    name, allowed = ENCRYPTIONS[kind]
    if found.get(name, allowed[0]) not in allowed:
        raise invalid(f"Invalid restore metadata. {name} must be one of {', '.join(allowed)}")
    key, needs = KEY_OF[kind]
    if key in found and found.get(name) != needs:
        raise invalid(f"Invalid restore metadata. {key} needs {name} {needs}")
    (_check_table if kind == "DynamoDB" else _check_bucket)(found)
    return found


def _check_table(found):
    if not NAME.fullmatch(found["targetTableName"]):
        raise invalid(f"Invalid restore metadata. Not a table's name: {found['targetTableName']}")


def _check_bucket(found):
    if found.get("NewBucket", "false").lower() not in ("true", "false"):
        raise invalid("Invalid restore metadata. NewBucket must be true or false")
    items = _items(found)
    if items is not None and not (isinstance(items, list) and 1 <= len(items) <= ITEMS):
        raise invalid(f"Invalid restore metadata. ItemsToRestore must be a list of 1 to {ITEMS} S3 URIs")


def _items(found):
    """The list of addresses, None for everything."""
    try:
        return json.loads(found["ItemsToRestore"]) if "ItemsToRestore" in found else None
    except ValueError:
        raise invalid("Invalid restore metadata. ItemsToRestore must be JSON") from None


def writing(job):
    """(action, resource) that a role needs to restore."""
    name = job.metadata[REQUIRED[job.point.content.kind]]
    if job.point.content.kind == "S3":
        return "s3:PutObject", f"arn:aws:s3:::{name}/*"
    action = "RestoreTableFromAwsBackup" if job.point.managed else "RestoreTableFromBackup"
    return f"dynamodb:{action}", f"arn:aws:dynamodb:{job.place.region}:{job.place.account}:table/{name}"


def make(store, at, job, content, tags):
    """The ARN of what was made; Failed."""
    key = job.metadata.get(KEY_OF[content.kind][0])
    if key and keys.trouble_with(job.place.account, job.place.region, key, at):
        raise Failed(f"The KMS key is not there, disabled, or may not be used: {key}")
    return _table(store, at, job, content, tags) if content.kind == "DynamoDB" else _objects(store, job, content)


def _table(store, at, job, content, tags):
    place, name = job.place, job.metadata["targetTableName"]
    operation = writing(job)[0].partition(":")[2]
    call = Call("dynamodb", operation, name, None, place.region, place.account)
    request = {"TargetTableName": name, "SSESpecificationOverride": {"Enabled": False}}
    if job.metadata.get("encryptionType") == "KMS":
        request["SSESpecificationOverride"] = {"Enabled": True, "SSEType": "KMS"}
        if "kmsMasterKeyArn" in job.metadata:
            request["SSESpecificationOverride"]["KMSMasterKeyId"] = job.metadata["kmsMasterKeyArn"]
    summary = {
        "SourceBackupArn": job.point.arn,
        "SourceTableArn": content.arn,
        "RestoreDateTime": round(job.point.created, 3),
    }
    dynamodb = store.app.dynamodb
    with dynamodb.lock:
        try:
            restore(past(dynamodb, at), call, request, content.data, summary)
        except DdbError as fault:
            raise Failed(fault.message) from None
        table = dynamodb.tables(call)[name]
        table.clock, table.tags = dynamodb.clock, dict(tags)
    store.note(place, "dynamodb", call.operation, name, "made", job.session)
    return table.arn


def _objects(store, job, content):
    place, wanted = job.place, _wanted(job.metadata, content.name)
    bucket = Bucket(store, place.account, place.region, job.metadata["DestinationBucketName"])
    new = job.metadata.get("NewBucket", "false").lower() == "true"
    with store.app.moto.lock:
        if new == bucket.exists():
            raise Failed(f"The specified bucket {'exists already' if new else 'does not exist'}: {bucket.name}")
        if new and (fault := bucket.create()):
            raise Failed(fault)
        if new:
            store.note(place, "s3", "CreateBucket", bucket.name, "made", job.session)
        for one in content.data:
            # Nothing is overwritten: a key whose current version is no delete marker is skipped.
            if (wanted is None or one.key in wanted) and not bucket.has(one.key):
                if fault := bucket.write(one, _encryption(job.metadata)):
                    raise Failed(fault)
                store.note(place, "s3", "PutObject", f"{bucket.name}/{one.key}", "made", job.session)
    return f"arn:aws:s3:::{bucket.name}"


def _wanted(metadata, source):
    """The keys that are asked for, None for all."""
    items = _items(metadata)
    return items and {item.removeprefix(f"s3://{source}/") for item in items}


def _encryption(metadata):
    kind, key = metadata.get("EncryptionType", "original"), metadata.get("KMSKey")
    if kind == "original":
        return None
    if kind == "SSE-S3":
        return {"x-amz-server-side-encryption": "AES256"}
    named = {"x-amz-server-side-encryption-aws-kms-key-id": key} if key else {}
    return {"x-amz-server-side-encryption": "aws:kms", **named}
