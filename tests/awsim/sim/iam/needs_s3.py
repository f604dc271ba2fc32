"""What an S3 call must be allowed to do.

Source: Amazon S3 User Guide, "Required permissions for Amazon S3 API operations"; Service Authorization Reference, "Amazon S3".
"""

from urllib.parse import unquote
from xml.etree import ElementTree

from ..s3.store import beside, find
from .needs_dynamodb import key_needs
from .policy import Need

# Operations whose action has another name; what is not here has its own.
ACTIONS = {
    "ListBuckets": "ListAllMyBuckets",
    "HeadBucket": "ListBucket",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListParts": "ListMultipartUploadParts",
    "HeadObject": "GetObject",
    "SelectObjectContent": "GetObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "DeleteObjects": "DeleteObject",
    "DeleteBucketTagging": "PutBucketTagging",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "GetBucketReplication": "GetReplicationConfiguration",
    "PutBucketReplication": "PutReplicationConfiguration",
    "DeleteBucketReplication": "PutReplicationConfiguration",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "GetBucketCors": "GetBucketCORS",
    "PutBucketCors": "PutBucketCORS",
    "DeleteBucketCors": "PutBucketCORS",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "PutBucketAccelerateConfiguration": "PutAccelerateConfiguration",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    **{
        f"{verb}Bucket{kind}Configuration{plural}": f"{'Get' if verb in ('Get', 'List') else 'Put'}{kind}Configuration"
        for kind in ("Inventory", "Metrics", "Analytics", "IntelligentTiering")
        for verb, plural in (("Get", ""), ("List", "s"), ("Put", ""), ("Delete", ""))
    },
}
# With a version id the action is another.
VERSIONED = {
    name: name.replace("Object", "ObjectVersion", 1)
    for name in (
        "GetObject",
        "GetObjectAcl",
        "GetObjectAttributes",
        "GetObjectTagging",
        "DeleteObject",
        "DeleteObjectTagging",
        "PutObjectAcl",
        "PutObjectTagging",
    )
}
# A header that is a request of its own.
BY_HEADER = {
    "x-amz-tagging": "PutObjectTagging",
    "x-amz-acl": "PutObjectAcl",
    "x-amz-object-lock-mode": "PutObjectRetention",
    "x-amz-object-lock-legal-hold": "PutObjectLegalHold",
    "x-amz-bypass-governance-retention": "BypassGovernanceRetention",
}
STORING = ("PutObject", "CopyObject", "CreateMultipartUpload")
KMS, OWN_KEY = ("aws:kms", "aws:kms:dsse"), "alias/aws/s3"


def _arn(bucket, key=""):
    return f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket}"


def _default_key(bucket):
    """(algorithm, key) that a bucket encrypts with when the request does not say."""
    rule = ((bucket.encryption or {}).get("Rule") or {}) if bucket else {}
    rule = rule[0] if isinstance(rule, list) else rule
    default = rule.get("ApplyServerSideEncryptionByDefault") or {}
    return default.get("SSEAlgorithm"), default.get("KMSMasterKeyID")


def _key_of(sse):
    """The customer's key in what is kept of an encryption; None where it is AWS's own."""
    name = sse.get("SSEKMSKeyId")
    return None if name is None or name.endswith(OWN_KEY) else name


