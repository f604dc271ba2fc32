"""Lies of success: a call is served in full, on a copy of what it would change, and the copy is thrown away."""

import copy
from contextlib import contextmanager

from moto.backends import get_backend
from moto.s3.models import s3_backends
from sortedcontainers import SortedDict

# Backends whose state lies below another name than the account's region.
GLOBAL = {"iam", "route53", "sts"}


def shadow_of(store):
    """A Store with the same tables, whose changes do not reach the real one."""
    shadow = copy.copy(store)
    shadow.places = {
        place: {name: _shadow_table(table) for name, table in tables.items()}
        for place, tables in store.places.items()
    }
    shadow.exports, shadow.put_object = dict(store.exports), lambda *_: None
    shadow.backups = {place: dict(backups) for place, backups in store.backups.items()}
    return shadow


def _shadow_table(table):
    shadow = copy.copy(table)
    shadow.items, shadow._views = SortedDict(table.items), {}
    shadow.settings, shadow.tags = copy.deepcopy(table.settings), dict(table.tags)
    shadow.indexes = {name: copy.copy(index) for name, index in table.indexes.items()}
    shadow.types, shadow.journal = dict(table.types), table.journal and table.journal.copy()
    return shadow


@contextmanager
def undone(call):
    """What moto changes within is as before afterwards."""
    keep = _object if call.service == "s3" and "/" in (call.resource or "") else _backend
    restore = keep(call)
    try:
        yield
    finally:
        restore()


def _object(call):
    """One object with its versions: a bucket as a whole cannot be copied."""
    bucket, _, key = call.resource.partition("/")
    found = s3_backends[call.account]["aws"].buckets.get(bucket)
    if found is None:
        return lambda: None
    versions, parts = list(found.keys.getlist(key, [])), dict(found.multiparts)
    for version in versions:
        version.dispose = lambda garbage=False: None  # moto closes the bytes of what it replaces

    def restore():
        for version in versions:
            del version.dispose
        if key in found.keys:
            found.keys.pop(key)
        if versions:
            found.keys.setlist(key, versions)
        found.multiparts = parts

    return restore


def _backend(call):
    """Everything that the service keeps in this account and region."""
    if call.service == "s3":
        backend = s3_backends[call.account]["aws"]
        buckets = dict(backend.buckets)
        return lambda: setattr(backend, "buckets", buckets)
    region = "aws" if call.service in GLOBAL else call.region
    backend = get_backend(call.service.replace("application-autoscaling", "applicationautoscaling"))
    backend = backend[call.account][region]
    kept = copy.deepcopy({name: value for name, value in vars(backend).items() if not name.startswith("_")})
    return lambda: vars(backend).update(kept)
