"""The truths of AWS Backup, for mutations.py: (file, what makes it true, what stands there instead, tests, pytest's -k)."""


def _of(file, true, false, suite, some):
    return f"backup/{file}.py", true, false, f"backup_{suite}", some


TRUTHS = {
    "AWS Backup's job takes time": _of(
        "jobs", "store.plan(at + delay, _run, job)", "_run(store, at, job)", "jobs", "moves_through"
    ),
    "its content": _of(
        "contents", "snapshot = Snapshot(table)\n", "snapshot = Snapshot(table, table.items)\n", "jobs", "as_of"
    ),
    "its content in any history": _of(
        "contents", "snapshot = Snapshot(table)\n", "snapshot = Snapshot(table, table.items)\n", "histories", "was"
    ),
    "its ARN": _of("contents", 'if place.managed["DynamoDB"]:\n', "if True:\n", "jobs", "who_keeps"),
    "its token": _of("store", 'if job.request.get("IdempotencyToken") == token', "if False", "jobs", "token_stands"),
    "a token's request": _of("store", "if job.request != request", "if False", "jobs", "token_stands"),
    "start window": _of(
        "jobs", "store.plan(job.start_by, _expire", "store.plan(job.start_by + 9e9, _expire", "jobs", "start_window"
    ),
    "completion window": _of(
        "jobs", "store.plan(job.complete_by, _expire", "store.plan(9e9, _expire", "jobs", "completion_window"
    ),
    "a stopped job": _of("jobs", 'job.state = "ABORTING"', "pass", "jobs", "stopped"),
    "an ended job leaves nothing": _of(
        "jobs", "points.discard(store, job.place, job.point)", "pass", "jobs", "stopped"
    ),
    "a busy table waits": _of("contents", 'if table.status(at) != "ACTIVE"', "if False", "jobs", "updating"),
    "one job at a time": _of(
        "jobs", 'one.state == "RUNNING" for one in others', "False for one in others", "jobs", "at_once"
    ),
    "made by the role": _of("store", "session or SERVICE", "SERVICE", "jobs", "ledger"),
    "role's trust": _of("roles", "if not _assumable(call.account, arn)", "if False", "jobs", "refuses"),
    "role's trust later": _of(
        "roles", "if not _assumable(place.account, arn)", "if False", "jobs", "deleted_meanwhile"
    ),
    "role's account": _of("roles", "if parts[4] != call.account", "if False", "jobs", "refuses"),
    "role's policy": _of("roles", "if not store.app.identity.gate.enforced", "if True", "copies", "policies_count"),
    "a resource that is there": _of("jobs", "if not contents.exists(store, place, arn)", "if False", "jobs", "refuses"),
    "90 days of cold": _of("lifecycle", "gone < cold + COLD_DAYS", "False", "jobs", "refuses"),
    "jobs of 30 days": _of("jobs", "job.created >= store.now - LISTED", "True", "jobs", "by_filter"),
    "pages": _of("store", "found[start : start + limit]", "found[start:]", "jobs", "by_filter"),
    "job_partial": _of("contents", "parts[: len(parts) // 2]", "parts", "jobs", "fault_script"),
    "job_hollow": _of(
        "contents", 'self._part(lambda parts: ()) if kind == "job_hollow" else self', "self", "jobs", "hollow"
    ),
    "a lying StartBackupJob": _of(
        "store", "copy.deepcopy((self.places, self.agenda))", "self.places, self.agenda", "jobs", "general"
    ),
    "its models": _of("api", '_constrain("", members, shape)', "pass", "jobs", "models_words"),
    "a vault with points stays": _of("vaults", "if vault.points:", "if False:", "vaults", "not_empty"),
    "a vault's region": _of(
        "store",
        "return self.place(call.account, call.region)",
        'return self.place(call.account, "")',
        "vaults",
        "account_and_region",
    ),
    "lock": _of("points", "if vault.lock is not None", "if False", "vaults", "locked_vault"),
    "lock for good": _of("vaults", "if vault.immutable(store.now)", "if False", "vaults", "locked_vault"),
    "lock's grace": _of("vaults", "and now >= self.lock_date", "", "vaults", "locked_vault"),
    "lock's range": _of("jobs", "if not vault.allows(", "if False and vault.allows(", "vaults", "range"),
    "vault's policy": _of("policies", "== DENY\n", "== 0\n", "vaults", "denials"),
    "opted out": _of("jobs", "if not place.opt_in.get(kind)", "if False", "vaults", "region_settings"),
    "schedule": _of("schedules", "store.plan(following, _run", "store.plan(9e9, _run", "plans", "at_its_times"),
    "time zone": _of("cron", "self.zone = ZoneInfo(zone)", 'self.zone = ZoneInfo("Etc/UTC")', "plans", "schedules_are"),
    "the hour left out": _of("cron", ".hour == hour", ".hour >= 0", "plans", "schedules_are"),
    "hourly at most": _of("documents", "at - before < HOUR", "False", "plans", "no_schedule"),
    "latest version": _of("documents", "return self.versions[-1]", "return self.versions[0]", "plans", "versions"),
    "plan with selections": _of("plans", "if plan.selections", "if False", "plans", "goes_when"),
    "selection's patterns": _of("selections", "and not _any(arn, unwanted)", "", "plans", "takes_in"),
    "selection's tags": _of("selections", "if listed and not any(", "if listed and any(", "plans", "takes_in"),
    "opt-in": _of("selections", "(explicit or place.opt_in.get(kind, False))", "True", "plans", "opted_in"),
    "rule's copies": _of("jobs", "copies.scheduled(store, at, job, action)", "pass", "plans", "copies"),
    "faults of planned jobs": _of(
        "jobs", "job.outcome = store.app.faults.outcome(", "_ = store.app.faults.outcome(", "plans", "fault_script"
    ),
    "lifecycle's end": _of("points", 'at >= ages["DeleteAt"]', "False", "points", "days_are_over"),
    "cold": _of("points", "self.managed and self.content.kind", "self.content.kind", "points", "cold"),
    "DELETING": _of("points", 'point.status = "DELETING"', "pass", "points", "deleted_point"),
    "tags copied": _of("jobs", "{**content.tags, **", "{**", "points", "tags"),
    "tags restored": _of("targets", "dict(tags)", "{}", "points", "tags"),
    "restore by AWS Backup takes time": _of(
        "restores", "store.plan(at + delay, _complete, job)", "_complete(store, at, job)", "restores", "real_table"
    ),
    "metadata's keys": _of("targets", "if unknown := sorted(", "if unknown := [] and sorted(", "restores", "cannot_be"),
    "metadata's target": _of("targets", "if not found.get(REQUIRED[kind])", "if False", "restores", "cannot_be"),
    "a disabled key": _of("targets", "if key and keys.trouble_with(", "if False and (", "restores", "encrypts"),
    "a point in use": _of("points", "if point.users:", "if False:", "restores", "in_use"),
    "nothing overwritten": _of("targets", "and not bucket.has(one.key)", "", "files", "overwrites"),
    "what cannot be read": _of("buckets", "            return None\n        shown", "            pass\n        shown", "files", "archived"),
    "versions wanted": _of("contents", "if not bucket.versioned()", "if False", "files", "without_versions"),
    "vault lets in": _of(
        "copies", "if not policies.lets_in(", "if False and policies.lets_in(", "copies", "takes_copies"
    ),
    "default key": _of("copies", "if not vault.own_key or", "if False and", "copies", "takes_copies"),
    "its resources": (
        "iam/needs_backup.py",
        "resource = form.format(**place, **given)",
        "pass",
        "backup_copies",
        "policies_name",
    ),
    "a selection's role": (
        "iam/needs_backup.py",
        ' or given.get("BackupSelection", {}).get("IamRoleArn")',
        "",
        "backup_copies",
        "policies_name",
    ),
    "a stack that is refused": _of(
        "stacks", "except BackupError as fault", "except ZeroDivisionError as fault", "stacks", "no_success"
    ),
    "a template's numbers": _of("stacks", "typed(shape, members))", "members)", "stacks", "runs"),
    "old backups are not copied": _of("copies", "if not job.source.managed", "if False", "copies", "or_fail"),
}

