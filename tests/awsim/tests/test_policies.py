"""Policies, when they count: actions, resources, conditions, Deny before Allow, and AWS's words for who may not."""

import json
import subprocess
import sys

import pytest

from conftest import FAST, HASH, HERE, World
from people import allow, assume, policy, role, user, why
from sim.iam.callers import Caller
from sim.iam.conditions import fits, hold
from sim.iam.policy import Need, resource_verdict, verdict

ANN = "arn:aws:iam::123456789012:user/ann"
ALARMS = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:*"
TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/Sales"
STREAM = "arn:aws:kinesis:us-east-1:123456789012:stream/changes"
SALES = {
    "TableName": "Sales",
    "KeySchema": HASH,
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}


# -- documents, without a server -------------------------------------------------------------------------


def said(*statements, action="s3:GetObject", resource="arn:aws:s3:::b/a/k", **context):
    return verdict([policy(*statements)], Need(action, resource), context)


@pytest.mark.parametrize(
    "statement, wanted",
    [
        (allow("s3:GetObject"), "Allow"),
        (allow("S3:getobject"), "Allow"),
        (allow("s3:Get*"), "Allow"),
        (allow("s3:GetObjec?"), "Allow"),
        (allow("*"), "Allow"),
        (allow("s3:GetObjectVersion"), None),
        (allow("s3:Get"), None),
        (allow(["s3:PutObject", "s3:GetObject"]), "Allow"),
        (allow("s3:GetObject", "arn:aws:s3:::b/*"), "Allow"),
        (allow("s3:GetObject", "arn:aws:s3:::b/?/k"), "Allow"),
        (allow("s3:GetObject", "arn:aws:s3:::B/a/k"), None),
        (allow("s3:GetObject", "arn:aws:s3:::b"), None),
        (allow("s3:GetObject", ["arn:aws:s3:::c/*", "arn:aws:s3:::b/a/k"]), "Allow"),
        ({"Effect": "Allow", "NotAction": "s3:Put*", "Resource": "*"}, "Allow"),
        ({"Effect": "Allow", "NotAction": "s3:Get*", "Resource": "*"}, None),
        ({"Effect": "Allow", "Action": "s3:*", "NotResource": "arn:aws:s3:::b/*"}, None),
        ({"Effect": "Allow", "Action": "s3:*", "NotResource": "arn:aws:s3:::c/*"}, "Allow"),
    ],
)
def test_a_statement_is_about_its_actions_and_resources(statement, wanted):
    assert said(statement) == wanted


def test_what_binds_no_resource_is_met_by_every_resource_only():
    asked = Need("dynamodb:ListTables", "*")
    assert verdict([policy(allow("dynamodb:ListTables"))], asked, {}) == "Allow"
    assert verdict([policy(allow("dynamodb:ListTables", TABLE.replace("Sales", "*")))], asked, {}) is None


def test_a_deny_beats_every_allow():
    assert said(allow("s3:*"), allow("s3:GetObject", "arn:aws:s3:::b/a/*", effect="Deny")) == "Deny"
    assert said(allow("s3:*"), allow("s3:GetObject", "arn:aws:s3:::b/c/*", effect="Deny")) == "Allow"


