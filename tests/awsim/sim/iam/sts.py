"""STS: who the caller is, and sessions of roles and users.

Source: STS API Reference; IAM User Guide, "Role chaining", "Using roles: session duration".
"""

import base64
import json
import re
import uuid
from xml.sax.saxutils import escape

from joserfc import jwk, jwt
from joserfc.errors import JoseError
from moto.iam import iam_backends

from ..refusals import error
from ..state import rfc3339
from ..wire import Response
from . import mfa
from .authorize import Refusal, judge
from .callers import Caller, find_role
from .policy import Need, resource_verdict

ROLE = re.compile(r"arn:aws:iam::(\d{12}):role/(?:[\w+=,.@/-]*/)?[\w+=,.@-]+")
# member: (pattern, least, most) of a text
TEXTS = {
    "RoleArn": (r"[\u0009\u000A\u000D\u0020-\u007E\u0085\u00A0-\uD7FF\uE000-\uFFFD]+", 20, 2048),
    "RoleSessionName": (r"[\w+=,.@-]*", 2, 64),
    "ExternalId": (r"[\w+=,.@:\/-]*", 2, 1224),
    "SerialNumber": (r"[\w+=/:,.@-]*", 9, 256),
    "TokenCode": (r"[\d]*", 6, 6),
    "Policy": (r"[\s\S]*", 1, 2048),
    "WebIdentityToken": (r"[\s\S]*", 4, 20000),
}
REQUIRED = {
    "AssumeRole": ("RoleArn", "RoleSessionName"),
    "AssumeRoleWithWebIdentity": ("RoleArn", "RoleSessionName", "WebIdentityToken"),
    "GetAccessKeyInfo": ("AccessKeyId",),
}
HOUR, HALF_DAY, DAY_AND_HALF = 3600, 43200, 129600
ALGORITHMS = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"]


class Refused(Exception):
    def __init__(self, code, message, status=400):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def denied(message):
    return Refused("AccessDenied", message, 403)


# -- checks of form ----------------------------------------------------------------------------------


def _constraint(name, value, what):
    member = name[0].lower() + name[1:]
    return Refused(
        "ValidationError",
        f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must {what}",
    )


def _check_texts(operation, given):
    for name in REQUIRED.get(operation, ()):
        if name not in given:
            member = name[0].lower() + name[1:]
            raise Refused(
                "ValidationError",
                f"1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null",
            )
    for name, (pattern, least, most) in TEXTS.items():
        value = given.get(name)
        if value is None:
            continue
        if len(value) < least:
            raise _constraint(name, value, f"have length greater than or equal to {least}")
        if len(value) > most:
            raise _constraint(name, value, f"have length less than or equal to {most}")
        if not re.fullmatch(pattern, value, re.A):
            raise _constraint(name, value, f"satisfy regular expression pattern: {pattern}")


def _seconds(given, usual, most):
    text = given.get("DurationSeconds", str(usual))
    if not re.fullmatch(r"-?\d{1,9}", text):
        raise Refused("MalformedInput", f"{text} is not an integer")
    value = int(text)
    if value < 900:
        raise _constraint("DurationSeconds", value, "have value greater than or equal to 900")
    if value > most:
        raise _constraint("DurationSeconds", value, f"have value less than or equal to {most}")
    return value


# -- sessions ------------------------------------------------------------------------------------------


def _role(arn):
    """(account, role or None) of an ARN."""
    match = ROLE.fullmatch(arn)
    if not match:
        raise Refused("ValidationError", f"{arn} is invalid")
    return match[1], find_role(match[1], arn)


