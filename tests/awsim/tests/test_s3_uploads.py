"""Digests of bodies in every form, and multipart uploads put together by AWS's rules."""

import base64
import hashlib

import pytest
from awscrt import checksums

KEY = {"Bucket": "uploads", "Key": "k"}
BIG = b"x" * (5 << 20)
NO_CHECKSUMS = {
    "request_checksum_calculation": "when_required",
    "response_checksum_validation": "when_required",
}


def _b64(raw):
    return base64.b64encode(raw).decode()


DIGESTS = {
    "CRC32": lambda body: _b64(checksums.crc32(body).to_bytes(4, "big")),
    "CRC32C": lambda body: _b64(checksums.crc32c(body).to_bytes(4, "big")),
    "CRC64NVME": lambda body: _b64(checksums.crc64nvme(body).to_bytes(8, "big")),
    "SHA1": lambda body: _b64(hashlib.sha1(body).digest()),
    "SHA256": lambda body: _b64(hashlib.sha256(body).digest()),
    "SHA512": lambda body: _b64(hashlib.sha512(body).digest()),
}


@pytest.fixture
def s3(world):
    client = world.client("s3", **NO_CHECKSUMS)
    client.create_bucket(Bucket="uploads")
    return client


def _chunked(world, body, algorithm, digest, announced=None, length=None):
    """A put in frames with its digest behind them."""
    name = f"x-amz-checksum-{algorithm.lower()}"
    frames = b"%x\r\n%s\r\n0\r\n" % (len(body), body) + f"{name}:{digest}\r\n\r\n".encode()
    headers = {
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "Content-Encoding": "aws-chunked",
        "x-amz-trailer": announced or name,
        "x-amz-decoded-content-length": str(len(body) if length is None else length),
    }
    status, _, answer = world.raw("PUT", "/uploads/k", frames, headers, "s3")
    return status, answer.partition(b"<Code>")[2].partition(b"<")[0].decode()


@pytest.mark.parametrize("algorithm", sorted(DIGESTS))
def test_a_digest_is_verified_as_a_header_and_behind_the_body(world, s3, algorithm):
    right, wrong = DIGESTS[algorithm](b"body"), DIGESTS[algorithm](b"another")
    header = f"x-amz-checksum-{algorithm.lower()}"
    status, _, body = world.raw("PUT", "/uploads/k", b"body", {header: wrong}, "s3")
    assert status == 400 and b"<Code>BadDigest</Code>" in body
    assert _chunked(world, b"body", algorithm, wrong) == (400, "BadDigest")
    assert s3.list_objects_v2(Bucket="uploads")["KeyCount"] == 0
    assert _chunked(world, b"body", algorithm, right) == (200, "")
    status, headers, _ = world.raw("PUT", "/uploads/k", b"body", {header: right}, "s3")
    assert (status, headers[header]) == (200, right)
    _, shown, _ = world.raw("HEAD", "/uploads/k", headers={"x-amz-checksum-mode": "ENABLED"}, sign="s3")
    assert (shown[header], shown["x-amz-checksum-type"]) == (right, "FULL_OBJECT")


def test_frames_that_are_not_what_was_announced_are_refused(world, s3):
    right = DIGESTS["CRC32"](b"body")
    assert (
        _chunked(world, b"body", "CRC32", right, announced="x-amz-checksum-sha256")[1]
        == "MalformedTrailerError"
    )
    assert _chunked(world, b"body", "CRC32", right, length=5)[1] == "IncompleteBody"
    assert s3.list_objects_v2(Bucket="uploads")["KeyCount"] == 0


def test_digests_that_contradict_each_other_are_refused(world, s3):
    crc, sha = DIGESTS["CRC32"](b"body"), DIGESTS["SHA256"](b"body")
    for headers in (
        {"x-amz-checksum-crc32": crc, "x-amz-checksum-sha256": sha},
        {"x-amz-checksum-crc32": crc, "x-amz-sdk-checksum-algorithm": "SHA256"},
        {"x-amz-sdk-checksum-algorithm": "SHA256"},
        {"x-amz-checksum-crc32": "AAAA"},
        {"x-amz-checksum-crc99": crc},
    ):
        status, _, body = world.raw("PUT", "/uploads/k", b"body", headers, "s3")
        assert status == 400 and b"<Code>InvalidRequest</Code>" in body, headers
    status, _, body = world.raw(
        "PUT", "/uploads/k", b"body", {"x-amz-checksum-xxhash64": "AAAAAAAAAAA="}, "s3"
    )
    assert status == 501 and b"<Code>NotImplemented</Code>" in body


