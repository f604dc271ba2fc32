"""Signatures are verified: region, service, date, body, every signed header; AWS's own codes for what is wrong."""

import hashlib
import hmac
import time
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone

import botocore.auth
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from conftest import signed

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
TARGET = {"X-Amz-Target": "DynamoDB_20120810.ListTables", "Content-Type": "application/x-amz-json-1.0"}
PLAIN = {"Content-Type": "text/plain"}
IDENTITY = "Action=GetCallerIdentity&Version=2011-06-15"
ASK = {
    "dynamodb": ("POST", "/", b"{}", TARGET),
    "sts": ("POST", "/", IDENTITY.encode(), FORM),
    "lambda": ("GET", "/2015-03-31/functions/", b"", {}),
    "s3": ("GET", "/backups?list-type=2", b"", {}),
}
ASKED = {
    "dynamodb": "list_tables",
    "sts": "get_caller_identity",
    "lambda": "list_functions",
    "s3": "list_buckets",
}


def _ask(world, service, spoil=None, **sign):
    """(status, body) of a signed call whose headers `spoil` has changed."""
    method, path, body, headers = ASK[service]
    headers = signed(sign.pop("name", service), method, world.url + path, body, headers, **sign)
    answer = world.raw(method, path, *(spoil(body, headers) if spoil else (body, headers)))
    return answer[0], answer[2]


@pytest.fixture
def dated(monkeypatch):
    """Has botocore sign as if it were so many seconds later."""

    def dated(seconds):
        at = datetime.now(timezone.utc).replace(tzinfo=None) + timedelta(seconds=seconds)
        monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_, **__: at)

    return dated


@pytest.mark.parametrize("service", ASK)
def test_a_right_signature_passes(world, service):
    world.client("s3").create_bucket(Bucket="backups")
    assert _ask(world, service)[0] == 200


@pytest.mark.parametrize(
    "service, status, code",
    [
        ("dynamodb", 400, "InvalidSignatureException"),
        ("sts", 403, "SignatureDoesNotMatch"),
        ("lambda", 403, "InvalidSignatureException"),
        ("s3", 403, "SignatureDoesNotMatch"),
    ],
)
def test_a_wrong_secret_is_refused(world, refused, service, status, code):
    assert refused(getattr(world.client(service, secret="guessed"), ASKED[service])) == code
    assert _ask(world, service, secret="guessed")[0] == status


@pytest.mark.parametrize(
    "service, code",
    [
        ("dynamodb", "UnrecognizedClientException"),
        ("sts", "InvalidClientTokenId"),
        ("lambda", "UnrecognizedClientException"),
        ("s3", "InvalidAccessKeyId"),
    ],
)
def test_a_key_that_nobody_made_is_refused(world, refused, service, code):
    assert refused(getattr(world.client(service, key="AKIAIOSFODNN7EXAMPLE"), ASKED[service])) == code


@pytest.mark.parametrize(
    "service, code",
    [
        ("dynamodb", "MissingAuthenticationTokenException"),
        ("sts", "MissingAuthenticationToken"),
        ("s3", "AccessDenied"),
    ],
)
def test_a_request_without_a_signature_is_refused(world, service, code):
    method, path, body, headers = ASK[service]
    assert code.encode() in world.raw(method, path, body, headers)[2]


@pytest.mark.parametrize(
    "service, off, code",
    [
        ("dynamodb", -320, "InvalidSignatureException"),
        ("dynamodb", 320, "InvalidSignatureException"),
        ("dynamodb", -280, None),
        ("sts", -320, "SignatureDoesNotMatch"),
        ("s3", -320, None),
        ("s3", -920, "RequestTimeTooSkewed"),
        ("s3", 920, "RequestTimeTooSkewed"),
    ],
)
def test_a_date_may_be_five_minutes_off_and_fifteen_at_s3(world, dated, service, off, code):
    world.client("s3").create_bucket(Bucket="backups")
    dated(off)
    status, body = _ask(world, service)
    assert (code.encode() in body) if code else status == 200


