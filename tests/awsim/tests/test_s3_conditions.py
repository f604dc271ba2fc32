"""If-Match and its kin: on writes, reads, copies, deletes."""

from datetime import datetime, timedelta, timezone

import pytest

KEY = {"Bucket": "conditions", "Key": "k"}
FAILED = "PreconditionFailed"


@pytest.fixture
def s3(world):
    client = world.client("s3")
    client.create_bucket(Bucket="conditions")
    return client


def test_a_put_may_want_to_be_first(s3, refused):
    s3.put_object(**KEY, Body=b"1", IfNoneMatch="*")
    assert refused(s3.put_object, **KEY, Body=b"2", IfNoneMatch="*") == FAILED
    assert s3.get_object(**KEY)["Body"].read() == b"1"
    assert refused(s3.put_object, **KEY, Body=b"2", IfNoneMatch='"abc"') == "NotImplemented"
    s3.delete_object(**KEY)
    s3.put_object(**KEY, Body=b"3", IfNoneMatch="*")


def test_a_delete_marker_is_no_object_to_be_first_against(s3):
    s3.put_bucket_versioning(Bucket="conditions", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(**KEY, Body=b"1")
    s3.delete_object(**KEY)
    s3.put_object(**KEY, Body=b"2", IfNoneMatch="*")
    assert s3.get_object(**KEY)["Body"].read() == b"2"


def test_a_put_may_want_what_it_saw(s3, refused):
    assert refused(s3.put_object, **KEY, Body=b"1", IfMatch='"abc"') == "NoSuchKey"
    tag = s3.put_object(**KEY, Body=b"1")["ETag"]
    assert refused(s3.put_object, **KEY, Body=b"2", IfMatch='"abc"') == FAILED
    s3.put_object(**KEY, Body=b"2", IfMatch=tag)
    assert refused(s3.put_object, **KEY, Body=b"3", IfMatch=tag) == FAILED


def test_a_conflict_is_told_when_the_script_says_so(world, s3, refused):
    world.fault("s3", "PutObject", "conflict")
    assert refused(s3.put_object, **KEY, Body=b"1", IfNoneMatch="*") == "ConditionalRequestConflict"
    assert world.ledger(operation="PutObject")[0]["status"] == 409
    s3.put_object(**KEY, Body=b"1", IfNoneMatch="*")


def test_an_upload_is_completed_only_as_the_condition_says(s3, refused):
    tags = []
    for _ in range(2):
        upload = s3.create_multipart_upload(**KEY)["UploadId"]
        tag = s3.upload_part(**KEY, UploadId=upload, PartNumber=1, Body=b"part")["ETag"]
        tags.append({"UploadId": upload, "MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": tag}]}})
    first = s3.complete_multipart_upload(**KEY, **tags[0], IfNoneMatch="*")
    assert refused(s3.complete_multipart_upload, **KEY, **tags[1], IfNoneMatch="*") == FAILED
    assert refused(s3.complete_multipart_upload, **KEY, **tags[1], IfMatch='"abc"') == FAILED
    s3.complete_multipart_upload(**KEY, **tags[1], IfMatch=first["ETag"])


def test_a_read_may_be_conditional(s3, refused):
    tag = s3.put_object(**KEY, Body=b"1")["ETag"]
    at = s3.head_object(**KEY)["LastModified"]
    before, after = at - timedelta(hours=1), at + timedelta(hours=1)
    for call, failed in ((s3.get_object, FAILED), (s3.head_object, "412")):
        assert refused(call, **KEY, IfMatch='"abc"') == failed
        assert refused(call, **KEY, IfNoneMatch=tag) == "304"
        assert refused(call, **KEY, IfModifiedSince=at) == "304"
        assert refused(call, **KEY, IfUnmodifiedSince=before) == failed
        call(**KEY, IfMatch=tag, IfUnmodifiedSince=before)
        call(**KEY, IfNoneMatch='"abc"', IfModifiedSince=after)
        call(**KEY, IfModifiedSince=before)


def test_a_copy_may_be_conditional_on_its_source_and_its_target(s3, refused):
    tag = s3.put_object(Bucket="conditions", Key="source", Body=b"1")["ETag"]
    at = s3.head_object(Bucket="conditions", Key="source")["LastModified"]
    before, after = at - timedelta(hours=1), datetime.now(timezone.utc) + timedelta(hours=1)
    copy = {**KEY, "CopySource": "conditions/source"}
    for wrong in (
        {"CopySourceIfMatch": '"abc"'},
        {"CopySourceIfNoneMatch": tag},
        {"CopySourceIfModifiedSince": after},
        {"CopySourceIfUnmodifiedSince": before},
        {"CopySourceIfNoneMatch": tag, "CopySourceIfModifiedSince": before},
    ):
        assert refused(s3.copy_object, **copy, **wrong) == FAILED
    s3.copy_object(**copy, CopySourceIfMatch=tag, CopySourceIfUnmodifiedSince=before, IfNoneMatch="*")
    assert refused(s3.copy_object, **copy, IfNoneMatch="*") == FAILED
    assert refused(s3.copy_object, **copy, IfMatch='"abc"') == FAILED


def test_a_delete_may_be_conditional(s3, refused):
    tag = s3.put_object(**KEY, Body=b"1")["ETag"]
    assert refused(s3.delete_object, **KEY, IfMatch='"abc"') == FAILED
    told = s3.delete_objects(Bucket="conditions", Delete={"Objects": [{"Key": "k", "ETag": '"abc"'}]})
    assert [(one["Key"], one["Code"]) for one in told["Errors"]] == [("k", FAILED)]
    s3.delete_object(**KEY, IfMatch=tag)
    assert refused(s3.delete_object, **KEY, IfMatch="*") == FAILED
