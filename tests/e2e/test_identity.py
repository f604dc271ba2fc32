"""Whose credentials recoverd has, and where things are: a role in another account that ends, a bucket in another region, a wrong region."""
import pytest

from accounts import OTHER, client, document, role, user
from test_online import has, online
from world import ACCOUNT, items_of, make_table, plain_items, put_items

EXTERNAL_ID = "sale-module/42"
TRUST = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/recoverd"}, "Action": "sts:AssumeRole",
         "Condition": {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}}}
SESSION = f"arn:aws:sts::{OTHER}:assumed-role/recoverd/recoverd-production"


def theirs(aws, new_server, external_id=EXTERNAL_ID, **options):
    """A recoverd with a user's keys of one account, whose environment is another account by a role."""
    arn = role(aws, OTHER, TRUST)
    server = new_server(aws.url, env=user(aws), more=f"    role_arn: {arn}\n    external_id: {external_id}\n", **options)
    server.config.write_text(server.config.read_text().replace(f'account: "{ACCOUNT}"', f'account: "{OTHER}"'))
    return server


def tables(dynamodb, items=60, size=100):
    make_table(dynamodb, "Sales")
    put_items(dynamodb, "Sales", plain_items(items, size))
    return items_of(dynamodb, "Sales")


def test_a_role_in_another_account_backs_up_and_restores_there(aws, new_server):
    dynamodb = client(aws, "dynamodb", OTHER)
    before = tables(dynamodb)
    client(aws, "s3", OTHER).create_bucket(Bucket="points")
    server = theirs(aws, new_server, root="s3://points/recoverd", tables=("Sales*",))
    lines = online(server, 0)
    has(lines, "ok    production: identity: ", f"account {OTHER} as {SESSION}")
    server.start()
    seq = aws.ledger()[-1]["seq"]
    point = server.backup("Sales")["result"]["recovery_point"]
    assert server.get(f"/v1/recovery-points/{point}")["source"]["account"] == OTHER
    server.restore(point, "Sales-restored")
    server.run("validate.table", {"table": "Sales-restored"})
    assert items_of(dynamodb, "Sales-restored") == before
    rows = [row for row in aws.ledger(since=seq) if row["principal"] == SESSION]
    assert {"dynamodb", "s3"} <= {row["service"] for row in rows} and all(row["status"] < 500 for row in rows)
    made = {row["operation"] for row in aws.ledger(since=seq) if row["effect"] == "made" and row["principal"] != SESSION}
    assert not made, made
    assert aws.client("dynamodb").list_tables()["TableNames"] == []


@pytest.mark.parametrize("external_id, role_name", [("another/43", "recoverd"), (EXTERNAL_ID, "nobody")])
def test_a_role_that_does_not_trust_us_is_named(aws, new_server, external_id, role_name):
    tables(client(aws, "dynamodb", OTHER))
    server = theirs(aws, new_server, external_id=external_id, tables=("Sales",))
    server.config.write_text(server.config.read_text().replace(":role/recoverd", f":role/{role_name}"))
    lines = online(server, 2)
    has(lines, "FAIL  production: identity: ", f"role arn:aws:iam::{OTHER}:role/{role_name} cannot be assumed: sts: AccessDenied: "
                                               f"User: arn:aws:iam::{ACCOUNT}:user/recoverd is not authorized to perform: sts:AssumeRole")
    assert len(lines) == 1 and aws.ledger(service="dynamodb", operation="Scan")[-1]["principal"] != SESSION


def slow_page(aws, server):
    """A backup whose second page takes a while and is being answered: AWS's clock can be moved, and no request is sent before its
    answer has told so. -> the job"""
    aws.faults({"service": "dynamodb", "operation": "Scan", "do": "delay", "ms": 3000, "skip": 1})
    job = server.submit("backup.table", {"table": "Sales", "segments": 1})
    aws.wait_met()
    return job


@pytest.mark.parametrize("advance", ["50m", "2h"])
def test_a_role_that_ends_in_the_middle_of_a_job_is_assumed_again(aws, new_server, advance):
    """AWS's time is known from its Date: a session is renewed before its end, and one that has ended is not sent."""
    before = tables(client(aws, "dynamodb", OTHER), items=60, size=90000)
    client(aws, "s3", OTHER).create_bucket(Bucket="points")
    server = theirs(aws, new_server, root="s3://points/recoverd", tables=("Sales*",)).start()
    job = slow_page(aws, server)
    seq = aws.ledger()[-1]["seq"]
    aws.own("POST", "clock", {"advance": advance})
    point = server.wait(job)["result"]["recovery_point"]
    rows = aws.ledger(since=seq)
    assert [row for row in rows if row["operation"] == "AssumeRole" and row["status"] == 200]
    late = [row for row in rows if row["status"] in (400, 403) and row["operation"] in ("Scan", "PutObject", "HeadObject", "GetObject")]
    assert not late
    server.restore(point, "Sales-restored")
    assert items_of(client(aws, "dynamodb", OTHER), "Sales-restored") == before


