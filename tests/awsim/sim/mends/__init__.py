"""What moto's other services lie about, where recoverd depends on it: one module a service."""

from . import alarms, apis, functions, keys, mail, names53, parameters, pools, stacks  # noqa: F401  (they register their mends)
from .registry import INSTALL, serve  # noqa: F401


def install(app):
    forget(app)
    for change in INSTALL:
        change(app)


def forget(app):
    """Code that can be fetched and files that can be put (by token), what was sent, DNS changes (by account and id)."""
    app.downloads, app.uploads, app.messages, app.changes = {}, {}, [], {}
