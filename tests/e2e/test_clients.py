"""Clients that are slow, many, silent, without a token or absurd: the others are served meanwhile, and neither memory nor disk
grows with them. What a machine's speed decides is measured and printed; what is asserted is that an answer comes, and in which order.
TORTURE=1 has more of each."""
import functools
import http.client
import json
import os
import pathlib
import resource
import selectors
import signal
import socket
import ssl
import threading
import time

import pytest

from peers import end
from world import Server, make_table, plain_items, put_items, token, wait_until

TORTURE = bool(os.environ.get("TORTURE"))
GOOD_WAIT_S = 20  # seconds that a good client waits, below the 30 that a silent connection has when nobody else wants in


@pytest.fixture(scope="module", autouse=True)
def files():
    """Thousands of sockets in this process."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limits[1], limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@pytest.fixture
def told(record_property):
    return lambda line: record_property("told", f"clients: {line}")


def connect(port, receive=None, timeout=GOOD_WAIT_S):
    s = socket.socket()
    s.settimeout(timeout)
    if receive:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    s.connect(("127.0.0.1", port))
    return s


def head(path, auth=None, more=""):
    authorization = f"Authorization: Bearer {auth}\r\n" if auth else ""
    return f"GET {path} HTTP/1.1\r\nHost: x\r\n{authorization}{more}\r\n".encode()


def served(port, path, auth=None):
    """One request as a good client makes it: its status, and how long it took in ms."""
    began = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=GOOD_WAIT_S)
    connection.request("GET", path, headers={"Authorization": f"Bearer {auth}"} if auth else {})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, (time.monotonic() - began) * 1000


def memory(server):
    """MiB that are its own."""
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.partition("RssAnon:")[2].split()[0]) / 1024


def on_disk(server):
    return sum(f.stat().st_size for f in (server.dir / "data").rglob("*") if f.is_file())


# -- slow readers --------------------------------------------------------------------------------------------------


class SlowReaders:
    """Each asks for something large and takes a byte a second of it."""

    def __init__(self, server, count, path):
        self.readers = [connect(server.port, receive=2048) for _ in range(count)]
        self.over = threading.Event()
        for s in self.readers:
            s.sendall(head(path, token(), "Connection: close\r\n"))
            s.setblocking(False)
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.over.wait(1):
            for s in self.readers:
                try:
                    s.recv(1)
                except OSError:  # nothing there yet, or cut off
                    pass

    def stop(self):
        self.over.set()
        self.thread.join()
        for s in self.readers:
            s.close()


def connections(server):
    metrics = server.call("GET", "/metrics", auth=False, port=server.ops_port)[2].decode()
    return int(float(metrics.partition("\nrecoverd_http_connections ")[2].split()[0]))


def much_to_list(server, rows):
    """Jobs that end at once and take much room in a list."""
    auth, note = token(), "n" * 1000
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    for i in range(rows):
        body = {"kind": "backup.table", "environment": "production", "spec": {"table": f"None-{i}"}, "note": note}
        connection.request("POST", "/v1/jobs", json.dumps(body), {"Authorization": f"Bearer {auth}", "Content-Type": "application/json"})
        answer = connection.getresponse()
        assert answer.status == 202, answer.read()
        job = json.loads(answer.read())
    connection.close()
    server.wait(job, want="failed", seconds=180)


def test_slow_readers_are_cut_off_and_hold_nobody_up(aws, told):
    make_table(aws.client("dynamodb"), "Sales")
    put_items(aws.client("dynamodb"), "Sales", plain_items(20000, 400 if TORTURE else 200))
    server = Server(aws.url).start()
    readers = []
    try:
        point = server.backup("Sales", segments=1)["result"]["recovery_point"]
        data = next(f["path"] for f in server.get(f"/v1/recovery-points/{point}/manifest")["files"] if "/data/" in f["path"])
        much_to_list(server, 500)
        size = len(server.call("GET", "/v1/jobs?limit=500&view=full", headers={"Accept-Encoding": "identity"})[2]["items"])
        assert size == 500
        before = memory(server)
        readers = [SlowReaders(server, 300 if TORTURE else 60, "/v1/jobs?limit=500&view=full"),
                   SlowReaders(server, 30 if TORTURE else 6, f"/v1/recovery-points/{point}/files/{data}")]
        time.sleep(3)  # with more than it likes to hold for readers, the server cuts off the longest now
        most, held = memory(server), connections(server)
        assert held >= 20, "they are not slow enough"
        assert most < before + 300
        good = [served(server.port, "/v1/me", token()) for _ in range(20)] + [served(server.port, "/v1/jobs?limit=500&view=full", token())]
        assert {status for status, _ in good} == {200}
        assert server.backup("Sales")["state"] == "succeeded", "a worker is held"
        wait_until(lambda: connections(server) == 0, 120, "the end of the slow readers")
        wait_until(lambda: memory(server) < before + 64, 30, "the memory of the slow readers")
        told(f"{held} slow readers took the server from {before:.0f} to {most:.0f} MiB, "
             f"a good one waited {max(ms for _, ms in good):.0f} ms at most")
    finally:
        for r in readers:
            r.stop()
        end(server)


# -- long polls ----------------------------------------------------------------------------------------------------


def answers_of(sockets, seconds):
    """{socket: (status, body)} of all that have answered within so many seconds."""
    selector, got, until = selectors.DefaultSelector(), {s: b"" for s in sockets}, time.monotonic() + seconds
    for s in sockets:
        selector.register(s, selectors.EVENT_READ)
    while selector.get_map() and time.monotonic() < until:
        for key, _ in selector.select(until - time.monotonic()):
            data = key.fileobj.recv(1 << 20)
            got[key.fileobj] += data
            if not data:
                selector.unregister(key.fileobj)
    return {s: (int(data[9:12]), json.loads(data.partition(b"\r\n\r\n")[2])) for s, data in got.items() if data}


def waiting_job(aws, server, name="Sales"):
    """A job that runs for as long as nobody cancels it."""
    make_table(aws.client("dynamodb"), name)
    put_items(aws.client("dynamodb"), name, plain_items(10))
    aws.faults({"service": "dynamodb", "operation": "Scan", "do": "delay", "ms": 600000, "count": 1000})
    job = server.submit("backup.table", {"table": name})
    wait_until(lambda: server.get(f"/v1/jobs/{job['id']}")["state"] == "running", 20, "running")
    return job


def test_five_hundred_long_polls_wake_on_one_commit(aws, told):
    server = Server(aws.url, more="http: {connections: 700, waiters: 500}\n").start()
    polls = []
    try:
        job = waiting_job(aws, server)
        path, auth = f"/v1/jobs/{job['id']}?wait=50", token()
        for _ in range(500):
            polls.append(connect(server.port))
            polls[-1].sendall(head(path, auth, "Connection: close\r\n"))
        time.sleep(1)
        before = memory(server)
        status, ms = served(server.port, "/v1/me", auth)
        assert status == 200
        # one more finds no free waiter: it has its answer while all the others wait
        assert server.get(path)["state"] == "running"
        status, _, accepted = server.call("POST", "/v1/jobs?wait=50", {"kind": "backup.table", "environment": "production",
                                                                      "spec": {"table": "Sales"}})
        assert status == 202 and accepted["state"] in ("queued", "running")
        assert not answers_of(polls, 0.2), "a poll has not waited"
        began = time.monotonic()
        status, _, _ = server.call("POST", f"/v1/jobs/{job['id']}/cancel")
        assert status == 200
        answers = answers_of(polls, 45)
        assert len(answers) == 500
        assert {(status, body["state"]) for status, body in answers.values()} == {(200, "cancelled")}
        told(f"500 long polls were served {(time.monotonic() - began) * 1000:.0f} ms after a cancel, another request meanwhile in {ms:.0f} ms, "
             f"{before:.0f} MiB")
        server.call("POST", f"/v1/jobs/{accepted['id']}/cancel")
    finally:
        for s in polls:
            s.close()
        aws.clear_faults()
        end(server)


def test_a_drain_over_tls_ends_a_long_poll_with_an_answer(aws):
    server = Server(aws.url, more="tls: {certificate_file: server.pem, key_file: server.key}\n")
    make_certificate(server.dir)
    server.start()
    trust = ssl.create_default_context(cafile=server.dir / "server.pem")
    trust.check_hostname = False

    def ask(method, path, body=None):
        connection = http.client.HTTPSConnection("127.0.0.1", server.port, timeout=90, context=trust)
        connection.request(method, path, json.dumps(body) if body else None,
                           {"Authorization": f"Bearer {token()}", "Content-Type": "application/json"})
        return connection

    def answer(connection):
        got = connection.getresponse()
        return got.status, got.getheader("Connection"), json.loads(got.read())

    try:
        make_table(aws.client("dynamodb"), "Sales")
        put_items(aws.client("dynamodb"), "Sales", plain_items(10))
        aws.faults({"service": "dynamodb", "operation": "Scan", "do": "delay", "ms": 600000, "count": 1000})
        status, _, job = answer(ask("POST", "/v1/jobs", {"kind": "backup.table", "environment": "production", "spec": {"table": "Sales"}}))
        assert status == 202
        polls = [ask("GET", f"/v1/jobs/{job['id']}?wait=50") for _ in range(5)]
        idle = ask("GET", "/v1/me")
        assert answer(idle)[0] == 200
        wait_until(lambda: answer(ask("GET", f"/v1/jobs/{job['id']}"))[2]["state"] == "running", 20, "running")
        server.process.send_signal(signal.SIGTERM)
        for poll in polls:
            status, connection, found = answer(poll)
            assert (status, connection) == (200, "close") and found["state"] in ("queued", "running")
        assert server.process.wait(30) == 0
    finally:
        aws.clear_faults()
        end(server)


def make_certificate(folder):
    """A certificate that signs itself, and its key."""
    from datetime import datetime, timedelta, timezone

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, name, now = ec.generate_private_key(ec.SECP256R1()), x509.Name.from_rfc4514_string("CN=127.0.0.1"), datetime.now(timezone.utc)
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
            .not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(True, None), True).sign(key, hashes.SHA256()))
    (folder / "server.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "server.key").write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                                          serialization.NoEncryption()))
    for file in ("server.pem", "server.key"):
        (folder / file).chmod(0o600)


# -- a crowd that says nothing, or next to nothing -----------------------------------------------------------------


def crowd(port, count, say):
    """So many connections, opened without waiting for anybody: those that are not let in stand in the line before the door."""
    found = []
    for _ in range(count):
        s = socket.socket()
        s.setblocking(False)
        s.connect_ex(("127.0.0.1", port))
        found.append(s)
    time.sleep(1)
    for s in found:
        try:
            s.send(say)
        except OSError:
            pass
    return found


@pytest.mark.parametrize("say", [b"", b"GET /v1/me HTTP/1.1\r\nHost: "], ids=["silent", "half a head"])
def test_a_crowd_does_not_keep_others_out(aws, told, say):
    server = Server(aws.url).start()  # room for 512
    there = []
    try:
        there = crowd(server.port, 1500, say)
        health = [served(server.ops_port, "/healthz") for _ in range(20)]
        assert {status for status, _ in health} == {200}
        good = [served(server.port, "/v1/me", token()) for _ in range(5)]
        assert {status for status, _ in good} == {200}
        told(f"1500 connections that say {say[:3].decode() or 'nothing'}: health in {max(ms for _, ms in health):.1f} ms at most, "
             f"the API in {max(ms for _, ms in good):.0f} ms at most")
    finally:
        for s in there:
            s.close()
        end(server)


def test_a_crowd_at_the_ops_listener_leaves_room_for_health(aws):
    server = Server(aws.url).start()
    there = crowd(server.ops_port, 300, b"")
    try:
        assert served(server.ops_port, "/healthz")[0] == 200
        assert served(server.port, "/v1/me", token())[0] == 200
    finally:
        for s in there:
            s.close()
        end(server)


# -- floods --------------------------------------------------------------------------------------------------------


def flood(port, requests, of):
    """Sends of(i) for each i, on a connection for as long as the server keeps it; -> {status: count}"""
    statuses, s = {}, None
    for i in requests:
        s = s or connect(port)
        s.sendall(of(i))
        data = b""
        while True:
            got = s.recv(65536)
            data += got
            text, end_of_head, body = data.partition(b"\r\n\r\n")
            if not got or (end_of_head and len(body) >= int(text.lower().partition(b"content-length: ")[2].split(b"\r")[0] or 0)):
                break
        status = int(data[9:12]) if data else 0
        statuses[status] = statuses.get(status, 0) + 1
        if not got or b"connection: close" in text.lower():
            s.close()
            s = None
    if s:
        s.close()
    return statuses


def bad_token(i):
    good = token(subject=f"s{i}")
    return (None, "x" * 200, good[:-3] + "abc", token(secret=b"another-secret-another-secret-another"), token(exp=1), token(aud="other"),
            token(iss="https://other.test/"))[i % 7]


def test_a_flood_of_bad_tokens_leaves_no_trace_of_its_size(aws, told):
    server = Server(aws.url).start()
    rows = len(server.get("/v1/audit?limit=500")["items"])
    disk, began = on_disk(server), time.monotonic()
    each, statuses = range(30000 if TORTURE else 1500), [{}] * 4
    heads = [head("/v1/jobs", bad_token(i)) for i in range(70)]

    def run(n):
        statuses[n] = flood(server.port, each, lambda i: heads[i % len(heads)])

    threads = [threading.Thread(target=run, args=[n]) for n in range(len(statuses))]
    try:
        for thread in threads:
            thread.start()
        good = [served(server.port, "/v1/me", token()) for _ in range(50)]
        for thread in threads:
            thread.join()
        minutes = (time.monotonic() - began) / 60
        assert {status for status, _ in good} == {200}
        assert statuses == [{401: len(each)}] * len(threads)
        metrics = server.call("GET", "/metrics", auth=False, port=server.ops_port)[2].decode()
        counted = sum(float(line.split()[1]) for line in metrics.splitlines() if line.startswith("recoverd_auth_failures_total"))
        assert counted == len(each) * len(threads), "each is counted"
        more = len(server.get("/v1/audit?limit=500")["items"]) - rows
        assert more <= 2 + minutes, "rows of the flood"
        lines = [line for line in (server.dir / "log").read_text().splitlines() if '"401"' in line]
        assert 0 < len(lines) <= 600 * (minutes + 2)
        assert on_disk(server) - disk < (1 << 20) * (2 + minutes)
        told(f"{counted:.0f} bad tokens in {minutes * 60:.0f} s left {len(lines)} lines and {more} audit rows, "
             f"a good client waited {max(ms for _, ms in good):.0f} ms at most")
    finally:
        end(server)


@functools.cache
def lasting(n):
    return token()


def absurd(i):
    """500 arguments; now and then only as many as the listener reads, which reach the handlers."""
    count = 500 if i % 4 else 40
    return head("/v1/jobs?" + "&".join(f"a{n}={i}" for n in range(count)), lasting(i // 10000))


def test_many_requests_with_five_hundred_arguments_leave_memory_flat(aws, told):
    server = Server(aws.url).start()
    count = 1000000 if TORTURE else 12000
    try:
        statuses = flood(server.port, range(4000), absurd)
        before, began = memory(server), time.monotonic()
        for status, times in flood(server.port, range(count), absurd).items():
            statuses[status] = statuses.get(status, 0) + times
        after = memory(server)
        told(f"{count} requests with 500 arguments in {time.monotonic() - began:.0f} s: from {before:.2f} to {after:.2f} MiB")
        assert set(statuses) == {400}, statuses
        assert after - before < 2, f"{before} to {after} MiB"
        assert served(server.port, "/v1/me", token())[0] == 200
    finally:
        end(server)