def test_a_role_that_is_taken_away_in_the_middle_fails_the_job_with_its_name(aws, new_server):
    tables(client(aws, "dynamodb", OTHER), items=60, size=90000)
    server = theirs(aws, new_server, tables=("Sales*",)).start()
    job = slow_page(aws, server)
    client(aws, "iam", OTHER).update_assume_role_policy(
        RoleName="recoverd", PolicyDocument=document({**TRUST, "Effect": "Deny"}))
    aws.own("POST", "clock", {"advance": "2h"})
    job = server.wait(job, want="failed")
    assert job["error"]["code"] == "AWS_CREDENTIALS", job["error"]
    assert f"role arn:aws:iam::{OTHER}:role/recoverd cannot be assumed" in job["error"]["detail"]


# -- regions -------------------------------------------------------------------------------------------------------


def west(aws):
    s3 = client(aws, "s3", region="eu-west-1")
    s3.create_bucket(Bucket="points-west", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return s3


def test_recovery_points_may_lie_in_another_region_than_the_tables(aws, new_server):
    dynamodb = aws.client("dynamodb")
    before = tables(dynamodb)
    s3 = west(aws)
    server = new_server(aws.url, root="s3://points-west/recoverd", tables=("Sales*",), uri_roots=["s3://points-west/foreign"])
    lines = online(server, 0)
    has(lines, "ok    production: root s3://points-west/recoverd: in eu-west-1, ")
    server.start()
    point = server.backup("Sales")["result"]["recovery_point"]
    assert s3.list_objects_v2(Bucket="points-west", Prefix="recoverd/")["KeyCount"] >= 3
    server.restore(point, "Sales-restored")
    server.run("validate.backup", {"source": {"recovery_point": point}})
    assert items_of(dynamodb, "Sales-restored") == before
    redirected = [row for row in aws.ledger(service="s3") if row["status"] == 301]
    written = [row for row in aws.ledger(service="s3") if row["effect"] == "made"]
    assert redirected and written and not [row for row in redirected if row["effect"]]


@pytest.mark.parametrize("enforced", [False, True])
def test_a_wrong_region_is_found_out_and_the_right_one_is_named(aws, new_server, enforced):
    """Under the policy of deploy/ only ListTables is open elsewhere, and is enough."""
    for name in ("Sales", "Orders-1"):
        make_table(client(aws, "dynamodb", region="eu-west-1"), name)
    west(aws)
    here = ["arn:aws:dynamodb:us-east-1:*", "arn:aws:s3:::*"]
    env = user(aws, policy=document({"Effect": "Allow", "Action": "dynamodb:ListTables", "Resource": "*"},
                                    {"Effect": "Allow", "Action": ["dynamodb:*", "s3:*"], "Resource": here}))
    aws.own("POST", "iam", {"enforce": enforced})
    server = new_server(aws.url, root="s3://points-west/recoverd", tables=("Sales", "Orders-*"), env=env)
    lines = online(server, 2)
    has(lines, "FAIL  production: table Sales: ", "hint: the table is in eu-west-1: mend `region`")
    has(lines, "FAIL  production: tables: globs find no table in us-east-1 (AWS_NOT_FOUND); hint: ", "eu-west-1 has Orders-1: mend `region`")
    assert not [line for line in lines if line.startswith("ok    production: table")]
    server.config.write_text(server.config.read_text().replace("region: us-east-1", "region: eu-west-1"))
    aws.own("POST", "iam", {"enforce": False})
    lines = online(server, 0)
    has(lines, "ok    production: table Sales: ACTIVE")
    has(lines, "ok    production: tables: globs find 1 tables")


def test_a_table_that_is_nowhere_is_only_missing(aws, new_server):
    server = new_server(aws.url, tables=("Sales",))
    lines = online(server, 2)
    has(lines, "FAIL  production: table Sales: ", "(AWS_NOT_FOUND); hint: mend the name, or make it")