# -- parts ----------------------------------------------------------------------------------------


def _start(s3, **more):
    upload = s3.create_multipart_upload(**KEY, **more)["UploadId"]

    def part(number, body, **also):
        answer = s3.upload_part(**KEY, UploadId=upload, PartNumber=number, Body=body, **also)
        row = {"PartNumber": number, "ETag": answer["ETag"]}
        return row | {name: value for name, value in answer.items() if name.startswith("Checksum")}

    def complete(*parts, **also):
        return s3.complete_multipart_upload(
            **KEY, UploadId=upload, MultipartUpload={"Parts": list(parts)}, **also
        )

    return upload, part, complete


@pytest.mark.parametrize(
    "algorithm, kind",
    [
        ("SHA256", "COMPOSITE"),
        ("CRC32", "COMPOSITE"),
        ("CRC32", "FULL_OBJECT"),
        ("CRC64NVME", "FULL_OBJECT"),
        (None, "FULL_OBJECT"),
    ],
)
def test_parts_make_one_object_with_the_checksum_of_its_kind(s3, algorithm, kind):
    wanted = {"ChecksumAlgorithm": algorithm, "ChecksumType": kind} if algorithm else {}
    upload, part, complete = _start(s3, **wanted)
    also = {"ChecksumAlgorithm": algorithm} if algorithm else {}
    parts = [part(1, BIG, **also), part(2, b"tail", **also)]
    answer = complete(*parts)
    function = DIGESTS[algorithm or "CRC64NVME"]
    if kind == "COMPOSITE":
        raw = b"".join(base64.b64decode(function(body)) for body in (BIG, b"tail"))
        right = function(raw) + "-2"
    else:
        right = function(BIG + b"tail")
    name = f"Checksum{algorithm or 'CRC64NVME'}"
    head = s3.head_object(**KEY, ChecksumMode="ENABLED")
    assert answer[name] == head[name] == right and head["ChecksumType"] == kind
    md5s = b"".join(hashlib.md5(body).digest() for body in (BIG, b"tail"))
    assert head["ETag"] == f'"{hashlib.md5(md5s).hexdigest()}-2"'
    assert s3.get_object(**KEY)["Body"].read() == BIG + b"tail"
    second = s3.get_object(**KEY, PartNumber=2)
    assert (second["Body"].read(), second["PartsCount"]) == (b"tail", 2)
    assert second["ContentRange"] == f"bytes {5 << 20}-{(5 << 20) + 3}/{(5 << 20) + 4}"
    assert (
        s3.get_object_attributes(**KEY, ObjectAttributes=["ObjectParts"])["ObjectParts"]["TotalPartsCount"]
        == 2
    )


def test_parts_have_an_order_and_a_least_size(s3, refused):
    upload, part, complete = _start(s3)
    one, two = part(1, BIG), part(2, b"tail")

    def code(*parts, **also):
        try:
            complete(*parts, **also)
        except s3.exceptions.ClientError as fault:
            return fault.response["Error"]["Code"]
        raise AssertionError("was not refused")

    assert code(two, one) == "InvalidPartOrder"
    assert code(one, one) == "InvalidPartOrder"
    assert code(one, {**two, "ETag": '"abc"'}) == "InvalidPart"
    assert code(one, {**two, "PartNumber": 3}) == "InvalidPart"
    assert code() == "MalformedXML"
    assert code(one, two, MpuObjectSize=1) == "InvalidRequest"
    assert code(one, two, ChecksumCRC64NVME="AAAAAAAAAAA=") == "BadDigest"
    part(1, b"small")
    assert code({**one, "ETag": f'"{hashlib.md5(b"small").hexdigest()}"'}, two) == "EntityTooSmall"
    assert refused(part, number=10001, body=b"x") == "InvalidArgument"
    assert refused(s3.get_object, **KEY) == "NoSuchKey"
    again = part(1, BIG)
    complete(again, two, ChecksumCRC64NVME=DIGESTS["CRC64NVME"](BIG + b"tail"), MpuObjectSize=len(BIG) + 4)
    assert code(again, two) == "NoSuchUpload"


