"""All that awsim knows about callers: their keys, sessions, devices, providers, and what they may do."""

import re

from moto.iam import iam_backends

from ..refusals import error
from . import callers, sts
from .authorize import Gate
from .mfa import Devices
from .needs import members
from .sessions import Key, Sessions

ROOT_SECRET, ROOT_ACCOUNT = "testing", "123456789012"
# `testing` is the root of the first account, `testing-210987654321` that of another.
ROOT_KEY = re.compile(r"testing(?:-(\d{12}))?")
WRONG_CODES = "Authentication code for device is not valid."


class Identity:
    def __init__(self, enforced, clock, store, lock):
        self.clock = clock
        self.sessions, self.devices = Sessions(), Devices(clock)
        self.gate = Gate(enforced, clock, store, lock)
        self.jwks = {}

    def reset(self):
        for part in (self.sessions, self.devices, self.gate):
            part.reset()
        self.jwks = {}

    def find_key(self, access_key):
        """The Key of an id, None when no account has it or its user made it inactive."""
        if root := ROOT_KEY.fullmatch(access_key):
            return Key(ROOT_SECRET, callers.root(root[1] or ROOT_ACCOUNT))
        if session := self.sessions.find(access_key):
            return session
        for account in list(iam_backends):
            for user in list(iam_backends[account]["aws"].users.values()):
                for key in user.access_keys:
                    if key.access_key_id == access_key and key.status == "Active":
                        return Key(key.secret_access_key, callers.user(account, user))
        return None

    def shown(self):
        return {"enforce": self.gate.enforced, "issuers": sorted(self.jwks)}

    def change(self, given):
        """`enforce`: whether policies count; `jwks`: {issuer: its keys}. ValueError for what is neither."""
        if not given or set(given) - {"enforce", "jwks"}:
            raise ValueError('the body must hold "enforce" or "jwks"')
        if not isinstance(given.get("enforce", True), bool) or not isinstance(given.get("jwks", {}), dict):
            raise ValueError('"enforce" is true or false, "jwks" {issuer: {"keys": [..]}}')
        self.gate.enforced = given.get("enforce", self.gate.enforced)
        for issuer, keys in given.get("jwks", {}).items():
            self.jwks[issuer.removeprefix("https://").rstrip("/")] = keys

    def answer(self, call, request):
        """What is answered here; None: the call is moto's."""
        if call.service == "sts":
            with self.gate.lock:
                return sts.answer(self, call, members(call, request))
        if call.service == "iam" and call.operation == "EnableMFADevice":
            given = members(call, request)
            codes = given.get("AuthenticationCode1", ""), given.get("AuthenticationCode2", "")
            if not self.devices.enables(call.account, given.get("SerialNumber"), *codes):
                return error("iam", 403, "InvalidAuthenticationCode", WRONG_CODES)
        return None
