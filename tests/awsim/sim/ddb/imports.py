"""Imports from S3: asked for at once, a new table that is CREATING until `import_delay` has passed, filled then.

Source: DynamoDB Developer Guide, "Import format quotas and validation". Where it is silent (order of the checks, what a token
stands for, when an object is given up, an empty prefix) what ScyllaDB's conformance tests of ImportTable saw on AWS decides.
"""

import re
import uuid

from .errors import DdbError, in_use, invalid, unknown
from .import_files import Outcome, read
from .pitr import DAY
from .store import ARN, table_name
from .tables import new_table

TOKEN_LIFE, LISTED_FOR, CONCURRENT = 8 * 3600.0, 90 * DAY, 50
LOG_GROUP = "/aws-dynamodb/imports"
SAME = (
    "S3BucketSource",
    "InputFormat",
    "InputFormatOptions",
    "InputCompressionType",
    "TableCreationParameters",
    "ClientToken",
)
SUMMARY = (
    "ImportArn",
    "ImportStatus",
    "TableArn",
    "S3BucketSource",
    "CloudWatchLogGroupArn",
    "InputFormat",
    "StartTime",
    "EndTime",
)
SKIPPED = (
    "ItemValidationError",
    "Some of the items failed validation checks and were not imported. Please check CloudWatch error logs for more details.",
)
DELIMITERS = {",", "\t", ":", ";", "|", " "}
TOKEN_DIGITS = 112


class Import:
    """`table` is there to be filled; None once the import is over. It becomes ACTIVE in the moment in which it is."""

    def __init__(self, call, table, request):
        self.request, self.table, self.place = request, table, (call.account, call.region)
        self.table_name, self.table_arn, self.table_id = table.name, table.arn, table.id
        self.started, self.ends = table.created, table.ready
        self.id = f"{int(self.started * 1000):014d}-{uuid.uuid4().hex[:8]}"
        self.arn = f"{table.arn}/import/{self.id}"
        self.status, self.failure, self.outcome = "IN_PROGRESS", None, None

    def shown(self):
        outcome, (account, region) = self.outcome or Outcome(), self.place
        shown = {
            "ImportArn": self.arn,
            "ImportStatus": self.status,
            "TableArn": self.table_arn,
            "TableId": self.table_id,
            "CloudWatchLogGroupArn": f"arn:aws:logs:{region}:{account}:log-group:{LOG_GROUP}:*",
            "InputCompressionType": "NONE",
            "StartTime": round(self.started, 3),
            "ErrorCount": outcome.errors,
            "ProcessedItemCount": outcome.imported + outcome.errors,
            "ImportedItemCount": outcome.imported,
            **{name: self.request[name] for name in SAME if name in self.request},
        }
        if self.status != "IN_PROGRESS":
            shown |= {"EndTime": round(self.ends, 3), "ProcessedSizeBytes": outcome.bytes}
        if self.failure:
            shown["FailureCode"], shown["FailureMessage"] = self.failure
        return shown


def settle(store):
    """Fills the tables whose import is over by now; called before each call."""
    with store.lock:
        now = store.clock.now()
        for one in list(store.imports.values()):
            if one.status == "IN_PROGRESS" and now >= one.ends:
                _finish(store, one)


def _finish(store, one):
    table, one.table = one.table, None
    source = one.request["S3BucketSource"]
    account = one.place[0]
    owner = source.get("S3BucketOwner", account)
    objects, refusal = store.read_objects(account, owner, source["S3Bucket"], source.get("S3KeyPrefix", ""))
    if refusal:
        one.status, one.failure = "FAILED", refusal
        store.places[one.place].pop(one.table_name, None)  # nothing was read: no table is left
        return
    one.outcome = read(one.request, table, objects)
    one.status, one.failure = ("FAILED", SKIPPED) if one.outcome.errors else ("COMPLETED", None)
    for stream, lines in (
        ("info", [{"importArn": one.arn, "status": one.status}]),
        ("error", _errors(one, source["S3Bucket"])),
    ):
        if lines:
            store.write_log(one.place, LOG_GROUP, f"{one.id}/{stream}", one.ends, lines)


