"""Runs every command of docs/first-hour.md, in its order, with awsim in the place of the account."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile

import pytest

from world import KEYS, RECOVERD, ROOT, free_port, items_of, make_table, plain_items, put_items, totp, wait_until

TEXT = (ROOT / "docs/first-hour.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.S | re.M)
TABLES = ("SalesTable-production", "BuyersTable-production", "ProducersTable-production")


class Host:
    """A machine of its own, as far as the page's paths and ports go; variables live from block to block."""

    def __init__(self, aws):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="recoverd-hour-"))
        for name in ("root", "log", "lib"):
            (self.dir / name).mkdir()
        self.names = {"/etc/recoverd": f"{self.dir}/etc", "/var/lib/recoverd": f"{self.dir}/lib", "/var/log/": f"{self.dir}/log/",
                      "/root/": f"{self.dir}/root/", ":8480": f":{free_port()}", ":9480": f":{free_port()}"}
        self.env = {**os.environ, **KEYS, "PATH": f"{RECOVERD.parent}:{os.environ['PATH']}", "AWS_EC2_METADATA_DISABLED": "true"}
        self.endpoint, self.ran, self.pid = aws.url, [], None

    def here(self, text):
        for name, mine in self.names.items():
            text = text.replace(name, mine)
        return text

    def run(self, block, stdin=""):
        self.ran.append(block)
        state, script = self.dir / "env", self.here(block)
        before = f". {state}\n" if state.exists() else ""
        begun = f"echo $! >{self.dir}/pid\n" if script.rstrip().endswith("&") else ""
        with open(self.dir / "out", "w+") as out, open(self.dir / "err", "w+") as err:  # files: what goes on in the background has them too
            done = self.bash(f"{before}{script}\n{begun}export -p >{state}\n", stdin, out, err)
            out.seek(0)
            err.seek(0)
            said, complaint = out.read(), err.read()
        if begun:
            self.pid = int((self.dir / "pid").read_text())
        assert done.returncode == 0, block + said + complaint
        return said

    def bash(self, script, stdin, out, err):
        return subprocess.run(["bash", "-euo", "pipefail", "-c", script], env=self.env, input=stdin, stdout=out, stderr=err, text=True,
                              timeout=60, cwd=ROOT, start_new_session=True)

    def fill_in(self, yaml):
        path = self.dir / "etc/recoverd.yaml"
        text = self.here(path.read_text())
        text = re.sub(r"^data_dir: \S+", f"data_dir: {self.dir}/lib/data", text[:text.index("\nenvironments:")], flags=re.M)
        path.write_text(f"{text}\n{yaml}    endpoint_url: {self.endpoint}\n")

    def stop(self):
        if self.pid:
            os.kill(self.pid, signal.SIGTERM)
            wait_until(lambda: not pathlib.Path(f"/proc/{self.pid}/exe").exists(), 20, "the end")
        self.pid = None


@pytest.fixture
def hosts(aws):
    made = []

    def make():
        made.append(Host(aws))
        return made[-1]

    yield make
    for host in made:
        host.stop()
        shutil.rmtree(host.dir)


def the(kind, start):
    found = [text for lang, text in BLOCKS if lang == kind and start in text]
    assert len(found) == 1, (start, found)
    return found[0]


def test_every_command_of_the_first_hour_works_in_its_order(aws, hosts):
    dynamodb = aws.client("dynamodb")
    for name in TABLES:
        make_table(dynamodb, name)
        put_items(dynamodb, name, plain_items(60))
    before = items_of(dynamodb, TABLES[0])
    aws.client("s3").create_bucket(Bucket="sale-module-backups")
    host = hosts()

    host.run(the("sh", "--init"))
    host.fill_in(the("yaml", "environments:"))
    assert "no faults" in host.run(the("sh", "recoverd --check --config"))
    host.run(the("sh", "iam-policy.json"))
    policy = (host.dir / "root/recoverd-policy.json").read_text()
    assert json.loads(policy) and not re.search(r"ACCOUNT|REGION|BUCKET|PREFIX|TABLES\b|KEY_ARN", policy)
    tried = host.run(the("sh", "--online"))
    assert all(f"ok    production: table {name}" in tried for name in TABLES) and "FAIL" not in tried
    host.run(the("sh", "2>>/var/log"))
    host.run(the("sh", "readyz"))
    host.run(the("sh", "export RECOVERD_URL"))
    plan = host.run(the("sh", "recoverctl plan backup"))
    for word in ("read_units", "read_units_per_second", "duration_at_least_seconds", "cost_usd"):
        assert word in plan, plan
    host.run(the("sh", "recoverctl points"))

    cron = re.fullmatch(r"(\S+ ){5}recoverd (.*)\n", the("cron", "15 2"))
    host.run(f"( unset RECOVERD_URL RECOVERD_TOKEN_FILE RECOVERD_ENVIRONMENT; {cron.group(2)} )")  # cron has none of them
    host.ran.append(the("cron", "15 2"))
    points = json.loads(host.run("recoverctl points -o json"))
    points = points if isinstance(points, list) else points["items"]
    assert len(points) == 2 and {point["status"] for point in points} == {"verified"}

    host.stop()  # and its disk is gone
    dynamodb.delete_table(TableName=TABLES[0])
    fresh = hosts()
    shutil.copytree(host.dir / "etc", fresh.dir / "etc")
    text = (fresh.dir / "etc/recoverd.yaml").read_text()
    for name, mine in host.names.items():
        text = text.replace(mine, name)
    (fresh.dir / "etc/recoverd.yaml").write_text(fresh.here(text))
    for start in ("2>>/var/log", "readyz", "export RECOVERD_URL"):
        fresh.run(the("sh", start))
    secret = json.loads(fresh.run(the("sh", "totp enrol")))["secret"]
    fresh.env["TREE"] = points[0]["location"]
    fresh.run(the("sh", "plan restore"))
    fresh.run(the("sh", "SalesTable-restored --otp"), stdin=totp(secret) + "\n")
    fresh.run(the("sh", "validate table"))
    assert items_of(dynamodb, "SalesTable-restored") == before

    ran = {block for one in (host, fresh) for block in one.ran}
    assert not [text for lang, text in BLOCKS if lang in ("sh", "cron") and text not in ran], "a command that no test runs"
    assert {lang for lang, _ in BLOCKS} == {"sh", "cron", "yaml"}
