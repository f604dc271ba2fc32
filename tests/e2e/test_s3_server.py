"""What a real S3 server does that AWS's does not: it checks every signature, its pages repeat rows, it folds keys that are different,
and it stores in the clear what it was asked to encrypt."""
import os

import pytest

from peers import BUCKET, BucketTree, LocalBesideS3, Peer, end
from test_cases import KEYS, LINES
from world import Server, lines_of, make_table, plain_items, put_items

MANY = 2500 if os.environ.get("TORTURE") else 1100  # more than a page of a listing


@pytest.fixture(scope="module")
def peer(stand_ins):
    peer = Peer("local versity s3", stand_ins(LocalBesideS3))
    make_table(peer.dynamodb, "Sales")
    put_items(peer.dynamodb, "Sales", plain_items(300))
    yield peer
    peer.stop()


def another(peer, **options):
    """Another server for the same buckets and tables."""
    env = {**peer.aws.env, **options.pop("env", {})}
    return Server(None, account=False, root=f"s3://{BUCKET}/recoverd", uri_roots=[f"s3://{BUCKET}/foreign"], env=env, **options).start()


def test_an_object_that_is_not_encrypted_ends_the_backup_and_does_not_stay(peer):
    server = another(peer)
    try:
        # one segment: with two, versitygw takes a folder away with its last object while another object is put into it
        job = server.run("backup.table", {"table": "Sales", "segments": 1}, want="failed")
        assert job["error"]["code"] == "AWS_LIED" and "AES256" in job["error"]["detail"], job["error"]
        points = server.get("/v1/recovery-points")["items"]
        assert [p["status"] for p in points] == ["failed"]
        assert BucketTree(points[0]["location"], peer.aws.client("s3")).paths() == []
    finally:
        end(server)


def test_a_wrong_secret_is_told_as_that(peer):
    server = another(peer, env={"AWS_SECRET_ACCESS_KEY": "wrong"}, unencrypted=True)
    try:
        job = server.run("backup.table", {"table": "Sales"}, want="failed")
        assert job["error"]["code"] in ("AWS_CREDENTIALS", "AWS_ACCESS_DENIED"), job["error"]
        assert job["error"]["aws"]["service"] == "s3" and "wrong" not in str(job["error"]).replace("wrong secret", "")
    finally:
        end(server)


def test_pages_that_repeat_a_row_are_read_once(peer):
    job = peer.server.backup("Sales")
    tree = BucketTree(f"s3://{BUCKET}/foreign/many/", peer.aws.client("s3"))
    location = peer.server.get(f"/v1/recovery-points/{job['result']['recovery_point']}")["location"]
    own = BucketTree(location, peer.aws.client("s3"))
    for path in own.paths():
        tree.write("tree/" + path, own.read(path))
    for i in range(MANY):
        tree.write(f"tree/tables/Sales/data/x{i:05d}.txt", b"")
    checked = peer.server.run("validate.backup", {"source": {"uri": f"s3://{BUCKET}/foreign/many/tree"}}, want="failed")
    assert checked["error"]["code"] == "RECOVERY_POINT_DAMAGED" and ".txt" in checked["error"]["detail"], checked["error"]
    repeated = peer.aws.client("s3").get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="foreign/many/tree/")
    rows = [row["Key"] for page in repeated for row in page.get("Contents", [])]
    assert len(set(rows)) == MANY + len(own.paths())
    for i in range(MANY):
        tree.remove(f"tree/tables/Sales/data/x{i:05d}.txt")
    checked = peer.server.run("validate.backup", {"source": {"uri": f"s3://{BUCKET}/foreign/many/tree"}})
    assert checked["result"]["verdict"] == "intact"


@pytest.mark.parametrize("path", ["a//b.json", "./b.json", "a/./b.json", "a/../b.json", "a/b.json/"])
def test_a_key_that_the_server_would_fold_is_refused(peer, path):
    uri, tree = peer.foreign("odd")
    tree.write("b.json", lines_of(LINES))
    tree.write("a/b.json", lines_of(LINES))
    spec = {"source": {"uri": f"{uri}/{path}"}, "target_table": "Odd", "overrides": KEYS}
    status, _, problem = peer.server.call("POST", "/v1/plans", {"kind": "restore.table", "environment": "production", "spec": spec})
    if status == 200:  # a slash at the end is no other key
        assert path.endswith("/")
    else:
        assert status in (409, 422) and problem["code"] in ("URI_NOT_ALLOWED", "INVALID_SPEC", "RECOVERY_POINT_NOT_FOUND"), problem
