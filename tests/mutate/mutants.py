"""One-line breaks of what must never break, each with the unit tests of which one must die. A row is (name, file, text,
instead, tests): the text stands in the file exactly once."""

JWS, VERIFIER, CHAIN = "auth/test_jws", "auth/test_verifier", "audit/test_chain"
PRINCIPAL, WHO_MAY, RULES = "base/test_principal", "handlers/test_who_may", "handlers/test_rules"
ENGINE, RECOVERY, PARTS, JOBS, ROWS = "engine/test_engine", "engine/test_recovery", "store/test_parts", "store/test_jobs", "store/test_rows"
PLAN, SCAN = "engine/test_plan_hash", "jobs/test_backup_scan"

MUTANTS = [
    # the verifier
    ("key-any-alg", "auth/jws.c", "!(key->algs & JWS_BIT(jws->alg))", "false", [JWS, VERIFIER]),
    ("hmac-length-only", "auth/jws.c", "len == jws->signature.len && CRYPTO_memcmp(mac, jws->signature.data, len) == 0",
     "len == jws->signature.len", [JWS, VERIFIER]),
    ("hmac-short-secret", "auth/jws.c", "key->secret_len < HMAC_SECRET_MIN", "false", [JWS]),
    ("pss-any-salt", "auth/jws.c", "RSA_PSS_SALTLEN_DIGEST) > 0", "RSA_PSS_SALTLEN_AUTO) > 0", [JWS]),
    ("crit-ignored", "auth/jws.c", '{"crit", "b64"', '{"b64"', [JWS]),
    ("claims-twice", "auth/jws.c", ".max_depth = CLAIM_DEPTH, .allow_duplicates = false", ".max_depth = CLAIM_DEPTH, .allow_duplicates = true",
     [JWS]),
    ("iss-prefix", "auth/verifier.c", "if (bytes_is(name, issuer->config.issuer))", "if (str_starts(issuer->config.issuer, name.data))",
     [VERIFIER]),
    ("typ-any", "auth/verifier.c", "!claims_type_listed(jws->typ, &issuer->config.types)", "false", [VERIFIER]),
    ("no-signature", "auth/verifier.c", "if (jws_verify(jws, key))", "if (key)", [VERIFIER]),
    # the role and environment checks
    ("role-any", "base/principal.c", "grant_reaches(grant, environment) && (role_row(grant->role)->contains & BIT(role))",
     "grant_reaches(grant, environment)", [PRINCIPAL, WHO_MAY]),
    ("environment-any", "base/principal.c", "grant_reaches(grant, environment) && (role_row(grant->role)->contains & BIT(role))",
     "(role_row(grant->role)->contains & BIT(role))", [PRINCIPAL, WHO_MAY]),
    ("environment-seen", "handlers/request.c", "!environment || !principal_sees(req->principal, name)", "!environment", [WHO_MAY]),
    ("environment-role", "handlers/request.c", "request_role(req, role, environment->name, err) < 0", "false", [WHO_MAY, RULES]),
    ("mfa-old", "base/principal.c", "age_ms - JWT_SKEW_MS <= principal->mfa_max_age_ms", "true", [PRINCIPAL, VERIFIER]),
    # the gate
    ("gate-line-ends", "http/gate.c", "at[-1] == '\\0' && at[-2] == '\\0'", "true", ["http/test_gate_bytes"]),
    ("gate-chunked", "http/gate.c", 'if (find(head, "Transfer-Encoding", 0))', "if (false)", ["http/test_gate_bytes"]),
    ("gate-two-lengths", "http/gate.c", "if (find(head, single[i], 1))", "if (false)", ["http/test_gate_bytes"]),
    # the plan hash
    ("plan-spec-unhashed", "engine/plan.c", "    digest_part(md, row->spec);\n", "", [PLAN]),
    ("plan-identities-unhashed", "engine/plan.c", "    digest_part(md, row->identities);\n", "", [PLAN]),
    ("plan-requester-unhashed", "engine/plan.c", "    digest_part(md, bytes_of(row->requester));\n", "", [PLAN]),
    ("plan-of-others", "engine/submit.c", "strcmp(row->requester, submit->principal->identity) != 0", "false", [ENGINE, RULES]),
    ("plan-other-spec", "engine/submit.c", "!bytes_is(row->spec, spec)", "false", [ENGINE, RULES]),
    ("plan-twice", "store/plans.c", "WHERE hash = ?1 AND spent_by IS NULL\"", "WHERE hash = ?1\"", [ROWS]),
    ("plan-never-stale", "engine/submit.c", "return plan_compare(lookup.row, &planning, submit->arena, &submit->changes, err);",
     "return 0;", [ENGINE]),
    ("replan-skipped", "engine/replan.c", "compare(work, l.row, err) < 0", "false", ["engine/test_replan"]),
    # the audit chain
    ("audit-link", "audit/chain.c", "if (memcmp(row->prev_hash, check->last_hash, AUDIT_HASH_SIZE) != 0)", "if (false)", [CHAIN]),
    ("audit-hash", "audit/chain.c", "return memcmp(row->hash, hash, AUDIT_HASH_SIZE) != 0 ?", "return false ?", [CHAIN]),
    ("audit-gap", "audit/chain.c", "if (row->seq != check->next_seq)", "if (row->seq < check->next_seq)", [CHAIN]),
    ("audit-head", "audit/chain.c", "(check->next_seq != seq + 1 || ", "(false || ", [CHAIN]),
    ("audit-unlinked", "audit/log.c", "    memcpy(row->prev_hash, head.hash.bytes, AUDIT_HASH_SIZE);\n", "", [ENGINE, RULES]),
    # fencing
    ("fence-epoch", "store/leases.c", "lease_owner = ?2 AND lease_epoch = ?3 AND state", "lease_owner = ?2 AND state", [PARTS]),
    ("fence-owner", "store/leases.c", "key = ?1 AND lease_owner = ?2 AND", "key = ?1 AND", [PARTS]),
    ("claim-same-epoch", "store/claim.c", "lease_epoch = lease_epoch + \"\n        \"1 \"", "lease_epoch = lease_epoch \"", [PARTS]),
    ("advance-unfenced", "store/leases.c", "return tx->store->ops->changes(tx) == 0 ? lost(err) : 0;", "return 0;", [PARTS]),
    # the manifest check
    ("manifest-sum", "jobs/manifest.c", "if (!fingerprint_equal(&fingerprint, &sums->fingerprint))", "if (false)", ["jobs/test_manifest"]),
    ("manifest-bytes", "jobs/manifest.c", "manifest->bytes != sums->bytes ||", "", ["jobs/test_manifest"]),
    ("manifest-path", "jobs/manifest.c", "if (!path_fits(file->path, table, &file->data))",
     "if (!path_fits(file->path, table, &file->data) && !file->data)", ["jobs/test_manifest"]),
    ("manifest-order", "jobs/manifest.c", "manifest->files[i].path) >= 0)", "manifest->files[i].path) > 0)", ["jobs/test_manifest"]),
    # the fingerprint
    ("sum-carry", "item/fingerprint.c", "        carry = overflow;\n", "        carry = overflow & 0;\n", ["item/test_vectors"]),
    ("sum-count", "item/fingerprint.c", "fingerprint->count += other->count;", "", ["item/test_vectors"]),
    ("sum-equal", "item/fingerprint.c", "a->count == b->count && ", "", ["item/test_vectors"]),
    ("names-unsorted", "item/canonical.c", "    order_sort(c->out, entries, c->scratch->spare.data, count);\n", "", ["item/test_vectors"]),
    ("name-twice", "item/canonical.c", "if (order_compare(c->out, &entries[i - 1], &entries[i]) == 0)", "if (false)", ["item/test_vectors"]),
    # the unit of resume
    ("cursor-without-file", "engine/work.c", "if (adv->file && tx_data_file_insert(", "if (false && tx_data_file_insert(", [SCAN]),
    ("cursor-not-kept", "store/leases.c", "SET cursor = ?4, items", "SET cursor = coalesce(cursor, ?4), items", [PARTS]),
    ("cursor-behind-nothing", "jobs/backup_table_scan.c", "data_writer_number(s->writer), s->at_end", "data_writer_number(s->writer), 0", [SCAN]),
    ("cursor-unread", "jobs/backup_table_scan.c", "    buffer_add(&s->start_key, feed + 1, cursor.len - head - 1);\n", "", [SCAN]),
    ("cursor-file-again", "jobs/backup_table_scan.c", "    options.root = s->root;\n", "    options.root = s->root;\n    options.number = 0;\n", [SCAN]),
    ("page-again", "jobs/backup_table_scan.c", "    buffer_add_bytes(&s->start_key, key);\n", "", [SCAN]),
    # idempotency
    ("key-other-body", "engine/submit.c", "if (memcmp(&row->body, &submit->body_sha256, sizeof(row->body)) != 0)", "if (false)", [ENGINE, RULES]),
    ("key-forgotten", "engine/submit.c", "return memcmp(&submit->idempotency_scope, &none, sizeof(none)) != 0;", "return false;", [ENGINE]),
    ("key-of-others", "handlers/request.c", "req->principal->issuer, req->principal->subject, req->route->method,",
     "req->principal->issuer, req->principal->issuer, req->route->method,", ["handlers/test_jobs", RULES, WHO_MAY]),
    # one-time codes
    ("code-replayed", "auth/totp.c", "(step > last_step)", "(step >= last_step)", ["auth/test_totp"]),
    ("code-not-spent", "engine/mfa.c", "    row->last_step = totp_step;\n", "", [ENGINE, "handlers/test_totp"]),
    ("code-no-lock", "auth/totp.c", "if (++state->failures < TOTP_TRIES)", "if (++state->failures > 0)", ["auth/test_totp"]),
    # reads
    ("view-stale", "store/sqlite/writer.c", "    atomic_fetch_add(&store->commits, 1);\n", "", ["store/test_threads"]),
    ("view-held", "store/sqlite/writer.c", "    readers_let_go(store);\n", "", ["store/test_threads"]),
]