@pytest.mark.parametrize(
    "operator, expected, actual, wanted",
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", "a", "A", False),
        ("StringEquals", ["a", "b"], "b", True),
        ("StringEquals", "a", None, False),
        ("StringEqualsIfExists", "a", None, True),
        ("StringEqualsIgnoreCase", "a", "A", True),
        ("StringNotEquals", ["a", "b"], "b", False),
        ("StringNotEquals", "a", "b", True),
        ("StringNotEquals", "a", None, True),
        ("StringLike", "a/*", "a/b/c", True),
        ("StringLike", "a/?", "a/bc", False),
        ("StringNotLike", "a/*", "a/b", False),
        ("ArnLike", "arn:aws:iam::*:role/x-*", "arn:aws:iam::1:role/x-1", True),
        ("ArnLike", "arn:aws:*", "arn:aws:iam::1:role/x-1", False),
        ("ArnEquals", "arn:aws:iam::1:role/*", "arn:aws:iam::1:role/x", True),
        ("ArnNotLike", "arn:aws:iam::1:role/*", "arn:aws:iam::1:role/x", False),
        ("Bool", "true", "true", True),
        ("Bool", True, "false", False),
        ("Bool", "false", None, False),
        ("Null", "true", None, True),
        ("Null", "true", "a", False),
        ("Null", "false", "a", True),
        ("NumericLessThan", "10", "9", True),
        ("NumericLessThan", 10, "10", False),
        ("NumericGreaterThanEquals", "10", "10", True),
        ("NumericEquals", "ten", "10", False),
        ("DateGreaterThan", "2026-01-01T00:00:00Z", "1800000000", True),
        ("DateLessThan", "2026-01-01T00:00:00Z", "1800000000", False),
        ("IpAddress", "127.0.0.0/8", "127.0.0.1", True),
        ("NotIpAddress", "127.0.0.0/8", "127.0.0.1", False),
        ("ForAllValues:StringEquals", ["a", "b"], ["a"], True),
        ("ForAllValues:StringEquals", ["a", "b"], ["a", "c"], False),
        ("ForAllValues:StringEquals", ["a"], None, True),
        ("ForAnyValue:StringEquals", ["a", "b"], ["c", "b"], True),
        ("ForAnyValue:StringEquals", ["a"], None, False),
        ("StringNearlyEquals", "a", "a", False),
    ],
)
def test_a_condition_holds_or_not(operator, expected, actual, wanted):
    context = {} if actual is None else {"s3:thing": actual}
    assert hold({operator: {"s3:Thing": expected}}, context) is wanted


def test_all_operators_and_all_keys_of_a_condition_must_hold():
    both = {"StringEquals": {"a:x": "1", "a:y": "2"}, "Bool": {"a:z": "true"}}
    assert hold(both, {"a:x": "1", "a:y": "2", "a:z": "true"})
    for key in ("a:x", "a:y", "a:z"):
        assert not hold(both, {"a:x": "1", "a:y": "2", "a:z": "true", key: "other"})


def test_variables_stand_for_what_the_request_has():
    who = {"aws:username": "ann*"}
    assert fits("home/${aws:username}/*", "home/ann*/x", who)
    assert not fits("home/${aws:username}/*", "home/anna/x", who)
    assert not fits("home/${aws:username}/*", "home/x", {})
    assert fits("home/${aws:username, 'any'}/*", "home/any/x", {})
    assert fits("a${*}b", "a*b", {}) and not fits("a${*}b", "axb", {})
    assert hold({"StringEquals": {"s3:prefix": "${aws:username}/"}}, {**who, "s3:prefix": "ann*/"})
    assert not hold({"StringEquals": {"s3:prefix": "${aws:username}/"}}, {**who, "s3:prefix": "anna/"})


def test_a_resources_policy_names_whom_it_is_for():
    ann = Caller("123456789012", ANN, "user", "ann")
    need = Need("s3:GetObject", "arn:aws:s3:::b/k")

    def by(**statement):
        return resource_verdict(policy({"Effect": "Allow", "Action": "s3:*", "Resource": "*", **statement}), need, {}, ann)

    assert by(Principal="*") == by(Principal={"AWS": "*"}) == by(Principal={"AWS": ["1", ANN]}) == "self"
    assert by(Principal={"AWS": "123456789012"}) == by(Principal={"AWS": "arn:aws:iam::123456789012:root"}) == "account"
    assert by(Principal={"AWS": "210987654321"}) is by(Principal={"Service": "s3.amazonaws.com"}) is None
    assert by(Principal={"AWS": "123456789012"}, Effect="Deny") == "Deny"
    assert by(NotPrincipal={"AWS": ANN}, Effect="Deny") is None
    assert by(NotPrincipal={"AWS": "210987654321"}, Effect="Deny") == "Deny"


# -- callers, on a server ----------------------------------------------------------------------------------


@pytest.fixture
def enforced(world):
    """A world with a table and a bucket of the root's, in which policies count."""
    world.settings(**FAST)
    world.client("dynamodb").create_table(**SALES)
    s3 = world.client("s3")
    s3.create_bucket(Bucket="points")
    s3.put_object(Bucket="points", Key="a/1", Body=b"1")
    assert world.control("POST", "iam", {"enforce": True})["enforce"] is True
    return world


