"""Schemathesis asks every operation of openapi.yaml what the document allows and what it does not, with a token of each role: no
5xx, no status, type or header that the document does not have, every body valid. The seed is fixed; TORTURE=1 asks everybody for
everything, and for longer."""
import json
import os
import pathlib
import subprocess

import pytest

from peers import end
from world import ROOT, Server, token

TORTURE = bool(os.environ.get("TORTURE"))
CHECKS = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
          "response_schema_conformance")
ROLES = ("viewer", "operator", "BackupAdministrator", "auditor", "data_reader")
ALL_PHASES = "examples,coverage,fuzzing"
# whose token: its roles, phases, generated requests of each operation
ASKED = {role: ((role,), ALL_PHASES if TORTURE else "fuzzing", 200 if TORTURE else 4) for role in ROLES}
ASKED["everybody"] = (ROLES, ALL_PHASES, 400 if TORTURE else 8)


@pytest.fixture(scope="module")
def program():
    venv = subprocess.run([ROOT / "tests/schemathesis/venv"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    return pathlib.Path(venv) / "bin/schemathesis"


@pytest.fixture(scope="module")
def place(sales_for_all):
    """A server, and what is there by path and parameter."""
    server = Server(sales_for_all.url).start()
    yield server, known_things(server)
    end(server)


def known_things(server):
    """...and members that make a body that of an accepted request."""
    done, failed = server.backup("Sales"), server.run("backup.table", {"table": "Missing"}, want="failed")
    restore = {"kind": "restore.table", "environment": "production",
               "spec": {"source": {"recovery_point": done["result"]["recovery_point"]}, "target_table": "Restored"}}
    plan = server.call("POST", "/v1/plans", restore)[2]["plan_hash"]
    restored = server.run("restore.table", {**restore["spec"], "target_table": "Other"}, plan=True)
    point = done["result"]["recovery_point"]
    files = [f["path"] for f in server.get(f"/v1/recovery-points/{point}/manifest")["files"]]
    rows = server.get("/v1/audit?limit=5")["items"]
    jobs = {"id": [done["id"], failed["id"], restored["id"]]}
    backup = {"kind": "backup.table", "environment": "production", "spec": {"table": "Sales"}}
    return {
        "/v1/environments/{name}": {"name": ["production"]},
        "/v1/environments/{name}/limits": {"name": ["production"]},
        "/v1/plans/{plan_hash}": {"plan_hash": [plan]},
        "/v1/jobs/{id}": jobs,
        "/v1/jobs/{id}/plan": {"id": [restored["id"]]},
        "/v1/jobs/{id}/cancel": jobs,
        "/v1/jobs/{id}/retry": jobs,
        "/v1/recovery-points/{id}": {"id": [point]},
        "/v1/recovery-points/{id}/manifest": {"id": [point]},
        "/v1/recovery-points/{id}/files/{path}": {"id": [point], "path": files},
        "/v1/audit/{node}/{seq}": {"node": [rows[0]["node"]], "seq": [row["seq"] for row in rows]},
        "bodies": {"/v1/plans": [restore, backup], "/v1/jobs": [backup, {**restore, "plan_hash": plan}]},
    }


def run(program, server, known, folder, roles, phases, examples):
    config = folder / "schemathesis.toml"
    config.write_text("[phases.stateful]\nenabled = false\n[cache]\nenabled = false\n")
    (folder / "known.json").write_text(json.dumps(known))
    command = [program, "--config-file", config, "--no-color", "run", ROOT / "openapi.yaml", "--url", f"http://127.0.0.1:{server.port}",
               "--header", f"Authorization: Bearer {token([f'{role}@*' for role in roles])}", "--seed", "4",
               "--max-examples", str(examples), "--phases", phases, "--checks", ",".join(CHECKS), "--continue-on-failure", "--no-shrink",
               "--generation-database", "none", "--request-timeout", "60"]
    env = {**os.environ, "KNOWN_THINGS": str(folder / "known.json"), "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(ROOT / "tests/schemathesis"),
           "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, env=env, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=3600)


@pytest.mark.parametrize("who", ASKED)
def test_the_document_tells_what_is_answered(program, place, tmp_path, who, record_property):
    done = run(program, *place, tmp_path, *ASKED[who])
    assert done.returncode == 0, done.stdout[-12000:]
    asked = next(line.strip() for line in done.stdout.splitlines() if " generated, " in line)
    record_property("told", f"schemathesis as {who}: {asked}")