# What DynamoDB's transactions, names and expressions hold to.
TRUTHS |= {
    "transaction's capacity": ("ddb/transactions.py", "factor=2", "factor=1", "transactions", "consumes"),
    "transaction's token": (
        "ddb/transactions.py",
        "if _replayed(store, call, request)",
        "if False",
        "transactions",
        "token",
    ),
    "its token's request": (
        "ddb/transactions.py",
        'if done[1] != request["TransactItems"]',
        "if False",
        "transactions",
        "token",
    ),
    "its token's life": ("ddb/transactions.py", "or now >= done[0] + TOKEN_LIFE", "", "transactions", "token"),
    "4 MB of a transaction": ("ddb/transactions.py", "if size > MAX_BYTES", "if False", "transactions", "limits"),
    "a cancelled transaction": (
        "ddb/transactions.py",
        'reason["Code"] != "None" for reason',
        "False for reason",
        "transactions",
        "cancelled",
    ),
    "names of some length": (
        "ddb/values.py",
        "if not 0 < width <= MAX_NAME_BYTES",
        "if False",
        "transactions",
        "some_length",
    ),
    "empty expressions": ("ddb/expressions.py", "not request[name].strip()", "False", "transactions", "does_not_take"),
    "paths that overlap": ("ddb/expressions.py", "    _check_overlap(paths)\n", "", "transactions", "does_not_take"),
    "paths into nothing": (
        "ddb/expressions.py",
        '"type", "M") != wanted',
        '"type", "M") == 0',
        "transactions",
        "does_not_take",
    ),
    "a stack's table": (
        "ddb/stacks.py",
        'return "AWS::DynamoDB::Table"',
        'return "AWS::DynamoDB::Tables"',
        "table_stacks",
        "dynamodbs",
    ),
    "a stack's table that is refused": (
        "ddb/stacks.py",
        "except DdbError as",
        "except ZeroDivisionError as",
        "table_stacks",
        "no_success",
    ),
    "a stack's update that is refused": (
        "ddb/stacks.py",
        "            original_resource.properties = before\n",
        "",
        "table_stacks",
        "update_that",
    ),
    "filters without keys": (
        "ddb/scan.py",
        "if keys := expression_names(",
        "if keys := set() and expression_names(",
        "transactions",
        "does_not_take",
    ),
}
