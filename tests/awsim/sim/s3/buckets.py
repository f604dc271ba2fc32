"""What of a bucket's configuration is not moto's: versioning's rules."""

from .errors import S3Error


def put_bucket_versioning(ask):
    wanted = ask.given["VersioningConfiguration"]
    if wanted.get("MFADelete") == "Enabled":
        raise S3Error("NotImplemented", "awsim has no MFA delete")
    status, fake = wanted.get("Status"), ask.bucket.fake
    if status is None:
        raise S3Error("IllegalVersioningConfigurationException", "The Versioning element must be specified")
    if fake.object_lock_enabled and status != "Enabled":
        raise S3Error(
            "InvalidBucketState",
            "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
        )
    if ask.bucket.replication and status != "Enabled":
        raise S3Error(
            "InvalidBucketState",
            "A replication configuration is present on this bucket, so the versioning state cannot be changed.",
        )
    fake.versioning_status = status
    return {}


def get_bucket_versioning(ask):
    return {"Status": ask.bucket.versioning}
