"""Damage of every sort is noticed before anything of it reaches a table, and so is a name that another table has taken."""
import base64
import gzip
import hashlib
import json

import pytest

from peers import Peer
from test_cases import KEYS, key
from world import Awsim, items_of, lines_of, make_table, plain_items, put_items, wait_until


@pytest.fixture(scope="module", params=["awsim", "awsim s3"])
def peer(request, stand_ins):
    peer = Peer(request.param, stand_ins(Awsim))
    yield peer
    peer.stop()


@pytest.fixture(scope="module")
def table(peer):
    make_table(peer.dynamodb, "Sales")
    put_items(peer.dynamodb, "Sales", plain_items(600, 50))
    return "Sales"


@pytest.fixture(scope="module")
def point(peer, table):
    job = peer.server.backup(table, segments=3)
    return peer.server.get(f"/v1/recovery-points/{job['result']['recovery_point']}")


@pytest.fixture(scope="module")
def files(peer, point):
    """The tree and its data files; more than one, so that the others are sound."""
    tree = peer.tree(point["location"])
    data = [path for path in tree.paths() if "/data/" in path]
    assert len(data) == 3
    return tree, data


def untouched(peer, target):
    """No call wrote to this table, nor made it."""
    rows = [row for row in peer.aws.ledger(resource=target) if row["effect"] in ("made", "changed", "deleted")]
    assert rows == [] and target not in peer.dynamodb.list_tables()["TableNames"]


def problem_of_restore(server, spec, plan_hash=None):
    """Plans and runs; -> the problem, wherever it showed."""
    body = {"kind": "restore.table", "environment": "production", "spec": spec}
    if not plan_hash:
        status, _, answer = server.call("POST", "/v1/plans", body)
        if status != 200:
            return answer
        plan_hash = answer["plan_hash"]
    status, _, answer = server.call("POST", "/v1/jobs", {**body, "plan_hash": plan_hash})
    if status != 202:
        return answer
    return server.wait(answer, want="failed")["error"]


# -- a point that the catalogue knows ------------------------------------------------------------------------------


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def swap(tree, a, b):
    was = tree.read(a)
    tree.write(a, tree.read(b))
    tree.write(b, was)


def edited(tree, change):
    manifest = json.loads(tree.read("manifest.json"))
    change(manifest)
    tree.write("manifest.json", json.dumps(manifest).encode())