def as_user(world, service, *statements, **more):
    return world.client(service, **user(world, "ann", *statements), **more)


def test_it_can_be_on_from_the_start_and_stays_so():
    started = subprocess.Popen([sys.executable, "-m", "sim", "--port", "0", "--enforce-iam"], cwd=HERE, stdout=subprocess.PIPE, text=True)
    try:
        strict = World(int(started.stdout.readline().rpartition(":")[2]))
        for _ in range(2):
            assert strict.control("GET", "iam")["enforce"] is True
            assert why(as_user(strict, "dynamodb").list_tables)[0] == "AccessDeniedException"
            strict.control("POST", "reset")
    finally:
        started.terminate()
        started.wait(10)


def test_it_is_off_until_it_is_asked_for_and_after_a_reset(world):
    world.client("dynamodb").list_tables()
    ann = as_user(world, "dynamodb")
    ann.list_tables()
    world.control("POST", "iam", {"enforce": True})
    assert why(ann.list_tables)[0] == "AccessDeniedException"
    world.client("dynamodb").list_tables()  # a root may do everything
    world.control("POST", "reset")
    assert world.control("GET", "iam") == {"enforce": False, "issuers": []}
    for wrong in ({}, {"enforce": 1}, {"strict": True}, {"jwks": []}):
        world.control("POST", "iam", wrong, expect=400)


@pytest.mark.parametrize(
    "service, ask, given, code, action, resource",
    [
        ("dynamodb", "scan", {"TableName": "Sales"}, "AccessDeniedException", "dynamodb:Scan", TABLE),
        ("dynamodb", "list_tables", {}, "AccessDeniedException", "dynamodb:ListTables", "*"),
        ("s3", "get_object", {"Bucket": "points", "Key": "a/1"}, "AccessDenied", "s3:GetObject", '"arn:aws:s3:::points/a/1"'),
        ("s3", "list_objects_v2", {"Bucket": "points"}, "AccessDenied", "s3:ListBucket", '"arn:aws:s3:::points"'),
        ("lambda", "list_functions", {}, "AccessDeniedException", "lambda:ListFunctions", "*"),
        ("sns", "list_topics", {}, "AccessDenied", "sns:ListTopics", "*"),
        ("cloudwatch", "describe_alarms", {}, "AccessDeniedException", "cloudwatch:DescribeAlarms", ALARMS),
    ],
)
def test_who_may_not_is_told_what_and_on_what(enforced, service, ask, given, code, action, resource):
    found = why(getattr(as_user(enforced, service), ask), **given)
    words = f"User: {ANN} is not authorized to perform: {action} on resource: {resource} "
    words += f"because no identity-based policy allows the {action} action"
    assert (found[0].removesuffix("Exception"), found[1]) == (code.removesuffix("Exception"), words)
    assert enforced.ledger(service=service)[-1]["effect"] is None


def test_an_explicit_deny_is_called_one(enforced):
    scan = as_user(enforced, "dynamodb", allow("dynamodb:*"), allow("dynamodb:Scan", TABLE, effect="Deny")).scan
    assert why(scan, TableName="Sales")[1].endswith(f"{TABLE} with an explicit deny in an identity-based policy")


def test_groups_and_managed_policies_count(enforced):
    ann, iam = as_user(enforced, "dynamodb"), enforced.client("iam")
    iam.create_group(GroupName="g")
    iam.add_user_to_group(GroupName="g", UserName="ann")
    iam.put_group_policy(GroupName="g", PolicyName="p", PolicyDocument=policy(allow("dynamodb:ListTables")))
    ann.list_tables()
    assert why(ann.scan, TableName="Sales")[0] == "AccessDeniedException"
    arn = iam.create_policy(PolicyName="m", PolicyDocument=policy(allow("dynamodb:Scan")))["Policy"]["Arn"]
    iam.attach_user_policy(UserName="ann", PolicyArn=arn)
    ann.scan(TableName="Sales")
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=policy(allow("dynamodb:Query")), SetAsDefault=True)
    assert why(ann.scan, TableName="Sales")[0] == "AccessDeniedException"


