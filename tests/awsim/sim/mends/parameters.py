"""SSM: a SecureString is told in the clear only to who asks for it, and only while its KMS key can be used."""

import base64
import hashlib

from moto.ssm.models import Parameter

from . import keys
from .registry import Refused, before, install

READS = ("GetParameter", "GetParameters", "GetParametersByPath", "GetParameterHistory")


@install
def _opaque(_app):
    """moto's ciphertext is the value with a word before it."""
    plain = Parameter.response_object
    if plain.__name__ == "sealed":
        return

    def sealed(self, decrypt=False, region=None):
        shown = plain(self, decrypt, region)
        if self.parameter_type == "SecureString" and not decrypt:
            digest = hashlib.sha512(f"{self.name}:{self.version}:{self.value}".encode()).digest()
            shown["Value"] = base64.b64encode(b"\x01\x02" + digest).decode()
        return shown

    Parameter.response_object = sealed


def _refuse(deed, parameter):
    if parameter.parameter_type == "SecureString" and not parameter.keyid.startswith("alias/aws/"):
        _usable(deed, parameter.keyid)


def _usable(deed, key):
    why = keys.trouble_with(deed.call.account, deed.call.region, key, deed.now)
    if why:
        raise Refused(400, "InvalidKeyId", f"{why[1]} (Service: AWSKMS; Status Code: 400; Error Code: {why[0]})")


@before("ssm", *READS)
def _decrypts(deed):
    if not deed.given.get("WithDecryption"):
        return
    names = deed.given.get("Names") or [deed.given.get("Name") or deed.given.get("Path") or ""]
    for name, versions in list(deed.backend()._parameters.items()):
        by_path = "Path" in deed.given and name.startswith(deed.given["Path"].rstrip("/") + "/")
        if by_path or any(one.split(":")[0] == name for one in names):
            for version in versions[-1:]:
                _refuse(deed, version)


@before("ssm", "PutParameter")
def _encrypts(deed):
    key = deed.given.get("KeyId")
    if deed.given.get("Type") == "SecureString" and key and not key.startswith("alias/aws/"):
        _usable(deed, key)

