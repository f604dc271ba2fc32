"""Objects: digests are verified, kept and shown; conditions hold."""

import base64
import hashlib
import threading

import pytest
from awscrt import checksums

BODY = b"one file of a recovery point"
MD5 = base64.b64encode(hashlib.md5(BODY).digest()).decode()
SHA256 = base64.b64encode(hashlib.sha256(BODY).digest()).decode()
WRONG_SHA256 = base64.b64encode(hashlib.sha256(b"another").digest()).decode()
CRC64 = base64.b64encode(checksums.crc64nvme(BODY).to_bytes(8, "big")).decode()
KEY = {"Bucket": "backups", "Key": "a/b c+é.jsonl.gz"}


@pytest.fixture
def s3(world):
    client = world.client(
        "s3", request_checksum_calculation="when_required", response_checksum_validation="when_required"
    )
    client.create_bucket(Bucket="backups")
    return client


@pytest.mark.parametrize(
    "given, shown",
    [
        ({"ChecksumSHA256": SHA256}, {"ChecksumSHA256": SHA256}),
        ({"ChecksumAlgorithm": "SHA256"}, {"ChecksumSHA256": SHA256}),
        (
            {"ChecksumAlgorithm": "CRC32"},
            {"ChecksumCRC32": base64.b64encode(checksums.crc32(BODY).to_bytes(4, "big")).decode()},
        ),
        (
            {"ChecksumAlgorithm": "CRC32C"},
            {"ChecksumCRC32C": base64.b64encode(checksums.crc32c(BODY).to_bytes(4, "big")).decode()},
        ),
        ({"ContentMD5": MD5}, {"ChecksumCRC64NVME": CRC64}),
        ({}, {"ChecksumCRC64NVME": CRC64}),
    ],
)
def test_an_object_shows_its_checksum_when_asked(s3, given, shown):
    s3.put_object(**KEY, Body=BODY, **given)
    for answer in (
        s3.head_object(**KEY, ChecksumMode="ENABLED"),
        s3.get_object(**KEY, ChecksumMode="ENABLED"),
    ):
        found = {
            name: value
            for name, value in answer.items()
            if name.startswith("Checksum") and name != "ChecksumType"
        }
        assert found == shown and answer["ChecksumType"] == "FULL_OBJECT"
        assert answer["ContentLength"] == len(BODY)
    assert not [name for name in s3.head_object(**KEY) if name.startswith("Checksum")]


@pytest.mark.parametrize(
    "given, code",
    [
        ({"ChecksumSHA256": WRONG_SHA256}, "BadDigest"),
        ({"ChecksumCRC64NVME": "AAAAAAAAAAA="}, "BadDigest"),
        ({"ContentMD5": base64.b64encode(b"x" * 16).decode()}, "BadDigest"),
        ({"ContentMD5": "no-md5"}, "InvalidDigest"),
        ({"ChecksumSHA256": "c2hvcnQ="}, "InvalidRequest"),
    ],
)
def test_a_body_that_is_not_what_its_digest_says_is_refused(s3, refused, given, code):
    assert refused(s3.put_object, **KEY, Body=BODY, **given) == code
    assert s3.list_objects_v2(Bucket="backups")["KeyCount"] == 0


def test_a_signed_body_that_was_changed_is_refused(world, s3):
    status, _, body = world.raw(
        "PUT",
        "/backups/k",
        b"changed",
        {"x-amz-content-sha256": hashlib.sha256(BODY).hexdigest()},
        "s3",
    )
    assert status == 400 and b"XAmzContentSHA256Mismatch" in body


def test_an_aws_chunked_body_is_kept_without_its_frames(world, s3):
    frames = b"5;chunk-signature=ab\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n"
    headers = {
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "Content-Encoding": "aws-chunked",
        "x-amz-trailer": "x-amz-checksum-crc32",
        "x-amz-decoded-content-length": "11",
    }
    assert world.raw("PUT", "/backups/k", frames, headers, "s3")[0] == 200
    answer = s3.get_object(Bucket="backups", Key="k", ChecksumMode="ENABLED")
    assert (answer["Body"].read(), answer["ChecksumCRC32"]) == (b"hello world", "DUoRhQ==")
    assert world.raw("PUT", "/backups/k2", frames.replace(b"DUoRhQ", b"AAAAAA"), headers, "s3")[0] == 400