def test_a_roles_boundary_bounds_it(enforced):
    iam = enforced.client("iam")
    bound = iam.create_policy(PolicyName="b", PolicyDocument=policy(allow("dynamodb:Scan")))["Policy"]["Arn"]
    trust = {"Effect": "Allow", "Principal": {"AWS": ANN}, "Action": "sts:AssumeRole"}
    mine = user(enforced)
    arn = role(enforced, trust, allow("dynamodb:*"), PermissionsBoundary=bound)
    theirs = enforced.client("dynamodb", **assume(enforced, mine, arn))
    theirs.scan(TableName="Sales")
    assert why(theirs.list_tables)[1].endswith("because no permissions boundary allows the dynamodb:ListTables action")


def test_who_one_is_may_always_be_asked(enforced):
    everything = allow("*", effect="Deny")
    assert as_user(enforced, "sts", everything).get_caller_identity()["Arn"] == ANN


@pytest.mark.parametrize(
    "ask, given, actions",
    [
        ("batch_get_item", {"RequestItems": {"Sales": {"Keys": [{"pk": {"S": "1"}}]}}}, ["dynamodb:BatchGetItem"]),
        ("batch_write_item", {"RequestItems": {"Sales": [{"DeleteRequest": {"Key": {"pk": {"S": "1"}}}}]}}, ["dynamodb:BatchWriteItem"]),
        ("transact_get_items", {"TransactItems": [{"Get": {"TableName": "Sales", "Key": {"pk": {"S": "1"}}}}]}, ["dynamodb:GetItem"]),
        (
            "transact_write_items",
            {"TransactItems": [{"Put": {"TableName": "Sales", "Item": {"pk": {"S": "1"}}}}]},
            ["dynamodb:PutItem"],
        ),
        ("list_tags_of_resource", {"ResourceArn": TABLE}, ["dynamodb:ListTagsOfResource"]),
        (
            "create_table",
            {**SALES, "TableName": "Sales-2", "Tags": [{"Key": "a", "Value": "b"}]},
            ["dynamodb:CreateTable", "dynamodb:TagResource"],
        ),
        (
            "update_contributor_insights",
            {"TableName": "Sales", "ContributorInsightsAction": "ENABLE"},
            ["dynamodb:UpdateContributorInsights", "iam:CreateServiceLinkedRole"],
        ),
        (
            "enable_kinesis_streaming_destination",
            {"TableName": "Sales", "StreamArn": STREAM},
            [
                "dynamodb:EnableKinesisStreamingDestination",
                "iam:CreateServiceLinkedRole",
                "kinesis:ListStreams",
                "kinesis:DescribeStream",
                "kinesis:PutRecords",
            ],
        ),
    ],
)
def test_each_action_that_a_dynamodb_call_needs_is_asked_for(enforced, ask, given, actions):
    ann, iam = as_user(enforced, "dynamodb"), enforced.client("iam")
    for missing in actions:
        rest = [allow(action) for action in actions if action != missing] or [allow("s3:GetObject")]
        iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=policy(*rest))
        assert f"perform: {missing} on" in why(getattr(ann, ask), **given)[1]
    iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=policy(allow(actions)))
    getattr(ann, ask)(**given)


def test_where_a_tables_changes_go_is_told_to_one_who_may_see_the_stream(enforced):
    ann = as_user(enforced, "dynamodb", allow("dynamodb:*"))
    asked = {"TableName": "Sales"}
    ann.describe_kinesis_streaming_destination(**asked)
    enforced.client("dynamodb").enable_kinesis_streaming_destination(TableName="Sales", StreamArn=STREAM)
    assert f"kinesis:DescribeStream on resource: {STREAM}" in why(ann.describe_kinesis_streaming_destination, **asked)[1]


FILLING = ["BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan", "UpdateItem"]


