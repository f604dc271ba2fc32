"""STS: trust policies, external ids, codes, durations; sessions that are known by their token and end."""

import base64
import json
import time

import pytest
from joserfc import jwk, jwt

from people import OTHER, allow, assume, policy, role, root, user, why
from sim.iam import mfa

ME = "arn:aws:iam::123456789012:user/ann"
ASKED = {"dynamodb": "list_tables", "s3": "list_buckets", "sts": "get_caller_identity", "lambda": "list_functions"}


def trust(principal, **condition):
    row = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}
    return {**row, "Condition": condition} if condition else row


def ask(world, service, keys):
    return getattr(world.client(service, **keys), ASKED[service])


def test_a_role_in_another_account_is_assumed_and_is_there(world):
    mine = user(world)
    arn = role(world, trust("123456789012"), account=OTHER)
    theirs = assume(world, mine, arn)
    identity = ask(world, "sts", theirs)()
    assert identity["Account"] == OTHER
    assert identity["Arn"] == f"arn:aws:sts::{OTHER}:assumed-role/backup/job"
    assert identity["UserId"].startswith("AROA") and identity["UserId"].endswith(":job")
    ask(world, "dynamodb", theirs)()
    assert world.ledger(operation="ListTables")[0]["principal"] == identity["Arn"]


@pytest.mark.parametrize(
    "principal, may",
    [
        (ME, True),
        ("arn:aws:iam::123456789012:root", True),
        ("*", True),
        ("arn:aws:iam::123456789012:user/bob", False),
        (OTHER, False),
        ("arn:aws:iam::123456789012:role/ann", False),
        ([OTHER, ME], True),
    ],
)
def test_whom_the_trust_policy_names_may(world, principal, may):
    mine, arn = user(world), role(world, trust(principal))
    if may:
        assume(world, mine, arn)
        return
    code, message = why(world.client("sts", **mine).assume_role, RoleArn=arn, RoleSessionName="job")
    assert code == "AccessDenied"
    assert message == f"User: {ME} is not authorized to perform: sts:AssumeRole on resource: {arn}"


def test_a_role_that_is_not_there_is_refused_like_one_that_trusts_others(world):
    sts = world.client("sts", **user(world))
    assert why(sts.assume_role, RoleArn="arn:aws:iam::123456789012:role/none", RoleSessionName="job")[0] == "AccessDenied"
    assert why(sts.assume_role, RoleArn="arn:aws:iam::12:role/none/x", RoleSessionName="job")[0] == "ValidationError"


def test_a_root_assumes_no_role(world):
    code, message = why(world.client("sts").assume_role, RoleArn=role(world), RoleSessionName="job")
    assert (code, message) == ("AccessDenied", "Roles may not be assumed by root accounts.")


def test_an_external_id_is_needed_where_the_trust_asks_for_it(world):
    mine = user(world)
    arn = role(world, trust("123456789012", StringEquals={"sts:ExternalId": "x/42"}), account=OTHER)
    sts = world.client("sts", **mine)
    for given in ({}, {"ExternalId": "x/43"}):
        assert why(sts.assume_role, RoleArn=arn, RoleSessionName="job", **given)[0] == "AccessDenied"
    assume(world, mine, arn, ExternalId="x/42")


def device(world, name="ann"):
    """(serial, seed) of a virtual device of the user."""
    iam = world.client("iam")
    made = iam.create_virtual_mfa_device(VirtualMFADeviceName=name)["VirtualMFADevice"]
    seed, now = made["Base32StringSeed"].decode(), time.time()
    codes = {"AuthenticationCode1": mfa.code(seed, now), "AuthenticationCode2": mfa.code(seed, now + 30)}
    wrong = {**codes, "AuthenticationCode2": codes["AuthenticationCode1"]}
    serial = {"UserName": name, "SerialNumber": made["SerialNumber"]}
    assert why(iam.enable_mfa_device, **serial, **wrong)[0] == "InvalidAuthenticationCode"
    iam.enable_mfa_device(**serial, **codes)
    return made["SerialNumber"], seed


