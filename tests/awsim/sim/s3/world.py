"""The whole of S3: every bucket's objects, and what becomes of them by themselves as time goes on."""

import secrets
from contextlib import contextmanager

from moto.s3.models import s3_backends

from ..names import Call
from . import lifecycle, replication
from .errors import S3Error
from .store import NULL, beside, find


class S3:
    """`lock` is moto's: objects and their buckets change together."""

    def __init__(self, moto, clock, settings, ledger):
        self.moto, self.lock, self.clock, self.settings, self.ledger = (
            moto,
            moto.lock,
            clock,
            settings,
            ledger,
        )
        self.reset()

    def reset(self):
        """`queue`: what replication has to do; `watched`: names of the buckets with a lifecycle."""
        self.queue, self.watched = [], set()

    def settle(self):
        """Does what is due by now; called before each call."""
        with self.lock:
            replication.settle(self)
            lifecycle.settle(self)

    def bucket(self, call, name):
        fake = find(name)
        if fake is None:
            raise S3Error("NoSuchBucket", BucketName=name)
        return beside(fake)

    def add(self, bucket, version, midnight=None):
        """By the rules of versioning: the null version is replaced, every other one is kept.

        `midnight`: when a lifecycle rule did it; what such rules do is not replicated.
        """
        now, versions = midnight or self.clock.now(), bucket.objects.setdefault(version.key, [])
        if bucket.versioning == "Enabled":
            version.id = secrets.token_urlsafe(24)
        else:
            version.id = NULL
            versions[:] = [one for one in versions if one.id != NULL]
        if versions and versions[-1].noncurrent is None:
            versions[-1].noncurrent = now
        versions.append(version)
        if midnight is None:
            replication.made(self, bucket, version)
        return version

    def changed(self, bucket, version):
        """Tags, retention or hold of a version are others now."""
        replication.changed(self, bucket, version)

    def expiration(self, bucket, version):
        return lifecycle.expiration(bucket, version)

    def drop(self, bucket, version):
        """Takes this version away for good."""
        versions = bucket.objects[version.key]
        versions.remove(version)
        if versions:
            versions[-1].noncurrent = None
        else:
            del bucket.objects[version.key]

    def note(self, bucket, operation, key, effect):
        """A ledger row of something that S3 does by itself."""
        fake = bucket.fake
        call = Call(
            "s3",
            operation,
            f"{fake.name}/{key}",
            None,
            fake.region_name,
            fake.account_id,
            "s3.amazonaws.com",
            effect,
        )
        self.ledger.add(call, 200)

    @contextmanager
    def undone(self, call):
        """What changes within is as before afterwards: a call that lies."""
        name, _, key = (call.resource or "").partition("/")
        backend, fake = s3_backends[call.account]["aws"], find(name)
        buckets, accounts, queue = dict(backend.buckets), dict(s3_backends.bucket_accounts), list(self.queue)
        kept = _noted(beside(fake), key) if fake else None
        state, watched = dict(vars(fake)) if fake else None, set(self.watched)
        try:
            yield
        finally:
            backend.buckets, self.queue, self.watched = buckets, queue, watched
            s3_backends.bucket_accounts.clear()
            s3_backends.bucket_accounts.update(accounts)
            if fake:
                vars(fake).clear()
                vars(fake).update(state)
                _put_back(beside(fake), key, kept)


def _noted(bucket, key):
    """The versions of a key (or of all), the uploads, the settings; of each of the first two its fields beside it."""
    keys = [key] if key else list(bucket.objects)
    versions = {one: [(version, dict(vars(version))) for version in bucket.versions(one)] for one in keys}
    uploads = [(upload, {**vars(upload), "parts": dict(upload.parts)}) for upload in bucket.uploads.values()]
    return versions, uploads, {name: getattr(bucket, name) for name in ("lifecycle", "smallest", "replication")}


def _put_back(bucket, key, kept):
    """The very versions that replication waits for, as they were."""
    versions, uploads, settings = kept
    vars(bucket).update(settings)
    bucket.uploads = {upload.id: upload for upload, _ in uploads}
    if not key:
        bucket.objects.clear()
    for one, found in versions.items():
        bucket.objects.pop(one, None)
        if found:
            bucket.objects[one] = [version for version, _ in found]
    for rows in (*versions.values(), uploads):
        for one, fields in rows:
            vars(one).update(fields)
