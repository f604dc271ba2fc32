"""Versions: what is kept, what is replaced, what a delete leaves."""

import pytest

BUCKET, KEY = {"Bucket": "vault"}, {"Bucket": "vault", "Key": "k"}


@pytest.fixture
def s3(world):
    client = world.client("s3")
    client.create_bucket(**BUCKET)
    return client


def _versioning(s3, status):
    s3.put_bucket_versioning(**BUCKET, VersioningConfiguration={"Status": status})


def _put(s3, body):
    return s3.put_object(**KEY, Body=body).get("VersionId")


def _versions(s3):
    """[(id, body)], newest first, as the list of versions tells them; a marker has no body."""
    shown = s3.list_object_versions(**BUCKET)
    rows = shown.get("Versions", []) + shown.get("DeleteMarkers", [])
    assert sum(row["IsLatest"] for row in rows) == (1 if rows else 0)
    found = {}
    for row in rows:
        has = "Size" in row
        found[row["VersionId"]] = (
            s3.get_object(**KEY, VersionId=row["VersionId"])["Body"].read() if has else None
        )
    return found


def test_without_versioning_a_put_replaces_and_a_delete_leaves_nothing(s3, refused):
    assert _put(s3, b"1") is None and _put(s3, b"2") is None
    assert _versions(s3) == {"null": b"2"}
    answer = s3.delete_object(**KEY)
    assert "VersionId" not in answer and "DeleteMarker" not in answer
    assert _versions(s3) == {} and refused(s3.get_object, **KEY) == "NoSuchKey"


def test_while_versioning_is_suspended_other_versions_are_kept(s3):
    _put(s3, b"before")
    _versioning(s3, "Enabled")
    first, second = _put(s3, b"1"), _put(s3, b"2")
    assert _versions(s3) == {"null": b"before", first: b"1", second: b"2"}
    _versioning(s3, "Suspended")
    assert _put(s3, b"suspended") == "null"
    assert _versions(s3) == {"null": b"suspended", first: b"1", second: b"2"}
    assert s3.get_object(**KEY)["VersionId"] == "null"
    _put(s3, b"again")
    assert _versions(s3) == {"null": b"again", first: b"1", second: b"2"}
    _versioning(s3, "Enabled")
    third = _put(s3, b"3")
    assert _versions(s3) == {"null": b"again", first: b"1", second: b"2", third: b"3"}


def test_a_delete_while_suspended_replaces_the_null_version_by_a_marker(s3, refused):
    _versioning(s3, "Enabled")
    first = _put(s3, b"1")
    _versioning(s3, "Suspended")
    _put(s3, b"null")
    answer = s3.delete_object(**KEY)
    assert (answer["DeleteMarker"], answer["VersionId"]) == (True, "null")
    assert _versions(s3) == {first: b"1", "null": None}
    assert refused(s3.get_object, **KEY) == "NoSuchKey"
    s3.delete_object(**KEY)
    assert _versions(s3) == {first: b"1", "null": None}


def test_a_delete_makes_a_marker_and_deleting_that_brings_the_object_back(world, s3, refused):
    _versioning(s3, "Enabled")
    first = _put(s3, b"1")
    marker = s3.delete_object(**KEY)["VersionId"]
    assert _versions(s3) == {first: b"1", marker: None}
    assert s3.list_objects_v2(**BUCKET)["KeyCount"] == 0
    status, headers, _ = world.raw("GET", "/vault/k", sign="s3")
    assert (status, headers["x-amz-delete-marker"], headers["x-amz-version-id"]) == (404, "true", marker)
    status, headers, body = world.raw("GET", f"/vault/k?versionId={marker}", sign="s3")
    assert status == 405 and b"<Code>MethodNotAllowed</Code>" in body and headers["Allow"] == "DELETE"
    assert refused(s3.head_object, **KEY, VersionId=marker) == "405"
    answer = s3.delete_object(**KEY, VersionId=marker)
    assert (answer["DeleteMarker"], answer["VersionId"]) == (True, marker)
    assert s3.get_object(**KEY)["Body"].read() == b"1"
    assert s3.delete_object(**BUCKET, Key="never")["DeleteMarker"]


def test_a_version_is_deleted_for_good(s3, refused):
    _versioning(s3, "Enabled")
    first, second = _put(s3, b"1"), _put(s3, b"2")
    s3.delete_object(**KEY, VersionId=second)
    assert s3.get_object(**KEY)["VersionId"] == first
    assert refused(s3.get_object, **KEY, VersionId=second) == "NoSuchVersion"
    assert refused(s3.get_object, **KEY, VersionId="not an id") == "InvalidArgument"
    s3.delete_object(**KEY, VersionId=second)


