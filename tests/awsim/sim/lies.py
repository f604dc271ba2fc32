"""Lies of success: a call is served in full, on a copy of what it would change, and the copy is thrown away."""

import copy
from contextlib import contextmanager

from moto.backends import get_backend
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
    shadow.imports = dict(store.imports)
    shadow.tokens = dict(store.tokens)
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
    restore = _backend(call)
    try:
        yield
    finally:
        restore()


def _backend(call):
    """Everything that the service keeps in this account and region."""
    region = "aws" if call.service in GLOBAL else call.region
    backend = get_backend(call.service.replace("application-autoscaling", "applicationautoscaling"))
    backend = backend[call.account][region]
    kept = copy.deepcopy({name: value for name, value in vars(backend).items() if not name.startswith("_")})
    return lambda: vars(backend).update(kept)
