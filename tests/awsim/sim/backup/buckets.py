"""How AWS Backup reads and writes S3: its own calls, through the same door as everybody's."""

from dataclasses import dataclass
from urllib.parse import quote, unquote_plus
from xml.etree import ElementTree

from .. import s3
from ..names import Call
from ..wire import Request

KEPT = ("content-type", "content-encoding", "content-disposition", "content-language", "cache-control")
ENCRYPTION = ("x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id")


@dataclass(frozen=True)
class Object:
    """An object as it lies in a recovery point."""

    key: str
    body: bytes
    headers: dict
    tags: dict


class Bucket:
    """One bucket of an account. `region` where it is to be made, if it is not there."""

    def __init__(self, store, account, region, name):
        self.moto, self.account, self.region, self.name = store.app.moto, account, region, name

    def call(self, operation, method, key="", query="", headers=None, body=b""):
        headers = {
            "host": "127.0.0.1",
            "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
            "x-moto-account-id": self.account,
            **(headers or {}),
        }
        target = f"/{self.name}" + (f"/{quote(key)}" if key else "") + ("?" + query if query else "")
        resource = f"{self.name}/{key}" if key else self.name
        call = Call("s3", operation, resource, None, self.region, self.account)
        return s3.answer(self.moto, call, Request(method, target, headers, body))

    def exists(self):
        return self.call("HeadBucket", "HEAD").status == 200

    def versioned(self):
        return b"<Status>Enabled</Status>" in self.call("GetBucketVersioning", "GET", query="versioning").body

    def create(self):
        """None, or what S3 says against it."""
        there = f"<LocationConstraint>{self.region}</LocationConstraint>" if self.region != "us-east-1" else ""
        body = f"<CreateBucketConfiguration>{there}</CreateBucketConfiguration>".encode() if there else b""
        return _fault(self.call("CreateBucket", "PUT", body=body))

    def keys(self):
        """Of the current versions."""
        start = ""
        while True:
            query = "list-type=2&encoding-type=url" + (f"&start-after={quote(start, safe='')}" if start else "")
            answer = self.call("ListObjectsV2", "GET", query=query)
            tree = ElementTree.fromstring(answer.body)
            found = [unquote_plus(node.text) for node in tree.iter() if node.tag.endswith("}Key")]
            yield from found
            if b"<IsTruncated>true" not in answer.body:
                return
            start = found[-1]

    def read(self, key):
        """The Object; None of one that cannot be read (it is archived, or its key is disabled)."""
        answer = self.call("GetObject", "GET", key)
        if answer.status != 200:
            return None
        shown = {name.lower(): value for name, value in answer.headers.items()}
        kept = {
            name: value
            for name, value in shown.items()
            if name in (*KEPT, *ENCRYPTION) or name.startswith("x-amz-meta-")
        }
        return Object(key, answer.body, kept, _tags(self.call("GetObjectTagging", "GET", key, "tagging")))

    def tags(self):
        return _tags(self.call("GetBucketTagging", "GET", query="tagging"))

    def has(self, key):
        return self.call("HeadObject", "HEAD", key).status == 200

    def write(self, one, encryption):
        """None, or what S3 says against it. `encryption`: the headers to encrypt by, None as it was."""
        headers = dict(one.headers)
        if encryption is not None:
            headers = {name: value for name, value in headers.items() if name not in ENCRYPTION} | encryption
        if one.tags:
            headers["x-amz-tagging"] = "&".join(
                f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in one.tags.items()
            )
        return _fault(self.call("PutObject", "PUT", one.key, headers=headers, body=one.body))


def _tags(answer):
    if answer.status != 200:
        return {}
    tree = ElementTree.fromstring(answer.body)
    texts = [node.text or "" for node in tree.iter() if node.tag.rpartition("}")[2] in ("Key", "Value")]
    return dict(zip(texts[::2], texts[1::2]))


def _fault(answer):
    if answer.status == 200:
        return None
    tree = ElementTree.fromstring(answer.body)
    return next((node.text for node in tree.iter() if node.tag.endswith("Message")), str(answer.status))
