"""The world of an end-to-end test: an emulated AWS, a real recoverd in a folder of its own, and a token to talk to it."""
import base64
import hashlib
import hmac
import json
import http.client
import os
import pathlib
import re
import secrets
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

import boto3
from botocore.config import Config

import contract

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/vectors"))
import make_canonical  # noqa: E402  (the oracle for canonical form and fingerprint)

BUILD = ROOT / "build"
VARIANT = os.environ.get("VARIANT", "release")
RECOVERD = pathlib.Path(os.environ.get("RECOVERD", BUILD / VARIANT / "recoverd"))  # another one, while this tree is being built
RECOVERCTL = BUILD / VARIANT / "recoverctl"
PATIENCE = float(os.environ.get("PATIENCE", 1))  # how much longer all may take, under valgrind or a sanitizer
ACCOUNT = "123456789012"
SECRET = b"e2e-secret-e2e-secret-e2e-secret-01"
KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def preloaded(name):
    """tests/crash/NAME.c, built, for LD_PRELOAD. By a make of its own, not as a part of one that runs the tests."""
    library = BUILD / VARIANT / "preload" / f"{name}.so"
    alone = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    subprocess.run(["make", "-s", f"VARIANT={VARIANT}", library.relative_to(ROOT)], cwd=ROOT, env=alone, check=True)
    return str(library)


def wait_until(check, seconds=30, what="it"):
    end = time.monotonic() + seconds * PATIENCE
    while time.monotonic() < end:
        found = check()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come within {seconds} s")


