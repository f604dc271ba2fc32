"""Everything at once: jobs, cancels, retries, reloads good and bad, long polls, lists, scrapes, clients that hang up, and in the
middle of it a drain and a restart. Nothing is lost, nothing answers 500, and what the server runs under (ThreadSanitizer by
`make tsan-load`, another sanitizer, valgrind) has nothing to say. LOAD_S: seconds for each of the two halves."""
import http.client
import itertools
import os
import random
import signal
import socket
import threading
import time

import pytest

from peers import end
from world import PATIENCE, Server, make_table, plain_items, put_items, token, wait_until

LOAD_S = float(os.environ.get("LOAD_S", 6))
FINAL = ("succeeded", "partial", "failed", "cancelled")
TABLES = [f"Load-{n}" for n in range(4)]
# what may be answered while others cancel, and while the server is full or going down; a 500 is never one of them
CALM = {200, 202, 204, 304, 404, 409, 428, 429, 503}


class Load:
    """One server and threads that ask it for something, each again and again until told to stop."""

    def __init__(self, server):
        self.server, self.over, self.lock = server, threading.Event(), threading.Lock()
        self.accepted, self.points, self.faults, self.counts = [], [], [], {}
        self.reloading = threading.Lock()  # a process that starts has no file of a reload's, and no SIGHUP before it listens to signals
        self.random, self.names, self.turns = random.Random(4), itertools.count(), itertools.count()
        self.threads = []

    def call(self, method, path, body=None, **more):
        """None when nobody listens: the server may be going down or be down for a moment."""
        try:
            status, headers, answer = self.server.call(method, path, body, **more)
        except (OSError, http.client.HTTPException):
            return None
        with self.lock:
            self.counts[status] = self.counts.get(status, 0) + 1
        assert status in CALM, f"{method} {path}: {status} {answer}"
        return answer if status < 300 else None

    def any_job(self, newest=False):
        with self.lock:
            return (self.accepted[-1] if newest else self.random.choice(self.accepted)) if self.accepted else None

    def submit(self, kind, spec, wait=0, **more):
        job = self.call("POST", f"/v1/jobs?wait={wait}", {"kind": kind, "environment": "production", "spec": spec, **more})
        if job:
            with self.lock:
                self.accepted.append(job["id"])
                self.points += [job["result"]["recovery_point"]] if kind == "backup.table" and "result" in job else []
        return job

    # what threads do; each is a method whose name is not important

    def backups(self):
        self.submit("backup.table", {"table": self.random.choice(TABLES), "segments": self.random.randrange(1, 4)}, wait=self.random.choice((0, 2)))

    def validations(self):
        if self.points:
            self.submit("validate.backup", {"source": {"recovery_point": self.random.choice(self.points)}})
        time.sleep(0.2)

    def restores(self):
        if self.points:
            body = {"kind": "restore.table", "environment": "production",
                    "spec": {"source": {"recovery_point": self.random.choice(self.points)}, "target_table": f"Back-{next(self.names)}"}}
            plan = self.call("POST", "/v1/plans", body)
            if plan:
                self.submit("restore.table", body["spec"], plan_hash=plan["plan_hash"])
        time.sleep(0.5)

    def cancels(self):
        job = self.any_job(newest=self.random.random() < 0.5)
        if job:
            self.call("POST", f"/v1/jobs/{job}/cancel")
            again = self.call("POST", f"/v1/jobs/{job}/retry", {})
            if again:
                with self.lock:
                    self.accepted.append(again["id"])
        time.sleep(0.3)

    def polls(self):
        job = self.any_job()
        if job:
            self.call("GET", f"/v1/jobs/{job}?wait=3")

    def looks(self):
        for path in ("/v1/jobs?limit=20&view=full", "/v1/audit?limit=20", "/v1/recovery-points", "/v1/environments/production", "/v1/kinds",
                     "/v1/me", "/openapi.yaml"):
            self.call("GET", path)
        if self.points:
            self.call("GET", f"/v1/recovery-points/{self.random.choice(self.points)}/manifest")

    def scrapes(self):
        for path in ("/metrics", "/readyz", "/healthz", "/version"):
            accept = {"Accept": self.random.choice(("text/plain", "application/openmetrics-text"))}
            self.call("GET", path, auth=False, headers=accept, port=self.server.ops_port)
        time.sleep(0.05)

    def hang_ups(self):
        try:
            with socket.create_connection(("127.0.0.1", self.server.port), 5) as s:
                s.sendall(f"GET /v1/jobs?limit=500 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token()}\r\n\r\n".encode()[:self.random.randrange(700)])
        except OSError:
            pass
        time.sleep(0.05)

    def reloads(self):
        """Another level, other limits, now and then a file that cannot be read."""
        turn = next(self.turns)
        with self.reloading:
            self.reload(turn)
        time.sleep(0.2)

    def reload(self, turn):
        text = "nonsense: [" if turn % 5 == 4 else self.good.replace("level: info", f"level: {('info', 'warn')[turn % 2]}") + (
            "    limits: {read_units_per_second: 100000}\n" if turn % 3 else "")
        self.server.config.write_text(text)
        self.server.process.send_signal(signal.SIGHUP)
        time.sleep(0.2)
        self.server.config.write_text(self.good)

    def again_and_again(self, what):
        try:
            while not self.over.is_set():
                what()
        except Exception as fault:  # what a thread finds is the test's to tell
            self.faults.append(fault)

    def start(self):
        self.good = self.server.config.read_text()
        self.over.clear()
        whats = [self.backups, self.backups, self.validations, self.restores, self.cancels, self.looks, self.scrapes, self.hang_ups,
                 self.reloads] + [self.polls] * 12
        self.threads = [threading.Thread(target=self.again_and_again, args=[what]) for what in whats]
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join()
        self.server.config.write_text(self.good)
        if self.faults:
            raise self.faults[0]


@pytest.fixture
def load(aws):
    for table in TABLES:
        make_table(aws.client("dynamodb"), table)
        put_items(aws.client("dynamodb"), table, plain_items(200, 300))
    # some jobs take long enough for a cancel to find them at work
    aws.faults({"service": "dynamodb", "operation": "Scan", "do": "delay", "ms": 400, "count": 60})
    load = Load(Server(aws.url, lease="5s").start())
    yield load
    load.over.set()
    end(load.server)


def test_everything_at_once_loses_nothing(load, record_property):
    server = load.server
    load.start()
    time.sleep(LOAD_S)
    with load.reloading:
        server.process.send_signal(signal.SIGTERM)  # in the middle of it all; the threads find nobody for a moment
        assert server.process.wait(60 * PATIENCE) == 0
        server.start()
    time.sleep(LOAD_S)
    load.stop()
    for job in load.accepted:
        wait_until(lambda one=job: server.get(f"/v1/jobs/{one}?wait=20")["state"] in FINAL, 180, job)
    states = [server.get(f"/v1/jobs/{job}") for job in load.accepted]
    bad = [job for job in states if job["state"] == "failed" and job["error"]["code"] in ("INTERNAL", "CRASHED_REPEATEDLY")]
    assert not bad, bad[0]
    counted = {state: len([1 for job in states if job["state"] == state]) for state in FINAL}
    assert counted["succeeded"] > 0 and counted["cancelled"] > 0, counted
    record_property("told", f"load: {len(states)} jobs, {counted}, answers {dict(sorted(load.counts.items()))}")
