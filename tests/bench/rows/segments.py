"""How much faster 16 segments read a table whose pages take 100 ms each than one segment does.

Pages of a tenth of a megabyte: what is measured is that segments do not wait for each other, not how much two cores can do.
"""
import datetime
import subprocess

from common import SHARE, Server, Stub, row

SEGMENTS = 16
PAGES = 20  # of each segment
PAGE_ITEMS = 250
PAGE_MS = 100


def seconds_between(step):
    began, ended = (datetime.datetime.fromisoformat(step[name].replace("Z", "+00:00")) for name in ("started_at", "finished_at"))
    return (ended - began).total_seconds()


def scan(server, segments):
    """-> seconds of the step that reads, of the whole job"""
    job = server.run("backup.table", {"table": "Bench", "segments": segments, "read_units_per_second": 10_000_000}, seconds=600)
    return seconds_between(next(step for step in job["steps"] if step["name"] == "scan")), seconds_between(job)


def measure():
    stub = Stub(SEGMENTS * PAGES * PAGE_ITEMS, PAGE_MS, PAGE_ITEMS)
    server = Server(stub.url, tables=["Bench*"], account=False, threads=SEGMENTS).start()
    one, one_job = scan(server, 1)
    many, many_job = scan(server, SEGMENTS)
    row("segments", f"{SEGMENTS} segments, pages of {PAGE_MS} ms: speed-up of the scan", "times", one / many, "linear", SEGMENTS, 0.75, SHARE)
    row("segments_job", "the same, of the whole job with its read-back", "times", one_job / many_job, "linear", SEGMENTS, how=SHARE)
    server.stop()
    stub.stop()
    subprocess.run(["rm", "-rf", server.dir], check=True)
