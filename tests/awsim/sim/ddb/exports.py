"""Exports to S3: asked for at once, done after `export_delay`, with AWS's tree of files.

Source: DynamoDB Developer Guide, "DynamoDB table export output format".
"""

import uuid

from . import export_files as files
from .errors import DdbError, invalid, unknown
from .pitr import DAY, table_of, window

TOKEN_LIFE, LISTED_FOR = 8 * 3600.0, 90 * DAY
SHORTEST, LONGEST = 15 * 60.0, DAY
SAME = ("S3Bucket", "S3BucketOwner", "S3Prefix", "S3SseAlgorithm", "S3SseKmsKeyId")


class Export:
    """`lines`: the data, taken when the export was asked for; None once it is written."""

    def __init__(self, store, table, request, lines, times):
        now = store.clock.now()
        self.request, self.lines, self.times = request, lines, times
        self.table_arn, self.table_id = table.arn, table.id
        self.id = f"{int(now * 1000):014d}-{uuid.uuid4().hex[:8]}"
        self.arn = f"{table.arn}/export/{self.id}"
        self.started, self.ends = now, now + store.settings.seconds("export_delay")
        self.status, self.failure, self.manifest = "IN_PROGRESS", None, None
        self.items = sum(len(part) for part in lines)
        self.billed = table.bytes

    @property
    def kind(self):
        return self.request.get("ExportType", "FULL_EXPORT")

    @property
    def folder(self):
        prefix = self.request.get("S3Prefix", "").strip("/")
        return (prefix + "/" if prefix else "") + "AWSDynamoDB"

    def shown(self):
        shown = {
            "ExportArn": self.arn,
            "ExportStatus": self.status,
            "StartTime": round(self.started, 3),
            "TableArn": self.table_arn,
            "TableId": self.table_id,
            "ExportFormat": "DYNAMODB_JSON",
            "ExportType": self.kind,
            "S3SseAlgorithm": "AES256",
            **{name: self.request[name] for name in (*SAME, "ClientToken") if name in self.request},
            **self.times,
        }
        if self.status != "IN_PROGRESS":
            shown["EndTime"] = round(self.ends, 3)
        if self.status == "COMPLETED":
            shown |= {
                "ExportManifest": self.manifest,
                "BilledSizeBytes": self.billed,
                "ItemCount": self.items,
            }
        if self.failure:
            shown["FailureCode"], shown["FailureMessage"] = self.failure
        return shown


def settle(store):
    """Writes what is due; called before each call, so that S3 shows it in time without a Describe."""
    with store.lock:
        now = store.clock.now()
        for export in list(store.exports.values()):
            if export.status == "IN_PROGRESS" and now >= export.ends:
                files.finish(store.put_object, export)


def _start(store, call, table, request, lines, times):
    export = Export(store, table, request, lines, times)
    store.exports[export.arn] = export
    files.begin(store.put_object, export)
    return {"ExportDescription": export.shown()}


def export_table_to_point_in_time(store, call, request):
    table = table_of(store.find, call, request["TableArn"])
    if request.get("ExportFormat", "DYNAMODB_JSON") != "DYNAMODB_JSON" or "FilterSpecification" in request:
        raise unknown("awsim exports all items as DYNAMODB_JSON only")
    if former := _by_token(store, call, request):
        call.effect = "read"
        return {"ExportDescription": former.shown()}
    if window(store, table) is None:
        raise DdbError(
            "PointInTimeRecoveryUnavailableException",
            f"Point in time recovery is not enabled for table '{table.name}'",
        )
    if request.get("ExportType") == "INCREMENTAL_EXPORT":
        return _start(store, call, table, request, *_incremental(store, table, request))
    if "IncrementalExportSpecification" in request:
        raise invalid("IncrementalExportSpecification needs ExportType INCREMENTAL_EXPORT")
    at = request.get("ExportTime", store.clock.now())
    _check_time(store, table, at)
    lines = files.full_lines(table.journal.items_at(table.items, at))
    return _start(store, call, table, request, lines, {"ExportTime": round(at, 3)})


def _here(store, call):
    """The exports of the caller's account and region."""
    place = f"arn:aws:dynamodb:{call.region}:{call.account}:table/"
    return [export for arn, export in store.exports.items() if arn.startswith(place)]


def _by_token(store, call, request):
    """The export that this token asked for within its life; a token stands for one request only."""
    token, now = request.get("ClientToken"), store.clock.now()
    for export in _here(store, call) if token else ():
        if export.request.get("ClientToken") == token and now < export.started + TOKEN_LIFE:
            if export.request != request:
                raise DdbError("ExportConflictException", "The token was used with other parameters")
            return export
    return None


def _check_time(store, table, at):
    earliest = window(store, table)[0]
    if not round(earliest, 3) <= at <= store.clock.now():
        raise DdbError(
            "InvalidExportTimeException",
            "The specified ExportTime is outside of the point in time recovery window.",
        )


def _incremental(store, table, request):
    spec = request.get("IncrementalExportSpecification", {})
    if "ExportFromTime" not in spec or "ExportTime" in request:
        raise invalid("An incremental export needs ExportFromTime, and takes no ExportTime")
    start, view = spec["ExportFromTime"], spec.get("ExportViewType", "NEW_AND_OLD_IMAGES")
    end = spec.get("ExportToTime", min(store.clock.now(), start + LONGEST))
    if not SHORTEST <= end - start <= LONGEST:
        raise invalid("The period of an incremental export must be between 15 minutes and 24 hours")
    for at in (start, end):
        _check_time(store, table, at)
    lines = files.changed_lines(table, start, end, view == "NEW_AND_OLD_IMAGES")
    shown = {"ExportFromTime": start, "ExportToTime": end, "ExportViewType": view}
    return lines, {"IncrementalExportSpecification": shown}


def describe_export(store, call, request):
    call.resource = request["ExportArn"]
    export = store.exports.get(request["ExportArn"])
    if export not in _here(store, call):
        raise DdbError("ExportNotFoundException", f"Export not found: {request['ExportArn']}")
    return {"ExportDescription": export.shown()}


def list_exports(store, call, request):
    limit, start = request.get("MaxResults", 25), request.get("NextToken", "")
    if not 1 <= limit <= 25:
        raise invalid(
            f"1 validation error detected: Value '{limit}' at 'maxResults' must be between 1 and 25"
        )
    found = [
        export
        for export in sorted(_here(store, call), key=lambda export: export.id)
        if request.get("TableArn", export.table_arn) == export.table_arn
        and export.started >= store.clock.now() - LISTED_FOR
        and export.id > start
    ]
    shown = [
        {"ExportArn": one.arn, "ExportStatus": one.status, "ExportType": one.kind} for one in found[:limit]
    ]
    return {"ExportSummaries": shown} | ({"NextToken": found[limit - 1].id} if len(found) > limit else {})
