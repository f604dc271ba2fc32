"""The files of an export: data by partition, manifests, checksums."""

import base64
import gzip
import hashlib
import json
import math
import uuid

from ..state import rfc3339
from .table import encode

PARTITIONS = 4


def _by_partition(lines):
    """[(place, line)] as a list of lines for each partition; an empty one has a file too."""
    parts = [[] for _ in range(PARTITIONS)]
    for place, line in lines:
        parts[place[0] * PARTITIONS >> 8].append(line)
    return parts


def full_lines(items):
    return _by_partition((place, b'{"Item":' + stored.body + b"}") for place, stored in items.items())


def changed_lines(table, start, end, with_old):
    """One line for each key written in [start, end): what it was before, what it was at the end."""
    entries = table.journal.entries
    before = table.journal.items_at(table.items, math.nextafter(start, -math.inf))
    after = table.journal.items_at(table.items, math.nextafter(end, -math.inf))
    last = {place: at for at, place, _ in entries if start <= at < end}
    lines = (
        (place, _change(table, at, before.get(place), after.get(place), with_old))
        for place, at in last.items()
    )
    return _by_partition((place, line) for place, line in lines if line)


def _change(table, at, old, new, with_old):
    if not old and not new:
        return None
    line = {
        "Metadata": {"WriteTimestampMicros": {"N": str(int(at * 1e6))}},
        "Keys": table.schema.key_of((new or old).members),
    }
    if with_old and old:
        line["OldImage"] = old.members
    if new:
        line["NewImage"] = new.members
    return encode(line)


def begin(put, export):
    """The marker that AWS writes to learn whether it may write; without a bucket there is none."""
    _put(put, export, f"{export.folder}/{export.id}/_started", b"")


def finish(put, export):
    """All files, then the state; the first that cannot be written is the failure."""
    base = f"{export.folder}/{export.id}"
    rows, data = [], f"{base}/data" if export.kind == "FULL_EXPORT" else f"{export.folder}/data"
    everything = []
    for part in export.lines:
        body = gzip.compress(b"".join(line + b"\n" for line in part), mtime=0)
        digest = hashlib.md5(body, usedforsecurity=False)
        key = f"{data}/{uuid.uuid4().hex[:26]}.json.gz"
        everything.append((key, body))
        rows.append(
            {
                "itemCount": len(part),
                "md5Checksum": base64.b64encode(digest.digest()).decode(),
                "etag": digest.hexdigest(),
                "dataFileS3Key": key,
            }
        )
    export.manifest = f"{base}/manifest-summary.json"
    for name, body in (
        ("manifest-files", b"".join(encode(row) + b"\n" for row in rows)),
        ("manifest-summary", json.dumps(_summary(export, f"{base}/manifest-files.json")).encode()),
    ):
        everything.append((f"{base}/{name}.json", body))
        digest = hashlib.md5(body, usedforsecurity=False).digest()
        everything.append((f"{base}/{name}.checksum", base64.b64encode(digest)))
    export.failure = next(
        (fault for key, body in everything if (fault := _put(put, export, key, body))), None
    )
    export.status, export.lines = ("FAILED" if export.failure else "COMPLETED"), None


def _put(put, export, key, body):
    """None, or (code, message) of S3's refusal."""
    request = export.request
    account = export.arn.split(":")[4]
    if request.get("S3BucketOwner", account) != account:
        return "S3AccessDenied", "Access Denied"
    kms = request.get("S3SseAlgorithm") == "KMS"
    headers = {"x-amz-server-side-encryption": "aws:kms" if kms else "AES256"}
    if "S3SseKmsKeyId" in request:
        headers["x-amz-server-side-encryption-aws-kms-key-id"] = request["S3SseKmsKeyId"]
    return put(account, export.arn.split(":")[3], request["S3Bucket"], key, body, headers)


def _summary(export, files):
    request, spec = export.request, export.times.get("IncrementalExportSpecification")
    times = (
        {"exportTime": rfc3339(export.times["ExportTime"])}
        if spec is None
        else {
            "exportFromTime": rfc3339(spec["ExportFromTime"]),
            "exportToTime": rfc3339(spec["ExportToTime"]),
            "outputView": spec["ExportViewType"],
        }
    )
    return {
        "version": "2020-06-30" if spec is None else "2023-08-01",
        "exportArn": export.arn,
        "startTime": rfc3339(export.started),
        "endTime": rfc3339(export.ends),
        "tableArn": export.table_arn,
        "tableId": export.table_id,
        **times,
        "s3Bucket": request["S3Bucket"],
        "s3Prefix": request.get("S3Prefix"),
        "s3SseAlgorithm": request.get("S3SseAlgorithm", "AES256"),
        "s3SseKmsKeyId": request.get("S3SseKmsKeyId"),
        "manifestFilesS3Key": files,
        "billedSizeBytes": export.billed,
        "itemCount": export.items,
        "outputFormat": "DYNAMODB_JSON",
        "exportType": export.kind,
    }
