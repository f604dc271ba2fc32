"""Random histories of a table: what is restored or exported of it is what a plain model says it held at that time."""

import base64
import gzip
import json
import math
import os
from datetime import datetime, timezone

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

TORTURE = bool(os.environ.get("TORTURE"))
LAG, PERIOD = 60, 35 * 86400
EDGE = 3  # seconds at a window's edge in which a test does not know on which side it is

KEYS = st.sampled_from("abcdef")
LEAF = st.one_of(
    st.builds(lambda text: {"S": text}, st.text(max_size=5)),
    st.builds(lambda number: {"N": str(number)}, st.integers(-(10**37), 10**37)),
    st.builds(lambda data: {"B": data}, st.binary(max_size=5)),
    st.builds(lambda flag: {"BOOL": flag}, st.booleans()),
    st.just({"NULL": True}),
)
VALUE = st.recursive(
    LEAF,
    lambda inner: st.one_of(
        st.builds(lambda values: {"L": values}, st.lists(inner, max_size=3)),
        st.builds(lambda values: {"M": values}, st.dictionaries(st.text(min_size=1, max_size=3), inner, max_size=3)),
    ),
    max_leaves=4,
)
WHEN = st.floats(0, 1)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), KEYS, VALUE),
        st.tuples(st.just("put"), KEYS, VALUE),
        st.tuples(st.just("delete"), KEYS),
        st.tuples(st.just("move"), st.sampled_from(("1m", "20m", "5h", "1d", "20d", "36d"))),
        st.tuples(st.just("pitr"), st.booleans()),
        st.tuples(st.just("backup")),
        st.tuples(st.just("back"), WHEN),
        st.tuples(st.just("restore"), WHEN),
        st.tuples(st.just("export"), WHEN),
        st.tuples(st.just("changes"), WHEN, WHEN),
        st.tuples(st.just("lose")),
    ),
    min_size=5,
    max_size=60 if TORTURE else 25,
)


def _plain(value):
    """Comparable: binary as text."""
    return json.dumps(value, sort_keys=True, default=lambda data: "b" + data.hex())


