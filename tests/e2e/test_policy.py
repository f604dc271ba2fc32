"""deploy/iam-policy.json grants what recoverd calls: no action less, none more. That AWS wants each is test_least_privilege.py's."""
import json
import re

from world import ROOT, make_table, plain_items, put_items

POLICY = json.loads((ROOT / "deploy/iam-policy.json").read_text())
ACTIONS = {action for row in POLICY["Statement"] for action in ([row["Action"]] if isinstance(row["Action"], str) else row["Action"])}

SERVICES = {"dynamodb": "dynamodb", "s3": "s3", "sts": "sts", "autoscaling": "application-autoscaling", "cloudwatch": "cloudwatch",
            "lambda": "lambda"}
# S3's operations that are another name's action, as aws/call_error.c has them
OTHER_NAMES = {"s3:HeadObject": "s3:GetObject", "s3:ListObjectsV2": "s3:ListBucket"}
FREE = {"sts:GetCallerIdentity"}  # nobody is refused it (STS API reference)
NOT_YET = {"dynamodb:BatchGetItem", "dynamodb:PutItem"}  # in aws/, for kinds to come
# What AWS asks for beside the operation's own action
BESIDE = {"s3:PutObjectTagging": "a put with the environment's tags", "s3:DeleteObjectVersion": "a put that came out unencrypted is undone",
          "s3:GetObjectRetention": "HeadObject tells until when Object Lock keeps a file",
          "iam:CreateServiceLinkedRole": "autoscaling, contributor insights, Kinesis", "kms:GenerateDataKey": "kms_key, and keys of tables",
          "kms:Decrypt": "the same", "kms:Encrypt": "a table with a key of the customer's", "kms:DescribeKey": "the same",
          "kinesis:ListStreams": "a table's stream to Kinesis", "kinesis:DescribeStream": "the same", "kinesis:PutRecords": "the same",
          "kinesis:DescribeStreamSummary": "reading where a table's stream goes", "kms:CreateGrant": "the same",
          "kms:ReEncryptFrom": "the same", "kms:ReEncryptTo": "the same"}
CALL = re.compile(r'(?:\.operation = |(?:_call|setting|scaling|table_call)\(|(?:send_items|change|describe)\(\s*session, )"([A-Z][A-Za-z0-9]+)"')


def called_by_the_code():
    found = set()
    for source in (ROOT / "aws").glob("*.c"):
        service = SERVICES.get(re.split(r"[_.]", source.name)[0])
        for operation in CALL.findall(source.read_text()) if service else ():
            found.add(OTHER_NAMES.get(f"{service}:{operation}", f"{service}:{operation}"))
    return found


def test_the_policy_has_the_operations_of_the_code_and_nothing_else():
    code = called_by_the_code()
    assert {"dynamodb:Scan", "s3:PutObject", "s3:GetObject", "sts:GetCallerIdentity", "dynamodb:CreateTable", "dynamodb:DescribeTable",
            "lambda:ListEventSourceMappings"} <= code
    assert FREE | NOT_YET <= code and not (FREE | NOT_YET) & ACTIONS
    assert ACTIONS - set(BESIDE) == code - FREE - NOT_YET
    assert not set(BESIDE) & code and set(BESIDE) <= ACTIONS
    assert not [action for action in ACTIONS if "*" in action]


def test_no_statement_reaches_further_than_its_placeholders():
    for row in POLICY["Statement"]:
        resources = [row["Resource"]] if isinstance(row["Resource"], str) else row["Resource"]
        actions = [row["Action"]] if isinstance(row["Action"], str) else row["Action"]
        if resources == ["*"]:  # only what IAM cannot bind to a resource
            assert not [a for a in actions if re.match(r"\w+:(Put|Delete|Update|Batch|Scan|Get[^C])", a)], row["Sid"]
        for action in actions:
            if action.startswith("kms:"):
                assert "kms:ViaService" in row["Condition"]["StringEquals"]


def test_what_a_run_asked_of_aws_is_in_the_policy(aws, new_server):
    """Backup, restore with settings, both validations: every operation of the ledger that recoverd made."""
    dynamodb = aws.client("dynamodb")
    aws.client("s3").create_bucket(Bucket="points")
    make_table(dynamodb, "Sales", Tags=[{"Key": "a", "Value": "b"}])
    dynamodb.update_time_to_live(TableName="Sales", TimeToLiveSpecification={"Enabled": True, "AttributeName": "ttl"})
    dynamodb.update_continuous_backups(TableName="Sales", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})
    put_items(dynamodb, "Sales", plain_items(50))
    server = new_server(aws.url, root="s3://points/recoverd", more="    tags: {owner: sales}\n")
    before = aws.ledger()[-1]["seq"]
    server.start()
    point = server.backup("Sales")["result"]["recovery_point"]
    server.restore(point, "Sales-restored")
    server.run("validate.backup", {"source": {"recovery_point": point}, "prove": True}, plan=True)
    server.run("validate.table", {"table": "Sales-restored"})
    asked = {f"{row['service']}:{row['operation']}" for row in aws.ledger(since=before) if row["seq"] > before}
    asked = {OTHER_NAMES.get(action, action) for action in asked}
    assert {"dynamodb:CreateTable", "dynamodb:Scan", "dynamodb:UpdateContinuousBackups", "s3:PutObject", "dynamodb:DeleteTable"} <= asked
    assert asked - FREE <= ACTIONS, asked - ACTIONS
