"""Notifications of what became of an object, by moto: to Lambda, SQS, SNS, EventBridge as the bucket is set up."""

from types import SimpleNamespace

from moto.s3 import notifications

KINDS = {
    f"s3:{kind.value}" if not kind.value.startswith("s3:") else kind.value: kind
    for kind in notifications.S3NotificationEvent
}


def notify(fake, event, version):
    kind = KINDS.get("s3:" + event)
    if kind is not None and fake.notification_configuration is not None:
        notifications.send_event(fake.account_id, kind, fake, as_key(version))


def as_key(version):
    """A version as moto's services take objects of S3."""
    return SimpleNamespace(
        name=version.key,
        value=version.body,
        size=version.size,
        etag=f'"{version.etag}"',
        version_id=version.id,
        storage_class=version.storage,
        metadata=version.metadata,
        last_modified=version.modified,
    )