def test_an_upload_under_a_checksum_wants_it_of_each_part(s3, refused):
    upload, part, complete = _start(s3, ChecksumAlgorithm="SHA256")
    assert refused(part, number=1, body=b"x") == "InvalidRequest"
    assert refused(part, number=1, body=b"x", ChecksumAlgorithm="CRC32") == "InvalidRequest"
    assert refused(part, number=1, body=b"x", ChecksumSHA256=DIGESTS["SHA256"](b"y")) == "BadDigest"
    row = part(1, b"x", ChecksumAlgorithm="SHA256")
    for wrong in ({"PartNumber": 1, "ETag": row["ETag"]}, {**row, "ChecksumSHA256": DIGESTS["SHA256"](b"y")}):
        with pytest.raises(s3.exceptions.ClientError) as fault:
            complete(wrong)
        assert fault.value.response["Error"]["Code"] == (
            "InvalidPart" if "ChecksumSHA256" in wrong else "InvalidRequest"
        )
    complete(row)
    assert (
        refused(s3.create_multipart_upload, **KEY, ChecksumAlgorithm="SHA256", ChecksumType="FULL_OBJECT")
        == "InvalidRequest"
    )
    assert (
        refused(s3.create_multipart_upload, **KEY, ChecksumAlgorithm="CRC64NVME", ChecksumType="COMPOSITE")
        == "InvalidRequest"
    )


def test_uploads_and_parts_are_listed_and_aborted(world, s3, refused):
    uploads = {}
    for key in ("a", "b", "b", "c"):
        upload = s3.create_multipart_upload(Bucket="uploads", Key=key)["UploadId"]
        uploads[upload] = key
    seen, more = [], {}
    for _ in uploads:
        page = s3.list_multipart_uploads(Bucket="uploads", MaxUploads=1, **more)
        seen += [(one["Key"], one["UploadId"]) for one in page["Uploads"]]
        if not page["IsTruncated"]:
            break
        more = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}
    assert sorted(seen) == sorted((key, upload) for upload, key in uploads.items())
    assert [key for key, _ in seen] == ["a", "b", "b", "c"]
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="uploads", MaxUploads=0)
    upload, part, _ = _start(s3)
    for number in (1, 2, 7):
        part(number, b"x" * number)
    first = s3.list_parts(**KEY, UploadId=upload, MaxParts=2)
    rest = s3.list_parts(**KEY, UploadId=upload, PartNumberMarker=first["NextPartNumberMarker"])
    assert [(one["PartNumber"], one["Size"]) for one in first["Parts"] + rest["Parts"]] == [
        (1, 1),
        (2, 2),
        (7, 7),
    ]
    s3.abort_multipart_upload(**KEY, UploadId=upload)
    assert refused(s3.list_parts, **KEY, UploadId=upload) == "NoSuchUpload"
    assert refused(s3.abort_multipart_upload, **KEY, UploadId=upload) == "NoSuchUpload"
    assert [row["effect"] for row in world.ledger(operation="AbortMultipartUpload")] == ["deleted", None]


