"""What clients rely on, call by call. Each case yields (what, outcome); it is run by each client on each peer.

Outcomes must not hold what differs from run to run (ids, times): a case shows the part that it is about.
"""

import json

HASH = [{"AttributeName": "pk", "KeyType": "HASH"}]
TYPES = [{"AttributeName": "pk", "AttributeType": "S"}]
SALES = {"TableName": "Sales", "KeySchema": HASH, "AttributeDefinitions": TYPES, "BillingMode": "PAY_PER_REQUEST"}
CASES = {}


def case(service):
    def register(function):
        CASES[function.__name__] = (service, function)
        return function

    return register


def _table(call, **more):
    call("CreateTable", **SALES, **more)
    return call


def _put(call, key, shown=None, **attributes):
    return call("PutItem", shown, TableName="Sales", Item={"pk": {"S": key}, **attributes})


def _get(call, key, shown="Item", **more):
    return call("GetItem", shown, TableName="Sales", Key={"pk": {"S": key}}, **more)


# -- DynamoDB: data ------------------------------------------------------------------------------------------


@case("dynamodb")
def numbers(call):
    _table(call)
    _put(call, "a", n={"N": "00012.500"})
    yield "normalised", _get(call, "a", "Item.n")
    yield "39 digits", _put(call, "b", n={"N": "1" * 39})
    yield "1e126", _put(call, "b", n={"N": "1e126"})
    yield "not a number", _put(call, "b", n={"N": "one"})


@case("dynamodb")
def values(call):
    _table(call)
    yield "set with duplicates", _put(call, "a", s={"NS": ["1", "1.0"]})
    yield "empty set", _put(call, "a", s={"SS": []})
    yield "empty string", _put(call, "a", s={"S": ""})
    yield "empty key", _put(call, "")
    yield "400 KB and more", _put(call, "a", s={"S": "x" * (400 * 1024)})
    yield "a key of 2048 bytes", _put(call, "k" * 2048)
    yield "a key of 2049 bytes", _put(call, "k" * 2049)
    yield "wrong key", call("PutItem", TableName="Sales", Item={"other": {"S": "a"}})
    yield "wrong type of key", call("PutItem", TableName="Sales", Item={"pk": {"N": "1"}})


@case("dynamodb")
def batches(call):
    _table(call)
    puts = [{"PutRequest": {"Item": {"pk": {"S": str(n)}}}} for n in range(26)]
    yield "26 parts", call("BatchWriteItem", RequestItems={"Sales": puts})
    yield "25 parts", call("BatchWriteItem", "UnprocessedItems", RequestItems={"Sales": puts[:25]})
    yield "one key twice", call("BatchWriteItem", RequestItems={"Sales": [puts[0], puts[0]]})
    keys = [{"pk": {"S": str(n)}} for n in range(101)]
    yield "101 keys", call("BatchGetItem", RequestItems={"Sales": {"Keys": keys}})
    yield "100 keys", call("BatchGetItem", "length(Responses.Sales)", RequestItems={"Sales": {"Keys": keys[:100]}})
    yield "a key asked twice", call("BatchGetItem", RequestItems={"Sales": {"Keys": [keys[0], keys[0]]}})
    yield "no such table", call("BatchGetItem", RequestItems={"None": {"Keys": keys[:1]}})


@case("dynamodb")
def conditions(call):
    _table(call)
    absent = {"ConditionExpression": "attribute_not_exists(pk)"}
    yield "first", call("PutItem", TableName="Sales", Item={"pk": {"S": "a"}}, **absent)
    yield "second", call("PutItem", TableName="Sales", Item={"pk": {"S": "a"}}, **absent)
    yield "unused name", call("PutItem", TableName="Sales", Item={"pk": {"S": "a"}}, ExpressionAttributeNames={"#a": "b"})
    yield "undefined value", call("PutItem", TableName="Sales", Item={"pk": {"S": "b"}}, ConditionExpression="pk = :v")
    put = {"Put": {"TableName": "Sales", "Item": {"pk": {"S": "t"}}}}
    yield "one item twice", call("TransactWriteItems", TransactItems=[put, put])
    failing = {"ConditionCheck": {"TableName": "Sales", "Key": {"pk": {"S": "x"}}, "ConditionExpression": "attribute_exists(pk)"}}
    yield "a condition within", call("TransactWriteItems", TransactItems=[put, failing])
    yield "nothing happened", _get(call, "t")


