"""What the rows of make bench share: how a row is judged and printed, the stub, and how a process's CPU and memory are watched."""
import json
import os
import pathlib
import platform
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))
from world import BUILD, KEYS, RECOVERD, Server, free_port, token, wait_until  # noqa: E402,F401

PROGRAMS = BUILD / "release/bench"
ROWS = []

# how ours stands to theirs: what the ratio is, and when the goal is met
LESS = "times less"  # a cost: theirs / ours, at least the goal
MOST = "times"  # a cost: ours / theirs, at most the goal
SHARE = "of it"  # a rate: ours / theirs, at least the goal
JUDGE = {LESS: (lambda ours, theirs: theirs / ours, lambda ratio, goal: ratio >= goal),
         MOST: (lambda ours, theirs: ours / theirs, lambda ratio, goal: ratio <= goal),
         SHARE: (lambda ours, theirs: ours / theirs, lambda ratio, goal: ratio >= goal)}


def row(id_, work, unit, ours, against=None, theirs=None, goal=None, how=LESS):
    """One line of the table. `theirs` None with `against`: that peer is not installed here."""
    ratio_of, fits = JUDGE[how]
    ratio = ratio_of(ours, theirs) if theirs and ours else None
    met = None if goal is None or ratio is None else fits(ratio, goal)
    ROWS.append({"id": id_, "work": work, "unit": unit, "ours": round(ours, 3), "against": against,
                 "theirs": None if theirs is None else round(theirs, 3), "ratio": None if ratio is None else round(ratio, 2),
                 "goal": goal, "met": met})
    told = f"{work:58} {ours:10.3f} {unit:12}"
    if against:
        told += f" {against}: {theirs:9.3f}, {ratio:.2f} {how}" if ratio is not None else f" {against}: missing"
    if goal is not None and met is not None:
        told += f" (goal {goal}: {'met' if met else 'missed'})"
    print(told, flush=True)


def write_rows():
    (BUILD / "bench.json").write_text(json.dumps(ROWS, indent=1) + "\n")


def machine():
    processor = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    load = os.getloadavg()[0]
    return (f"{platform.node()}: {processor}, {os.cpu_count()} cores, Linux {platform.release()}, {time.strftime('%Y-%m-%d')}, "
            f"load {load:.1f} before")


class Stub:
    """The DynamoDB made of arithmetic (stub.c)."""

    def __init__(self, items, page_delay_ms=0, page_items=2500, shape="record"):
        self.port = free_port()
        self.process = subprocess.Popen([PROGRAMS / "stub", *map(str, (self.port, items, page_delay_ms, page_items, shape))],
                                        stdout=subprocess.PIPE)
        self.process.stdout.readline()
        self.url = f"http://127.0.0.1:{self.port}"

    def stop(self):
        self.process.kill()
        self.process.wait()


def run_program(name, *args, stdin=None):
    """What a program of tests/bench prints, which is JSON."""
    run = subprocess.run([PROGRAMS / name, *map(str, args)], input=stdin, capture_output=True)
    assert run.returncode == 0, run.stderr.decode()
    return json.loads(run.stdout)


def http_request(method, path, body=None, **headers):
    """The bytes of a request as a client keeps sending them."""
    data = json.dumps(body).encode() if body is not None else b""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "User-Agent: bench", "Accept: */*"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if data:
        lines += ["Content-Type: application/json", f"Content-Length: {len(data)}"]
    return "\r\n".join(lines + ["", ""]).encode() + data


def load(pid, port, connections, requests, request, status=200):
    """-> rate and latencies of load.c, and microseconds of CPU of the process a request"""
    with Watch(pid) as watch:
        found = run_program("load", port, connections, requests, status, stdin=request)
    return {**found, "cpu_us": watch.seconds / requests * 1e6}


class Watch:
    """CPU seconds and the largest anonymous memory of a process while something is done."""

    def __init__(self, pid):
        self.pid, self.peak, self.over = pid, 0, False

    def cpu(self):
        return time.clock_gettime(~self.pid << 3 | 2)  # of another process: what clock_getcpuclockid(3) gives

    def anonymous(self):
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("RssAnon"):
                return int(line.split()[1]) * 1024
        return 0

    def __enter__(self):
        self.idle = self.anonymous()
        self.began, self.wall = self.cpu(), time.monotonic()
        self.thread = threading.Thread(target=self.sample, daemon=True)
        self.thread.start()
        return self

    def sample(self):
        while not self.over:
            self.peak = max(self.peak, self.anonymous())
            time.sleep(0.05)

    def __exit__(self, *_):
        self.over = True
        self.thread.join()
        self.seconds, self.wall = self.cpu() - self.began, time.monotonic() - self.wall