def test_many_are_deleted_at_once_and_told(world, s3, refused):
    _versioning(s3, "Enabled")
    first = _put(s3, b"1")
    s3.put_object(**BUCKET, Key="other", Body=b"x")
    wanted = [{"Key": "k"}, {"Key": "other"}, {"Key": "none"}]
    answer = s3.delete_objects(**BUCKET, Delete={"Objects": wanted})
    assert [(one["Key"], one["DeleteMarker"]) for one in answer["Deleted"]] == [
        ("k", True),
        ("other", True),
        ("none", True),
    ]
    assert s3.get_object(**KEY, VersionId=first)["Body"].read() == b"1"
    quiet = s3.delete_objects(**BUCKET, Delete={"Objects": [{"Key": "k", "VersionId": first}], "Quiet": True})
    assert "Deleted" not in quiet and refused(s3.get_object, **KEY, VersionId=first) == "NoSuchVersion"
    body = b"<Delete><Object><Key>k</Key></Object></Delete>"
    status, _, told = world.raw("POST", "/vault?delete", body, sign="s3")
    assert status == 400 and b"Missing required header for this request: Content-MD5" in told
    many = [{"Key": str(place)} for place in range(1001)]
    assert refused(s3.delete_objects, **BUCKET, Delete={"Objects": many}) == "MalformedXML"


def test_a_bucket_with_versions_is_not_empty(s3, refused):
    _versioning(s3, "Enabled")
    first = _put(s3, b"1")
    marker = s3.delete_object(**KEY)["VersionId"]
    assert refused(s3.delete_bucket, **BUCKET) == "BucketNotEmpty"
    for version in (first, marker):
        s3.delete_object(**KEY, VersionId=version)
    s3.delete_bucket(**BUCKET)


def test_the_ledger_tells_a_delete_of_nothing_from_one_of_something(world, s3):
    s3.delete_object(**KEY)
    _put(s3, b"1")
    s3.delete_object(**KEY)
    assert [row["effect"] for row in world.ledger(operation="DeleteObject")] == [None, "deleted"]


def test_a_lie_leaves_versions_as_they_were(world, s3):
    _versioning(s3, "Enabled")
    first = _put(s3, b"1")
    world.fault("s3", "PutObject", "lie")
    world.fault("s3", "DeleteObject", "lie")
    world.fault("s3", "DeleteObjects", "lie")
    _put(s3, b"2")
    s3.delete_object(**KEY)
    s3.delete_objects(**BUCKET, Delete={"Objects": [{"Key": "k", "VersionId": first}]})
    assert _versions(s3) == {first: b"1"}


def test_lists_of_versions_page_without_loss(s3, refused):
    _versioning(s3, "Enabled")
    put = {(key, _put_key(s3, key)) for key in ("a", "a", "a", "b/1", "b/2", "c") for _ in range(2)}
    gone = s3.delete_object(**BUCKET, Key="a")["VersionId"]
    for size in (1, 2, 3, 1000):
        seen, more, pages = [], {}, 0
        while pages < 20:
            page = s3.list_object_versions(**BUCKET, MaxKeys=size, **more)
            rows = page.get("Versions", []) + page.get("DeleteMarkers", [])
            assert len(rows) <= size
            seen += [(row["Key"], row["VersionId"]) for row in rows]
            pages += 1
            if not page["IsTruncated"]:
                break
            more = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}
        assert len(seen) == len(set(seen)) and set(seen) == put | {("a", gone)}
        assert pages == -(-len(seen) // size)
    shown = s3.list_object_versions(**BUCKET, Prefix="b", Delimiter="/")
    assert [one["Prefix"] for one in shown["CommonPrefixes"]] == ["b/"] and "Versions" not in shown
    assert refused(s3.list_object_versions, **BUCKET, VersionIdMarker=gone) == "InvalidArgument"


def test_a_list_goes_on_behind_a_version_that_was_deleted_since(s3):
    _versioning(s3, "Enabled")
    put, more, pages = {_put(s3, b"") for _ in range(5)}, {}, 0
    while pages < 20:
        pages += 1
        page = s3.list_object_versions(**BUCKET, MaxKeys=2, **more)
        for row in page.get("Versions", []):
            s3.delete_object(**KEY, VersionId=row["VersionId"])
            put.remove(row["VersionId"])
        if not page["IsTruncated"]:
            break
        more = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}
    assert put == set()


def _put_key(s3, key):
    return s3.put_object(**BUCKET, Key=key, Body=b"")["VersionId"]


def test_newest_versions_come_first_and_markers_in_between(world, s3):
    _versioning(s3, "Enabled")
    ids = [_put(s3, b"1"), s3.delete_object(**KEY)["VersionId"], _put(s3, b"2")]
    _, _, body = world.raw("GET", "/vault?versions", sign="s3")
    places = [body.index(one.encode()) for one in reversed(ids)]
    assert places == sorted(places)
    assert body.index(b"<Version>") < body.index(b"<DeleteMarker>") < body.rindex(b"<Version>")