@case("dynamodb")
def updates(call):
    _table(call)
    _put(call, "a", n={"N": "1"}, s={"S": "x"})
    key = {"TableName": "Sales", "Key": {"pk": {"S": "a"}}}
    added = {"UpdateExpression": "ADD n :one SET m = if_not_exists(m, :one)", "ExpressionAttributeValues": {":one": {"N": "1"}}}
    yield "added", call("UpdateItem", "Attributes", **key, **added, ReturnValues="ALL_NEW")
    yield "to a string", call("UpdateItem", **key, UpdateExpression="ADD s :one", ExpressionAttributeValues={":one": {"N": "1"}})
    yield "the key", call("UpdateItem", **key, UpdateExpression="SET pk = :one", ExpressionAttributeValues={":one": {"S": "1"}})
    yield "gone", call("DeleteItem", "Attributes", **key, ReturnValues="ALL_OLD")
    yield "gone already", call("DeleteItem", **key, ReturnValues="ALL_OLD")


@case("dynamodb")
def scans(call):
    _table(call)
    for n in range(8):
        _put(call, str(n), n={"N": str(n)}, pad={"S": "x" * 200000})
    first = call("Scan", TableName="Sales")
    yield "cut at 1 MB", [len(first["Items"]) < 8, "LastEvaluatedKey" in first]
    none = {"FilterExpression": "n > :n", "ExpressionAttributeValues": {":n": {"N": "99"}}}
    yield "filtered page", call("Scan", "[Count, LastEvaluatedKey != null]", TableName="Sales", Limit=3, **none)
    yield "segment", call("Scan", TableName="Sales", Segment=2, TotalSegments=2)
    yield "segments add up", sum(call("Scan", "Count", TableName="Sales", Segment=n, TotalSegments=4) for n in range(4))
    yield "foreign start key", call("Scan", TableName="Sales", ExclusiveStartKey={"other": {"S": "x"}})
    yield "start key of another segment", _of_another_segment(call)
    yield "limit 0", call("Scan", TableName="Sales", Limit=0)
    yield "count only", call("Scan", "[Count, Items]", TableName="Sales", Select="COUNT", Limit=2)


def _of_another_segment(call):
    for n in range(2):
        page = call("Scan", TableName="Sales", Segment=n, TotalSegments=2, Limit=1)
        if "LastEvaluatedKey" in page:
            return call("Scan", "Count >= `0`", TableName="Sales", Segment=1 - n, TotalSegments=2, ExclusiveStartKey=page["LastEvaluatedKey"])


@case("dynamodb")
def capacity(call):
    _table(call)
    total = {"ReturnConsumedCapacity": "TOTAL"}
    big = {"pk": {"S": "a"}, "s": {"S": "x" * 5000}}
    yield "write", call("PutItem", "ConsumedCapacity.CapacityUnits", TableName="Sales", Item=big, **total)
    yield "read", _get(call, "a", "ConsumedCapacity.CapacityUnits", **total)
    yield "consistent read", _get(call, "a", "ConsumedCapacity.CapacityUnits", ConsistentRead=True, **total)
    yield "read of nothing", _get(call, "none", "ConsumedCapacity.CapacityUnits", **total)
    yield "scan", call("Scan", "ConsumedCapacity.CapacityUnits", TableName="Sales", **total)


# -- DynamoDB: tables ------------------------------------------------------------------------------------------


@case("dynamodb")
def tables(call):
    yield "creating", call("CreateTable", "TableDescription.TableStatus", **SALES)
    yield "twice", call("CreateTable", **SALES)
    yield "id", call("DescribeTable", "Table.TableId != null", TableName="Sales")
    yield "arn", call("DescribeTable", "Table.TableArn", TableName="Sales")
    yield "counts", call("DescribeTable", "Table.[ItemCount, TableSizeBytes]", TableName="Sales")
    yield "billing", call("DescribeTable", "Table.BillingModeSummary.BillingMode", TableName="Sales")
    yield "list", call("ListTables", "TableNames")
    yield "of another name", call("DescribeTable", TableName="None")
    yield "of no name", call("DescribeTable", TableName="a")
    yield "deleting", call("DeleteTable", "TableDescription.TableStatus", TableName="Sales")
    yield "deleted twice", call("DeleteTable", TableName="None")