def test_a_restore_fills_the_new_table_in_the_callers_name(enforced):
    backup = enforced.client("dynamodb").create_backup(TableName="Sales", BackupName="nightly")["BackupDetails"]["BackupArn"]
    enforced.control("POST", "clock", {"advance": "1m"})
    ann, iam = as_user(enforced, "dynamodb"), enforced.client("iam")
    asked = {"BackupArn": backup, "TargetTableName": "Sales-2"}
    actions = [f"dynamodb:{one}" for one in ("RestoreTableFromBackup", *FILLING)]
    for missing in actions:
        rest = policy(allow([one for one in actions if one != missing]))
        iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=rest)
        assert f"perform: {missing} on" in why(ann.restore_table_from_backup, **asked)[1]
    iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=policy(allow(actions)))
    ann.restore_table_from_backup(**asked)


def test_an_export_puts_its_files_in_the_callers_name(enforced):
    root = enforced.client("dynamodb")
    root.update_continuous_backups(TableName="Sales", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})
    enforced.control("POST", "clock", {"advance": "10m"})
    ann, iam = as_user(enforced, "dynamodb"), enforced.client("iam")
    asked = {"TableArn": TABLE, "S3Bucket": "points", "S3Prefix": "out"}
    actions = ["dynamodb:ExportTableToPointInTime", "s3:PutObject", "s3:PutObjectAcl", "s3:AbortMultipartUpload"]
    for missing in actions:
        rest = policy(allow([one for one in actions if one != missing]))
        iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=rest)
        assert f"perform: {missing} on" in why(ann.export_table_to_point_in_time, **asked)[1]
    elsewhere = [allow(actions[0]), allow(actions[1:], "arn:aws:s3:::points/other/*")]
    iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=policy(*elsewhere))
    assert why(ann.export_table_to_point_in_time, **asked)[0] == "AccessDeniedException"
    there = [allow(actions[0]), allow(actions[1:], "arn:aws:s3:::points/out/*")]
    iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=policy(*there))
    ann.export_table_to_point_in_time(**asked)


def test_a_service_makes_its_role_once(enforced):
    ann = as_user(enforced, "dynamodb", allow(["dynamodb:*", "iam:CreateServiceLinkedRole"]))
    insights = {"TableName": "Sales", "ContributorInsightsAction": "ENABLE"}
    ann.update_contributor_insights(**insights)
    iam = enforced.client("iam")
    assert [one["RoleName"] for one in iam.list_roles()["Roles"]] == ["AWSServiceRoleForDynamoDBCloudWatchContributorInsights"]
    iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=policy(allow("dynamodb:*")))
    ann.update_contributor_insights(**insights)


PUT = {"Bucket": "points", "Key": "a/1", "Body": b"2"}
READ = {"Bucket": "points", "Key": "a/1"}


@pytest.mark.parametrize(
    "ask, given, actions",
    [
        ("put_object", PUT, ["PutObject"]),
        ("put_object", {**PUT, "Tagging": "a=b"}, ["PutObject", "PutObjectTagging"]),
        ("head_object", READ, ["GetObject"]),
        ("get_object", {**READ, "VersionId": "null"}, ["GetObjectVersion"]),
        ("delete_object", READ, ["DeleteObject"]),
        ("delete_object", {**READ, "VersionId": "null"}, ["DeleteObjectVersion"]),
        ("get_object_tagging", {**READ, "VersionId": "null"}, ["GetObjectVersionTagging"]),
        ("copy_object", {"Bucket": "points", "Key": "b", "CopySource": "points/a/1"}, ["PutObject", "GetObject"]),
        ("create_multipart_upload", READ, ["PutObject"]),
        ("list_object_versions", {"Bucket": "points"}, ["ListBucketVersions"]),
        ("head_bucket", {"Bucket": "points"}, ["ListBucket"]),
        ("list_buckets", {}, ["ListAllMyBuckets"]),
        ("get_bucket_encryption", {"Bucket": "points"}, ["GetEncryptionConfiguration"]),
        ("get_bucket_versioning", {"Bucket": "points"}, ["GetBucketVersioning"]),
        ("delete_bucket_lifecycle", {"Bucket": "points"}, ["PutLifecycleConfiguration"]),
        ("delete_bucket_replication", {"Bucket": "points"}, ["PutReplicationConfiguration"]),
    ],
)
def test_each_action_that_an_s3_call_needs_is_asked_for(enforced, ask, given, actions):
    actions = [f"s3:{action}" for action in actions]
    ann, iam = as_user(enforced, "s3"), enforced.client("iam")
    for missing in actions:
        rest = [allow(action) for action in actions if action != missing] or [allow("sns:Publish")]
        iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=policy(*rest))
        assert why(getattr(ann, ask), **given)[0] in ("AccessDenied", "403")
    iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=policy(allow(actions)))
    try:
        getattr(ann, ask)(**given)
    except Exception as fault:  # what there is none of may be said to be missing
        assert "NotFound" in fault.response["Error"]["Code"] or "NoSuch" in fault.response["Error"]["Code"]