class StandIn:
    """A program that plays AWS on a free port and says its URL in its first line."""

    def __init__(self, program, *args):
        self.process = subprocess.Popen([ROOT / program, "--port", "0", *args], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = re.search(r"http://\S+", self.process.stdout.readline()).group(0)
        self.clients = {}

    def client(self, service):
        if service not in self.clients:
            self.clients[service] = boto3.client(
                service, endpoint_url=self.url, region_name="us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing",
                config=Config(retries={"max_attempts": 2}, s3={"addressing_style": "path"}, parameter_validation=False))
        return self.clients[service]

    def wrong_requests(self):
        """What was sent to it since the last time that AWS's published models do not know; only awsim can tell."""
        return []

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


class DynamodbLocal(StandIn):
    """AWS's own DynamoDB engine: the data plane only, and no ledger."""

    def __init__(self):
        super().__init__("tests/peers/dynamodb_local/dynamodb_local")

    def reset(self):
        for name in self.client("dynamodb").list_tables()["TableNames"]:
            self.client("dynamodb").delete_table(TableName=name)


class Versitygw(StandIn):
    """A real S3 server, which looks at signatures. It ignores what it does not know: encryption, storage classes, tags of objects."""

    def __init__(self):
        super().__init__("tests/peers/versitygw/versitygw")

    def reset(self):
        s3 = self.client("s3")
        for bucket in s3.list_buckets()["Buckets"]:
            for row in s3.list_objects_v2(Bucket=bucket["Name"]).get("Contents", []):
                s3.delete_object(Bucket=bucket["Name"], Key=row["Key"])
            s3.delete_bucket(Bucket=bucket["Name"])


class Awsim(StandIn):
    """tests/awsim."""

    def __init__(self, *args):
        super().__init__("tests/awsim/awsim", *args)

    def own(self, method, path, body=None):
        host = self.url.removeprefix("http://")
        connection = http.client.HTTPConnection(host, timeout=30)
        connection.request(method, f"/_awsim/{path}", json.dumps(body) if body is not None else None,
                           {"Content-Type": "application/json"})
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        assert answer.status < 300, data
        return json.loads(data) if data else None

    def reset(self):
        self.own("POST", "reset", {})

    def faults(self, *faults):
        self.own("POST", "faults", list(faults))

    def wait_met(self, times=1):
        """Until the newest fault was met so often: what is to be delayed or refused is under way."""
        def met():
            fault = self.own("GET", "faults")[-1]
            return fault["count"] - fault["left"] >= times
        wait_until(met, 20, "the call that goes wrong")

    def clear_faults(self):
        self.own("DELETE", "faults")

    def ledger(self, **query):
        return self.own("GET", "ledger?" + "&".join(f"{k}={v}" for k, v in query.items()))

    def wrong_requests(self):
        return self.own("POST", "wrong")

    def stop(self):
        left = self.wrong_requests()
        super().stop()
        assert left == [], f"AWS's models do not know these requests: {left}"

    def effects(self, operation, effect="made"):
        return [row for row in self.ledger(operation=operation) if row["effect"] == effect]


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(roles=("BackupAdministrator@*", "data_reader@*", "auditor@*"), subject="ann", mfa=True, secret=SECRET, **claims):
    now = int(time.time())
    body = {"iss": "https://idp.test/", "aud": "recoverd", "sub": subject, "iat": now, "exp": now + 600, "roles": list(roles),
            "jti": secrets.token_hex(8), "auth_time": now}
    if mfa:
        body["amr"] = ["pwd", "mfa"]
    body.update(claims)
    head = b64url(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    text = head + "." + b64url(json.dumps(body).encode())
    return text + "." + b64url(hmac.new(secret, text.encode(), hashlib.sha256).digest())


def totp(secret):
    """The one-time code of now."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
    start = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[start:start + 4])[0] & 0x7FFFFFFF) % 10**6:06d}"


CONFIG = """\
listen: 127.0.0.1:{port}
ops_listen: 127.0.0.1:{ops_port}
data_dir: {dir}/data
node: e2e
log: {{level: info, format: json}}
workers: {{threads: {threads}, memory: 128MiB, lease: {lease}, drain: 10s, min_free: 1MiB}}
totp: {{key_file: totp.key}}
auth:
  issuers:
    - issuer: https://idp.test/
      audiences: [recoverd]
      algorithms: [HS256]
      secret_file: issuer.secret
      mfa: {{amr_values: [mfa], max_age: 5m}}
environments:
  production:
{account}    region: us-east-1
    tables: {tables}
{endpoint}    recovery_points: {root}
{unencrypted}    uri_roots: {uri_roots}
{more}"""


class Server:
    """One recoverd: its folder, its process, and calls to it. Without an endpoint its environment names one by service."""

    def __init__(self, endpoint, tables=("*",), root=None, uri_roots=None, account=True, threads=8, lease="30s", more="", env=None,
                 unencrypted=None):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="recoverd-e2e-"))
        self.port, self.ops_port = free_port(), free_port()
        self.root = root or f"file://{self.dir}/points"
        (self.dir / "points").mkdir()
        (self.dir / "foreign").mkdir()
        for name, data in (("issuer.secret", SECRET), ("totp.key", os.urandom(32).hex().encode())):
            (self.dir / name).write_bytes(data)
            (self.dir / name).chmod(0o600)
        self.config = self.dir / "recoverd.yaml"
        self.config.write_text(CONFIG.format(
            port=self.port, ops_port=self.ops_port, dir=self.dir, threads=threads, lease=lease,
            account=f'    account: "{ACCOUNT}"\n' if account else "", tables=json.dumps(list(tables)),
            endpoint=f"    endpoint_url: {endpoint}\n" if endpoint else "",
            root=self.root, unencrypted="    allow_unencrypted: true\n" if unencrypted or self.root.startswith("file:") else "",
            uri_roots=json.dumps(uri_roots or [f"file://{self.dir}/foreign"]), more=more))
        self.config.chmod(0o600)
        self.env = {**os.environ, **KEYS, "AWS_EC2_METADATA_DISABLED": "true", **(env or {})}
        self.process = None
        self.log = open(self.dir / "log", "ab")

    def start(self, env=None, wait=True, program=RECOVERD):
        self.process = subprocess.Popen([program, "--config", self.config], env={**self.env, **(env or {})}, stderr=self.log)
        if wait:
            wait_until(lambda: self.ready() or self.process.poll() is not None, 20, "the server")
            assert self.process.poll() is None, (self.dir / "log").read_text()[-3000:]
        return self

    def ready(self):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.ops_port, timeout=2)
            connection.request("GET", "/readyz")
            status = connection.getresponse().status
            connection.close()
            return status == 200
        except OSError:
            return False

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30 * PATIENCE)
        return self.process.returncode if self.process else None

    def kill(self):
        self.process.kill()
        self.process.wait(10)

    def call(self, method, path, body=None, auth=None, headers=None, raw=None, port=None):
        """-> (status, headers, parsed body or bytes)"""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=90)
        sent = dict(headers or {})
        if auth is not False:
            sent["Authorization"] = "Bearer " + (auth or token())
        data = raw if raw is not None else json.dumps(body) if body is not None else None
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        connection.request(method, path, data, sent)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if port in (None, self.port):
            contract.judge(method, path, answer.status, dict(answer.getheaders()), content)
        kind = answer.getheader("Content-Type", "")
        return answer.status, dict(answer.getheaders()), json.loads(content) if "json" in kind and "ndjson" not in kind else content

    def get(self, path, **kw):
        status, _, body = self.call("GET", path, **kw)
        assert status == 200, body
        return body

    def submit(self, kind, spec, environment="production", plan=False, **kw):
        body = {"kind": kind, "environment": environment, "spec": spec}
        if plan:
            status, _, planned = self.call("POST", "/v1/plans", body, **kw)
            assert status == 200, planned
            body["plan_hash"] = planned["plan_hash"]
        status, headers, job = self.call("POST", "/v1/jobs", body, **kw)
        assert status == 202, job
        return job

    def wait(self, job, seconds=120, want="succeeded"):
        end = time.monotonic() + seconds * PATIENCE
        while time.monotonic() < end:
            job = self.get(f"/v1/jobs/{job['id']}?wait=5")
            if job["state"] in ("succeeded", "partial", "failed", "cancelled"):
                assert want is None or job["state"] == want, json.dumps(job, indent=1)
                return job
        raise AssertionError(f"job did not end: {json.dumps(job, indent=1)}")

    def run(self, kind, spec, want="succeeded", plan=False, seconds=120, **kw):
        return self.wait(self.submit(kind, spec, plan=plan, **kw), seconds, want)

    def backup(self, table, **spec):
        return self.run("backup.table", {"table": table, **spec})

    def restore(self, point, target, want="succeeded", **spec):
        source = point if isinstance(point, dict) else {"recovery_point": point}
        return self.run("restore.table", {"source": source, "target_table": target, **spec}, want=want, plan=True)


def wire(value):
    """boto3's form of an item, or a part of it, as it goes over the wire."""
    if isinstance(value, dict):
        return {name: wire(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [wire(member) for member in value]
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def lines_of(items):
    """A data file's content: {"Item":...} and a line feed each."""
    return b"".join(json.dumps({"Item": wire(item)}).encode() + b"\n" for item in items)


def fingerprint_of(items):
    """By the oracle of tests/vectors, which shares nothing with the server."""
    return make_canonical.fingerprint([json.dumps(wire(item)).encode() for item in items])


def items_of(dynamodb, table):
    """Every item, by its DynamoDB JSON."""
    found, start = [], {}
    while True:
        page = dynamodb.scan(TableName=table, ConsistentRead=True, **start)
        found += page["Items"]
        if "LastEvaluatedKey" not in page:
            return sorted(found, key=repr)
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def make_table(dynamodb, name, sort=True, types="SS", attributes=None, **more):
    """Keys pk and, with `sort`, sk, of `types`; `attributes` are those of indexes: {name: type}."""
    keys = [{"AttributeName": "pk", "KeyType": "HASH"}] + ([{"AttributeName": "sk", "KeyType": "RANGE"}] if sort else [])
    named = {**{key["AttributeName"]: kind for key, kind in zip(keys, types)}, **(attributes or {})}
    definitions = [{"AttributeName": name, "AttributeType": kind} for name, kind in named.items()]
    request = {"TableName": name, "KeySchema": keys, "AttributeDefinitions": definitions, "BillingMode": "PAY_PER_REQUEST", **more}
    dynamodb.create_table(**request)
    wait_until(lambda: dynamodb.describe_table(TableName=name)["Table"]["TableStatus"] == "ACTIVE", 20, name)


def put_items(dynamodb, table, items):
    items = list(items)
    each = 25 if len(repr(items[:25])) < 1 << 20 else 8
    for i in range(0, len(items), each):
        left = {table: [{"PutRequest": {"Item": item}} for item in items[i:i + each]]}
        while left:
            left = dynamodb.batch_write_item(RequestItems=left).get("UnprocessedItems")


def plain_items(count, size=100):
    return [{"pk": {"S": f"p{i % 97}"}, "sk": {"S": f"s{i:07d}"}, "n": {"N": str(i)}, "text": {"S": "x" * size}} for i in range(count)]
