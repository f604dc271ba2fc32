"""What a DynamoDB call must be allowed to do.

Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon DynamoDB"; DynamoDB Developer Guide,
"Encryption at rest: authorizing use of a customer managed key", "IAM policies for Kinesis Data Streams", "export: setting up".
"""

import re

from moto.kms import kms_backends

from .policy import Need

NO_RESOURCE = re.compile(r"(DescribeEndpoints|DescribeLimits|List(?!TagsOfResource)\w+)")
# What a restore does on the new table, in the caller's name.
FILLING = ("BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan", "UpdateItem")
PARTS = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}
KEY_OF_TABLE = ("DescribeKey", "CreateGrant", "Encrypt", "Decrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo")
LOGS = ("CreateLogGroup", "CreateLogStream", "DescribeLogGroups", "DescribeLogStreams", "PutLogEvents", "PutRetentionPolicy")
DATA = re.compile(r"(Put|Get|Update|Delete|BatchGet|BatchWrite)Item|Transact\w+|Scan|Query")
INSIGHTS, KINESIS = "contributorinsights.dynamodb.amazonaws.com", "kinesisreplication.dynamodb.amazonaws.com"
ROLES = {
    INSIGHTS: "AWSServiceRoleForDynamoDBCloudWatchContributorInsights",
    KINESIS: "AWSServiceRoleForDynamoDBKinesisDataStreamsReplication",
}


def table_arn(call, text):
    if text.startswith("arn:"):
        return text
    return f"arn:aws:dynamodb:{call.region}:{call.account}:table/{text}"


def _names(call, request):
    """The ARNs of the tables (index, backup, export) that the operation itself is about."""
    given = [request.get(name) for name in ("TableName", "ResourceArn", "TableArn", "SourceTableArn", "SourceTableName")]
    given += [request.get(name) for name in ("BackupArn", "ExportArn", "ImportArn", "TargetTableName")]
    given.append((request.get("TableCreationParameters") or {}).get("TableName"))
    found = [table_arn(call, text) for text in given if isinstance(text, str) and text]
    if isinstance(request.get("IndexName"), str) and found:
        found[0] += "/index/" + request["IndexName"]
    return found


def _main(call, request):
    """(action, ARN) of the operation itself."""
    operation = call.operation
    if NO_RESOURCE.fullmatch(operation):
        return [(operation, "*")]
    if operation in ("BatchGetItem", "BatchWriteItem"):
        return [(operation, table_arn(call, name)) for name in request.get("RequestItems") or ()]
    if operation == "TransactGetItems":
        return [("GetItem", table_arn(call, part["Get"]["TableName"])) for part in request["TransactItems"]]
    if operation == "TransactWriteItems":
        parts = [next(iter(part.items())) for part in request["TransactItems"]]
        return [(PARTS[kind], table_arn(call, part["TableName"])) for kind, part in parts]
    return [(operation, arn) for arn in _names(call, request)] or [(operation, "*")]


def _beside(call, request, store):
    """(action, ARN) of what AWS asks for beside it, other services' included."""
    operation, found = call.operation, []
    tables = _names(call, request)
    if operation == "CreateTable":
        found += [("dynamodb:TagResource", tables[0])] if request.get("Tags") else []
        found += [("dynamodb:PutResourcePolicy", tables[0])] if request.get("ResourcePolicy") else []
    if operation in ("RestoreTableFromBackup", "RestoreTableToPointInTime"):
        found += [(f"dynamodb:{one}", table_arn(call, request["TargetTableName"])) for one in FILLING]
    if operation == "ExportTableToPointInTime":
        place = f"arn:aws:s3:::{request.get('S3Bucket')}/{request.get('S3Prefix') or ''}"
        found += [(f"s3:{one}", f"{place.rstrip('/')}/AWSDynamoDB") for one in ("PutObject", "PutObjectAcl", "AbortMultipartUpload")]
    if operation == "ImportTable":
        source = request.get("S3BucketSource") or {}
        bucket = f"arn:aws:s3:::{source.get('S3Bucket')}"
        found += [("s3:ListBucket", bucket), ("s3:GetObject", f"{bucket}/{source.get('S3KeyPrefix') or ''}")]
        group = f"arn:aws:logs:{call.region}:{call.account}:log-group:/aws-dynamodb/imports"
        found += [(f"logs:{one}", group) for one in LOGS]
    if operation == "EnableKinesisStreamingDestination":
        stream = request.get("StreamArn", "*")
        found += [("kinesis:ListStreams", "*"), ("kinesis:DescribeStream", stream), ("kinesis:PutRecords", stream)]
    if operation == "DescribeKinesisStreamingDestination":
        table = store.places.get((call.account, call.region), {}).get(tables[0].split("/")[1])
        for stream in table.settings.get("kinesis", {}) if table else ():
            found += [("kinesis:DescribeStream", stream), ("kinesis:DescribeStreamSummary", stream)]
    return found


