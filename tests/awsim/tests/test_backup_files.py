"""What AWS Backup does with buckets."""

import json

import pytest
from backup_world import ACCOUNT

FILES = "arn:aws:s3:::files"


@pytest.fixture
def files(backups, world):
    """A bucket with versions and two objects; the S3 client."""
    s3 = world.client("s3")
    s3.create_bucket(Bucket="files")
    s3.put_bucket_versioning(Bucket="files", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket="files", Key="a b/ü.txt", Body=b"old")
    s3.put_object(
        Bucket="files", Key="a b/ü.txt", Body=b"one", ContentType="text/plain", Metadata={"m": "1"}, Tagging="t=2"
    )
    s3.put_object(Bucket="files", Key="two", Body=b"two")
    s3.put_object(Bucket="files", Key="gone", Body=b"gone")
    s3.delete_object(Bucket="files", Key="gone")
    return s3


def _content(s3, bucket):
    listed = s3.list_objects_v2(Bucket=bucket).get("Contents", ())
    return {one["Key"]: s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read() for one in listed}


def test_a_bucket_is_restored_as_of_the_job(backups, world, files):
    arn = backups.point(FILES)
    assert arn.startswith(f"arn:aws:backup:us-east-1:{ACCOUNT}:recovery-point:files-")
    files.put_object(Bucket="files", Key="two", Body=b"changed")
    files.put_object(Bucket="files", Key="three", Body=b"new")
    shown = backups.restore(arn, metadata={"DestinationBucketName": "fresh", "NewBucket": "true"})
    assert (shown["Status"], shown["CreatedResourceArn"]) == ("COMPLETED", "arn:aws:s3:::fresh")
    assert _content(files, "fresh") == {"a b/ü.txt": b"one", "two": b"two"}
    head = files.head_object(Bucket="fresh", Key="a b/ü.txt")
    assert (head["ContentType"], head["Metadata"]) == ("text/plain", {"m": "1"})
    assert files.get_object_tagging(Bucket="fresh", Key="a b/ü.txt")["TagSet"] == [{"Key": "t", "Value": "2"}]
    made = [row["operation"] for row in world.ledger(service="s3", resource="fresh") if row["effect"] == "made"]
    assert made == ["CreateBucket", "PutObject", "PutObject"]


def test_what_is_archived_is_not_backed_up(backups, files):
    files.put_object(Bucket="files", Key="two", Body=b"frozen", StorageClass="DEEP_ARCHIVE")
    shown = backups.back_up(FILES)
    assert (shown["State"], shown["BackupSizeInBytes"]) == ("COMPLETED", 3)
    backups.restore(shown["RecoveryPointArn"], metadata={"DestinationBucketName": "fresh", "NewBucket": "true"})
    assert list(_content(files, "fresh")) == ["a b/ü.txt"]


def test_a_restore_overwrites_no_object(backups, files):
    arn = backups.point(FILES)
    files.put_object(Bucket="files", Key="two", Body=b"changed")
    files.delete_object(Bucket="files", Key="a b/ü.txt")
    assert backups.restore(arn, metadata={"DestinationBucketName": "files"})["Status"] == "COMPLETED"
    assert _content(files, "files") == {"a b/ü.txt": b"one", "two": b"changed"}


def test_single_objects_are_restored_and_encrypted_as_told(backups, files):
    arn = backups.point(FILES)
    items = json.dumps(["s3://files/two"])
    told = {"DestinationBucketName": "fresh", "NewBucket": "true", "ItemsToRestore": items, "EncryptionType": "SSE-KMS"}
    assert backups.restore(arn, metadata=told)["Status"] == "COMPLETED"
    assert list(_content(files, "fresh")) == ["two"]
    assert files.head_object(Bucket="fresh", Key="two")["ServerSideEncryption"] == "aws:kms"


@pytest.mark.parametrize(
    "told, words",
    [
        ({"DestinationBucketName": "files", "NewBucket": "true"}, "bucket"),
        ({"DestinationBucketName": "none-such"}, "does not exist"),
    ],
)
def test_a_bucket_that_does_not_fit_fails_the_restore(backups, files, told, words):
    shown = backups.restore(backups.point(FILES), metadata=told)
    assert shown["Status"] == "FAILED" and words in shown["StatusMessage"]


def test_restore_metadata_of_buckets_has_its_own_rules(backups, files, refused):
    arn = backups.point(FILES)
    for wrong in (
        {},
        {"NewBucket": "maybe"},
        {"ItemsToRestore": "x"},
        {"ItemsToRestore": "[]"},
        {"KMSKey": "k"},
        {"targetTableName": "Back"},
    ):
        given = {"point": arn, "metadata": {"DestinationBucketName": "files", **wrong} if wrong else {}}
        assert refused(backups.restore, **given) == "InvalidParameterValueException", wrong


def test_a_bucket_without_versions_cannot_be_backed_up(backups, world):
    world.client("s3").create_bucket(Bucket="files")
    shown = backups.back_up(FILES)
    assert shown["State"] == "FAILED" and "ersioning" in shown["StatusMessage"]