def _errors(one, bucket):
    return [
        {
            "itemS3Pointer": {"bucket": bucket, "key": key, "itemIndex": index},
            "importArn": one.arn,
            "errorMessages": [message],
        }
        for key, index, message in one.outcome.faults
    ]


def import_table(store, call, request):
    """A table that is there already is looked for before the token; a token is bound to the table's name only."""
    _check(request)
    params = request["TableCreationParameters"]
    name = call.resource = table_name(params["TableName"])
    former = _by_token(store, call, request["ClientToken"])
    if name in store.tables(call) and not (
        former and former.status == "IN_PROGRESS" and former.table_name == name
    ):
        raise in_use(f"Table already exists: {name}")
    if former:
        if former.table_name != name:
            raise DdbError(
                "ImportConflictException",
                "Duplicate request with different parameters for the same client token",
            )
        call.effect = "read"
        return {"ImportTableDescription": former.shown()}
    running = [
        one for one in store.imports.values() if one.status == "IN_PROGRESS" and one.place[0] == call.account
    ]
    if len(running) >= CONCURRENT:
        raise DdbError(
            "LimitExceededException",
            f"Subscriber limit exceeded: Only {CONCURRENT} concurrent imports are allowed",
        )
    table = new_table(store, call, params, store.settings.seconds("import_delay"))
    one = Import(call, table, request)
    store.imports[one.arn] = one
    return {"ImportTableDescription": one.shown()}


def _check(request):
    token, kind = request.get("ClientToken", ""), request["InputFormat"]
    if not token or "$" in token:
        raise invalid(
            "1 validation error detected: Value at 'clientToken' failed to satisfy constraint: pattern: ^[^\\$]+$"
        )
    if kind == "ION":
        raise unknown("awsim imports DYNAMODB_JSON and CSV only")
    if kind != "CSV" and "InputFormatOptions" in request:
        raise invalid("inputFormatOptions are not supported for this inputFormat")
    if request.get("InputFormatOptions", {}).get("Csv", {}).get("Delimiter", ",") not in DELIMITERS:
        raise invalid(
            "1 validation error detected: Value at 'inputFormatOptions.csv.delimiter' failed to satisfy constraint"
        )
    if any(
        "WarmThroughput" in index
        for index in request["TableCreationParameters"].get("GlobalSecondaryIndexes", ())
    ):
        raise invalid("WarmThroughput is not supported on Global Secondary Indexes via ImportTable")


def _by_token(store, call, token):
    now, place = store.clock.now(), (call.account, call.region)
    fits = (
        one
        for one in store.imports.values()
        if one.place == place and one.request["ClientToken"] == token and now < one.started + TOKEN_LIFE
    )
    return next(fits, None)


def describe_import(store, call, request):
    call.resource = request["ImportArn"]
    if not ARN.fullmatch(request["ImportArn"]):
        raise invalid("Invalid Import ARN")
    one = store.imports.get(request["ImportArn"])
    if one is None or one.place != (call.account, call.region):
        raise DdbError("ImportNotFoundException", f"Import not found: {request['ImportArn']}")
    return {"ImportTableDescription": one.shown()}


def list_imports(store, call, request):
    """Newest first; a token tells how many were shown."""
    size, token = request.get("PageSize", 25), request.get("NextToken", "0" * TOKEN_DIGITS)
    if not 1 <= size <= 25:
        raise invalid(f"1 validation error detected: Value '{size}' at 'pageSize' must be between 1 and 25")
    if not re.fullmatch(f"[0-9a-f]{{{TOKEN_DIGITS}}}", token):
        raise invalid("1 validation error detected: Value at 'nextToken' failed to satisfy constraint")
    start, oldest = int(token, 16), store.clock.now() - LISTED_FOR
    found = [
        one
        for one in sorted(store.imports.values(), key=lambda one: one.id, reverse=True)
        if one.place == (call.account, call.region)
        and request.get("TableArn", one.table_arn) == one.table_arn
        and one.started >= oldest
    ]
    if start > len(found):
        raise invalid("1 validation error detected: Value at 'nextToken' is not a token")
    page = [one.shown() for one in found[start : start + size]]
    answer = {"ImportSummaryList": [{name: one[name] for name in SUMMARY if name in one} for one in page]}
    if len(found) > start + size:
        answer["NextToken"] = f"{start + size:0{TOKEN_DIGITS}x}"
    return answer
