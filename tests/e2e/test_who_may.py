"""Every kind by role, environment and MFA: each cell is a plan and a job asked for on a real server."""
import itertools

import pytest

from peers import end
from world import Server, token

ROLES = ("viewer", "operator", "BackupAdministrator", "auditor", "data_reader")
NEEDS = {"backup.table": "operator", "validate.backup": "operator", "validate.table": "operator", "restore.table": "BackupAdministrator"}
HAS = {"operator": ("operator", "BackupAdministrator"), "BackupAdministrator": ("BackupAdministrator",)}
OTHER = """\
  staging:
    account: "123456789012"
    region: us-east-1
    tables: [Staging-only]
    endpoint_url: {endpoint}
    recovery_points: file://{root}
    allow_unencrypted: true
"""


@pytest.fixture(scope="module")
def place(sales_for_all, tmp_path_factory):
    url = sales_for_all.url
    server = Server(url, tables=["Sales"], more=OTHER.format(endpoint=url, root=tmp_path_factory.mktemp("staging"))).start()
    job = server.backup("Sales")
    yield server, job["result"]["recovery_point"]
    end(server)


def spec_of(kind, point, n):
    return {"backup.table": {"table": "Sales"}, "validate.backup": {"source": {"recovery_point": point}}, "validate.table": {"table": "Sales"},
            "restore.table": {"source": {"recovery_point": point}, "target_table": f"Restored-{n}"}}[kind]


def wanted(kind, role, where, mfa):
    """-> statuses of the plan and of the job"""
    if where == "staging":  # granted elsewhere: this environment is not there for him
        return (422, "UNKNOWN_ENVIRONMENT"), (422, "UNKNOWN_ENVIRONMENT")
    if role not in HAS[NEEDS[kind]]:
        return (403, "FORBIDDEN"), (403, "FORBIDDEN")
    if NEEDS[kind] == "BackupAdministrator" and mfa != "fresh":
        return (200, None), (401, "MFA_REQUIRED")
    return (200, None), (202, None)


CELLS = list(itertools.product(NEEDS, ROLES, ("production", "staging"), ("fresh", "stale", "none")))


def test_every_cell(place):
    server, point = place
    jobs = len(server.get("/v1/jobs?limit=500")["items"])
    accepted = 0
    for n, (kind, role, where, mfa) in enumerate(CELLS):
        claims = {"auth_time": 1} if mfa == "stale" else {}
        auth = token(roles=[f"{role}@{where}"], mfa=mfa != "none", **claims)
        body = {"kind": kind, "environment": "production", "spec": spec_of(kind, point, n)}
        plan, job = wanted(kind, role, where, mfa)
        status, _, answer = server.call("POST", "/v1/plans", body, auth=auth)
        assert (status, answer.get("code")) == plan, (kind, role, where, mfa, answer)
        if status == 200 and kind == "restore.table":
            bare, _, refused = server.call("POST", "/v1/jobs", body, auth=auth)
            assert (bare, refused["code"]) == (428, "PLAN_REQUIRED")
            body["plan_hash"] = answer["plan_hash"]
        status, headers, answer = server.call("POST", "/v1/jobs", body, auth=auth)
        assert (status, answer.get("code")) == job, (kind, role, where, mfa, answer)
        if status == 401:
            assert 'error="insufficient_user_authentication"' in headers["WWW-Authenticate"]
        accepted += status == 202
    assert len(server.get("/v1/jobs?limit=500")["items"]) == jobs + accepted, "a refused request leaves no job"
    for job in server.get("/v1/jobs?limit=500")["items"]:
        server.wait(job)
    print(f"\n{len(CELLS)} cells, {accepted} jobs accepted")


def test_a_plan_is_for_its_requester_only(place):
    server, point = place
    body = {"kind": "restore.table", "environment": "production", "spec": spec_of("restore.table", point, "mine")}
    status, _, plan = server.call("POST", "/v1/plans", body, auth=token(subject="ann"))
    assert status == 200
    status, _, answer = server.call("POST", "/v1/jobs", {**body, "plan_hash": plan["plan_hash"]}, auth=token(subject="bob"))
    assert (status, answer["code"]) == (409, "PLAN_NOT_FOUND")


def test_what_is_not_yours_to_see_is_not_there(place):
    server, point = place
    elsewhere = token(roles=["BackupAdministrator@staging", "auditor@staging", "data_reader@staging"])
    job = server.get("/v1/jobs?limit=1")["items"][0]["id"]
    for path in (f"/v1/jobs/{job}", f"/v1/jobs/{job}/plan", f"/v1/recovery-points/{point}", f"/v1/recovery-points/{point}/manifest",
                 f"/v1/recovery-points/{point}/files/manifest.json", "/v1/environments/production"):
        status, _, answer = server.call("GET", path, auth=elsewhere)
        assert status == 404, (path, status, answer)
    for path in ("/v1/jobs", "/v1/recovery-points", "/v1/audit"):
        status, _, answer = server.call("GET", path, auth=elsewhere)
        assert status == 200 and answer["items"] == [], (path, answer)
    assert [e["name"] for e in server.get("/v1/environments", auth=elsewhere)["items"]] == ["staging"]
    for action in ("cancel", "retry"):
        status, _, answer = server.call("POST", f"/v1/jobs/{job}/{action}", auth=elsewhere, body={} if action == "retry" else None)
        assert status == 404, (action, answer)
