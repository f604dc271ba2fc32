"""POST of a job, durable when it is answered, beside a raw group commit of the same rows (commit.c) and beside the disk's fdatasync.

The one worker is kept busy by a table that is slow to read, so that what is accepted is started, which writes rows too, but not run.
"""
import subprocess

from common import MOST, SHARE, Server, Stub, http_request, load, row, run_program, token, wait_until

CLIENTS = 64
JOBS = 20_000
ALONE = 1_000  # jobs of a client that is alone


def keep_busy(server):
    job = server.submit("backup.table", {"table": "Bench", "segments": 1, "read_units_per_second": 1})
    wait_until(lambda: server.get(f"/v1/jobs/{job['id']}")["attempt"] > 0, what="the worker")


def fdatasync_us(directory):
    path = directory / "sync"
    found = run_program("sync_bench", path, 1000)
    path.unlink()
    return found


def measure():
    stub = Stub(100_000, page_delay_ms=60_000)
    server = Server(stub.url, tables=["Bench*"], account=False, threads=1).start()
    keep_busy(server)
    body = {"kind": "backup.table", "environment": "production", "spec": {"table": "Bench", "segments": 1}}
    ask = http_request("POST", "/v1/jobs", body, Authorization=f"Bearer {token()}")
    post = (server.process.pid, server.port)
    load(*post, CLIENTS, 1000, ask, 202)
    sync = fdatasync_us(server.dir)
    alone = load(*post, 1, ALONE, ask, 202)
    sync = min(sync, fdatasync_us(server.dir))
    ours = load(*post, CLIENTS, JOBS, ask, 202)
    server.stop()
    raw = run_program("commit", server.dir / "data/recoverd.db", server.dir / "raw.db", JOBS, CLIENTS)
    row("post_job", f"POST a job, durable, {CLIENTS} clients", "a second", ours["rate"], "raw group commit", raw["rate"], 0.5, SHARE)
    row("post_job_cpu", "the same", "us CPU", ours["cpu_us"], "raw group commit", raw["cpu_us"], 3, MOST)
    row("post_job_alone", "the same, one client, latency at the median", "us", alone["p50_us"], "fdatasync of 4 KiB", sync, 4, MOST)
    stub.stop()
    subprocess.run(["rm", "-rf", server.dir], check=True)
