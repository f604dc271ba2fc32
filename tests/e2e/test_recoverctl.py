"""recoverctl as an operator uses it, on a site without an identity provider: local tokens, one-time codes, exit codes."""
import json
import os
import re
import subprocess

import pytest

from world import RECOVERCTL, free_port, make_table, plain_items, put_items, totp

LOCAL = """\
    - issuer: recoverd-local
      audiences: [recoverd]
      algorithms: [HS256]
      secret_file: issuer.secret
      roles_claim: roles
"""


class Site:
    """A server whose tokens are minted on it, and recoverctl pointed at it."""

    def __init__(self, server):
        self.server = server
        text = self.server.config.read_text()
        begin, end = text.index("    - issuer:"), text.index("environments:")
        self.server.config.write_text(text[:begin] + LOCAL + text[end:])
        self.server.start()
        self.env = {**os.environ, "RECOVERD_URL": f"http://127.0.0.1:{self.server.port}", "RECOVERD_ENVIRONMENT": "production",
                    "RECOVERD_TOKEN_FILE": str(self.server.dir / "token"), "HOME": str(self.server.dir), "NO_COLOR": "1"}
        self.mint("BackupAdministrator@production")

    def mint(self, *roles):
        flags = [word for role in roles for word in ("--role", role)]
        minted = self.ctl("token", "mint", "--config", self.server.config, "--subject", "ann", *flags)
        (self.server.dir / "token").write_text(minted.stdout)

    def ctl(self, *words, code=0, typed=""):
        done = subprocess.run([RECOVERCTL, *map(str, words)], env=self.env, capture_output=True, text=True, timeout=120,
                              input=typed, check=False)
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done


@pytest.fixture
def site(aws, new_server):
    return Site(new_server(aws.url))


def test_a_site_without_an_identity_provider_restores_with_a_one_time_code(aws, site):
    dynamodb = aws.client("dynamodb")
    make_table(dynamodb, "Sales")
    put_items(dynamodb, "Sales", plain_items(200))
    job = json.loads(site.ctl("-o", "json", "backup", "table", "Sales").stdout)
    assert job["state"] == "succeeded" and job["result"]["items"] == 200

    refused = site.ctl("restore", "table", "latest:Sales", "--target-table", "Restored", code=9)
    assert "MFA_REQUIRED" in refused.stderr or "second factor" in refused.stderr
    enrolled = site.ctl("totp", "enrol", "--config", site.server.config)
    secret = re.search(r"\b[A-Z2-7]{32}\b", enrolled.stdout).group(0)
    site.ctl("restore", "table", "latest:Sales", "--target-table", "Restored", "--otp", typed="000000\n", code=9)
    code = totp(secret)
    site.ctl("restore", "table", "latest:Sales", "--target-table", "Restored", "--otp", typed=code + "\n")
    again = site.ctl("restore", "table", "latest:Sales", "--target-table", "Restored2", "--otp", typed=code + "\n", code=9)
    assert "OTP_INVALID" in again.stderr or "one-time code" in again.stderr, "a code counts once"
    assert len([row for row in aws.effects("CreateTable") if "Restored" in row["resource"]]) == 1


def test_exit_codes_tell_what_happened(aws, site):
    make_table(aws.client("dynamodb"), "Sales")
    assert "hint" in site.ctl("backup", "table", "Sa", code=2).stderr
    site.ctl("job", "01900000-0000-7000-8000-000000000000", code=4)
    site.ctl("backup", "table", "Missing-table", code=1)
    site.ctl("audit", code=3)
    site.mint("viewer@production")
    site.ctl("backup", "table", "Sales", code=3)
    site.env["RECOVERD_URL"] = f"http://127.0.0.1:{free_port()}"
    site.ctl("jobs", code=6)


def test_the_trail_is_verified_offline_and_a_changed_row_is_found(aws, site):
    make_table(aws.client("dynamodb"), "Sales")
    site.mint("BackupAdministrator@production", "auditor@*")
    site.ctl("backup", "table", "Sales")
    site.ctl("backup", "table", "Sales")
    lines = site.ctl("audit", "--ndjson", "--all").stdout
    saved = site.server.dir / "trail.ndjson"
    saved.write_text(lines)
    site.ctl("audit", "verify", saved)
    assert '"job.accepted"' in lines
    saved.write_text(lines.replace('"job.accepted"', '"job.finished"', 1))
    site.ctl("audit", "verify", saved, code=1)
    rows = lines.splitlines()
    saved.write_text("\n".join(rows[:1] + rows[2:]) + "\n")
    site.ctl("audit", "verify", saved, code=1)


def test_every_item_leaves_only_through_a_file_by_data_reader(aws, site):
    dynamodb = aws.client("dynamodb")
    make_table(dynamodb, "Sales")
    put_items(dynamodb, "Sales", [{"pk": {"S": "canary-7f3a"}, "sk": {"S": "x"}, "secret": {"S": "canary-91bc"}}])
    site.ctl("backup", "table", "Sales")
    point = json.loads(site.ctl("-o", "json", "points").stdout)["items"][0]["id"]
    path = [f["path"] for f in json.loads(site.ctl("-o", "json", "get", point, "manifest.json").stdout)["files"] if "/data/" in f["path"]][0]
    site.ctl("get", point, path, code=3)
    site.mint("data_reader@production", "viewer@production")
    site.ctl("get", point, path, "-O", site.server.dir / "data.json.gz")
    assert b"canary-91bc" in subprocess.run(["zcat", site.server.dir / "data.json.gz"], capture_output=True, check=True).stdout
    log = (site.server.dir / "log").read_bytes()
    assert b"canary" not in log
    store = b"".join(file.read_bytes() for file in (site.server.dir / "data").glob("recoverd.db*"))
    assert point.encode() in store and b"canary" not in store