class History:
    """One table, what it held after each step, and awsim's own idea of it."""

    def __init__(self, world):
        world.control("POST", "reset")
        world.settings(
            table_create_delay="0s", table_update_delay="0s", backup_delay="0s", restore_delay="0s", export_delay="0s", pitr_lag=f"{LAG}s"
        )
        self.world, self.ddb, self.s3 = world, world.client("dynamodb"), world.client("s3")
        self.s3.create_bucket(Bucket="exports")
        self.ddb.create_table(
            TableName="Sales",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        )
        self.items, self.moments, self.writes, self.backups, self.since, self.made = {}, [], [], [], None, 0
        self.rest()

    def now(self):
        return datetime.fromisoformat(self.world.control("GET", "clock")["now"]).timestamp()

    def rest(self):
        """After it a whole second lies behind us in which nothing happened: what was held then is known."""
        self.world.control("POST", "clock", {"advance": "2s"})
        self.moments.append((math.floor(self.now()), dict(self.items)))

    def run(self, steps):
        for name, *asked in steps:
            getattr(self, name)(*asked)
            self.rest()

    # -- what changes ------------------------------------------------------------------------------------

    def put(self, key, value):
        item = {"pk": {"S": key}, "v": value}
        self.ddb.put_item(TableName="Sales", Item=item)
        self.items[key] = _plain(item)
        self.writes.append((self.now(), key))

    def delete(self, key):
        self.ddb.delete_item(TableName="Sales", Key={"pk": {"S": key}})
        if self.items.pop(key, None) is not None:
            self.writes.append((self.now(), key))

    def move(self, by):
        self.world.control("POST", "clock", {"advance": by})

    def pitr(self, on):
        self.ddb.update_continuous_backups(
            TableName="Sales", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": on}
        )
        self.since = (self.since or self.now()) if on else None

    def backup(self):
        made = self.ddb.create_backup(TableName="Sales", BackupName="nightly")["BackupDetails"]["BackupArn"]
        self.backups.append((made, dict(self.items)))

    # -- what is looked at -------------------------------------------------------------------------------

    def held(self, name):
        return {item["pk"]["S"]: _plain(item) for item in self.ddb.scan(TableName=name, ConsistentRead=True)["Items"]}

    def name(self):
        self.made += 1
        return f"Restored-{self.made}"

    def code(self, function, **given):
        try:
            function(**given)
        except self.ddb.exceptions.ClientError as fault:
            return fault.response["Error"]["Code"]
        return None

    def window(self, lag):
        now = self.now()
        return (max(self.since, now - PERIOD), now - lag) if self.since else None

    def chosen(self, part, lag=LAG):
        """(moment, what was held, whether it lies in the window: None at its edge)"""
        at, held = self.moments[min(int(part * len(self.moments)), len(self.moments) - 1)]
        window = self.window(lag)
        if window is None:
            return at, held, False
        if any(abs(at - edge) < EDGE for edge in window):
            return at, held, None
        return at, held, window[0] < at < window[1]

    def back(self, part):
        if self.backups:
            arn, held = self.backups[int(part * (len(self.backups) - 1))]
            name = self.name()
            self.ddb.restore_table_from_backup(TargetTableName=name, BackupArn=arn)
            assert self.held(name) == held

    def restore(self, part):
        at, held, within = self.chosen(part)
        name = self.name()
        asked = {"SourceTableName": "Sales", "TargetTableName": name, "RestoreDateTime": _time(at)}
        if within:
            self.ddb.restore_table_to_point_in_time(**asked)
            assert self.held(name) == held
        elif within is False:
            wanted = "InvalidRestoreTimeException" if self.since else "PointInTimeRecoveryUnavailableException"
            assert self.code(self.ddb.restore_table_to_point_in_time, **asked) == wanted

    def lines(self, **asked):
        arn = self.ddb.describe_table(TableName="Sales")["Table"]["TableArn"]
        made = self.ddb.export_table_to_point_in_time(TableArn=arn, S3Bucket="exports", **asked)["ExportDescription"]
        told = self.ddb.describe_export(ExportArn=made["ExportArn"])["ExportDescription"]
        assert told["ExportStatus"] == "COMPLETED"
        folder = told["ExportManifest"].rpartition("/")[0]
        keys = [one["Key"] for one in self.s3.list_objects_v2(Bucket="exports", Prefix=folder + "/data/")["Contents"]]
        data = b"".join(gzip.decompress(self.s3.get_object(Bucket="exports", Key=key)["Body"].read()) for key in keys)
        lines = [json.loads(line) for line in data.splitlines()]
        assert told["ItemCount"] == len(lines)
        return lines

    def export(self, part):
        at, held, within = self.chosen(part, 0)  # up to now, whatever can be restored
        asked = {"ExportTime": _time(at), "ExportFormat": "DYNAMODB_JSON"}
        if within:
            lines = self.lines(**asked)
            assert {line["Item"]["pk"]["S"]: _wire(line["Item"]) for line in lines} == held
        elif within is False:
            arn = self.ddb.describe_table(TableName="Sales")["Table"]["TableArn"]
            wanted = "InvalidExportTimeException" if self.since else "PointInTimeRecoveryUnavailableException"
            assert self.code(self.ddb.export_table_to_point_in_time, TableArn=arn, S3Bucket="exports", **asked) == wanted

    def changes(self, first, last):
        (start, old, one), (end, new, other) = sorted((self.chosen(first, 0), self.chosen(last, 0)), key=lambda found: found[0])
        if not one or not other or not 900 <= end - start <= 86400:
            return
        span = {"ExportFromTime": _time(start), "ExportToTime": _time(end), "ExportViewType": "NEW_AND_OLD_IMAGES"}
        lines = self.lines(ExportType="INCREMENTAL_EXPORT", IncrementalExportSpecification=span)
        touched = {key for at, key in self.writes if start < at < end}
        wanted = {key: (old.get(key), new.get(key)) for key in touched if key in old or key in new}
        found = {line["Keys"]["pk"]["S"]: (_wire(line.get("OldImage")), _wire(line.get("NewImage"))) for line in lines}
        assert found == wanted

    def lose(self):
        """The table is deleted; what AWS keeps of one under PITR brings it back, without its past."""
        if self.since is None:
            return
        self.ddb.delete_table(TableName="Sales")
        self.rest()
        found = self.ddb.list_backups(TableName="Sales", BackupType="SYSTEM", TimeRangeLowerBound=_time(self.now() - 10))["BackupSummaries"]
        kept = max(found, key=lambda one: one["BackupCreationDateTime"])  # it may have been lost twice in these seconds
        self.ddb.restore_table_from_backup(TargetTableName="Sales", BackupArn=kept["BackupArn"])
        assert self.held("Sales") == self.items
        self.since = None


def _time(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc)


def _wire(item):
    """An item out of a file as boto would show it."""
    def shown(value):
        ((kind, inner),) = value.items()
        if kind == "B":
            return {"B": base64.b64decode(inner)}
        if kind == "L":
            return {"L": [shown(one) for one in inner]}
        return {"M": {name: shown(one) for name, one in inner.items()}} if kind == "M" else value

    return item and _plain({name: shown(value) for name, value in item.items()})


@settings(
    max_examples=int(os.environ.get("EXAMPLES", 2000 if TORTURE else 30)),
    derandomize=not TORTURE,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
    phases=list(Phase) if TORTURE else [Phase.generate],  # to shrink takes minutes
)
@given(steps=STEPS)
def test_what_is_restored_or_exported_is_what_was_held_then(running, steps):
    History(running).run(steps)
