"""One awsim for the whole run, as new before each test."""

import http.client
import json
import os
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
from backup_world import Backups
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

HERE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HERE))  # for what is tested without a server
HASH = [{"AttributeName": "pk", "KeyType": "HASH"}]
BOTH = [*HASH, {"AttributeName": "sk", "KeyType": "RANGE"}]
FAST = {"table_create_delay": "0s", "table_update_delay": "0s"}


def signed(
    service, method, url, body, headers, key="testing", secret="testing", region="us-east-1", token=None
):
    """The headers, with those of a signature by botocore's signer."""
    auth = (S3SigV4Auth if service == "s3" else SigV4Auth)(Credentials(key, secret, token), service, region)
    request = AWSRequest(method, url, data=body, headers=headers)
    if "x-amz-content-sha256" in headers:
        auth.payload = lambda _request: headers["x-amz-content-sha256"]
    auth.add_auth(request)
    return dict(request.headers.items())


class World:
    def __init__(self, port):
        self.port, self.url = port, f"http://127.0.0.1:{port}"

    def client(self, service, key="testing", secret="testing", region="us-east-1", token=None, **config):
        config = {"retries": {"total_max_attempts": 1}, "s3": {"addressing_style": "path"}, **config}
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=region,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=Config(**config),
        )

    def raw(self, method, path, body=b"", headers=None, sign=None):
        """(status, headers, body) on the wire, signed for the service `sign`."""
        headers = headers or {}
        if sign:
            body = body.encode() if isinstance(body, str) else body
            headers = signed(sign, method, self.url + path, body, headers)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def control(self, method, call, given=None, expect=200):
        status, _, body = self.raw(method, "/_awsim/" + call, json.dumps(given) if given is not None else b"")
        assert status == expect, body
        return json.loads(body)

    def settings(self, **given):
        return self.control("POST", "settings", given)

    def fault(self, service, operation, do, **more):
        return self.control(
            "POST", "faults", [{"service": service, "operation": operation, "do": do, **more}]
        )

    def ledger(self, **filters):
        return self.control("GET", "ledger?" + "&".join(f"{name}={value}" for name, value in filters.items()))

    def dynamodb(self, operation, body, **headers):
        """A DynamoDB call as bytes on the wire."""
        return self.raw(
            "POST",
            "/",
            body,
            {
                "X-Amz-Target": "DynamoDB_20120810." + operation,
                "Content-Type": "application/x-amz-json-1.0",
                **headers,
            },
            "dynamodb",
        )


@pytest.fixture(scope="session")
def running():
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    process = subprocess.Popen(
        [sys.executable, "-m", "sim", "--port", "0"], env=environment, stdout=subprocess.PIPE, text=True
    )
    first = process.stdout.readline()
    assert first.startswith("awsim listening on http://127.0.0.1:"), first
    yield World(int(first.rpartition(":")[2]))
    process.terminate()
    process.wait(10)


@pytest.fixture
def world(running):
    running.control("POST", "reset")
    return running


@pytest.fixture
def ddb(world):
    """A DynamoDB client in a world where tables are ready at once."""
    world.settings(**FAST)
    return world.client("dynamodb")


@pytest.fixture
def make(ddb):
    """Makes a table with keys pk (and sk) of the given types."""

    def make(name="Sales", pk="S", sk=None, **more):
        types = [("pk", pk)] + ([("sk", sk)] if sk else []) + more.pop("types", [])
        return ddb.create_table(
            TableName=name,
            KeySchema=BOTH if sk else HASH,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": one, "AttributeType": kind} for one, kind in types],
            **more,
        )["TableDescription"]

    return make


@pytest.fixture
def backups(world, ddb, make):
    """AWS Backup with a vault and a role, and a table to back up."""
    make()
    found = Backups(world, ddb)
    found.put("a", "b")
    return found


@pytest.fixture
def refused(world):
    """The error code with which a call is refused."""

    def refused(function, **given):
        try:
            function(**given)
        except Exception as fault:
            return fault.response["Error"]["Code"]
        raise AssertionError("was not refused")

    return refused
