"""Buckets' objects with their versions, beside moto's buckets, which keep the configuration."""

import hashlib
import secrets
from dataclasses import dataclass, field

from moto.s3.models import s3_backends
from sortedcontainers import SortedDict

NULL = "null"
DEFAULT_TYPE = "binary/octet-stream"


@dataclass
class Version:
    """One version of an object, or a delete marker (`marker`). Times are seconds of the simulated clock."""

    key: str
    modified: float
    id: str = NULL
    marker: bool = False
    body: bytes = b""
    etag: str = ""
    metadata: dict = field(default_factory=dict)
    headers: dict = field(default_factory=dict)  # as the model names them: ContentType, CacheControl, ..
    storage: str = "STANDARD"
    checksum: tuple | None = None  # (algorithm, digest, COMPOSITE or FULL_OBJECT)
    parts: list = field(default_factory=list)  # of a multipart upload: (number, size, digest)
    tags: dict = field(default_factory=dict)
    mode: str | None = None
    until: float | None = None
    hold: str | None = None
    sse: dict = field(default_factory=dict)
    replication: str | None = None
    noncurrent: float | None = None  # since when another version is newer
    thaw: tuple | None = None  # (when the restored copy is there, when it goes)

    @property
    def size(self):
        return len(self.body)


class Bucket:
    """What moto's bucket does not have; `fake` is moto's."""

    def __init__(self, fake):
        self.fake, self.objects, self.uploads = fake, SortedDict(), {}
        self.lifecycle, self.smallest, self.replication = None, "all_storage_classes_128K", None
        self.swept = None

    @property
    def name(self):
        return self.fake.name

    @property
    def versioning(self):
        return self.fake.versioning_status

    def versions(self, key):
        """Oldest first."""
        return self.objects.get(key, [])

    def current(self, key):
        """The version that a plain GET shows; None when there is none, or a delete marker is newest."""
        versions = self.versions(key)
        return versions[-1] if versions and not versions[-1].marker else None

    def shown_id(self, version):
        """The id that answers carry: none where versions never were."""
        return version.id if self.versioning or version.id != NULL else None


def find(name):
    """moto's bucket of this name, whoever owns it."""
    partition, account = s3_backends.bucket_accounts.get(name, ("aws", None))
    return s3_backends[account][partition].buckets.get(name) if account else None


def beside(fake):
    """Our Bucket of moto's; it lives as long as that."""
    found = getattr(fake, "awsim", None)
    if found is None:
        found = fake.awsim = Bucket(fake)
    return found


def etag_of(body, sse):
    """The MD5 of a body; something else where KMS encrypts it, as on AWS."""
    salt = secrets.token_bytes(8) if sse.get("ServerSideEncryption", "AES256") != "AES256" else b""
    return hashlib.md5(body + salt, usedforsecurity=False).hexdigest()
