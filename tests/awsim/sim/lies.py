"""Lies of success: a call is served in full, on a copy of what it would change, and the copy is thrown away."""

import copy
import copyreg
import threading
from contextlib import contextmanager

from moto.backends import get_backend
from moto.core.base_backend import BaseBackend
from moto.ssm.models import ParameterDict
from sortedcontainers import SortedDict

# Backends whose state lies below another name than the account's region.
GLOBAL = {"iam", "route53", "sts"}
# Services whose calls change another one's state.
BESIDE = {"sesv2": ("ses",), "sns": ("sqs",)}


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
    shadow.backups = {
        place: {arn: copy.copy(backup) for arn, backup in backups.items()} for place, backups in store.backups.items()
    }
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
    """Within, moto works on copies of what the service keeps in this account and region, and of what it changes beside."""
    name = call.service.replace("application-autoscaling", "applicationautoscaling")
    kept = []
    for one in (name, *BESIDE.get(name, ())):
        backend = get_backend(one)[call.account]["aws" if one in GLOBAL else call.region]
        kept.append((backend, dict(vars(backend))))
    try:
        for backend, state in kept:
            vars(backend).update(copy.deepcopy(state))
        yield
    finally:
        for backend, state in kept:
            vars(backend).clear()
            vars(backend).update(state)


def _copied_parameters(self, memo):
    """moto's dictionary of them is made in a way that `copy` does not know."""
    fresh = ParameterDict(self.account_id, self.region_name)
    vars(fresh).update(vars(self))
    fresh.update(copy.deepcopy(dict(self), memo))
    return fresh


ParameterDict.__deepcopy__ = _copied_parameters
copyreg.pickle(threading.Condition, lambda _lock: (threading.Condition, ()))  # a queue's
# A backend is where things are, not one of them: what is copied goes on speaking of the same one.
BaseBackend.__deepcopy__ = lambda self, _memo: self