def test_of_many_writers_that_want_to_be_first_one_is(world, s3):
    outcomes = []

    def write(place):
        client = world.client("s3")
        try:
            client.put_object(**KEY, Body=str(place).encode(), IfNoneMatch="*")
            outcomes.append(200)
        except client.exceptions.ClientError as fault:
            outcomes.append(fault.response["ResponseMetadata"]["HTTPStatusCode"])

    writers = [threading.Thread(target=write, args=(place,)) for place in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(outcomes) == [200] + [412] * 7


def test_a_range_is_a_part_and_shows_no_checksum_of_the_whole(s3):
    s3.put_object(**KEY, Body=BODY, ChecksumSHA256=SHA256)
    answer = s3.get_object(**KEY, Range="bytes=4-7", ChecksumMode="ENABLED")
    assert answer["Body"].read() == BODY[4:8] and "ChecksumSHA256" not in answer
    assert answer["ContentRange"] == f"bytes 4-7/{len(BODY)}"


def test_listing_and_deleting(s3, refused):
    for place in range(5):
        s3.put_object(Bucket="backups", Key=f"p/{place}", Body=b"")
    first = s3.list_objects_v2(Bucket="backups", Prefix="p/", MaxKeys=3)
    rest = s3.list_objects_v2(Bucket="backups", Prefix="p/", ContinuationToken=first["NextContinuationToken"])
    assert [one["Key"] for one in first["Contents"] + rest["Contents"]] == [
        f"p/{place}" for place in range(5)
    ]
    s3.delete_object(Bucket="backups", Key="p/0")
    assert refused(s3.get_object, Bucket="backups", Key="p/0") == "NoSuchKey"
    assert refused(s3.head_object, Bucket="backups", Key="p/0") == "404"


def test_a_bucket_may_stand_in_the_host_name(world, s3):
    headers = {"Host": f"backups.localhost:{world.port}"}
    assert world.raw("PUT", "/dir/k", BODY, headers, "s3")[0] == 200
    assert s3.get_object(Bucket="backups", Key="dir/k")["Body"].read() == BODY


def test_parts_make_an_object_and_are_verified(s3, refused):
    upload = s3.create_multipart_upload(**KEY)["UploadId"]
    part = {**KEY, "UploadId": upload, "PartNumber": 1}
    assert (
        refused(s3.upload_part, **part, Body=BODY, ContentMD5=base64.b64encode(b"x" * 16).decode())
        == "BadDigest"
    )
    tag = s3.upload_part(**part, Body=BODY, ContentMD5=MD5)["ETag"]
    s3.complete_multipart_upload(
        **KEY, UploadId=upload, MultipartUpload={"Parts": [{"ETag": tag, "PartNumber": 1}]}
    )
    assert s3.get_object(**KEY)["Body"].read() == BODY


def test_a_copy_wants_the_source_that_was_seen(world, s3, refused):
    s3.put_bucket_versioning(Bucket="backups", VersioningConfiguration={"Status": "Enabled"})
    old = s3.put_object(Bucket="backups", Key="a b", Body=b"1")
    new = s3.put_object(Bucket="backups", Key="a b", Body=b"2")
    copy = {"Bucket": "backups", "Key": "copy", "CopySource": {"Bucket": "backups", "Key": "a b"}}
    assert refused(s3.copy_object, **copy, CopySourceIfMatch=old["ETag"]) == "PreconditionFailed"
    assert refused(s3.head_object, Bucket="backups", Key="copy") == "404"
    s3.copy_object(**copy, CopySourceIfMatch=new["ETag"])
    copy["CopySource"]["VersionId"] = old["VersionId"]
    assert refused(s3.copy_object, **copy, CopySourceIfMatch=new["ETag"]) == "PreconditionFailed"
    s3.copy_object(**copy, CopySourceIfMatch=old["ETag"])
    assert s3.get_object(Bucket="backups", Key="copy")["Body"].read() == b"1"