@case("dynamodb")
def table_settings(call):
    key = call("CreateKey", "KeyMetadata.KeyId", service="kms")
    sse = {"Enabled": True, "SSEType": "KMS", **({"KMSMasterKeyId": key} if isinstance(key, str) else {})}
    more = {"TableClass": "STANDARD_INFREQUENT_ACCESS", "DeletionProtectionEnabled": True, "SSESpecification": sse}
    _table(call, **more, Tags=[{"Key": "owner", "Value": "sales"}])
    yield "class", call("DescribeTable", "Table.TableClassSummary.TableClass", TableName="Sales")
    yield "encryption", call("DescribeTable", "Table.SSEDescription.[Status, SSEType]", TableName="Sales")
    arn = call("DescribeTable", "Table.TableArn", TableName="Sales")
    yield "tags", call("ListTagsOfResource", "Tags", ResourceArn=arn)
    yield "protected", call("DeleteTable", TableName="Sales")
    call("UpdateTable", TableName="Sales", DeletionProtectionEnabled=False)
    yield "not protected", call("DescribeTable", "Table.DeletionProtectionEnabled", TableName="Sales")
    ttl = {"TimeToLiveSpecification": {"Enabled": True, "AttributeName": "ends"}}
    yield "ttl", call("UpdateTimeToLive", "TimeToLiveSpecification", TableName="Sales", **ttl)
    yield "insights", call("DescribeContributorInsights", "ContributorInsightsStatus", TableName="Sales")
    yield "kinesis", call("DescribeKinesisStreamingDestination", "KinesisDataStreamDestinations", TableName="Sales")


@case("dynamodb")
def point_in_time(call):
    _table(call)
    where = "ContinuousBackupsDescription.PointInTimeRecoveryDescription."
    yield "off at first", call("DescribeContinuousBackups", where + "PointInTimeRecoveryStatus", TableName="Sales")
    asked = {"SourceTableName": "Sales", "TargetTableName": "Back"}
    yield "restore while off", call("RestoreTableToPointInTime", "TableDescription.TableStatus", **asked, UseLatestRestorableTime=True)
    on = {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": 7}}
    call("UpdateContinuousBackups", TableName="Sales", **on)
    yield "period", call("DescribeContinuousBackups", where + "RecoveryPeriodInDays", TableName="Sales")
    yield "the future", call("RestoreTableToPointInTime", **asked, RestoreDateTime="2099-01-01T00:00:00Z")
    yield "the past", call("RestoreTableToPointInTime", **asked, RestoreDateTime="2001-01-01T00:00:00Z")
    period = {"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": 36}
    status = "ContinuousBackupsDescription.ContinuousBackupsStatus"
    yield "36 days", call("UpdateContinuousBackups", status, TableName="Sales", PointInTimeRecoverySpecification=period)


@case("dynamodb")
def backups(call):
    _table(call)
    _put(call, "a")
    made = call("CreateBackup", TableName="Sales", BackupName="nightly")
    yield "made", made.get("refused") or made["BackupDetails"]["BackupStatus"]
    yield "of no table", call("CreateBackup", TableName="None", BackupName="nightly")
    yield "listed", call("ListBackups", "BackupSummaries[].BackupName", TableName="Sales")
    arn = made["BackupDetails"]["BackupArn"] if "BackupDetails" in made else "arn:aws:dynamodb:us-east-1:123456789012:table/Sales/backup/0"
    back = {"TargetTableName": "Back", "BackupArn": arn, "BillingModeOverride": "PROVISIONED"}
    units = {"ProvisionedThroughputOverride": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}}
    yield "restored", call("RestoreTableFromBackup", "TableDescription.RestoreSummary.SourceBackupArn != null", **back, **units)
    yield "over another", call("RestoreTableFromBackup", **{**back, "TargetTableName": "Sales"}, **units)
    yield "billing", call("DescribeTable", "Table.ProvisionedThroughput.ReadCapacityUnits", TableName="Back")
    yield "items", call("Scan", "Count", TableName="Back")


