"""What a server finds out of its environments: recoverd --check --online, and by itself at the start."""
import subprocess

import pytest

from world import ACCOUNT, RECOVERD, make_table, plain_items, put_items, wait_until


@pytest.fixture
def tables(aws):
    dynamodb = aws.client("dynamodb")
    for name in ("Sales", "Orders-1", "Orders-2"):
        make_table(dynamodb, name)
    put_items(dynamodb, "Sales", plain_items(10))
    aws.client("s3").create_bucket(Bucket="points")
    return dynamodb


def online(server, code):
    """-> stdout's lines; the process must end with `code`, when there is one"""
    done = subprocess.run([RECOVERD, "--config", server.config, "--check", "--online"], env=server.env, capture_output=True, text=True,
                          timeout=120)
    assert code is None or done.returncode == code, done.stdout + done.stderr
    return done.stdout.splitlines()


def has(lines, start, part=""):
    assert any(line.startswith(start) and part in line for line in lines), (start, part, lines)


@pytest.mark.parametrize("root", [None, "s3://points/recoverd"])
def test_a_good_environment_has_a_line_for_each_thing_and_keeps_no_probe(aws, tables, new_server, root):
    server = new_server(aws.url, tables=("Sales", "Orders-*"), root=root)
    before = aws.ledger()[-1]["seq"]
    lines = online(server, 0)
    assert not [line for line in lines if line.startswith("FAIL")]
    has(lines, "ok    production: identity: ", ACCOUNT)
    for name in ("Sales", "Orders-1", "Orders-2"):
        has(lines, f"ok    production: table {name}: ACTIVE")
    has(lines, "ok    production: tables: globs find 2 tables")
    has(lines, f"ok    production: root {server.root}: written once")
    has(lines, "ok    production: uri_root ")
    done = aws.ledger(since=before)
    assert {row["operation"] for row in done if row["effect"] in ("made", "changed", "deleted")} <= {"PutObject", "DeleteObject"}
    assert aws.client("s3").list_objects_v2(Bucket="points").get("Contents", []) == []
    assert [f for f in (server.dir / "points").rglob("*") if f.is_file()] == []
    assert not (server.dir / "data").exists()


def test_what_is_wrong_is_said_with_its_code_and_the_process_ends_with_2(aws, tables, new_server):
    server = new_server(aws.url, tables=("Sales", "Missing"), root="s3://nowhere/recoverd")
    lines = online(server, 2)
    has(lines, "ok    production: table Sales: ")
    has(lines, "FAIL  production: table Missing: ", "(AWS_NOT_FOUND); hint: ")
    has(lines, "FAIL  production: root s3://nowhere/recoverd: ", "hint: ")


def test_credentials_of_another_account_are_refused_before_anything_is_tried(aws, tables, new_server):
    server = new_server(aws.url, tables=("Sales",))
    server.config.write_text(server.config.read_text().replace(ACCOUNT, "210987654321"))
    before = aws.ledger()[-1]["seq"]
    lines = online(server, 2)
    assert len(lines) == 1
    has(lines, "FAIL  production: identity: ", "(ACCOUNT_MISMATCH)")
    assert [row["operation"] for row in aws.ledger(since=before) if row["seq"] > before] == ["GetCallerIdentity"]


def test_a_table_that_a_glob_matches_is_in_the_metrics_before_its_first_backup(aws, tables, new_server):
    server = new_server(aws.url, tables=("Sales", "Orders-*")).start()

    def never(name):
        return f'recoverd_backup_last_success_timestamp_seconds{{environment="production",resource="table/{name}",method="scan"}} 0\n'

    def text():
        return server.call("GET", "/metrics", auth=False, port=server.ops_port)[2].decode()
    wait_until(lambda: never("Orders-1") in text(), 20, "the first look at the tables")
    assert all(never(name) in text() for name in ("Sales", "Orders-1", "Orders-2"))


def test_a_wrong_account_is_told_before_anybody_asks(aws, tables, new_server):
    server = new_server(aws.url, tables=("Sales",))
    server.config.write_text(server.config.read_text().replace(ACCOUNT, "210987654321"))
    server.start()

    def told():
        return server.call("GET", "/readyz", auth=False, port=server.ops_port)[2]["environments"][0]
    wait_until(lambda: told()["state"] != "unknown", 20, "the account")
    assert told() == {"name": "production", "state": "unusable", "code": "ACCOUNT_MISMATCH"}