@pytest.mark.parametrize(
    "service, code", [("dynamodb", b"InvalidSignatureException"), ("s3", b"AuthorizationHeaderMalformed")]
)
def test_an_unknown_region_or_another_service_is_refused(world, service, code):
    assert code in _ask(world, service, region="mars-north-1")[1]
    assert code in _ask(world, service, name="kms")[1]


def test_a_host_that_names_a_region_wants_that_region(world):
    host = {"Host": f"dynamodb.eu-west-1.localhost:{world.port}", **TARGET}
    for region, status in (("eu-west-1", 200), ("us-east-1", 400)):
        headers = signed("dynamodb", "POST", world.url + "/", b"{}", host, region=region)
        assert world.raw("POST", "/", b"{}", headers)[0] == status


@pytest.mark.parametrize("service", ["dynamodb", "sts"])
def test_a_changed_body_is_refused(world, service):
    assert b"Signature" in _ask(world, service, lambda body, headers: (body + b" ", headers))[1]


def test_a_changed_header_is_refused_when_it_was_signed(world):
    def other_date(body, headers):
        second = (int(headers["X-Amz-Date"][-2]) + 1) % 10
        return body, {**headers, "X-Amz-Date": f"{headers['X-Amz-Date'][:-2]}{second}Z"}

    def other_type(body, headers):
        return body, {**headers, "X-Amz-Target": "DynamoDB_20120810.DescribeLimits"}

    def unsigned_one(body, headers):
        return body, {**headers, "X-Mine": "1"}

    assert b"InvalidSignature" in _ask(world, "dynamodb", other_date)[1]
    assert b"InvalidSignature" in _ask(world, "dynamodb", other_type)[1]
    assert _ask(world, "dynamodb", unsigned_one)[0] == 200


def test_s3_wants_every_amz_header_signed_and_the_hash_of_the_body(world):
    status, body = _ask(world, "s3", lambda body, headers: (body, {**headers, "x-amz-acl": "private"}))
    assert status == 403 and b"not signed" in body
    method, path, body, _ = ASK["s3"]
    request = AWSRequest(method, world.url + path, data=body)
    SigV4Auth(Credentials("testing", "testing"), "s3", "us-east-1").add_auth(request)
    assert b"x-amz-content-sha256" in world.raw(method, path, body, dict(request.headers.items()))[2]


@pytest.mark.parametrize("stamp, day", [("20261399T000000Z", "20261399"), ("today", "today"), ("20261123T000000Z", "20261122")])
def test_a_date_that_is_none_is_incomplete(world, stamp, day):
    method, path, body, headers = ASK["dynamodb"]
    header = f"AWS4-HMAC-SHA256 Credential=testing/{day}/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=00"
    answer = world.raw(method, path, body, {**headers, "Authorization": header, "X-Amz-Date": stamp})
    assert answer[0] == 400 and b"IncompleteSignatureException" in answer[2]


@pytest.mark.parametrize(
    "header",
    [
        "AWS4-HMAC-SHA256 Credential=testing/20261123/us-east-1/dynamodb/aws4_request, Signature=00",
        "AWS4-HMAC-SHA256 Credential=testing/20261123/us-east-1, SignedHeaders=host, Signature=00",
        "AWS testing:abc",
        "Bearer abc",
    ],
)
def test_half_a_signature_is_incomplete(world, header):
    method, path, body, headers = ASK["dynamodb"]
    answer = world.raw(
        method, path, body, {**headers, "Authorization": header, "X-Amz-Date": "20261123T000000Z"}
    )
    assert answer[0] == 400 and b"IncompleteSignatureException" in answer[2]


def test_a_signature_that_does_not_cover_the_host_is_refused(world):
    def spoil(body, headers):
        return body, {**headers, "Authorization": headers["Authorization"].replace("host;", "")}

    assert b"must be a 'SignedHeader'" in _ask(world, "dynamodb", spoil)[1]


