"""Lists of objects: order, pages, prefixes, names that need care."""

import pytest

KEYS = ["a", "a/1", "a/2", "a/b/1", "b", "c d", "é", "ü&<>", "z\x01", "😀"]


@pytest.fixture
def s3(world):
    client = world.client("s3")
    client.create_bucket(Bucket="lists")
    for key in KEYS:
        client.put_object(Bucket="lists", Key=key, Body=b"x")
    return client


def _paged(s3, size, **more):
    keys, prefixes, token = [], [], {}
    for _ in KEYS:
        page = s3.list_objects_v2(Bucket="lists", MaxKeys=size, **token, **more)
        rows = page.get("Contents", []), page.get("CommonPrefixes", [])
        assert page["KeyCount"] == len(rows[0]) + len(rows[1]) <= size
        keys += [row["Key"] for row in rows[0]]
        prefixes += [row["Prefix"] for row in rows[1]]
        if not page["IsTruncated"]:
            assert "NextContinuationToken" not in page
            return keys, prefixes
        token = {"ContinuationToken": page["NextContinuationToken"]}
    raise AssertionError("more pages than keys")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_pages_show_each_key_once_in_the_order_of_bytes(s3, size):
    assert _paged(s3, size) == (sorted(KEYS, key=lambda key: key.encode()), [])


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_a_delimiter_rolls_keys_up_once(s3, size):
    assert _paged(s3, size, Delimiter="/") == ([key for key in sorted(KEYS) if "/" not in key], ["a/"])
    assert _paged(s3, size, Delimiter="/", Prefix="a/") == (["a/1", "a/2"], ["a/b/"])


def test_a_list_begins_after_what_it_is_told(s3, refused):
    assert [
        row["Key"] for row in s3.list_objects_v2(Bucket="lists", StartAfter="a/2", MaxKeys=2)["Contents"]
    ] == [
        "a/b/1",
        "b",
    ]
    assert refused(s3.list_objects_v2, Bucket="lists", ContinuationToken="nonsense") == "InvalidArgument"
    assert refused(s3.list_objects_v2, Bucket="none-such") == "NoSuchBucket"
    assert s3.list_objects_v2(Bucket="lists", MaxKeys=0)["KeyCount"] == 0


def test_a_page_has_a_thousand_keys_at_most(s3):
    for place in range(1001):
        s3.put_object(Bucket="lists", Key=f"many/{place}", Body=b"")
    page = s3.list_objects_v2(Bucket="lists", MaxKeys=5000, Prefix="many/")
    assert (page["KeyCount"], page["MaxKeys"], page["IsTruncated"]) == (1000, 1000, True)


def test_the_older_list_goes_on_by_keys(s3):
    first = s3.list_objects(Bucket="lists", MaxKeys=4)
    assert first["IsTruncated"]
    rest = s3.list_objects(Bucket="lists", Marker=first["Contents"][-1]["Key"])
    assert [row["Key"] for row in first["Contents"] + rest["Contents"]] == sorted(KEYS)
    rolled = s3.list_objects(Bucket="lists", MaxKeys=2, Delimiter="/")
    assert rolled["NextMarker"] == "a/"


def test_a_list_tells_of_each_object_what_a_head_tells(s3):
    row = s3.list_objects_v2(Bucket="lists", Prefix="b", FetchOwner=True)["Contents"][0]
    head = s3.head_object(Bucket="lists", Key="b")
    assert (row["ETag"], row["Size"], row["LastModified"]) == (head["ETag"], 1, head["LastModified"])
    assert row["StorageClass"] == "STANDARD" and row["ChecksumAlgorithm"] == ["CRC32"] and row["Owner"]["ID"]