def test_a_role_that_wants_a_code_gets_a_right_one_once(world):
    mine = user(world)
    arn = role(world, trust(ME, Bool={"aws:MultiFactorAuthPresent": "true"}))
    serial, seed = device(world)
    sts = world.client("sts", **mine)
    now = time.time()
    given = {"RoleArn": arn, "RoleSessionName": "job"}
    right = mfa.code(seed, now)
    assert why(sts.assume_role, **given)[0] == "AccessDenied"
    assert "must provide both" in why(sts.assume_role, **given, SerialNumber=serial)[1]
    wrong = f"{(int(right) + 1) % 1000000:06d}"
    assert "invalid MFA one time pass code" in why(sts.assume_role, **given, SerialNumber=serial, TokenCode=wrong)[1]
    assert "unable to validate" in why(sts.assume_role, **given, SerialNumber=serial + "x", TokenCode=right)[1]
    old = mfa.code(seed, now - 300)
    assert "invalid MFA" in why(sts.assume_role, **given, SerialNumber=serial, TokenCode=old)[1]
    session = assume(world, mine, arn, SerialNumber=serial, TokenCode=right)
    assert "invalid MFA" in why(sts.assume_role, **given, SerialNumber=serial, TokenCode=right)[1]
    ask(world, "dynamodb", session)()


def test_the_codes_are_those_of_rfc_6238():
    seed = base64.b32encode(b"12345678901234567890").decode()
    for at, wanted in ((59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")):
        assert mfa.code(seed, at) == wanted


def test_a_session_of_a_user_with_a_code_shows_it(world):
    deny = allow("dynamodb:*", effect="Deny", Condition={"Bool": {"aws:MultiFactorAuthPresent": "false"}})
    mine = user(world, "ann", allow("dynamodb:*"), deny)
    serial, seed = device(world)
    world.control("POST", "iam", {"enforce": True})
    sts = world.client("sts", **mine)

    def session(**given):
        made = sts.get_session_token(**given)["Credentials"]
        return {"key": made["AccessKeyId"], "secret": made["SecretAccessKey"], "token": made["SessionToken"]}

    ask(world, "dynamodb", mine)()  # a long-term key says nothing about codes
    plain, coded = session(), session(SerialNumber=serial, TokenCode=mfa.code(seed, time.time()))
    assert why(ask(world, "dynamodb", plain))[0] == "AccessDeniedException"
    ask(world, "dynamodb", coded)()
    assert ask(world, "sts", coded)()["Arn"] == ME
    assert why(world.client("sts", **coded).get_session_token)[0] == "AccessDenied"


@pytest.mark.parametrize(
    "given, word",
    [
        ({"DurationSeconds": 899}, "greater than or equal to 900"),
        ({"DurationSeconds": 43201}, "less than or equal to 43200"),
        ({"DurationSeconds": 3601}, "exceeds the MaxSessionDuration set for this role"),
        ({"RoleSessionName": "j"}, "length greater than or equal to 2"),
        ({"RoleSessionName": "a b"}, "regular expression pattern"),
        ({"ExternalId": "x"}, "length greater than or equal to 2"),
        ({"TokenCode": "12345", "SerialNumber": "arn:aws:iam::1:mfa/x"}, "length greater than or equal to 6"),
    ],
)
def test_what_is_out_of_bounds_is_a_validation_error(world, given, word):
    sts = world.client("sts", **user(world), parameter_validation=False)
    code, message = why(sts.assume_role, **{"RoleArn": role(world), "RoleSessionName": "job", **given})
    assert code == "ValidationError" and word in message


def test_a_role_with_a_longer_maximum_lasts_longer_but_not_from_role_to_role(world):
    arn = role(world, MaxSessionDuration=7200)
    session = assume(world, user(world), arn, DurationSeconds=7200)
    world.control("POST", "clock", {"advance": "119m"})
    ask(world, "dynamodb", session)()
    code, message = why(world.client("sts", **session).assume_role, RoleArn=arn, RoleSessionName="job", DurationSeconds=3601)
    assert code == "ValidationError" and "role chaining" in message
    assume(world, session, arn, DurationSeconds=3600)


@pytest.mark.parametrize(
    "service, missing, foreign, expired",
    [
        ("dynamodb", "UnrecognizedClientException", "UnrecognizedClientException", "ExpiredTokenException"),
        ("sts", "InvalidClientTokenId", "InvalidClientTokenId", "ExpiredToken"),
        ("lambda", "UnrecognizedClientException", "UnrecognizedClientException", "ExpiredTokenException"),
        ("s3", "InvalidAccessKeyId", "InvalidToken", "ExpiredToken"),
    ],
)
def test_a_session_is_known_by_its_token_and_ends_by_the_simulated_clock(world, service, missing, foreign, expired):
    mine, arn = user(world), role(world)
    session, other = assume(world, mine, arn, DurationSeconds=900), assume(world, mine, arn)
    ask(world, service, session)()
    assert why(ask(world, service, {**session, "token": None}))[0] == missing
    assert why(ask(world, service, {**session, "token": other["token"]}))[0] == foreign
    world.control("POST", "clock", {"advance": "14m"})
    ask(world, service, session)()
    world.control("POST", "clock", {"advance": "61s"})
    assert why(ask(world, service, session))[0] == expired
    ask(world, service, other)()
    world.control("POST", "reset")
    assert why(ask(world, service, other))[0] in ("UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId")


def test_a_session_has_no_more_than_its_own_policy_allows(world):
    world.control("POST", "iam", {"enforce": True})
    arn = role(world, trust("123456789012"), allow("dynamodb:*"))
    mine = user(world, "ann", allow("sts:AssumeRole", arn))
    session = assume(world, mine, arn, Policy=policy(allow("dynamodb:ListTables")))
    ask(world, "dynamodb", session)()
    code, message = why(world.client("dynamodb", **session).describe_limits)
    assert code == "AccessDeniedException"
    assert message.endswith("because no session policy allows the dynamodb:DescribeLimits action")


def test_enforced_the_caller_needs_a_policy_too_unless_the_trust_names_him_in_his_account(world):
    world.control("POST", "iam", {"enforce": True})
    mine = user(world)
    named, delegated = role(world, trust(ME), name="named"), role(world, trust("123456789012"), name="delegated")
    abroad = role(world, trust(ME), account=OTHER)
    assume(world, mine, named)
    for arn in (delegated, abroad):
        assert why(world.client("sts", **mine).assume_role, RoleArn=arn, RoleSessionName="job")[0] == "AccessDenied"
    world.client("iam").put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=policy(allow("sts:AssumeRole", [delegated, abroad])))
    assume(world, mine, delegated)
    assume(world, mine, abroad)


def test_an_accounts_root_is_known_by_its_key(world):
    assert ask(world, "sts", root(OTHER))()["Arn"] == f"arn:aws:iam::{OTHER}:root"
    assert world.client("sts").get_access_key_info(AccessKeyId=f"testing-{OTHER}")["Account"] == OTHER
    assert why(ask(world, "sts", root("12")))[0] == "InvalidClientTokenId"


def test_what_is_not_there_is_said_to_be_no_operation(world):
    assert why(world.client("sts").get_federation_token, Name="ann")[0] == "InvalidAction"


# -- web identity --------------------------------------------------------------------------------------

ISSUER = "idp.example.com/pool"


@pytest.fixture
def idp(world):
    """(role, token maker): a provider of the account, whose keys awsim was told."""
    key = jwk.RSAKey.generate_key(2048, {"kid": "1", "use": "sig"})
    world.control("POST", "iam", {"jwks": {f"https://{ISSUER}": {"keys": [key.as_dict(private=False)]}}})
    arn = world.client("iam").create_open_id_connect_provider(
        Url=f"https://{ISSUER}", ClientIDList=["recoverd"], ThumbprintList=["0" * 40]
    )["OpenIDConnectProviderArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": arn},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{ISSUER}:sub": "pod-1", f"{ISSUER}:aud": "recoverd"}},
    }

    def token(signer=key, **claims):
        claims = {"iss": f"https://{ISSUER}", "aud": "recoverd", "sub": "pod-1", "exp": int(time.time()) + 600, **claims}
        return jwt.encode({"alg": "RS256", "kid": "1"}, claims, signer)

    return role(world, statement), token


