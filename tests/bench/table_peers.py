"""The programs that users have today, on the same table: CPU time in us an item, or None where one is not installed.

Each works in one go over PEER_ITEMS items, its start left out: what it spends on an item does not depend on how many there are.
"""
import os
import pathlib
import resource
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent / "peers"
BUILD = HERE.parents[2] / "build"
TABLE = ["--table-name", "Bench", "--region", "us-east-1", "--endpoint-url"]


def quietly(*command, **kw):
    """True when it did what it should."""
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=300, **kw).returncode == 0


def current(folder, *wanted):
    return all((folder / "made-from" / name).exists() and
               (folder / "made-from" / name).read_bytes() == (HERE / name).read_bytes() for name in wanted)


def remember(folder, *wanted):
    (folder / "made-from").mkdir(exist_ok=True)
    for name in wanted:
        shutil.copy(HERE / name, folder / "made-from" / name)


def awscli():
    """The command line in an environment of its own, made when it is missing."""
    folder = BUILD / "bench-awscli"
    if not current(folder, "requirements.txt"):
        shutil.rmtree(folder, ignore_errors=True)
        if not quietly("/usr/bin/python3", "-m", "venv", folder) or \
           not quietly(folder / "bin/pip", "install", "--no-deps", "--requirement", HERE / "requirements.txt"):
            return None
        remember(folder, "requirements.txt")
    return folder / "bin/aws"


def node_sdk():
    """Where the SDK's packages are, made when they are missing and Node is there."""
    folder = BUILD / "bench-node"
    if not shutil.which("node") or not shutil.which("npm"):
        return None
    if not current(folder, "package.json", "package-lock.json"):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, folder)
        if not quietly("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=folder):
            return None
        remember(folder, "package.json", "package-lock.json")
    return folder


def children_cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run_aws(aws, env, *words, out):
    began = children_cpu()
    scan = subprocess.Popen([aws, "dynamodb", *words], env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    with open(out, "wb") as file:
        subprocess.run(["gzip"], stdin=scan.stdout, stdout=file, check=True)
    scan.stdout.close()
    assert scan.wait() == 0
    return children_cpu() - began


def with_awscli(url, items, path, env):
    aws = awscli()
    if not aws:
        return None
    start = run_aws(aws, env, "describe-table", *TABLE, url, out=path)
    return (run_aws(aws, env, "scan", "--consistent-read", *TABLE, url, out=path) - start) / items * 1e6


def with_node(url, items, path, env):
    folder = node_sdk()
    if not folder:
        return None
    shutil.copy(HERE / "with_node.mjs", folder)
    run = subprocess.run(["node", folder / "with_node.mjs", url, str(items), path], env=env, capture_output=True, text=True, check=True)
    return float(run.stdout)


def with_boto3(what, url, items, path, env):
    """backup writes `path`, restore reads it."""
    run = subprocess.run([sys.executable, HERE / "with_boto3.py", url, str(items), path, what], env=env, capture_output=True, text=True,
                         check=True)
    return float(run.stdout)


def measure(url, items, keys):
    """-> {name: us an item or None}; keys: the credentials' environment"""
    env = {**os.environ, **keys, "AWS_EC2_METADATA_DISABLED": "true", "AWS_PAGER": ""}
    path = str(BUILD / "bench-peer.json.gz")
    found = {"backup_boto3": with_boto3("backup", url, items, path, env)}
    found["restore_boto3"] = with_boto3("restore", url, items, path, env)
    found["backup_node"] = with_node(url, items, path, env)
    found["backup_awscli"] = with_awscli(url, items, path, env)
    os.unlink(path)
    return found