def test_parts_may_be_copied(s3, refused):
    s3.put_object(Bucket="uploads", Key="source", Body=BIG + b"0123456789")
    upload = {
        **KEY,
        "UploadId": s3.create_multipart_upload(**KEY)["UploadId"],
        "CopySource": "uploads/source",
    }
    rows = []
    for number, span in ((1, f"bytes=0-{len(BIG) - 1}"), (2, f"bytes={len(BIG) + 2}-{len(BIG) + 4}")):
        answer = s3.upload_part_copy(**upload, PartNumber=number, CopySourceRange=span)
        rows.append({"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]})
    assert (
        refused(s3.upload_part_copy, **upload, PartNumber=3, CopySourceRange="bytes=0-99999999")
        == "InvalidArgument"
    )
    assert (
        refused(s3.upload_part_copy, **upload, PartNumber=3, CopySourceIfMatch='"abc"')
        == "PreconditionFailed"
    )
    s3.complete_multipart_upload(**KEY, UploadId=upload["UploadId"], MultipartUpload={"Parts": rows})
    assert s3.get_object(**KEY)["Body"].read() == BIG + b"234"


def test_a_copy_keeps_or_replaces_what_the_object_says_of_itself(s3, refused):
    said = {"ContentType": "text/plain", "Metadata": {"a": "1"}, "Tagging": "t=1", "CacheControl": "no-store"}
    s3.put_object(Bucket="uploads", Key="source", Body=b"1", **said)
    s3.copy_object(**KEY, CopySource="uploads/source")
    copied = s3.get_object(**KEY)
    assert (copied["ContentType"], copied["Metadata"], copied["CacheControl"]) == (
        "text/plain",
        {"a": "1"},
        "no-store",
    )
    assert s3.get_object_tagging(**KEY)["TagSet"] == [{"Key": "t", "Value": "1"}]
    new = {
        "MetadataDirective": "REPLACE",
        "Metadata": {"b": "2"},
        "TaggingDirective": "REPLACE",
        "Tagging": "u=2",
    }
    s3.copy_object(**KEY, CopySource="uploads/source", **new)
    copied = s3.get_object(**KEY)
    assert (copied["ContentType"], copied["Metadata"]) == ("binary/octet-stream", {"b": "2"})
    assert copied["TagCount"] == 1 and s3.get_object_tagging(**KEY)["TagSet"] == [{"Key": "u", "Value": "2"}]
    assert refused(s3.copy_object, **KEY, CopySource="uploads/k") == "InvalidRequest"
    assert refused(s3.copy_object, **KEY, CopySource="uploads/none") == "NoSuchKey"
    assert refused(s3.copy_object, **KEY, CopySource="none-such/k") == "NoSuchBucket"


def test_bad_input_gets_its_own_code(s3, refused):
    put = {"Body": b"1"}
    assert refused(s3.put_object, Bucket="uploads", Key="k" * 1025, **put) == "KeyTooLongError"
    assert refused(s3.put_object, **KEY, **put, Metadata={"a": "x" * 2048}) == "MetadataTooLarge"
    assert refused(s3.put_object, **KEY, **put, StorageClass="COLD") == "InvalidStorageClass"
    assert refused(s3.put_object, **KEY, **put, ACL="public-read") == "AccessControlListNotSupported"
    assert (
        refused(s3.put_object, **KEY, **put, Tagging="&".join(f"t{n}=1" for n in range(11))) == "BadRequest"
    )
    assert refused(s3.put_object, **KEY, **put, ServerSideEncryption="rot13") == "InvalidArgument"
    assert refused(s3.put_object, **KEY, **put, ExpectedBucketOwner="999999999999") == "AccessDenied"
    s3.put_object(**KEY, **put)
    assert refused(s3.get_object, **KEY, Range="bytes=5-") == "InvalidRange"
    assert (
        refused(s3.put_object_tagging, **KEY, Tagging={"TagSet": [{"Key": "a*b", "Value": "1"}]})
        == "InvalidTag"
    )


def test_an_object_under_a_key_of_kms_needs_that_key(world, s3, refused):
    kms = world.client("kms")
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName="alias/backups", TargetKeyId=arn)
    put = {"Body": b"1", "ServerSideEncryption": "aws:kms"}
    answer = s3.put_object(**KEY, **put, SSEKMSKeyId="alias/backups")
    assert answer["SSEKMSKeyId"] == arn and answer["ETag"] != f'"{hashlib.md5(b"1").hexdigest()}"'
    assert refused(s3.put_object, **KEY, **put, SSEKMSKeyId="alias/none") == "KMS.NotFoundException"
    kms.disable_key(KeyId=arn.rpartition("/")[2])
    assert (
        refused(s3.get_object, **KEY)
        == refused(s3.put_object, **KEY, **put, SSEKMSKeyId=arn)
        == "KMS.DisabledException"
    )
    kms.enable_key(KeyId=arn.rpartition("/")[2])
    assert s3.get_object(**KEY)["Body"].read() == b"1"