def _keys(call, request, bucket, key):
    """(key, action) of the customer's keys that this call uses. AWS's own key for S3 asks for nothing."""
    headers, query = request.headers, dict(request.query)
    if call.operation in STORING:
        algorithm = headers.get("x-amz-server-side-encryption")
        name = headers.get("x-amz-server-side-encryption-aws-kms-key-id")
        if algorithm is None:
            algorithm, name = _default_key(bucket)
        return [(name, "GenerateDataKey")] if algorithm in KMS and name and name != OWN_KEY else []
    if bucket is None:
        return []
    if call.operation == "UploadPart":
        upload = beside(bucket).uploads.get(query.get("uploadId"))
        name = _key_of(upload.fields.get("sse", {})) if upload else None
        return [(name, "GenerateDataKey"), (name, "Decrypt")] if name else []
    # HEAD shows a checksum only to one who may decrypt.
    if call.operation == "GetObject" or (call.operation == "HeadObject" and "x-amz-checksum-mode" in headers):
        wanted = query.get("versionId")
        versions = [one for one in beside(bucket).versions(key) if wanted in (None, one.id)]
        name = _key_of(versions[-1].sse) if versions else None
        return [(name, "Decrypt")] if name else []
    return []


def _key_needs(call, request, bucket, key):
    region = bucket.region_name if bucket else call.region
    return [
        need
        for name, action in _keys(call, request, bucket, key)
        for need in key_needs(call, name, (action,), "s3", region)
    ]


def _source(request):
    """(action, bucket, key) that a copy reads."""
    given = request.headers.get("x-amz-copy-source")
    if given is None:
        return []
    path, _, version = given.partition("?versionId=")
    bucket, _, key = unquote(path).lstrip("/").partition("/")
    return [("GetObjectVersion" if version else "GetObject", bucket, key)]


def _context(request):
    """Condition keys that lie in the request."""
    query, headers = dict(request.query), request.headers
    found = {f"s3:{name}": query[name] for name in ("prefix", "delimiter", "max-keys") if name in query}
    for name, value in headers.items():
        if name.startswith("x-amz-server-side-encryption") or name in ("x-amz-acl", "x-amz-storage-class", "if-none-match", "if-match"):
            found[f"s3:{name}"] = value
    if "versionId" in query:
        found["s3:versionid"] = query["versionId"]
    for pair in headers.get("x-amz-tagging", "").split("&"):
        name, _, value = pair.partition("=")
        if name:
            found[f"s3:requestobjecttag/{unquote(name)}".lower()] = unquote(value)
    return found


def policy_of(bucket):
    """The text of the policy of moto's bucket, None without one."""
    return bucket.policy.decode() if bucket.policy else None


def deleted_keys(body):
    """[(key, version id or None)] that DeleteObjects names; none in what is not XML."""
    try:
        objects = ElementTree.fromstring(body).findall("{*}Object")
    except ElementTree.ParseError:
        return []
    return [(one.findtext("{*}Key", ""), one.findtext("{*}VersionId")) for one in objects]


def _actions(call, request, key):
    """[(action, key)]: all that the operation and its headers ask for."""
    query, operation = dict(request.query), call.operation
    if operation == "DeleteObjects":
        return [("DeleteObjectVersion" if version else "DeleteObject", name) for name, version in deleted_keys(request.body)]
    action = ACTIONS.get(operation, operation)
    if "versionId" in query:
        action = VERSIONED.get(action, action)
    found = [(action, key)]
    if operation == "GetObjectAttributes":
        found.append((action.replace("Attributes", ""), key))
    if operation in STORING or operation.startswith(("Delete", "PutObjectRetention")):
        found += [(other, key) for name, other in BY_HEADER.items() if name in request.headers]
    return found


def needs(call, request):
    name, _, key = (call.resource or "").partition("/")
    if not name:
        return [Need("s3:" + ACTIONS.get(call.operation, call.operation), "*")]
    if call.operation == "CreateBucket":  # whoever has the name
        return [Need("s3:CreateBucket", _arn(name), _context(request))]
    context = _context(request)
    asked = [(action, name, one) for action, one in _actions(call, request, key)]
    found = []
    for action, where, one in asked + _source(request):
        there = find(where)
        owner = there.account_id if there else None
        context = {**context, "s3:resourceaccount": owner}
        found.append(Need(f"s3:{action}", _arn(where, one), context, owner, policy_of(there) if there else None))
    return found + _key_needs(call, request, find(name), key)
