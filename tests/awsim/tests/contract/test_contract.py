"""The same cases by botocore and by the AWS CLI on awsim, plain moto and DynamoDB Local. Where they differ, differences.json says so.

A row there is {case, step, peer, awsim, theirs, decides}: `decides` is the page of AWS's documentation after which awsim is made. A difference
without a row fails, and so does a row without its difference. WRITE_DIFFERENCES=1 writes what was found, with empty `decides`, for review.
"""

import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cases import CASES
from clients import Boto, Caller, Cli

HERE = Path(__file__).resolve().parent
LOCAL = HERE.parents[2] / "peers/dynamodb_local/dynamodb_local"
TABLE = HERE / "differences.json"
WRITE = os.environ.get("WRITE_DIFFERENCES")
PAGES = ("https://docs.aws.amazon.com/",)


class Peer:
    def __init__(self, url, reset, services=None):
        self.url, self.reset, self.services = url, reset, services


def _post(url, path):
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)
    connection.request("POST", path)
    assert connection.getresponse().status == 200
    connection.close()


def _wait(port):
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("it does not listen")


@pytest.fixture(scope="session")
def peers(running):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    moto = subprocess.Popen([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], **quiet)
    local = subprocess.Popen([LOCAL, "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    first = re.search(r"http://\S+", local.stdout.readline())
    assert first, f"{LOCAL} does not start: make deps installs what it needs"
    local_url = first[0]
    _wait(port)
    moto_url = f"http://127.0.0.1:{port}"

    def clear():
        client = Boto(local_url)
        for name in client.call("dynamodb", "ListTables", {})["TableNames"]:
            client.call("dynamodb", "DeleteTable", {"TableName": name})

    def as_new():
        running.control("POST", "reset")
        running.settings(table_create_delay="0s", table_update_delay="0s", backup_delay="0s", restore_delay="0s", stack_delay="0s")

    yield {
        "awsim": Peer(running.url, as_new),
        "moto": Peer(moto_url, lambda: _post(moto_url, "/moto-api/reset")),
        "local": Peer(local_url, clear, ("dynamodb",)),
    }
    for process in (moto, local):
        process.terminate()
        process.wait(20)
    local.stdout.close()


def _client(kind, peer, folder):
    return Boto(peer.url) if kind == "botocore" else Cli(peer.url, folder)


def _steps(peer, name, kind, folder):
    """{step: outcome} of a case on a peer."""
    service, function = CASES[name]
    peer.reset()
    return dict(function(Caller(_client(kind, peer, folder), service)))


def _rows(name, seen):
    """What differs, as rows of the table."""
    return [
        {"case": name, "step": step, "peer": peer, "awsim": ours, "theirs": steps.get(step, "no such step")}
        for peer, steps in seen.items()
        for step, ours in seen["awsim"].items()
        if steps.get(step, "no such step") != ours
    ]


def _known():
    return json.loads(TABLE.read_text())


def _without_page(row):
    return {name: value for name, value in row.items() if name != "decides"}


@pytest.mark.parametrize("name", CASES)
def test_the_peers_differ_where_the_table_says_so(peers, name, tmp_path):
    service, _ = CASES[name]
    asked = {peer: one for peer, one in peers.items() if one.services is None or service in one.services}
    by_boto = {peer: _steps(one, name, "botocore", tmp_path) for peer, one in asked.items()}
    found = _rows(name, by_boto)
    if WRITE:
        _write(name, found)
    assert found == [_without_page(row) for row in _known() if row["case"] == name]
    for peer, one in asked.items():
        assert _steps(one, name, "aws cli", tmp_path) == by_boto[peer], f"the CLI is told something else by {peer}"


def _write(name, found):
    pages = {(row["case"], row["step"], row["peer"]): row["decides"] for row in _known()}
    others = [row for row in _known() if row["case"] != name]
    new = [{**row, "decides": pages.get((row["case"], row["step"], row["peer"]), "")} for row in found]
    order = list(CASES)
    rows = sorted(others + new, key=lambda row: order.index(row["case"]))
    TABLE.write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")


def test_every_row_names_the_page_that_decides_and_a_case_that_is_there():
    for row in _known():
        assert row["decides"].startswith(PAGES), row
        assert row["case"] in CASES, row
