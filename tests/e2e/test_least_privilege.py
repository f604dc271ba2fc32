"""deploy/iam-policy.json is enough for all that recoverd does, and nothing in it is too much: without any action something fails, by name.

awsim's IAM judges, with AWS's actions (tests/awsim/sim/iam); the whole world is the account's root's, recoverd is a user with this policy.
"""
import io
import json
import os
import zipfile

import pytest

from accounts import client, document, user
from liar import Liar
from peers import PEERS, end
from test_online import online
from world import ACCOUNT, ROOT, Server, items_of, make_table, put_items

TEXT = (ROOT / "deploy/iam-policy.json").read_text()
STATEMENTS = json.loads(TEXT)["Statement"]
APPLY = ["event_source_mappings", "kinesis", "alarms", "resource_policy"]
STREAM = f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/changes"


def listed(value):
    return [value] if isinstance(value, str) else value


GRANTS = [(row["Sid"], action) for row in STATEMENTS for action in listed(row["Action"]) if action != "iam:CreateServiceLinkedRole"]
SERVICES = [name for row in STATEMENTS if row["Action"] == "iam:CreateServiceLinkedRole"
            for name in row["Condition"]["StringEquals"]["iam:AWSServiceName"]]
# What needs an action that the look of --check --online does not.
RESTORE, PROVE, UNDO, CHECK, LOCK = "restore", "prove", "undo", "check", "lock"
BY_RESTORE = {"MakeAndFillTables", "AutoscalingOfRestoredTables", "AlarmsOfRestoredTables", "OnlyWhenApplyNamesThem",
              "KinesisOnlyWhenApplyNamesIt", "FindStreamsOnlyWhenApplyNamesKinesis", "MappingsOnlyWhenApplyNamesThem", "KeyOfTables"}


def way_to(sid, action):
    if action == "dynamodb:DeleteTable":
        return PROVE
    if action == "s3:DeleteObjectVersion":
        return UNDO
    if action == "s3:GetObjectRetention":
        return LOCK
    if sid == "KeyOfTables" and action == "kms:Decrypt":
        return CHECK
    return RESTORE if sid in BY_RESTORE else CHECK


# What fails apart from the others of its row can be taken away with them; TORTURE=1 takes each away alone.
TOGETHER = [
    "DescribeContinuousBackups DescribeContributorInsights DescribeKinesisStreamingDestination DescribeTimeToLive GetResourcePolicy "
    "ListTagsOfResource Scan DescribeScalableTargets DescribeAlarms ListEventSourceMappings ListTables",
    "UpdateContinuousBackups UpdateContributorInsights UpdateTimeToLive PutScalingPolicy PutMetricAlarm EnableKinesisStreamingDestination "
    "PutResourcePolicy CreateEventSourceMapping",
    "RegisterScalableTarget PutRecords UpdateTable",
]


def rounds():
    if os.environ.get("TORTURE"):
        return [[grant] for grant in GRANTS]
    rows = [[(sid, action) for sid, action in GRANTS if action.partition(":")[2] in row.split()] for row in TOGETHER]
    return rows + [[grant] for grant in GRANTS if not any(grant in row for row in rows)]


def policy(text, without=(), services=()):
    """The policy, less some (statement, action), or less services whose role may be made."""
    statements = json.loads(text)["Statement"]
    kept = []
    for row in statements:
        row["Action"] = [action for action in listed(row["Action"]) if (row["Sid"], action) not in without]
        if services and "iam:AWSServiceName" in row.get("Condition", {}).get("StringEquals", {}):
            names = row["Condition"]["StringEquals"]
            names["iam:AWSServiceName"] = [name for name in names["iam:AWSServiceName"] if name not in services]
            row["Action"] = row["Action"] if names["iam:AWSServiceName"] else []
        kept += [row] if row["Action"] else []
    return document(*kept)


