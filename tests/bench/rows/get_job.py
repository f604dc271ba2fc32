"""GET of a job that has ended, over keep-alive connections with a token that was seen before, beside libmicrohttpd's hello world."""
import subprocess

from common import MOST, PROGRAMS, Server, Stub, free_port, http_request, load, row, token

CONNECTIONS = 16
REQUESTS = 60_000
ROUNDS = 3


def best(rounds):
    """The round that cost the least CPU: the others were disturbed."""
    return min(rounds, key=lambda found: found["cpu_us"])


def measure():
    stub, port = Stub(2500), free_port()
    server = Server(stub.url, tables=["Bench*"], account=False, threads=2).start()
    hello = subprocess.Popen([PROGRAMS / "hello", str(port)], stdout=subprocess.PIPE)
    hello.stdout.readline()
    job = server.backup("Bench")
    ask = http_request("GET", f"/v1/jobs/{job['id']}", Authorization=f"Bearer {token()}")
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(load(server.process.pid, server.port, CONNECTIONS, REQUESTS, ask))
        theirs.append(load(hello.pid, port, CONNECTIONS, REQUESTS, http_request("GET", "/")))
    ours, theirs = best(ours), best(theirs)
    row("get_job", f"GET a job, {CONNECTIONS} keep-alive connections", "us CPU", ours["cpu_us"], "libmicrohttpd hello world",
        theirs["cpu_us"], 3, MOST)
    row("get_job_rate", "the same, wall time", "a second", ours["rate"], "libmicrohttpd hello world", theirs["rate"])
    row("get_job_p50", "the same, latency at the median", "us", ours["p50_us"], "libmicrohttpd hello world", theirs["p50_us"], how=MOST)
    hello.kill()
    hello.wait()
    server.stop()
    stub.stop()
    subprocess.run(["rm", "-rf", server.dir], check=True)
