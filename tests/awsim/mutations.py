"""Each truth of awsim, how to switch it off in a copy of the source, and the tests of which one then dies."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent

# name: (file, the text that makes it true, what stands there instead, the tests: a file of tests/, and pytest's -k)
TRUTHS = {
    "signature": ("guard.py", "not sigv4.fits(request, claim, key.secret)", "False", "signatures", "secret"),
    "chunks": (
        "sigv4.py",
        'if not hmac.compare_digest("chunk',
        'if False and ("chunk',
        "signatures",
        "chunks",
    ),
    "session token": ("guard.py", "claim.token != key.token", "False", "sts", "known_by"),
    "session's end": ("guard.py", "clock.now() >= key.expires", "False", "sts", "known_by"),
    "inactive key": ("iam/identity.py", 'key.status == "Active"', "True", "signatures", "inactive"),
    "date": (
        "guard.py",
        "if any(claim.at - limit <= at <= ends",
        "if True or any(claim.at - limit <= at <= ends",
        "signatures",
        "five_minutes",
    ),
    "presigned end": (
        "guard.py",
        "claim.lifetime is None else claim.lifetime",
        "True else 0",
        "signatures",
        "presigned",
    ),
    "region": ("guard.py", "claim.region not in regions()", "False", "signatures", "unknown_region"),
    "service": ("guard.py", "if claim.service != expected", "if False", "signatures", "unknown_region"),
    "host signed": ("guard.py", '"host" not in claim.names', "False", "signatures", "cover_the_host"),
    "amz headers signed": (
        "guard.py",
        "name not in claim.names for name",
        "False for name",
        "signatures",
        "every_amz",
    ),
    "body": (
        "sigv4.py",
        "return hashlib.sha256(request.body).hexdigest()",
        "return EMPTY",
        "signatures",
        "passes",
    ),
    "copy's source": ("s3/conditions.py", 'if not fits(given["CopySourceIfMatch"], version.etag)', "if False", "s3", "copy"),
    "missing token": ("guard.py", "claim.token is None", "False", "sts", "known_by"),
    "trust": ("iam/sts.py", "        judge(caller, need, now, identity.gate.enforced)\n", "", "sts", "whom_the_trust"),
    "root assumes nothing": ("iam/sts.py", 'if caller.kind == "root":\n        raise', "if False:\n        raise", "sts", "a_root"),
    "external id": ("iam/sts.py", 'if "ExternalId" in given:\n        found', "if False:\n        found", "sts", "external"),
    "code": ("iam/mfa.py", "        if not fresh:\n", "        if False:\n", "sts", "wants_a_code"),
    "code once": ("iam/mfa.py", "self.used.add((serial, fresh[0]))", "pass", "sts", "wants_a_code"),
    "code in a session": ("iam/sts.py", "mfa_at=code_at, ", "", "sts", "with_a_code"),
    "role's maximum": ("iam/sts.py", "if asked > int(role.max_session_duration or HOUR)", "if False", "sts", "bounds"),
    "chained hour": ("iam/sts.py", 'caller.kind == "role" and asked > HOUR', "False", "sts", "role_to_role"),
    "session policy": ("iam/sts.py", "_session_policies(given, account))\n    return", "())\n    return", "sts", "no_more_than"),
    "identity's jwks": ("iam/sts.py", 'if claims.get("aud") not in', 'if False and claims.get("aud") not in', "sts", "provider"),
    "account of a key": ("iam/identity.py", "root[1] or ROOT_ACCOUNT", "ROOT_ACCOUNT", "accounts", "tables"),
    "account at moto": ("app.py", '["x-moto-account-id"] = call.account', '["x-moto-account-id"] = "123456789012"', "accounts", "motos"),
    "bucket's region": ("app.py", "buckets.elsewhere(call, sent)", "None", "accounts", "elsewhere"),
    "global name": ("buckets.py", "GLOBAL_HOST.fullmatch(host)", "False", "accounts", "global"),
    "foreign bucket": ("iam/authorize.py", "foreign = bucket is not None and", "foreign = False and", "accounts", "strangers_bucket"),
    "foreign table": (
        "iam/authorize.py",
        'return call.service == "dynamodb" and',
        "return False and",
        "accounts",
        "strangers_table",
    ),
    "arn's region": ("ddb/store.py", "!= [call.region, call.account]", "== 0", "accounts", "arn_of_another"),
    "policies": (
        "iam/authorize.py",
        "            if self.enforced or need.owner",
        "            if need.owner",
        "policies",
        "what_and_on_what",
    ),
    "deny first": ("iam/policy.py", "return DENY if DENY in met else ALLOW", "return ALLOW if ALLOW in met else DENY", "policies", "deny"),
    "condition": ("iam/policy.py", 'and hold(statement.get("Condition"), context)', "", "policies", "conditions"),
    "action": ("iam/policy.py", "return bool(action) and resource", "return resource", "policies", "actions_and"),
    "boundary": ("iam/authorize.py", '("permissions boundary", callers.boundary(caller))', "", "policies", "boundary"),
    "missing key hidden": ("app.py", "self.identity.gate.hides(call, response) or response", "response", "policies", "not_list"),
    "version's action": ("iam/needs_s3.py", "action = VERSIONED.get(action, action)", "pass", "policies", "s3_call"),
    "tagging": ("iam/needs_s3.py", '    "x-amz-tagging": "PutObjectTagging",\n', "", "policies", "s3_call"),
    "object's key": ("iam/needs_s3.py", 'return [(name, "GenerateDataKey")] if', "return [] if", "policies", "object_under"),
    "table's key": ("iam/needs_dynamodb.py", "keys = {spec[", "keys = {} and {spec[", "policies", "table_under"),
    "key's policy": ("iam/needs_dynamodb.py", "delegates=found is None", "delegates=True", "policies", "closed"),
    "service's role": ("iam/needs.py", "once=lambda: _make_role(backend, service, name)", "once=None", "policies", "role_once"),
    "clock": ("state.py", "return time.time() + self.ahead", "return time.time()", "control", "clock"),
    "read rate": ("ddb/items.py", 'or not table.meter.has("read")', "", "rates", "reads"),
    "write rate": ("ddb/items.py", 'or not table.meter.has("write")', "", "rates", "batch"),
    "refusal by rate": ("ddb/rates.py", "if self.has(kind):\n", "if True:\n", "rates", "beyond"),
    "overlap": ("ddb/scan.py", "if call.overlaps", "if False", "rates", "overlap"),
    "lie": ("app.py", "if not call.lies", "if True", "rates", "lie"),
    "journal": (
        "ddb/store.py",
        "self.journal.add(self.clock.now(), place, old)",
        "pass",
        "pitr",
        "that_second",
    ),
    "window's start": (
        "ddb/pitr.py",
        "earliest = max(since, now - days * DAY)",
        "earliest = since",
        "pitr",
        "window",
    ),
    "window's lag": ("ddb/pitr.py", 'now - store.settings.seconds("pitr_lag")', "now", "pitr", "window"),
    "window's edges": (
        "ddb/pitr.py",
        "if not round(earliest, 3) <= asked <= round(latest, 3)",
        "if False",
        "pitr",
        "outside",
    ),
    "window cut": (
        "ddb/pitr.py",
        "since = max(open_window[0], now - days * DAY) if open_window else now",
        'since = table.settings["pitr"][0] if open_window else now',
        "pitr",
        "shorter",
    ),
    "window anew": (
        "ddb/pitr.py",
        'table.settings.pop("pitr", None)\n        table.journal = None',
        "pass",
        "pitr",
        "anew",
    ),
    "tags lost": (
        "ddb/restores.py",
        "table.restored, table.clock = summary, store.clock",
        'table.restored, table.clock, table.tags = summary, store.clock, {"a": "b"}',
        "pitr",
        "takes",
    ),
    "restore takes time": (
        "ddb/restores.py",
        'store.settings.seconds("restore_delay")',
        "0",
        "pitr",
        "takes",
    ),
    "fifty restores": ("ddb/restores.py", "if len(running) >= CONCURRENT", "if False", "pitr", "fifty"),
    "index override": (
        "ddb/restores.py",
        "if spec is None or any(",
        "if False and any(",
        "pitr",
        "overrides",
    ),
    "warm throughput": ("ddb/restores.py", 'if "WarmThroughput" in given', "if False", "pitr", "overrides"),
    "system backup": ("ddb/tables.py", "store.leave_backup(store, call, table)", "pass", "pitr", "system"),
    "system backup's end": (
        "ddb/backups.py",
        "if one.expires and now >= one.expires",
        "if False",
        "pitr",
        "system",
    ),
    "backup's content": (
        "ddb/restores.py",
        "SortedDict(table.items) if items is None",
        "table.items if items is None",
        "backups",
        "held",
    ),
    "backup takes time": (
        "ddb/backups.py",
        "if store.clock.now() < backup.ready",
        "if False",
        "backups",
        "creating",
    ),
    "backup in use": (
        "ddb/backups.py",
        "any(now < table.born for table in backup.restores)",
        "False",
        "backups",
        "creating",
    ),
    "backup's range": (
        "ddb/backups.py",
        "low <= round(backup.created, 3) < high",
        "True",
        "backups",
        "lists",
    ),
    "export takes time": ("ddb/exports.py", "and now >= export.ends", "", "exports", "under_way"),
    "export's time": (
        "ddb/exports.py",
        "table.journal.items_at(table.items, at)",
        "table.items",
        "exports",
        "asked",
    ),
    "export's end is open": (
        "ddb/export_files.py",
        "if start <= at < end",
        "if start <= at",
        "exports",
        "incremental",
    ),
    "no line for nothing": (
        "ddb/export_files.py",
        "if not old and not new",
        "if False",
        "exports",
        "incremental",
    ),
    "export's token": ("ddb/exports.py", "if export.request != request", "if False", "exports", "token"),
    "token's end": ("ddb/exports.py", "now < export.started + TOKEN_LIFE", "True", "exports", "token"),
    "export's bucket": (
        "ddb/export_files.py",
        '"FAILED" if export.failure else',
        '"FAILED" if False else',
        "exports",
        "fails",
    ),
    "wrong JSON": ("wellformed.py", "found[1] != version", "False", "wellformed", "wire and PutParameter"),
    "wrong form": ("shapes.py", "sorted(tree) != sorted(", "False and sorted(", "wellformed", "wire and PutMetricAlarm"),
    "wrong CBOR": ("wellformed.py", 'request.headers.get("smithy-protocol")', '"rpc-v2-cbor"', "wellformed", "cbor"),
    "wrong address": ("wellformed.py", "if name in known:", "if True:", "wellformed", "wire"),
    "wrong XML": ("wellformed.py", "if own and space", "if False and space", "wellformed", "wire and rest-xml"),
    "wrong member": ("shapes.py", "if wire not in names:", "if False:", "wellformed", "wire"),
    "wrong enum": ("shapes.py", "if allowed and text not in allowed", "if False", "wellformed", "wrong_member"),
    "wrong type": ("shapes.py", "if not good:", "if False:", "wellformed", "wrong_member"),
    "required member": ("shapes.py", "not in given and not self.vanishes(one)", "in ()", "wellformed", "wrong_member"),
    "size": ("shapes.py", "if low is not None and size < low or", "if False or False and", "wellformed", "wrong_member"),
    "wrong outlives": ("state.py", "self.wrong.append(self.rows[-1])", "pass", "wellformed", "ledger"),
    "refused is looked at": ("app.py", "dynamodb.look(call, request.body)", "pass", "wellformed", "refused"),
}


def _dies(name):
    """Whether a test fails once this truth is off."""
    file, true, false, suite, some = TRUTHS[name]
    with tempfile.TemporaryDirectory() as scratch:
        for part in ("sim", "tests"):
            shutil.copytree(HERE / part, Path(scratch) / part)
        source = Path(scratch) / "sim" / file
        text = source.read_text()
        if true not in text:
            sys.exit(f"{name}: sim/{file} does not hold {true!r}")
        source.write_text(text.replace(true, false))
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-k", some]
        ended = subprocess.run(
            [*command, f"{scratch}/tests/test_{suite}.py"],
            capture_output=True,
            env={**os.environ},
            cwd=scratch,
        )
    return ended.returncode == 1


def main():
    names = sys.argv[1:] or list(TRUTHS)
    alive = []
    for name in names:
        dies = _dies(name)
        print(f"{'dies ' if dies else 'LIVES'}  {name}", flush=True)
        alive += [] if dies else [name]
    print(f"{len(names) - len(alive)} of {len(names)} truths are held by a test")
    sys.exit(1 if alive else 0)


if __name__ == "__main__":
    main()
