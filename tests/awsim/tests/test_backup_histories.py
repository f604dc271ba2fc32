"""Random histories of writes, backups of three kinds and copies: what is restored of each equals a plain model of its time."""

from backup_world import TABLE, Backups
from conftest import FAST, HASH
from hypothesis import given, settings
from hypothesis import strategies as st

KEYS = st.sampled_from("abcd")
STEPS = st.one_of(
    st.tuples(st.just("put"), KEYS, st.integers(0, 99)),
    st.tuples(st.just("delete"), KEYS),
    st.tuples(st.just("wait"), st.integers(1, 600)),
    st.tuples(st.just("managed")),
    st.tuples(st.just("kept by DynamoDB")),
    st.tuples(st.just("native")),
    st.tuples(st.just("copy")),
    st.tuples(st.just("moment")),
)


class History:
    """The table `Sales`, the plain model of it, and what was taken of both: (how, what to restore from, the model then)."""

    def __init__(self, world):
        world.control("POST", "reset")
        world.settings(**FAST, backup_start_delay="0s", backup_delay="5m", restore_delay="0s", pitr_lag="0s")
        ddb = world.client("dynamodb")
        types = [{"AttributeName": "pk", "AttributeType": "S"}]
        ddb.create_table(TableName="Sales", KeySchema=HASH, AttributeDefinitions=types, BillingMode="PAY_PER_REQUEST")
        spec = {"PointInTimeRecoveryEnabled": True}
        ddb.update_continuous_backups(TableName="Sales", PointInTimeRecoverySpecification=spec)
        self.backups, self.ddb, self.model, self.taken = Backups(world, ddb), ddb, {}, []
        far = world.client("backup", region="eu-west-1")
        self.far = far.create_backup_vault(BackupVaultName="far")["BackupVaultArn"]
        self.far_client, self.far_ddb = far, world.client("dynamodb", region="eu-west-1")

    def step(self, kind, *given):
        {
            "put": self.put,
            "delete": self.delete,
            "wait": lambda seconds: self.backups.later(f"{seconds}s"),
            "managed": lambda: self.back_up(True),
            "kept by DynamoDB": lambda: self.back_up(False),
            "native": self.native,
            "copy": self.copy,
            "moment": self.moment,
        }[kind](*given)

    def put(self, key, value):
        self.ddb.put_item(TableName="Sales", Item={"pk": {"S": key}, "v": {"N": str(value)}})
        self.model[key] = value

    def delete(self, key):
        self.ddb.delete_item(TableName="Sales", Key={"pk": {"S": key}})
        self.model.pop(key, None)

    def back_up(self, managed):
        """The job runs at once; writes go on while it does."""
        self.backups.later("6m")  # one job at a time
        self.backups.advanced(managed)
        self.taken.append(("job", self.backups.start(), dict(self.model)))
        self.backups.job(self.taken[-1][1])

    def native(self):
        made = self.ddb.create_backup(TableName="Sales", BackupName="native")["BackupDetails"]
        self.taken.append(("native", made["BackupArn"], dict(self.model)))

    def copy(self):
        """Of the latest point that AWS Backup manages, if there is one that is done."""
        self.backups.later("6m")
        for how, job, then in reversed(self.taken):
            arn = self.backups.job(job)["RecoveryPointArn"] if how == "job" else ""
            if arn.startswith("arn:aws:backup:"):
                self.taken.append(("copy", self.backups.copy(arn, self.far)["DestinationRecoveryPointArn"], then))
                return

    def moment(self):
        self.backups.later("1s")
        window = self.ddb.describe_continuous_backups(TableName="Sales")["ContinuousBackupsDescription"]
        at = window["PointInTimeRecoveryDescription"]["LatestRestorableDateTime"]
        self.taken.append(("moment", at, dict(self.model)))
        self.backups.later("1s")

    def restored(self, number, how, source):
        """What a restore of it holds."""
        target, ddb = f"Back{number}", self.ddb
        if how == "native":
            ddb.restore_table_from_backup(TargetTableName=target, BackupArn=source)
        elif how == "moment":
            ddb.restore_table_to_point_in_time(SourceTableArn=TABLE, TargetTableName=target, RestoreDateTime=source)
        elif how == "job":
            assert self.backups.restore(self.backups.job(source)["RecoveryPointArn"], target)["Status"] == "COMPLETED"
        else:
            ddb = self.far_ddb
            assert self.backups.restore(source, target, client=self.far_client)["Status"] == "COMPLETED"
        return {item["pk"]["S"]: int(item["v"]["N"]) for item in ddb.scan(TableName=target)["Items"]}


@settings(max_examples=12, deadline=None, derandomize=True)
@given(st.lists(STEPS, min_size=5, max_size=25))
def test_what_is_restored_is_what_there_was(running, steps):
    history = History(running)
    for step in steps:
        history.step(*step)
    history.backups.later("1h")
    for number, (how, source, then) in enumerate(history.taken):
        assert history.restored(number, how, source) == then, (number, how)