def test_each_key_of_a_deletion_is_judged_for_itself(enforced):
    root = enforced.client("s3")
    for key in ("a/2", "b/1", "b/<&>"):
        root.put_object(Bucket="points", Key=key, Body=b"1")
    ann = as_user(enforced, "s3", allow("s3:DeleteObject", "arn:aws:s3:::points/a/*"))
    keys = ("a/1", "b/1", "b/<&>", "a/2", "a/none")
    given = {"Objects": [{"Key": key} for key in keys] + [{"Key": "a/1", "VersionId": "null"}]}
    answer = ann.delete_objects(Bucket="points", Delete=given)
    assert [one["Key"] for one in answer["Deleted"]] == ["a/1", "a/2", "a/none"]
    assert [(one["Key"], one["Code"]) for one in answer["Errors"]] == [(key, "AccessDenied") for key in ("b/1", "b/<&>", "a/1")]
    assert [one["Key"] for one in root.list_objects_v2(Bucket="points")["Contents"]] == ["b/1", "b/<&>"]
    quiet = ann.delete_objects(Bucket="points", Delete={**given, "Quiet": True})
    assert "Deleted" not in quiet and len(quiet["Errors"]) == 3
    none = ann.delete_objects(Bucket="points", Delete={"Objects": [{"Key": "b/1"}]})
    assert "Deleted" not in none and [one["Key"] for one in none["Errors"]] == ["b/1"]


def test_who_may_not_list_is_not_told_that_a_key_is_missing(enforced):
    ann = as_user(enforced, "s3", allow("s3:GetObject"))
    missing = {"Bucket": "points", "Key": "none"}
    code, message = why(ann.get_object, **missing)
    assert code == "AccessDenied" and 's3:ListBucket on resource: "arn:aws:s3:::points"' in message
    assert why(ann.head_object, **missing)[0] == "403"
    enforced.client("iam").put_user_policy(UserName="ann", PolicyName="l", PolicyDocument=policy(allow("s3:ListBucket")))
    assert why(ann.get_object, **missing)[0] == "NoSuchKey"


def test_a_lock_is_shown_to_those_who_may_ask_for_it(enforced):
    root = enforced.client("s3")
    root.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
    until = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": "2099-01-01T00:00:00Z", "ObjectLockLegalHoldStatus": "ON"}
    root.put_object(Bucket="locked", Key="k", Body=b"1", **until)
    ann, iam = as_user(enforced, "s3", allow("s3:GetObject")), enforced.client("iam")
    for action, member in (("s3:GetObjectRetention", "ObjectLockMode"), ("s3:GetObjectLegalHold", "ObjectLockLegalHoldStatus")):
        for ask in (ann.head_object, ann.get_object):
            assert member not in ask(Bucket="locked", Key="k")
        iam.put_user_policy(UserName="ann", PolicyName=member, PolicyDocument=policy(allow(action)))
        for ask in (ann.head_object, ann.get_object):
            assert member in ask(Bucket="locked", Key="k")


def test_conditions_of_a_request_count(enforced):
    ann = as_user(
        enforced,
        "s3",
        allow("s3:ListBucket", "arn:aws:s3:::points", Condition={"StringLike": {"s3:prefix": "${aws:username}/*"}}),
        allow("s3:PutObject", Condition={"StringEquals": {"s3:x-amz-server-side-encryption": "AES256"}}),
    )
    ann.list_objects_v2(Bucket="points", Prefix="ann/x")
    assert why(ann.list_objects_v2, Bucket="points", Prefix="bob/x")[0] == "AccessDenied"
    assert why(ann.put_object, **PUT)[0] == "AccessDenied"
    ann.put_object(**PUT, ServerSideEncryption="AES256")