@case("dynamodb")
def exports_and_imports(call):
    _table(call)
    arn = "arn:aws:dynamodb:us-east-1:123456789012:table/Sales"
    yield "export while off", call("ExportTableToPointInTime", TableArn=arn, S3Bucket="exports")
    yield "list of exports", call("ListExports", "ExportSummaries")
    yield "list of imports", call("ListImports", "ImportSummaryList")


# -- the other services ------------------------------------------------------------------------------------------


@case("sts")
def who_am_i(call):
    yield "account", call("GetCallerIdentity", "Account")
    yield "arn", call("GetCallerIdentity", "Arn")


@case("kms")
def keys(call):
    key = call("CreateKey", "KeyMetadata.KeyId")
    yield "made", call("DescribeKey", "KeyMetadata.KeyState", KeyId=key)
    call("DisableKey", KeyId=key)
    given = {"KeyId": key, "KeySpec": "AES_256"}
    yield "disabled", call("GenerateDataKeyWithoutPlaintext", "KeyId != null", **given)
    call("ScheduleKeyDeletion", KeyId=key, PendingWindowInDays=7)
    yield "pending", call("GenerateDataKeyWithoutPlaintext", "KeyId != null", **given)
    yield "enabled while pending", call("EnableKey", KeyId=key)
    yield "no such key", call("DescribeKey", KeyId="00000000-0000-0000-0000-000000000000")


@case("ssm")
def parameters(call):
    given = {"Name": "/sale/table", "Type": "String"}
    yield "made", call("PutParameter", "Version", **given, Value="Sales")
    yield "again", call("PutParameter", **given, Value="New")
    yield "over", call("PutParameter", "Version", **given, Value="New", Overwrite=True)
    yield "first", call("GetParameter", "Parameter.Value", Name="/sale/table:1")
    yield "third", call("GetParameter", Name="/sale/table:3")
    yield "none", call("GetParameter", Name="/none")
    call("PutParameter", Name="/sale/secret", Type="SecureString", Value="hunter2")
    yield "sealed", "hunter2" not in call("GetParameter", "Parameter.Value", Name="/sale/secret")


@case("route53")
def dns(call):
    zone = call("CreateHostedZone", "HostedZone.Id", Name="sale.test", CallerReference="1").rpartition("/")[2]

    def change(action, value, name="a.sale.test"):
        record = {"Name": name, "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": value}]}
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
        return call("ChangeResourceRecordSets", "ChangeInfo.Status", HostedZoneId=zone, ChangeBatch=batch)

    yield "made", change("CREATE", "192.0.2.1")
    yield "made again", change("CREATE", "192.0.2.2")
    yield "deleted as it is not", change("DELETE", "192.0.2.2")
    yield "elsewhere", change("CREATE", "192.0.2.1", "a.other.test")
    yield "deleted", change("DELETE", "192.0.2.1")
    yield "no such change", call("GetChange", "ChangeInfo.Status", Id="C00000000000000000000")


@case("cloudwatch")
def alarms(call):
    given = {"AlarmName": "a", "Namespace": "N", "MetricName": "M", "Period": 60, "EvaluationPeriods": 1, "Threshold": 1.0}
    given |= {"ComparisonOperator": "GreaterThanThreshold", "Statistic": "Sum"}
    call("PutMetricAlarm", **given)
    yield "state", call("DescribeAlarms", "MetricAlarms[].StateValue")
    yield "actions", call("DescribeAlarms", "MetricAlarms[].ActionsEnabled")
    call("SetAlarmState", AlarmName="a", StateValue="ALARM", StateReason="test")
    call("PutMetricAlarm", **{**given, "Threshold": 2.0})
    yield "put again", call("DescribeAlarms", "MetricAlarms[].[Threshold, StateValue]")


@case("lambda")
def functions(call):
    role = call("CreateRole", "Role.Arn", service="iam", RoleName="r", AssumeRolePolicyDocument="{}")
    call("CreateBucket", service="s3", Bucket="code")
    call("PutObject", service="s3", Bucket="code", Key="f.zip", Body=b"PK\x05\x06" + bytes(18))
    made = {"FunctionName": "f", "Runtime": "python3.12", "Role": role, "Handler": "m.h"}
    yield "made", call("CreateFunction", "State", **made, Code={"S3Bucket": "code", "S3Key": "f.zip"})
    yield "revision", call("GetFunctionConfiguration", "RevisionId != null", FunctionName="f")
    yield "stale revision", call("UpdateFunctionConfiguration", "MemorySize", FunctionName="f", RevisionId="0", MemorySize=256)
    yield "code", call("GetFunction", "contains(Code.Location, '127.0.0.1')", FunctionName="f")
    yield "alias to nothing", call("CreateAlias", FunctionName="f", Name="live", FunctionVersion="7")
    yield "no such function", call("GetFunction", FunctionName="none")