def test_an_inactive_key_is_unknown(world, refused):
    iam = world.client("iam")
    iam.create_user(UserName="backup")
    key = iam.create_access_key(UserName="backup")["AccessKey"]
    theirs = world.client("dynamodb", key["AccessKeyId"], key["SecretAccessKey"])
    theirs.list_tables()
    iam.update_access_key(UserName="backup", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    assert refused(theirs.list_tables) == "UnrecognizedClientException"


def _fetch(url, method="GET", body=None):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, PLAIN, method=method)) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as fault:
        return fault.code, fault.read()


def test_a_presigned_address_works_until_it_ends(world):
    s3 = world.client("s3", signature_version="s3v4")
    s3.create_bucket(Bucket="backups")
    place = {"Bucket": "backups", "Key": "a b/ü+"}
    assert _fetch(s3.generate_presigned_url("put_object", place), "PUT", b"sales")[0] == 200
    url = s3.generate_presigned_url("get_object", place, ExpiresIn=60)
    assert _fetch(url) == (200, b"sales")
    assert b"SignatureDoesNotMatch" in _fetch(url.replace("%20b", "%20c"))[1]
    url = s3.generate_presigned_url("get_object", place, ExpiresIn=1)
    time.sleep(2.1)
    status, body = _fetch(url)
    assert status == 403 and b"Request has expired" in body


def test_keys_of_objects_are_signed_however_odd(world):
    s3 = world.client("s3")
    s3.create_bucket(Bucket="backups")
    for key in ("a//b", "a/../b", "é ü", "~!*'()", "100%", "a+b=c&d", "x?y#z"):
        s3.put_object(Bucket="backups", Key=key, Body=b"1")
        assert s3.list_objects_v2(Bucket="backups", Prefix=key)["KeyCount"] == 1


def _chunk_signature(headers, former, chunk):
    scope = headers["Authorization"].partition("testing/")[2].partition(",")[0]
    secret = b"AWS4testing"
    for part in scope.split("/"):
        secret = hmac.digest(secret, part.encode(), "sha256")
    empty, body = (hashlib.sha256(one).hexdigest() for one in (b"", chunk))
    text = "\n".join(("AWS4-HMAC-SHA256-PAYLOAD", headers["X-Amz-Date"], scope, former, empty, body))
    return hmac.digest(secret, text.encode(), "sha256").hex()


@pytest.mark.parametrize("spoil, status", [(lambda body: body, 200), (lambda body: body.replace(b"hello", b"jello"), 403), (lambda body: b"no frames", 403)])
def test_signed_chunks_are_verified_one_by_one(world, spoil, status):
    world.client("s3").create_bucket(Bucket="backups")
    headers = signed(
        "s3",
        "PUT",
        world.url + "/backups/k",
        b"",
        {"x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "x-amz-decoded-content-length": "5"},
    )
    former, body = headers["Authorization"].rpartition("Signature=")[2], b""
    for chunk in (b"hello", b""):
        former = _chunk_signature(headers, former, chunk)
        body += f"{len(chunk):x};chunk-signature={former}\r\n".encode() + chunk + b"\r\n"
    assert world.raw("PUT", "/backups/k", spoil(body), headers)[0] == status


def test_the_date_may_follow_the_host_the_simulated_clock_or_a_skewed_answer(world, dated):
    world.control("POST", "clock", {"advance": "1h"})
    assert _ask(world, "dynamodb")[0] == 200
    dated(3600)
    assert _ask(world, "dynamodb")[0] == 200
    dated(1800)
    assert _ask(world, "dynamodb")[0] == 400
    world.fault("dynamodb", "ListTables", "skew", s=-1800)
    dated(0)
    assert _ask(world, "dynamodb")[0] == 200
    dated(1800)
    assert _ask(world, "dynamodb")[0] == 200
