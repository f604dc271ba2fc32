"""The network between recoverd and AWS is bad for a while: latency, lost connections before and after the effect, silence, slices, a
narrow line. The same points and tables come out of it as on a good day, and by AWS's own ledger nothing was made twice. TORTURE=1
has more days and more items, and silence that is longer than a call waits."""
import contextlib
import http.client
import json
import os
import random
import threading

import pytest

from peers import BUCKET, end
from test_faults import made_once
from world import Server, StandIn, fingerprint_of, free_port, items_of, make_table, plain_items, put_items, wait_until

TORTURE = bool(os.environ.get("TORTURE"))


class Toxiproxy(StandIn):
    def __init__(self):
        super().__init__("tests/peers/toxiproxy/toxiproxy")
        wait_until(self.is_up, 30, "toxiproxy")  # its script says the URL before it listens

    def is_up(self):
        try:
            return self.api("GET", "/version")
        except OSError:
            return None

    def api(self, method, path, body=None):
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=30)
        connection.request(method, path, json.dumps(body) if body is not None else None, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        assert answer.status < 300, (path, data)
        return data


class Line:
    """The way from recoverd to awsim, and what spoils it."""

    def __init__(self, proxy, to):
        self.proxy, self.name, port = proxy, f"aws{random.randrange(1 << 30)}", free_port()
        self.url = f"http://127.0.0.1:{port}"
        proxy.api("POST", "/proxies", {"name": self.name, "listen": f"127.0.0.1:{port}", "upstream": to.removeprefix("http://")})

    def spoil(self, toxics):
        for i, (kind, stream, attributes) in enumerate(toxics):
            self.proxy.api("POST", f"/proxies/{self.name}/toxics", {"name": f"t{i}", "type": kind, "stream": stream, "attributes": attributes})

    def mend(self, toxics):
        for i in range(len(toxics)):
            self.proxy.api("DELETE", f"/proxies/{self.name}/toxics/t{i}")

    @contextlib.contextmanager
    def spoilt(self, toxics, bad_s, good_s):
        """Bad and good by turns for as long as it is held, bad first; good_s 0: bad all the time."""
        over = threading.Event()

        def alternate():
            while not over.wait(good_s):
                self.spoil(toxics)
                over.wait(bad_s)
                self.mend(toxics)

        self.spoil(toxics)
        if not good_s:
            yield
            return self.mend(toxics)
        thread = threading.Thread(target=lambda: (over.wait(bad_s), self.mend(toxics), alternate()))
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def remove(self):
        self.proxy.api("DELETE", f"/proxies/{self.name}")


# What is done to which direction, for how long it is bad, and for how long it is good again before the next time.
LONG = 45 if TORTURE else 2
BAD_DAYS = {
    "latency": ([("latency", "downstream", {"latency": 80, "jitter": 60})], 0, 0),
    "resets before the effect": ([("reset_peer", "upstream", {"timeout": 0})], 0.3, 0.7),
    "resets after the effect": ([("reset_peer", "downstream", {"timeout": 0})], 0.3, 0.7),
    "answers cut in their middle": ([("limit_data", "downstream", {"bytes": 700})], 0.3, 0.7),
    "black holes for requests": ([("timeout", "upstream", {"timeout": 0})], LONG, 3),
    "black holes for answers": ([("timeout", "downstream", {"timeout": 0})], LONG, 3),
    "slices": ([("slicer", way, {"average_size": 40, "size_variation": 30, "delay": 20}) for way in ("upstream", "downstream")], 0, 0),
    "a narrow line": ([("bandwidth", way, {"rate": 100}) for way in ("upstream", "downstream")], 0, 0),
}
SHORT = ("resets before the effect", "resets after the effect", "black holes for answers", "slices")
ITEMS = plain_items(3000 if TORTURE else 200, 300)


@pytest.fixture(scope="module")
def proxy():
    proxy = Toxiproxy()
    yield proxy
    proxy.stop()


@pytest.fixture
def line(aws, proxy):
    line = Line(proxy, aws.url)
    yield line
    line.remove()


@pytest.mark.parametrize("day", BAD_DAYS if TORTURE else SHORT)
def test_a_bad_network_changes_nothing(aws, line, day):
    toxics, bad_s, good_s = BAD_DAYS[day]
    dynamodb = aws.client("dynamodb")
    make_table(dynamodb, "Sales")
    put_items(dynamodb, "Sales", ITEMS)
    items = items_of(dynamodb, "Sales")
    aws.client("s3").create_bucket(Bucket=BUCKET)
    server = Server(line.url, root=f"s3://{BUCKET}/recoverd", uri_roots=[f"s3://{BUCKET}/foreign"]).start()
    restore = {"kind": "restore.table", "environment": "production"}
    try:
        with line.spoilt(toxics, bad_s, good_s):
            job = server.run("backup.table", {"table": "Sales", "segments": 2}, seconds=400)
        assert job["result"]["fingerprint"] == fingerprint_of(items)
        point = {"recovery_point": job["result"]["recovery_point"]}
        restore["spec"] = {"source": point, "target_table": "Back"}
        status, _, plan = server.call("POST", "/v1/plans", restore)  # somebody waits for a plan: it is made on a good line
        assert status == 200, plan
        status, _, job = server.call("POST", "/v1/jobs", {**restore, "plan_hash": plan["plan_hash"]})
        assert status == 202, job
        with line.spoilt(toxics, bad_s, good_s):
            job = server.wait(job, 400)
            checked = server.run("validate.backup", {"source": point}, seconds=400)
        assert job["result"]["fingerprint"] == fingerprint_of(items) and checked["result"]["verdict"] == "intact"
        assert items_of(dynamodb, "Back") == items
        assert [p["status"] for p in server.get("/v1/recovery-points")["items"]] == ["proven"]
    finally:
        end(server)
    made_once(aws)
