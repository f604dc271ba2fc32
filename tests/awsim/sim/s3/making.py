"""What a put, a copy and a multipart upload ask for alike: encryption, storage class, tags, metadata, ACL."""

import re
from urllib.parse import parse_qsl

from ..mends import keys
from .errors import S3Error

CLASSES = {
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER",
    "DEEP_ARCHIVE",
    "GLACIER_IR",
}
ARCHIVED = {"GLACIER", "DEEP_ARCHIVE"}
HEADERS = (
    "ContentType",
    "ContentEncoding",
    "ContentLanguage",
    "ContentDisposition",
    "CacheControl",
    "Expires",
    "WebsiteRedirectLocation",
)
GRANTS = ("GrantFullControl", "GrantRead", "GrantReadACP", "GrantWriteACP")
MAX_KEY, MAX_METADATA, MAX_TAGS = 1024, 2048, 10
TAG = re.compile(r"[\w\s.:/=+@-]*")


def check_key(key):
    if len(key.encode("utf-8", "surrogateescape")) > MAX_KEY:
        raise S3Error(
            "KeyTooLongError", Size=len(key.encode("utf-8", "surrogateescape")), MaxSizeAllowed=MAX_KEY
        )


def fields(ask):
    """Of a new version, but not its body: {name of a Version's field: value}."""
    given = ask.given
    check_key(given["Key"])
    check_acl(ask)
    metadata = given.get("Metadata", {})
    size = sum(len(name) + len(value) for name, value in metadata.items())
    if size > MAX_METADATA:
        raise S3Error("MetadataTooLarge", Size=size, MaxSizeAllowed=MAX_METADATA)
    storage = given.get("StorageClass", "STANDARD")
    if storage not in CLASSES:
        raise S3Error("InvalidStorageClass", StorageClassRequested=storage)
    return {
        "metadata": metadata,
        "headers": {name: given[name] for name in HEADERS if name in given},
        "storage": storage,
        "tags": tags_of(given["Tagging"]) if "Tagging" in given else {},
        "sse": encryption(ask),
    }


def check_acl(ask):
    """Buckets are made without ACLs since April 2023: User Guide, "Controlling ownership of objects"."""
    given, fake = ask.given, ask.bucket.fake
    plain = given.get("ACL", "bucket-owner-full-control") == "bucket-owner-full-control"
    if fake.ownership_rule is None and not (plain and not any(name in given for name in GRANTS)):
        raise S3Error("AccessControlListNotSupported", "The bucket does not allow ACLs")


def tags_of(text):
    pairs = parse_qsl(text, keep_blank_values=True)
    return checked_tags([{"Key": name, "Value": value} for name, value in pairs])


def checked_tags(tag_set):
    tags = {tag["Key"]: tag["Value"] for tag in tag_set}
    if len(tag_set) > MAX_TAGS:
        raise S3Error("BadRequest", f"Object tags cannot be greater than {MAX_TAGS}")
    if len(tags) != len(tag_set):
        raise S3Error("InvalidTag", "Cannot provide multiple Tags with the same key")
    for name, value in tags.items():
        if not 1 <= len(name) <= 128 or not TAG.fullmatch(name):
            raise S3Error("InvalidTag", "The TagKey you have provided is invalid", TagKey=name)
        if len(value) > 256 or not TAG.fullmatch(value):
            raise S3Error("InvalidTag", "The TagValue you have provided is invalid", TagKey=name)
    return tags


def encryption(ask):
    """{member: value} as answers show it: what the request asks for, else the bucket's default, else AES256."""
    given = ask.given
    if any(name in given for name in ("SSECustomerAlgorithm", "SSECustomerKey")):
        raise S3Error("NotImplemented", "awsim keeps no objects under keys of customers")
    wanted, key = given.get("ServerSideEncryption"), given.get("SSEKMSKeyId")
    if wanted is None:
        wanted, key = _default(ask.bucket.fake)
    if wanted not in ("AES256", "aws:kms", "aws:kms:dsse"):
        raise S3Error(
            "InvalidArgument", "The encryption method specified is not supported", ArgumentValue=wanted
        )
    if wanted == "AES256":
        if "SSEKMSKeyId" in given:
            raise S3Error(
                "InvalidArgument",
                "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms",
            )
        return {"ServerSideEncryption": "AES256"}
    return {"ServerSideEncryption": wanted, "SSEKMSKeyId": kms_key(ask, key)}


def _default(fake):
    rule = (fake.encryption or {}).get("Rule") or {}
    rule = rule[0] if isinstance(rule, list) else rule
    applied = rule.get("ApplyServerSideEncryptionByDefault") or {}
    return applied.get("SSEAlgorithm", "AES256"), applied.get("KMSMasterKeyID")


def kms_key(ask, wanted):
    """The ARN of a key that works; the account's own of S3 when none is named."""
    fake, account = ask.bucket.fake, ask.call.account
    if wanted is None or wanted == "alias/aws/s3":
        return f"arn:aws:kms:{fake.region_name}:{fake.account_id}:alias/aws/s3"
    region, owner = _place(wanted, fake.region_name, account)
    if region != fake.region_name:
        raise S3Error("InvalidArgument", f"Invalid key region {region}, the bucket is in {fake.region_name}")
    check_usable(owner, region, wanted, ask.s3.clock.now())
    return keys.find(owner, region, wanted).arn


def _place(name, region, account):
    """(region, account) of a key by its ARN, else those that are given."""
    return tuple(name.split(":")[3:5]) if name.startswith("arn:") else (region, account)


def check_usable(account, region, name, now):
    if trouble := keys.trouble_with(account, region, name, now):
        raise S3Error("KMS." + trouble[0], trouble[1])


def check_readable(version, now):
    """Whether the key under which a version lies still opens it."""
    arn = version.sse.get("SSEKMSKeyId", "")
    if ":key/" in arn:
        region, account = _place(arn, None, None)
        check_usable(account, region, arn, now)
