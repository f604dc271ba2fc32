"""The operations that no other test's story needs: each answers as openapi.yaml says, which Server.call checks."""
from world import make_table, plain_items, put_items


def told(server, method, path, want=200, body=None, **more):
    status, headers, answer = server.call(method, path, body, **more)
    assert status == want, answer
    return headers, answer


def test_a_plan_is_found_by_its_hash_and_by_its_job(aws, server):
    make_table(aws.client("dynamodb"), "Sales")
    put_items(aws.client("dynamodb"), "Sales", plain_items(5))
    point = server.backup("Sales")["result"]["recovery_point"]
    body = {"kind": "restore.table", "environment": "production", "spec": {"source": {"recovery_point": point}, "target_table": "Back"}}
    _, plan = told(server, "POST", "/v1/plans", body=body)
    assert told(server, "GET", f"/v1/plans/{plan['plan_hash']}")[1]["spec"] == plan["spec"]
    _, job = told(server, "POST", "/v1/jobs?wait=50", 202, {**body, "plan_hash": plan["plan_hash"]})
    assert job["state"] == "succeeded"
    assert told(server, "GET", f"/v1/jobs/{job['id']}/plan")[1]["plan_hash"] == plan["plan_hash"]
    for file in told(server, "GET", f"/v1/recovery-points/{point}/manifest")[1]["files"]:
        _, data = told(server, "GET", f"/v1/recovery-points/{point}/files/{file['path']}")
        assert data
    row = told(server, "GET", "/v1/audit?limit=1")[1]["items"][0]
    assert told(server, "GET", f"/v1/audit/{row['node']}/{row['seq']}")[1] == row


def test_limits_are_put_and_put_again(server):
    path, limits = "/v1/environments/production/limits", {"read_units_per_second": 500, "write_units_per_second": 200}
    headers, _ = told(server, "PUT", path, body=limits, headers={"If-None-Match": "*"})
    told(server, "PUT", path, 412, limits, headers={"If-None-Match": "*"})
    _, now = told(server, "PUT", path, body={**limits, "read_units_per_second": 600}, headers={"If-Match": headers["ETag"]})
    assert (now["read_units_per_second"], now["write_units_per_second"]) == (600, 200)


def test_one_time_codes_are_enrolled_and_removed(server):
    assert not told(server, "GET", "/v1/me/totp")[1]["enrolled"]
    assert told(server, "POST", "/v1/me/totp", 201, {})[1]["uri"].startswith("otpauth://")
    assert told(server, "GET", "/v1/me/totp")[1]["enrolled"]
    told(server, "DELETE", "/v1/me/totp", 204)
    assert not told(server, "GET", "/v1/me/totp")[1]["enrolled"]