CAPSULE = "tables/Sales/capsule.json"
# what is done to the tree, and the file that must be named; {n} is the n-th data file
DAMAGES = {
    "a bit flipped": (lambda t, f: t.write(f[1], flipped(t.read(f[1]), len(t.read(f[1])) // 2)), "{1}"),
    "a bit flipped in the gzip header": (lambda t, f: t.write(f[1], flipped(t.read(f[1]), 9)), "{1}"),
    "a file cut": (lambda t, f: t.write(f[1], t.read(f[1])[:-1]), "{1}"),
    "a file emptied": (lambda t, f: t.write(f[1], b""), "{1}"),
    "a file gone": (lambda t, f: t.remove(f[1]), "{1}"),
    "a file too many": (lambda t, f: t.write(f[0].replace(f[0].split("/")[-1], "99-1.json.gz"), t.read(f[0])), "99-1.json.gz"),
    "a file that is no file of a point": (lambda t, f: t.write("tables/Sales/notes.txt", b"x"), "notes.txt"),
    "two files swapped": (lambda t, f: swap(t, f[0], f[1]), "{0}"),
    "a file of another point": (lambda t, f: t.write(f[1], gzip.compress(lines_of(plain_items(200)))), "{1}"),
    "two members": (lambda t, f: t.write(f[1], t.read(f[1]) + gzip.compress(b"")), "{1}"),
    "a gzip bomb": (lambda t, f: t.write(f[1], gzip.compress(bytes(1 << 27))), "{1}"),
    "the capsule edited": (lambda t, f: t.write(CAPSULE, t.read(CAPSULE).replace(b'"pk"', b'"kp"')), "capsule.json"),
    "the capsule gone": (lambda t, f: t.remove(CAPSULE), "capsule.json"),
    "the manifest edited": (lambda t, f: edited(t, lambda m: m.update(tool="recoverd 9.9.9")), "manifest.json"),
    "the manifest edited to lack a file": (lambda t, f: edited(t, lambda m: m["files"].pop()), "manifest.json"),
    "the manifest cut": (lambda t, f: t.write("manifest.json", t.read("manifest.json")[:-20]), "manifest.json"),
    "the manifest gone": (lambda t, f: t.remove("manifest.json"), "manifest.json"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_point_is_not_restored(peer, point, files, damage):
    tree, data = files
    do, named = DAMAGES[damage]
    named = named.format(*data)
    target = f"Back-{list(DAMAGES).index(damage)}"
    spec = {"source": {"recovery_point": point["id"]}, "target_table": target}
    status, _, plan = peer.server.call("POST", "/v1/plans", {"kind": "restore.table", "environment": "production", "spec": spec})
    assert status == 200, plan
    before = {path: tree.read(path) for path in tree.paths()}
    do(tree, data)
    try:
        for plan_hash in (plan["plan_hash"], None):
            problem = problem_of_restore(peer.server, spec, plan_hash)
            assert problem["code"] == "RECOVERY_POINT_DAMAGED" and named in problem["detail"], problem
        job = peer.server.run("validate.backup", {"source": spec["source"]}, want="failed")
        assert job["error"]["code"] == "RECOVERY_POINT_DAMAGED" and job["result"]["verdict"] == "damaged"
        assert any(named in check["name"] + check["detail"] for check in job["result"]["checks"] if not check["ok"]), job
        assert peer.server.get(f"/v1/recovery-points/{point['id']}")["status"] == "damaged"
        assert problem_of_restore(peer.server, spec)["code"] == "RECOVERY_POINT_DAMAGED"
        untouched(peer, target)
    finally:
        for path in set(tree.paths()) - set(before):
            tree.remove(path)
        for path, content in before.items():
            tree.write(path, content)
    job = peer.server.run("validate.backup", {"source": spec["source"]})  # looked at again, it is found to be well
    assert job["result"]["verdict"] == "intact"


def test_a_point_is_known_by_every_form_of_its_uri(peer, point, files):
    tree, data = files
    sound = tree.read(data[1])
    tree.write(data[1], flipped(sound, len(sound) // 2))
    try:
        job = peer.server.run("validate.backup", {"source": {"uri": point["location"] + "/manifest.json"}}, want="failed")
        assert job["error"]["code"] == "RECOVERY_POINT_DAMAGED", job["error"]
        assert peer.server.get(f"/v1/recovery-points/{point['id']}")["status"] == "damaged"
    finally:
        tree.write(data[1], sound)
    peer.server.run("validate.backup", {"source": {"uri": point["location"]}})
    assert peer.server.get(f"/v1/recovery-points/{point['id']}")["status"] == "verified"


def test_a_file_that_breaks_after_it_was_verified_is_not_loaded(peer, point, files):
    tree, data = files
    sound = tree.read(data[1])
    peer.aws.faults({"service": "dynamodb", "operation": "CreateTable", "do": "delay", "ms": 1500})
    job = peer.server.submit("restore.table", {"source": {"recovery_point": point["id"]}, "target_table": "Late"}, plan=True)
    try:
        peer.aws.wait_met()
        tree.write(data[1], flipped(sound, len(sound) // 2))
        job = peer.server.wait(job, want="failed")
    finally:
        tree.write(data[1], sound)
    assert job["error"]["code"] == "RECOVERY_POINT_DAMAGED" and data[1] in job["error"]["detail"], job["error"]
    assert any("Late" in left for left in job["left_behind"]), job["left_behind"]
    spoilt = [json.loads(line)["Item"] for line in gzip.decompress(sound).splitlines()]
    there = items_of(peer.dynamodb, "Late")
    assert not [item for item in spoilt if item in there]


# -- a tree whose manifest says what the forger wants --------------------------------------------------------------


def forge(tree, path, content):
    """The file, and its size and sha256 in the manifest; what it should hold stays as it was said."""
    tree.write(path, content)
    manifest = json.loads(tree.read("manifest.json"))
    entry = next(f for f in manifest["files"] if f["path"] == path)
    manifest["stored_bytes"] += len(content) - entry["size"]
    entry.update(size=len(content), sha256=hashlib.sha256(content).hexdigest())
    tree.write("manifest.json", json.dumps(manifest).encode())


def with_line(content, number, line):
    """As long as it was, where that can be: the manifest says the inflated size."""
    lines = gzip.decompress(content).splitlines(keepends=True)
    lines[number - 1] = line.ljust(len(lines[number - 1]) - 1) + b"\n"
    return gzip.compress(b"".join(lines))


FORGERIES = {  # the new content of a data file, and what is told beside its name
    "two members": (lambda c: gzip.compress(gzip.decompress(c)[:500]) + gzip.compress(gzip.decompress(c)[500:]), ""),
    "a gzip bomb": (lambda c: gzip.compress(gzip.decompress(c) + bytes(1 << 27)), ""),
    "a bomb in one line": (lambda c: with_line(c, 2, b'{"Item":{"pk":{"S":"' + b"x" * (1 << 26) + b'"}}}'), "line 2"),
    "rubbish behind the member": (lambda c: c + b"rubbish", ""),
    "not gzip": (lambda c: gzip.decompress(c), ""),
    "a line that is no item": (lambda c: with_line(c, 3, b'{"Item":{"pk":{"X":"a"}}}'), "line 3"),
    "a line that is no JSON": (lambda c: with_line(c, 7, b"nonsense"), "line 7"),
    "an item changed": (lambda c: gzip.compress(gzip.decompress(c).replace(b"xxxx", b"yyyy", 1)), "fingerprint"),
    "a line too few": (lambda c: gzip.compress(b"".join(gzip.decompress(c).splitlines(keepends=True)[1:])), ""),
    "a line twice": (lambda c: gzip.compress(gzip.decompress(c) + gzip.decompress(c).splitlines(keepends=True)[0]), ""),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_tree_is_not_restored(peer, files, forgery):
    tree, data = files
    change, told = FORGERIES[forgery]
    target = f"Forged-{list(FORGERIES).index(forgery)}"
    uri, copy = peer.foreign(target)
    for path in tree.paths():
        copy.write(path, tree.read(path))
    forge(copy, data[1], change(tree.read(data[1])))
    problem = problem_of_restore(peer.server, {"source": {"uri": uri}, "target_table": target})
    assert problem["code"] == "RECOVERY_POINT_DAMAGED" and data[1] in problem["detail"] and told in problem["detail"], problem
    untouched(peer, target)


def test_a_tree_without_a_manifest_is_no_source(peer, files):
    tree, data = files
    uri, copy = peer.foreign("unfinished")
    for path in tree.paths():
        if path != "manifest.json":
            copy.write(path, tree.read(path))
    problem = problem_of_restore(peer.server, {"source": {"uri": uri}, "target_table": "Unfinished"})
    assert problem["code"] in ("RECOVERY_POINT_NOT_FOUND", "KEY_SCHEMA_REQUIRED"), problem
    problem = problem_of_restore(peer.server, {"source": {"uri": uri}, "target_table": "Unfinished", "overrides": KEYS})
    assert problem["code"] == "RECOVERY_POINT_NOT_FOUND", problem
    untouched(peer, "Unfinished")


# -- files of others -----------------------------------------------------------------------------------------------

GOOD = lines_of(plain_items(3))
BAD_LINES = {
    "nonsense": b"nonsense", "a list": b"[1]", "cut short": b'{"Item":{"pk":{"S":"a"}', "something behind": b'{"Item":{"pk":{"S":"a"}}}x',
    "no Item": b'{"item":{"pk":{"S":"a"}}}', "two members": b'{"Item":{"pk":{"S":"a"}},"Key":{}}', "Item twice": b'{"Item":{},"Item":{}}',
    "a name twice": b'{"Item":{"pk":{"S":"a"},"pk":{"S":"b"}}}', "two types": b'{"Item":{"pk":{"S":"a","N":"1"}}}', "no type": b'{"Item":{"pk":{}}}',
    "a type of its own": b'{"Item":{"pk":{"Z":"1"}}}', "39 digits": b'{"Item":{"pk":{"N":"123456789012345678901234567890123456789"}}}',
    "1E126": b'{"Item":{"pk":{"N":"1E126"}}}', "no number": b'{"Item":{"pk":{"N":"1x"}}}', "a number that is a number": b'{"Item":{"pk":{"N":1}}}',
    "bad base64": b'{"Item":{"pk":{"B":"a"}}}', "an empty set": b'{"Item":{"pk":{"SS":[]}}}', "a set with equals": b'{"Item":{"pk":{"NS":["1","1.0"]}}}',
    "NULL false": b'{"Item":{"pk":{"NULL":false}}}', "a lone surrogate": b'{"Item":{"pk":{"S":"\\ud800"}}}', "not UTF-8": b'{"Item":{"pk":{"S":"\xff"}}}',
    "a raw control byte": b'{"Item":{"pk":{"S":"\0"}}}', "a byte order mark": b'\xef\xbb\xbf{"Item":{"pk":{"S":"a"}}}',
    "too deep": b'{"Item":{"pk":' + b'{"L":[' * 60 + b"]}" * 60 + b"}}",
}


@pytest.mark.parametrize("bad", BAD_LINES)
def test_a_line_that_is_no_item_is_told_with_its_number(peer, bad):
    name = f"Lines-{list(BAD_LINES).index(bad)}"
    uri, tree = peer.foreign(name)
    tree.write("bad.json", GOOD + BAD_LINES[bad] + b"\n" + GOOD)
    problem = problem_of_restore(peer.server, {"source": {"uri": f"{uri}/bad.json"}, "target_table": name, "overrides": KEYS})
    assert problem["code"] == "RECOVERY_POINT_DAMAGED" and "bad.json" in problem["detail"] and "line 4" in problem["detail"], problem
    untouched(peer, name)


BAD_FILES = {
    "a gzip bomb": ("b.json.gz", lambda: gzip.compress(bytes(1 << 27))),
    "a bomb of spaces": ("b.json.gz", lambda: gzip.compress(GOOD + b" " * (1 << 27))),
    "cut gzip": ("b.json.gz", lambda: gzip.compress(GOOD)[:-4]),
    "a wrong crc": ("b.json.gz", lambda: flipped(gzip.compress(GOOD), -8 + len(gzip.compress(GOOD)))),
    "gzip named plain": ("b.json", lambda: gzip.compress(GOOD)),
    "plain named gzip": ("b.json.gz", lambda: GOOD),
    "rubbish behind": ("b.json.gz", lambda: gzip.compress(GOOD) + b"rubbish"),
}


@pytest.mark.parametrize("bad", BAD_FILES)
def test_a_foreign_file_that_is_damaged(peer, bad):
    path, content = BAD_FILES[bad]
    name = f"Files-{list(BAD_FILES).index(bad)}"
    uri, tree = peer.foreign(name)
    tree.write(path, content())
    problem = problem_of_restore(peer.server, {"source": {"uri": f"{uri}/{path}"}, "target_table": name, "overrides": KEYS})
    assert problem["code"] == "RECOVERY_POINT_DAMAGED" and path in problem["detail"], problem
    untouched(peer, name)


def test_an_item_without_the_tables_key_ends_the_job(peer):
    uri, tree = peer.foreign("keyless")
    tree.write("k.json", GOOD + lines_of([{"pk": {"S": "only half a key"}}, key("whole", a={"S": "a"})]))
    problem = problem_of_restore(peer.server, {"source": {"uri": f"{uri}/k.json"}, "target_table": "Keyless", "overrides": KEYS})
    assert problem["code"] in ("RECOVERY_POINT_DAMAGED", "ITEM_INVALID") and "k.json" in problem["detail"] and "line 4" in problem["detail"], problem


def export(tree, parts, **summary):
    rows = []
    for i, items in enumerate(parts):
        data = gzip.compress(lines_of(items))
        tree.write(f"data/f{i}.json.gz", data)
        rows.append({"itemCount": len(items), "md5Checksum": base64.b64encode(hashlib.md5(data).digest()).decode(), "etag": "e",
                     "dataFileS3Key": f"x/data/f{i}.json.gz"})
    tree.write("manifest-files.json", b"".join(json.dumps(row).encode() + b"\n" for row in rows))
    tree.write("manifest-summary.json", json.dumps({"version": "2020-06-30", "itemCount": sum(map(len, parts)), "outputFormat": "DYNAMODB_JSON",
                                                     "exportType": "FULL_EXPORT", **summary}).encode())


EXPORT_DAMAGES = {
    "a bit flipped": lambda t: t.write("data/f1.json.gz", flipped(t.read("data/f1.json.gz"), 60)),
    "a file gone": lambda t: t.remove("data/f1.json.gz"),
    "a file too many": lambda t: t.write("data/f9.json.gz", t.read("data/f1.json.gz")),
    "two files swapped": lambda t: swap(t, "data/f0.json.gz", "data/f1.json.gz"),
    "another sum": lambda t: t.write("manifest-summary.json", t.read("manifest-summary.json").replace(b'"itemCount": 30', b'"itemCount": 31')),
    "a manifest cut": lambda t: t.write("manifest-files.json", t.read("manifest-files.json")[:-9]),
}


@pytest.mark.parametrize("damage", EXPORT_DAMAGES)
def test_a_damaged_export_of_aws(peer, damage):
    name = f"Export-{list(EXPORT_DAMAGES).index(damage)}"
    uri, tree = peer.foreign(name)
    export(tree, [plain_items(10), [key(f"o{i}") for i in range(20)]])
    EXPORT_DAMAGES[damage](tree)
    problem = problem_of_restore(peer.server, {"source": {"uri": uri}, "target_table": name, "overrides": KEYS})
    assert problem["code"] == "RECOVERY_POINT_DAMAGED" and ("data/f" in problem["detail"] or "manifest" in problem["detail"]), problem
    untouched(peer, name)


# -- a name that another table has taken ---------------------------------------------------------------------------


def planned(server, spec):
    body = {"kind": "restore.table", "environment": "production", "spec": spec}
    status, _, plan = server.call("POST", "/v1/plans", body)
    assert status == 200, plan
    return {**body, "plan_hash": plan["plan_hash"]}


def test_an_empty_target_that_was_made_anew_after_the_plan(peer, point):
    make_table(peer.dynamodb, "Anew")
    body = planned(peer.server, {"source": {"recovery_point": point["id"]}, "target_table": "Anew", "into": "empty"})
    peer.dynamodb.delete_table(TableName="Anew")
    wait_until(lambda: "Anew" not in peer.dynamodb.list_tables()["TableNames"])
    make_table(peer.dynamodb, "Anew")
    status, _, problem = peer.server.call("POST", "/v1/jobs", body)
    assert (status, problem["code"]) == (409, "PLAN_STALE") and problem["changes"], problem
    assert items_of(peer.dynamodb, "Anew") == []


def test_a_target_that_somebody_made_after_the_plan(peer, point):
    body = planned(peer.server, {"source": {"recovery_point": point["id"]}, "target_table": "Taken"})
    make_table(peer.dynamodb, "Taken")
    status, _, problem = peer.server.call("POST", "/v1/jobs", body)
    assert status == 409 and problem["code"] in ("PLAN_STALE", "TARGET_EXISTS"), problem
    assert items_of(peer.dynamodb, "Taken") == []


def test_a_target_that_somebody_made_after_the_job_was_accepted(peer, point):
    body = planned(peer.server, {"source": {"recovery_point": point["id"]}, "target_table": "Raced"})
    peer.aws.faults({"service": "dynamodb", "operation": "CreateTable", "do": "delay", "ms": 2000})
    status, _, job = peer.server.call("POST", "/v1/jobs", body)
    assert status == 202, job
    peer.aws.wait_met()
    make_table(peer.dynamodb, "Raced")
    wait_until(lambda: peer.aws.ledger(operation="CreateTable", resource="Raced")[1:], 20, "the answer")
    peer.aws.own("POST", "clock", {"advance": "1m"})  # if it were ours, its tags would be there by now
    job = peer.server.wait(job, want="failed")
    assert job["error"]["code"] in ("TARGET_EXISTS", "PLAN_STALE", "TABLE_REPLACED"), job["error"]
    assert items_of(peer.dynamodb, "Raced") == []


def test_a_table_that_is_replaced_while_it_is_scanned(peer):
    make_table(peer.dynamodb, "Moving")
    put_items(peer.dynamodb, "Moving", [{**item, "text": {"S": "x" * 80000}} for item in plain_items(60)])
    job = peer.server.submit("backup.table", {"table": "Moving", "segments": 1, "read_units_per_second": 400})
    wait_until(lambda: peer.server.get(f"/v1/jobs/{job['id']}")["progress"]["done"] > 0)
    peer.dynamodb.delete_table(TableName="Moving")
    wait_until(lambda: "Moving" not in peer.dynamodb.list_tables()["TableNames"])
    make_table(peer.dynamodb, "Moving")
    job = peer.server.wait(job, want="failed")
    assert job["error"]["code"] in ("TABLE_REPLACED", "TABLE_NOT_FOUND"), job["error"]
    points = peer.server.get("/v1/recovery-points?resource=table/Moving")["items"]
    assert [p["status"] for p in points] == ["failed"]