def _role_seconds(given, role, caller):
    """A session's length: within the role's own bound; an hour where a role assumes a role."""
    asked = _seconds(given, HOUR, HALF_DAY)
    if asked > int(role.max_session_duration or HOUR):
        raise Refused("ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
    if caller and caller.kind == "role" and asked > HOUR:
        raise Refused(
            "ValidationError",
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
        )
    return asked


def _session_policies(given, account):
    """The documents that bound a session: the one in the request, and managed ones that it names."""
    found = [given["Policy"]] if "Policy" in given else []
    managed = iam_backends[account]["aws"].managed_policies
    for name in sorted(given):
        if not re.fullmatch(r"PolicyArns\.member\.\d+\.arn", name):
            continue
        if given[name] not in managed:
            raise Refused("InvalidParameterValue", f"The policy ARN {given[name]} does not exist.")
        found += [one.document for one in managed[given[name]].versions if one.is_default]
    return tuple(found)


def _role_caller(role, account, given, policies):
    name = given["RoleSessionName"]
    return Caller(
        account,
        f"arn:aws:sts::{account}:assumed-role/{role.name}/{name}",
        "role",
        role.name,
        f"{role.id}:{name}",
        name,
        role.arn,
        policies,
        temporary=True,
    )


def _credentials(identity, caller, seconds):
    ends = identity.clock.now() + seconds
    name, key = identity.sessions.make(caller, ends)
    return {
        "AccessKeyId": name,
        "SecretAccessKey": key.secret,
        "SessionToken": key.token,
        "Expiration": re.sub(r"\.\d+Z", "Z", rfc3339(ends)),
    }


def _assumed(caller):
    return {"AssumedRoleId": caller.user_id, "Arn": caller.arn}


def _verify_code(identity, caller, given):
    """When a code was given it must be right: the time of it, None without."""
    if "SerialNumber" not in given and "TokenCode" not in given:
        return None
    try:
        identity.devices.verify(caller, given.get("SerialNumber"), given.get("TokenCode"))
    except mfa.Failed as failed:
        raise denied(str(failed)) from None
    return identity.clock.now()


def _assume_context(given, code_at, now):
    found = {"sts:rolesessionname": given["RoleSessionName"]}
    if "ExternalId" in given:
        found["sts:externalid"] = given["ExternalId"]
    if code_at is not None:
        found |= {"aws:multifactorauthpresent": "true", "aws:multifactorauthage": str(int(now - code_at))}
    return found


def assume_role(identity, caller, given):
    if caller.kind == "root":
        raise denied("Roles may not be assumed by root accounts.")
    account, role = _role(given["RoleArn"])
    code_at = _verify_code(identity, caller, given)
    now = identity.clock.now()
    trust = role.assume_role_policy_document if role else None
    context = _assume_context(given, code_at, now)
    need = Need("sts:AssumeRole", given["RoleArn"], context, account, trust, delegates=False)
    try:
        if role is None:
            raise Refusal
        judge(caller, need, now, identity.gate.enforced)
    except Refusal:
        message = f"User: {caller.arn} is not authorized to perform: sts:AssumeRole on resource: {need.resource}"
        raise denied(message) from None
    seconds = _role_seconds(given, role, caller)
    new = _role_caller(role, account, given, _session_policies(given, account))
    return {"Credentials": _credentials(identity, new, seconds), "AssumedRoleUser": _assumed(new)}


def get_session_token(identity, caller, given):
    if caller.temporary:
        raise denied("Cannot call GetSessionToken with session credentials")
    most, usual = (HOUR, HOUR) if caller.kind == "root" else (DAY_AND_HALF, HALF_DAY)
    seconds = _seconds(given, usual, most)
    code_at = _verify_code(identity, caller, given)
    same = Caller(caller.account, caller.arn, caller.kind, caller.name, caller.user_id, mfa_at=code_at, temporary=True)
    return {"Credentials": _credentials(identity, same, seconds)}


def get_caller_identity(_identity, caller, _given):
    return {"Arn": caller.arn, "UserId": caller.user_id, "Account": caller.account}


def get_access_key_info(identity, _caller, given):
    found = identity.find_key(given["AccessKeyId"])
    if found is None:
        raise Refused("InvalidAccessKeyId", f"Invalid access key: {given['AccessKeyId']}")
    return {"Account": found.caller.account}


# -- web identity --------------------------------------------------------------------------------------


def _claims(identity, account, token):
    """(claims, provider) of a token that one of the account's providers has signed, for one of its audiences."""
    try:
        loose = _unverified(token)
    except ValueError:
        raise Refused("InvalidIdentityToken", "The ID Token provided is not a valid JWT.") from None
    issuer = str(loose.get("iss", "")).removeprefix("https://").rstrip("/")
    providers = iam_backends[account]["aws"].open_id_providers.values()
    provider = next((one for one in providers if one.url.rstrip("/") == issuer), None)
    if provider is None:
        raise Refused("InvalidIdentityToken", f"No OpenIDConnect provider found in your account for {loose.get('iss')}")
    keys = identity.jwks.get(issuer)
    try:
        if keys is None:
            raise JoseError
        claims = jwt.decode(token, jwk.KeySet.import_key_set(keys), algorithms=ALGORITHMS).claims
    except (JoseError, ValueError):
        raise Refused("InvalidIdentityToken", "Couldn't retrieve verification key from your identity provider") from None
    if claims.get("aud") not in provider.client_id_list:
        raise Refused("InvalidIdentityToken", "Incorrect token audience")
    now = identity.clock.now()
    if not isinstance(claims.get("exp"), (int, float)) or claims["exp"] <= now:
        raise Refused("ExpiredTokenException", f"Token expired: current date/time {int(now)} must be before the expiration date/time")
    return claims, provider


def _unverified(token):
    parts = token.split(".")
    if len(parts) != 3:
        raise ValueError("three parts")
    found = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    if not isinstance(found, dict):
        raise ValueError("an object")
    return found


def assume_role_with_web_identity(identity, _caller, given):
    account, role = _role(given["RoleArn"])
    claims, provider = _claims(identity, account, given["WebIdentityToken"])
    name = provider.url.rstrip("/")
    context = {f"{name}:{claim}".lower(): str(claims[claim]) for claim in ("aud", "sub") if claim in claims}
    context["sts:rolesessionname"] = given["RoleSessionName"]
    stranger = Caller("", "", "web", names={"Federated": {provider.arn}})
    need = Need("sts:AssumeRoleWithWebIdentity", given["RoleArn"])
    trust = role.assume_role_policy_document if role else None
    if resource_verdict(trust, need, context, stranger) != "self":
        raise denied("Not authorized to perform sts:AssumeRoleWithWebIdentity")
    seconds = _role_seconds(given, role, None)
    new = _role_caller(role, account, given, _session_policies(given, account))
    return {
        "Credentials": _credentials(identity, new, seconds),
        "AssumedRoleUser": _assumed(new),
        "SubjectFromWebIdentityToken": str(claims.get("sub", "")),
        "Audience": claims["aud"],
        "Provider": provider.arn,
    }


# -- the protocol --------------------------------------------------------------------------------------

OPERATIONS = {
    "AssumeRole": assume_role,
    "AssumeRoleWithWebIdentity": assume_role_with_web_identity,
    "GetAccessKeyInfo": get_access_key_info,
    "GetCallerIdentity": get_caller_identity,
    "GetSessionToken": get_session_token,
}


def _xml(value):
    if isinstance(value, dict):
        return "".join(f"<{name}>{_xml(inner)}</{name}>" for name, inner in value.items())
    return escape(value)


def answer(identity, call, given):
    function = OPERATIONS.get(call.operation)
    if function is None:
        return error("sts", 400, "InvalidAction", f"Could not find operation {call.operation} for version 2011-06-15")
    try:
        _check_texts(call.operation, given)
        result = function(identity, call.caller, given)
    except Refused as refused:
        return error("sts", refused.status, refused.code, refused.message)
    request = str(uuid.uuid4())
    name = call.operation
    body = (
        f'<{name}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{name}Result>{_xml(result)}</{name}Result>'
        f"<ResponseMetadata><RequestId>{request}</RequestId></ResponseMetadata></{name}Response>"
    )
    return Response(200, {"Content-Type": "text/xml", "x-amzn-RequestId": request}, body.encode())
