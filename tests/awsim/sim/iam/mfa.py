"""Codes of virtual MFA devices (RFC 6238: SHA-1, 30 s, six digits), by the times that a client may take for now."""

import base64
import hmac
import struct

from moto.iam import iam_backends

STEP = 30
INCOMPLETE = "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code."
NO_DEVICE = (
    "MultiFactorAuthentication failed, unable to validate MFA code.  "
    "Please verify your MFA serial number is valid and associated with this user."
)
WRONG = "MultiFactorAuthentication failed with invalid MFA one time pass code."


class Failed(Exception):
    """The words of the refusal."""


def code(seed, at):
    """The code of a base32 seed at a time."""
    counter = struct.pack(">Q", int(at) // STEP)
    digest = hmac.digest(base64.b32decode(seed), counter, "sha1")
    start = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[start : start + 4])[0] & 0x7FFFFFFF) % 1000000:06d}"


def _steps(seed, given, times):
    """The steps, now or beside now, that have this code."""
    near = {int(at) // STEP + off for at in times for off in (-1, 0, 1)}
    return [step for step in sorted(near) if hmac.compare_digest(code(seed, step * STEP), given)]


class Devices:
    """Which codes were used; the devices themselves are moto's."""

    def __init__(self, clock):
        self.clock = clock
        self.reset()

    def reset(self):
        self.used = set()

    def _seed(self, account, serial):
        device = iam_backends[account]["aws"].virtual_mfa_devices.get(serial)
        return device.base32_string_seed if device else None

    def verify(self, caller, serial, given):
        """Failed, or nothing. Each code counts once."""
        if not serial or not given:
            raise Failed(INCOMPLETE)
        users = iam_backends[caller.account]["aws"].users
        seed = self._seed(caller.account, serial)
        if caller.kind != "user" or serial not in users[caller.name].mfa_devices or seed is None:
            raise Failed(NO_DEVICE)
        fresh = [step for step in _steps(seed, given, self.clock.times()) if (serial, step) not in self.used]
        if not fresh:
            raise Failed(WRONG)
        self.used.add((serial, fresh[0]))

    def enables(self, account, serial, first, second):
        """Whether two codes, one after the other, are those of a virtual device; of others any are."""
        seed = self._seed(account, serial)
        if seed is None:
            return True
        return any(code(seed, (step + 1) * STEP) == second for step in _steps(seed, first, self.clock.times()))
