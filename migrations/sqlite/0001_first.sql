-- The first schema. Times are milliseconds of the wall clock, 0 when not yet; part.not_before and part.lease_until are
-- of the boot clock. Ids are 16 bytes, hashes 32. JSON texts are BLOBs, so that their bytes come back as they were.

CREATE TABLE process (
    key INTEGER PRIMARY KEY,
    node TEXT NOT NULL,
    started_at INTEGER NOT NULL
) STRICT;

CREATE TABLE setting (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Narrow on purpose: lists walk it. What is long stands in document, what changes often in job_progress.
CREATE TABLE job (
    key INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    origin_id BLOB NOT NULL CHECK (length(origin_id) = 16),
    parent_id BLOB,
    retry_of BLOB,
    root_key INTEGER NOT NULL,
    kind TEXT NOT NULL,
    spec_version INTEGER NOT NULL,
    environment TEXT,
    resource TEXT,
    state TEXT NOT NULL CHECK (state IN
        ('awaiting_approval', 'queued', 'running', 'succeeded', 'partial', 'failed', 'cancelled')),
    priority INTEGER NOT NULL,
    running_parts INTEGER NOT NULL DEFAULT 0 CHECK (running_parts >= 0),
    created_by TEXT,
    created_issuer TEXT,
    created_subject TEXT,
    created_from TEXT,
    plan_hash BLOB,
    note TEXT,
    created_at INTEGER NOT NULL,
    started_at INTEGER NOT NULL DEFAULT 0,
    finished_at INTEGER NOT NULL DEFAULT 0,
    cancel_requested_at INTEGER NOT NULL DEFAULT 0,
    attempt INTEGER NOT NULL DEFAULT 0,
    version INTEGER NOT NULL,
    waiting_reason TEXT,
    waiting_until INTEGER NOT NULL DEFAULT 0,
    partial INTEGER NOT NULL DEFAULT 0,
    error_code TEXT,
    event_seq INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX job_environment ON job (environment);
CREATE INDEX job_kind ON job (kind);
CREATE INDEX job_state ON job (state);
CREATE INDEX job_resource ON job (resource);
CREATE INDEX job_created ON job (created_at);
CREATE INDEX job_origin ON job (origin_id);
CREATE INDEX job_parent ON job (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX job_retry ON job (retry_of) WHERE retry_of IS NOT NULL;
-- state stands first in these so that SQLite prefers them, and their order, to job_state
CREATE INDEX job_startable ON job (state, priority DESC, key) WHERE state = 'queued' AND parent_id IS NULL;
CREATE INDEX job_running ON job (state, priority DESC, running_parts, key) WHERE state = 'running';
CREATE INDEX job_live ON job (state, kind, environment, started_at, created_at)
    WHERE state IN ('awaiting_approval', 'queued', 'running');
CREATE INDEX job_history ON job (kind, environment, resource) WHERE state = 'succeeded';

CREATE TABLE job_progress (
    job_key INTEGER PRIMARY KEY REFERENCES job (key),
    phase TEXT,
    unit TEXT,
    done INTEGER NOT NULL,
    total INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    items_per_second REAL NOT NULL,
    bytes_per_second REAL NOT NULL,
    eta_seconds INTEGER NOT NULL,
    eta_is_guess INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE document (
    key INTEGER PRIMARY KEY,
    job_key INTEGER NOT NULL REFERENCES job (key),
    name TEXT NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (job_key, name)
) STRICT;

CREATE TABLE event (
    job_key INTEGER NOT NULL REFERENCES job (key),
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    type TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (job_key, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE step (
    key INTEGER PRIMARY KEY,
    job_key INTEGER NOT NULL REFERENCES job (key),
    seq INTEGER NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed', 'cancelled', 'skipped')),
    attempts INTEGER NOT NULL DEFAULT 0,
    open_parts INTEGER NOT NULL DEFAULT 0 CHECK (open_parts >= 0),
    started_at INTEGER NOT NULL DEFAULT 0,
    finished_at INTEGER NOT NULL DEFAULT 0,
    detail TEXT,
    errors BLOB,
    error_code TEXT,
    UNIQUE (job_key, seq)
) STRICT;

CREATE TABLE part (
    key INTEGER PRIMARY KEY,
    job_key INTEGER NOT NULL, -- its step's
    step_key INTEGER NOT NULL REFERENCES step (key),
    seq INTEGER NOT NULL,
    name TEXT NOT NULL,
    spec BLOB,
    cursor BLOB,
    cursor_version INTEGER NOT NULL DEFAULT 1,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'ready', 'running', 'done', 'failed', 'cancelled')),
    lease_owner INTEGER NOT NULL DEFAULT 0,
    lease_until INTEGER NOT NULL DEFAULT 0,
    lease_epoch INTEGER NOT NULL DEFAULT 0,
    not_before INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    crashes INTEGER NOT NULL DEFAULT 0,
    items INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0,
    files INTEGER NOT NULL DEFAULT 0,
    UNIQUE (step_key, seq)
) STRICT;
-- Three ways to a ready part: has this job one that is due, which is its first, when is the next of any.
CREATE INDEX part_due ON part (job_key, not_before) WHERE state = 'ready';
CREATE INDEX part_first ON part (job_key, key, not_before) WHERE state = 'ready';
CREATE INDEX part_next ON part (not_before) WHERE state = 'ready';
CREATE INDEX part_running ON part (key) WHERE state = 'running';
CREATE INDEX part_stale ON part (key) WHERE state = 'waiting' AND not_before <> 0;

CREATE TABLE data_file (
    job_key INTEGER NOT NULL REFERENCES job (key),
    path TEXT NOT NULL,
    stored_size INTEGER NOT NULL,
    raw_size INTEGER NOT NULL,
    items INTEGER NOT NULL,
    sha256 BLOB NOT NULL,
    fingerprint TEXT,
    part_key INTEGER NOT NULL,
    PRIMARY KEY (job_key, path)
) STRICT, WITHOUT ROWID;

CREATE TABLE touch (
    resource TEXT NOT NULL,
    root_key INTEGER NOT NULL REFERENCES job (key),
    writes INTEGER NOT NULL,
    granted INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (resource, root_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX touch_root ON touch (root_key);

CREATE TABLE plan (
    hash BLOB PRIMARY KEY CHECK (length(hash) = 32),
    requester TEXT NOT NULL,
    environment TEXT,
    kind TEXT NOT NULL,
    spec BLOB NOT NULL,
    identities BLOB NOT NULL,
    nonce BLOB NOT NULL,
    body BLOB NOT NULL,
    destructive INTEGER NOT NULL,
    needs_mfa INTEGER NOT NULL,
    retry_of BLOB,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    spent_by BLOB
) STRICT;
CREATE INDEX plan_expiry ON plan (expires_at) WHERE spent_by IS NULL;

CREATE TABLE idempotency (
    scope BLOB PRIMARY KEY CHECK (length(scope) = 32),
    body BLOB NOT NULL,
    job_id BLOB,
    status INTEGER NOT NULL,
    location TEXT,
    answer BLOB,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX idempotency_expiry ON idempotency (expires_at);

CREATE TABLE totp (
    identity TEXT PRIMARY KEY,
    sealed BLOB NOT NULL,
    last_step INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    locked_until INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE made_table (
    environment TEXT NOT NULL,
    table_name TEXT NOT NULL,
    arn TEXT,
    table_id TEXT,
    job_id BLOB,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (environment, table_name)
) STRICT, WITHOUT ROWID;

CREATE TABLE environment_limits (
    environment TEXT PRIMARY KEY,
    read_units_per_second INTEGER NOT NULL,
    write_units_per_second INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE recovery_point (
    key INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    environment TEXT,
    type TEXT NOT NULL,
    method TEXT NOT NULL,
    origin TEXT NOT NULL,
    resource TEXT NOT NULL,
    account TEXT,
    region TEXT,
    arn TEXT,
    table_id TEXT,
    location TEXT,
    status TEXT NOT NULL CHECK (status IN ('writing', 'available', 'verified', 'proven', 'damaged', 'failed',
        'orphan', 'archived', 'expired', 'deleted')),
    trust TEXT,
    consistency_from INTEGER NOT NULL,
    consistency_to INTEGER NOT NULL,
    items INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    stored_bytes INTEGER NOT NULL,
    fingerprint TEXT,
    manifest_sha256 BLOB,
    job_id BLOB,
    encryption TEXT,
    note TEXT,
    tags BLOB,
    created_at INTEGER NOT NULL,
    verified_at INTEGER NOT NULL,
    proven_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;
CREATE INDEX recovery_point_environment ON recovery_point (environment);
CREATE INDEX recovery_point_resource ON recovery_point (resource);
CREATE INDEX recovery_point_type ON recovery_point (type);
CREATE INDEX recovery_point_method ON recovery_point (method);
CREATE INDEX recovery_point_status ON recovery_point (status);
CREATE INDEX recovery_point_created ON recovery_point (created_at);
CREATE INDEX recovery_point_location ON recovery_point (location);
CREATE INDEX recovery_point_job ON recovery_point (job_id);
CREATE INDEX recovery_point_count ON recovery_point (environment, type, status);
CREATE INDEX recovery_point_usable ON recovery_point (environment, resource)
    WHERE status IN ('available', 'verified', 'proven');
CREATE INDEX recovery_point_latest ON recovery_point (environment, resource, method, proven_at)
    WHERE status IN ('verified', 'proven');

CREATE TABLE audit (
    key INTEGER PRIMARY KEY,
    node TEXT NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT,
    issuer TEXT,
    action TEXT NOT NULL,
    object TEXT,
    environment TEXT,
    outcome TEXT,
    request_id TEXT,
    job_id TEXT,
    plan_hash TEXT,
    aws_request_id TEXT,
    address TEXT,
    detail BLOB,
    prev_hash BLOB NOT NULL CHECK (length(prev_hash) = 32),
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    UNIQUE (node, seq)
) STRICT;
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_actor ON audit (actor);
CREATE INDEX audit_action ON audit (action);
CREATE INDEX audit_object ON audit (object);
CREATE INDEX audit_environment ON audit (environment);

-- How many rows a node's chain has, so that counting does not walk it, and its tree's frontier (RFC 6962).
CREATE TABLE audit_node (
    node TEXT PRIMARY KEY,
    row_count INTEGER NOT NULL DEFAULT 0,
    frontier BLOB
) STRICT, WITHOUT ROWID;