@case("s3")
def objects(call):
    call("CreateBucket", Bucket="sales")
    yield "wrong digest", call("PutObject", Bucket="sales", Key="k", Body=b"x", ContentMD5="1B2M2Y8AsgTpgAmY7PhCfg==")
    call("PutBucketVersioning", Bucket="sales", VersioningConfiguration={"Status": "Enabled"})
    call("PutObject", Bucket="sales", Key="k", Body=b"1")
    call("PutBucketVersioning", Bucket="sales", VersioningConfiguration={"Status": "Suspended"})
    call("PutObject", Bucket="sales", Key="k", Body=b"2")
    yield "versions when suspended", call("ListObjectVersions", "length(Versions)", Bucket="sales")
    yield "only if absent", call("PutObject", Bucket="sales", Key="k", Body=b"3", IfNoneMatch="*")
    copy = {"Bucket": "sales", "Key": "c", "CopySource": "sales/k"}
    yield "copy of another", call("CopyObject", "CopyObjectResult != null", **copy, CopySourceIfMatch='"0"')
    yield "no such bucket", call("ListObjectsV2", Bucket="none")
    yield "no such key", call("HeadObject", Bucket="sales", Key="none")


@case("cognito-idp")
def pools(call):
    pool = call("CreateUserPool", "UserPool.Id", PoolName="p", MfaConfiguration="OPTIONAL")
    call("UpdateUserPool", UserPoolId=pool, AutoVerifiedAttributes=["email"])
    yield "reset", call("DescribeUserPool", "UserPool.MfaConfiguration", UserPoolId=pool)
    yield "too long a page", call("ListUsers", "Users", UserPoolId=pool, Limit=61)
    yield "no such pool", call("DescribeUserPool", UserPoolId="us-east-1_000000000")
    yield "header", call("GetCSVHeader", "CSVHeader[0]", UserPoolId=pool)


@case("cloudformation")
def stacks(call):
    body = json.dumps({"Resources": {"T": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "t"}}}})
    call("CreateStack", StackName="s", TemplateBody=body, EnableTerminationProtection=True)
    yield "nothing changed", call("UpdateStack", "StackId != null", StackName="s", TemplateBody=body)
    yield "protected", call("DeleteStack", StackName="s")
    yield "no such stack", call("DescribeStacks", StackName="none")


@case("ses")
def mail(call):
    message = {"Subject": {"Data": "s"}, "Body": {"Text": {"Data": "m"}}}

    def send(to):
        return call("SendEmail", "MessageId != null", Source="a@sale.test", Destination={"ToAddresses": [to]}, Message=message)

    yield "from nobody", send("a@sale.test")
    call("VerifyEmailIdentity", EmailAddress="a@sale.test")
    yield "to oneself", send("a@sale.test")
    yield "out of the sandbox", send("b@other.test")


@case("application-autoscaling")
def policies(call):
    def target(name):
        return {"ServiceNamespace": "dynamodb", "ResourceId": "table/" + name, "ScalableDimension": "dynamodb:table:ReadCapacityUnits"}

    metric = {"PredefinedMetricSpecification": {"PredefinedMetricType": "DynamoDBReadCapacityUtilization"}, "TargetValue": 70.0}
    for name in ("T", "T-restored"):
        call("RegisterScalableTarget", **target(name), MinCapacity=1, MaxCapacity=2)
        call("PutScalingPolicy", **target(name), PolicyName=name, PolicyType="TargetTrackingScaling", TargetTrackingScalingPolicyConfiguration=metric)
    yield "of one table", call("DescribeScalingPolicies", "ScalingPolicies[].PolicyName", ServiceNamespace="dynamodb", ResourceId="table/T-restored")
    no_target = {"ServiceNamespace": "dynamodb", "ResourceId": "table/None", "ScalableDimension": "dynamodb:table:ReadCapacityUnits"}
    yield "no target", call("DeregisterScalableTarget", **no_target)