def _services_role(call, request, make):
    """The role of AWS's own that this call makes when the account has none yet."""
    wanted = {
        "UpdateContributorInsights": INSIGHTS if request.get("ContributorInsightsAction") == "ENABLE" else None,
        "EnableKinesisStreamingDestination": KINESIS,
    }.get(call.operation)
    return make(call.account, wanted, ROLES[wanted]) if wanted else []


def _key_needs(call, request, store):
    """The customer's key of a table that is made, turned to it, read or written; AWS's own keys ask for nothing."""
    spec = request.get("SSESpecification") or request.get("SSESpecificationOverride") or {}
    if spec.get("Enabled") and spec.get("KMSMasterKeyId"):
        keys = {spec["KMSMasterKeyId"]: KEY_OF_TABLE}
    elif DATA.fullmatch(call.operation):
        keys = {}
        for _, arn in _main(call, request):
            table = store.places.get((call.account, call.region), {}).get(arn.split("/")[1])
            sse = table.settings.get("sse") if table else None
            if sse and not sse["KMSMasterKeyArn"].endswith("alias/aws/dynamodb"):
                keys[sse["KMSMasterKeyArn"]] = ("Decrypt",)
    else:
        return []
    return [need for key, actions in keys.items() for need in key_needs(call, key, actions, "dynamodb")]


def key_needs(call, key, actions, service, region=None):
    """The Needs of a use of a key by a service in the caller's name."""
    region = region or call.region
    account = key.split(":")[4] if key.startswith("arn:") else call.account
    backend = kms_backends[account][region]
    try:
        found = backend.keys.get(backend.any_id_to_key_id(key))
    except (AttributeError, KeyError):
        found = None
    arn = found.arn if found else key if key.startswith("arn:") else f"arn:aws:kms:{region}:{account}:key/{key}"
    context = {
        "kms:viaservice": f"{service}.{region}.amazonaws.com",
        "kms:calleraccount": call.account,
        "kms:grantisforawsresource": "true",
    }
    policy = found.policy if found else None
    return [Need(f"kms:{one}", arn, context, account, policy, delegates=found is None) for one in actions]


def _context(call, request):
    """Condition keys that lie in the request."""
    tags = request.get("Tags") or []
    found = {f"aws:requesttag/{tag['Key']}".lower(): tag["Value"] for tag in tags if isinstance(tag, dict)}
    if tags:
        found["aws:tagkeys"] = [tag["Key"] for tag in tags if isinstance(tag, dict)]
    if isinstance(request.get("Select"), str):
        found["dynamodb:select"] = request["Select"]
    return found


def _owned(store, arn):
    """(account, policy, tags as condition keys) of the table that an ARN names."""
    parts = arn.split(":", 5)
    if len(parts) < 6 or not parts[5].startswith("table/"):
        return None, None, {}
    table = store.places.get((parts[4], parts[3]), {}).get(parts[5].split("/")[1])
    kept = table.settings.get("policy") if table else None
    tags = {f"aws:resourcetag/{key}".lower(): value for key, value in table.tags.items()} if table else {}
    return parts[4], kept[0] if kept else None, tags


def needs(call, request, store, make_role):
    """The Needs of a call with these members; `make_role(account, service, name)`: those of a service's role."""
    context = _context(call, request)
    own = [(f"dynamodb:{action}", arn) for action, arn in _main(call, request)]
    found = []
    for action, arn in own + _beside(call, request, store):
        owner, policy, tags = _owned(store, arn)
        found.append(Need(action, arn, {**context, **tags}, owner, policy))
    return found + _services_role(call, request, make_role) + _key_needs(call, request, store)