def test_a_buckets_own_policy_allows_and_denies(enforced):
    ann, s3 = as_user(enforced, "s3"), enforced.client("s3")
    about = ("s3:GetObject", "arn:aws:s3:::points/*")
    s3.put_bucket_policy(Bucket="points", Policy=policy(allow(*about, Principal={"AWS": ANN})))
    assert ann.get_object(**READ)["Body"].read() == b"1"
    s3.put_bucket_policy(Bucket="points", Policy=policy(allow(*about, "Deny", Principal="*")))
    code, message = why(s3.get_object, **READ)
    assert code == "AccessDenied" and message.endswith("with an explicit deny in a resource-based policy")


# -- keys ----------------------------------------------------------------------------------------------------


def test_an_object_under_a_customers_key_needs_the_key(enforced):
    key = enforced.client("kms").create_key()["KeyMetadata"]["Arn"]
    via = {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}
    ann, iam = as_user(enforced, "s3", allow("s3:*")), enforced.client("iam")
    put = {**PUT, "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    assert f"kms:GenerateDataKey on resource: {key}" in why(ann.put_object, **put)[1]
    iam.put_user_policy(UserName="ann", PolicyName="k", PolicyDocument=policy(allow("kms:GenerateDataKey", key, Condition=via)))
    ann.put_object(**put)
    assert f"kms:Decrypt on resource: {key}" in why(ann.get_object, **READ)[1]
    ann.head_object(**READ)
    assert why(ann.head_object, **READ, ChecksumMode="ENABLED")[0] == "403"
    elsewhere = {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}
    iam.put_user_policy(UserName="ann", PolicyName="d", PolicyDocument=policy(allow("kms:Decrypt", key, Condition=elsewhere)))
    assert why(ann.get_object, **READ)[0] == "AccessDenied"
    iam.put_user_policy(UserName="ann", PolicyName="d", PolicyDocument=policy(allow("kms:Decrypt", key, Condition=via)))
    ann.get_object(**READ)


def test_a_key_whose_policy_leaves_it_to_nobody_is_closed(enforced):
    only_bob = allow("kms:*", Principal={"AWS": "arn:aws:iam::123456789012:role/bob"})
    kms = enforced.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    ann = as_user(enforced, "s3", allow(["s3:*", "kms:*"]))
    put = {**PUT, "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    ann.put_object(**put)
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy(only_bob))
    assert "because no resource-based policy allows the kms:GenerateDataKey action" in why(ann.put_object, **put)[1]


def test_a_table_under_a_customers_key_needs_the_key_to_be_made_and_read(enforced):
    key = enforced.client("kms").create_key()["KeyMetadata"]["Arn"]
    ann, iam = as_user(enforced, "dynamodb", allow("dynamodb:*")), enforced.client("iam")
    sse = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key}
    made = {**SALES, "TableName": "Secret", "SSESpecification": sse}
    actions = ["DescribeKey", "CreateGrant", "Encrypt", "Decrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo"]
    for missing in actions:
        rest = [f"kms:{one}" for one in actions if one != missing]
        iam.put_user_policy(UserName="ann", PolicyName="k", PolicyDocument=policy(allow(rest, key)))
        assert f"kms:{missing} on resource: {key}" in why(ann.create_table, **made)[1]
    iam.put_user_policy(UserName="ann", PolicyName="k", PolicyDocument=policy(allow([f"kms:{one}" for one in actions], key)))
    ann.create_table(**made)
    ann.scan(TableName="Secret")
    iam.delete_user_policy(UserName="ann", PolicyName="k")
    assert "kms:Decrypt" in why(ann.scan, TableName="Secret")[1]
    ann.describe_table(TableName="Secret")


def test_a_request_that_makes_no_sense_is_the_services_to_refuse(enforced):
    bodies = ['{"TransactItems": [{"Get": 1}]}', '{"TransactItems": 7}', "[]", "{"]
    for body in bodies:
        status, _, answer = enforced.dynamodb("TransactGetItems", body)
        assert status == 400 and json.loads(answer)["__type"].rpartition("#")[2] in ("ValidationException", "SerializationException")