def test_a_token_of_the_accounts_provider_opens_the_role(world, idp, refused):
    arn, token = idp
    sts = world.client("sts")

    def ask_with(text):
        return sts.assume_role_with_web_identity(RoleArn=arn, RoleSessionName="job", WebIdentityToken=text)

    made = ask_with(token())
    assert (made["SubjectFromWebIdentityToken"], made["Audience"]) == ("pod-1", "recoverd")
    keys = made["Credentials"]
    session = {"key": keys["AccessKeyId"], "secret": keys["SecretAccessKey"], "token": keys["SessionToken"]}
    assert ask(world, "sts", session)()["Arn"].endswith("assumed-role/backup/job")
    stranger = jwk.RSAKey.generate_key(2048, {"kid": "1"})
    for text, code in (
        (token(sub="pod-2"), "AccessDenied"),
        (token(aud="other"), "InvalidIdentityToken"),
        (token(iss="https://elsewhere.example.com"), "InvalidIdentityToken"),
        (token(signer=stranger), "InvalidIdentityToken"),
        (token(exp=int(time.time()) - 1), "ExpiredTokenException"),
        ("a.b.", "InvalidIdentityToken"),
        (json.dumps({"not": "a token"}), "InvalidIdentityToken"),
    ):
        assert refused(lambda text=text: ask_with(text)) == code