class World:
    """A table with every setting there is, under a key of the customer's; a bucket with versions; recoverd as a user with the policy."""

    def __init__(self, aws):
        self.aws, self.made = aws, 0
        aws.reset()
        aws.own("POST", "settings", {"table_create_delay": "0s", "table_update_delay": "0s"})
        self.iam, self.s3, self.dynamodb = (client(aws, service) for service in ("iam", "s3", "dynamodb"))
        kms = client(aws, "kms")
        keys = [kms.create_key()["KeyMetadata"]["Arn"] for _ in range(2)]
        self.text = TEXT
        for name, value in (("TABLE_KEY_ARN", keys[0]), ("KEY_ARN", keys[1]), ("REGION", "us-east-1"), ("ACCOUNT", ACCOUNT),
                            ("TABLES", "*"), ("BUCKET", "points"), ("PREFIX", "recoverd")):
            self.text = self.text.replace(name, value)
        self.s3.create_bucket(Bucket="points", ObjectLockEnabledForBucket=True)
        self.fill(keys[0])
        self.liar = Liar(aws.url)
        env = user(aws, policy=policy(self.text))
        aws.own("POST", "iam", {"enforce": True})
        self.server = Server(self.liar.url, tables=("Sales", "Sales-*"), root="s3://points/recoverd", env=env,
                             more=f"    kms_key: {keys[1]}\n    tags: {{owner: sales}}\n").start()
        self.point = self.server.backup("Sales")["result"]["recovery_point"]

    def fill(self, key):
        units = {"ReadCapacityUnits": 7, "WriteCapacityUnits": 5}
        make_table(self.dynamodb, "Sales", attributes={"a": "S"}, BillingMode="PROVISIONED", ProvisionedThroughput=units,
                   SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key}, Tags=[{"Key": "team", "Value": "sales"}],
                   StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
                   GlobalSecondaryIndexes=[{"IndexName": "by-a", "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}],
                                            "Projection": {"ProjectionType": "ALL"}, "ProvisionedThroughput": units}])
        items = [{"pk": {"S": f"p{i}"}, "sk": {"S": "s"}, "a": {"S": "a"}, "expires": {"N": "9999999999"}} for i in range(10)]
        put_items(self.dynamodb, "Sales", items)
        self.dynamodb.update_time_to_live(TableName="Sales", TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires"})
        self.dynamodb.update_continuous_backups(TableName="Sales", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})
        for index in ({}, {"IndexName": "by-a"}):
            self.dynamodb.update_contributor_insights(TableName="Sales", ContributorInsightsAction="ENABLE", **index)
        self.dynamodb.enable_kinesis_streaming_destination(TableName="Sales", StreamArn=STREAM)
        table = self.dynamodb.describe_table(TableName="Sales")["Table"]
        self.dynamodb.put_resource_policy(ResourceArn=table["TableArn"], Policy=document(
            {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "dynamodb:GetItem",
             "Resource": table["TableArn"]}))
        self.fill_beside(table)

    def fill_beside(self, table):
        scaling, target = client(self.aws, "application-autoscaling"), {
            "ServiceNamespace": "dynamodb", "ResourceId": "table/Sales", "ScalableDimension": "dynamodb:table:ReadCapacityUnits"}
        scaling.register_scalable_target(**target, MinCapacity=5, MaxCapacity=50)
        tracking = {"TargetValue": 70.0, "PredefinedMetricSpecification": {"PredefinedMetricType": "DynamoDBReadCapacityUtilization"}}
        scaling.put_scaling_policy(**target, PolicyName="reads", PolicyType="TargetTrackingScaling",
                                   TargetTrackingScalingPolicyConfiguration=tracking)
        client(self.aws, "cloudwatch").put_metric_alarm(
            AlarmName="Sales-errors", MetricName="SystemErrors", Namespace="AWS/DynamoDB", Statistic="Sum", Period=60, EvaluationPeriods=1,
            Threshold=1.0, ComparisonOperator="GreaterThanThreshold", Dimensions=[{"Name": "TableName", "Value": "Sales"}])
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as code:
            code.writestr("main.py", "def handler(event, context): pass")
        functions = client(self.aws, "lambda")
        functions.create_function(FunctionName="watch", Runtime="python3.12", Role=self.role(), Handler="main.handler",
                                  Code={"ZipFile": archive.getvalue()})
        functions.create_event_source_mapping(FunctionName="watch", EventSourceArn=table["LatestStreamArn"], StartingPosition="LATEST")

    def role(self):
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        return self.iam.create_role(RoleName="watch", AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]

    def may(self, **less):
        self.iam.put_user_policy(UserName="recoverd", PolicyName="policy", PolicyDocument=policy(self.text, **less))

    def forget_service_roles(self):
        for role in self.iam.list_roles(PathPrefix="/aws-service-role/")["Roles"]:
            self.iam.delete_role(RoleName=role["RoleName"])

    # -- each way: what failed, in recoverd's words; nothing when all went well ----------------------------------------

    def check(self):
        lines = online(self.server, None)
        return [line for line in lines if line.startswith("FAIL")]

    def restore(self):
        self.made += 1
        target = f"Sales-{self.made}"
        source = {"recovery_point": self.point}
        status, _, plan = self.server.call("POST", "/v1/plans", {"kind": "restore.table", "environment": "production", "spec": {
            "source": source, "target_table": target, "settings": {"apply": APPLY}}})
        if status != 200:
            return [json.dumps(plan)]
        job = self.server.wait(self.server.submit("restore.table", {"source": source, "target_table": target, "settings": {"apply": APPLY}},
                                                  plan=True), want=None)
        if job["state"] == "succeeded":
            assert items_of(self.dynamodb, target) == items_of(self.dynamodb, "Sales")
            left = [row for row in job["result"]["settings"] if row["outcome"] not in ("applied", "already")]
            return [json.dumps(row) for row in left if row["name"] != "replicas"]
        rows = (job.get("result") or {}).get("settings", [])
        return [json.dumps(row) for row in rows if row["outcome"] in ("failed", "unreadable")] + [json.dumps(job.get("error"))]

    def prove(self):
        job = self.server.run("validate.backup", {"source": {"recovery_point": self.point}, "prove": True}, want=None)
        return [] if job["state"] == "succeeded" else [json.dumps(job.get("error")) + json.dumps(job["left_behind"])]

    def lock(self):
        """AWS says nothing of a lock to one who may not ask for it: --check --online cannot say then how long a file stays."""
        rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}
        self.s3.put_object_lock_configuration(Bucket="points", ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule})
        (root,) = [line for line in online(self.server, 0) if "production: root" in line]
        self.s3.put_object_lock_configuration(Bucket="points", ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"})
        return [] if "locked until" in root else [f"s3:GetObjectRetention is not granted, and no lock is told: {root}"]

    def undo(self):
        """A put that comes out unencrypted is taken back, this version of it: what stays is what failed."""
        def unencrypted(call, host):
            if call.operation not in ("PutObject", "HeadObject"):
                return None
            call.forward(host)
            call.answer_headers = [(name, value) for name, value in call.answer_headers if "server-side-encryption" not in name.lower()]
            return True

        def count():
            found = self.s3.list_object_versions(Bucket="points")
            return len(found.get("Versions", []))

        before = count()
        self.liar.tell(unencrypted)
        job = self.server.run("backup.table", {"table": "Sales"}, want=None)
        self.liar.tell(None)
        assert job["state"] == "failed" and job["error"]["code"] == "AWS_LIED", job
        refused = [row for row in self.aws.ledger(operation="DeleteObject") if row["status"] == 403]
        return [f"s3:DeleteObjectVersion refused: an unencrypted object stays ({len(refused)})"] if count() > before else []


@pytest.fixture(scope="module")
def world(stand_ins):
    world = World(stand_ins(PEERS["awsim"]))
    yield world
    world.liar.tell(None)
    end(world.server)
    world.liar.stop()


def test_with_the_policy_everything_works(world):
    for way in (CHECK, RESTORE, PROVE, UNDO, LOCK):
        world.forget_service_roles()
        assert getattr(world, way)() == [], way
    assert world.server.run("validate.table", {"table": "Sales-1"})["result"]["verdict"] == "intact"


def test_every_action_is_taken_away_once():
    assert sorted(grant for row in rounds() for grant in row) == sorted(GRANTS) and len(SERVICES) == 3
    for row in rounds():
        assert len({way_to(*grant) for grant in row}) == 1


@pytest.mark.parametrize("grants", rounds(), ids=lambda row: "+".join(action for _, action in row)[:60])
def test_without_an_action_something_fails_by_its_name(world, record_property, grants):
    way = way_to(*grants[0])
    world.may(without=grants)
    failed = getattr(world, way)()
    world.may()
    told = []
    for sid, action in grants:
        named = [text for text in failed if action in text]
        assert named, (sid, action, failed)
        told.append(f"{sid} {action}: {way}: {named[0][:150]}")
    record_property("told", "\n".join(told))


def test_without_the_right_to_a_services_role_its_setting_fails(world, record_property):
    world.forget_service_roles()
    world.may(services=SERVICES)
    failed = world.restore()
    world.may()
    for service in SERVICES:
        named = [text for text in failed if "iam:CreateServiceLinkedRole" in text and service in text]
        assert named, (service, failed)
    assert not world.iam.list_roles(PathPrefix="/aws-service-role/")["Roles"]
