#!/usr/bin/env python3
"""Writes the committed corpus of the fuzz targets: tests/fuzz/corpus/TARGET/NAME, a few small inputs each, from which a
run begins. make_corpus.py writes what is missing or different; --check fails when something is."""
import base64
import gzip
import hashlib
import hmac
import json
import os
import re
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
CORPUS = os.path.join(HERE, "corpus")
ROOT = os.path.dirname(os.path.dirname(HERE))


def read(path):
    with open(os.path.join(ROOT, path), "rb") as file:
        return file.read()


def compact(value):
    return json.dumps(value, separators=(",", ":")).encode()


def b64u(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def jws():
    secret = b"a secret of thirty-two bytes !!\0"
    text = b64u(b'{"alg":"HS256"}') + b"." + b64u(compact({"sub": "alice", "exp": 1700000600}))
    signed = text + b"." + b64u(hmac.new(secret, text, hashlib.sha256).digest())
    yield "signed", b"\0" + signed
    yield "eddsa", b"\0" + b64u(b'{"alg":"EdDSA","kid":"1","typ":"at+jwt"}') + b"." + b64u(b"{}") + b"." + b64u(bytes(64))
    yield "none", b"\0" + b64u(b'{"alg":"none"}') + b"." + b64u(b"{}") + b"."
    yield "made", b"\1\0" + bytes(8) + b"\1" + compact({"sub": "alice"})
    yield "made-eddsa", b"\1\1" + bytes(7) + b"\x50\2" + compact({"a": {"b": []}})


P256 = {"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}
ED = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "alg": "EdDSA", "kid": "e"}


def jwks():
    rsa = {"kty": "RSA", "e": "AQAB", "n": b64u(b"\xc1" + bytes(range(1, 255)) + b"\x0b").decode(), "use": "sig"}
    yield "ec", b"\0" + compact({"keys": [dict(P256, kid="1", use="sig", alg="ES256")]})
    yield "ed", b"\0" + compact({"keys": [ED]})
    yield "rsa", b"\0" + compact({"keys": [rsa, dict(rsa, kid="2", alg="RS256", key_ops=["verify"])]})
    yield "private", b"\0" + compact({"keys": [dict(ED, d="nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")]})
    yield "oct", b"\0" + compact({"keys": [{"kty": "oct", "k": b64u(bytes(32)).decode(), "alg": "HS256"}]})
    point = base64.urlsafe_b64decode(P256["x"] + "=") + base64.urlsafe_b64decode(P256["y"] + "=")
    der = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004") + point
    yield "pem", b"\1-----BEGIN PUBLIC KEY-----\n" + base64.encodebytes(der) + b"-----END PUBLIC KEY-----\n"


def base64_text():
    for what in range(4):
        yield f"plain-{what}", bytes([what]) + b"aGVsbG8="
    yield "url", b"\0-_-_"
    yield "hex", b"\1" + b"00ffAB"
    yield "utf8", b"\2" + "aé€😀".encode() + b"\xed\xa0\x80"
    yield "glob", b"\3orders-*-?x*\norders-eu-1x-2"


JSON = ['{"a":[1,-2.5e3,true,null,{"b":"c"}],"d":""}', '"\\ud83d\\ude00\\u0000\\n"', '{"a":1,"\\u0061":2}', "[[[[[[[[]]]]]]]]",
        "9223372036854775808", "1e999", "[1,]", '{"a":1}x', "-0", "\ufeff{}"]


def texts(texts_, first=b""):
    for n, text in enumerate(texts_):
        yield f"{n:02}", first + text.encode("utf-8")


def bodies():
    spec = {"table": "orders", "environment": "prod", "kind": "table_backup", "spec": {"table": "orders"}}
    whole = {"table": "orders", "source": {"recovery_point": "0190a000-0000-7000-8000-000000000000"}, "into": "new",
             "target": "orders-2", "apply": ["ttl", "tags"], "overrides": {"tags": {"a": "b"}}}
    for n in range(8):
        yield f"{n}-job", bytes([n]) + compact(spec)
        yield f"{n}-restore", bytes([n]) + compact(whole)
        yield f"{n}-source", bytes([n]) + compact({"table": "orders", "source": {"uri": "s3://bucket/a/b"}, "segments": 4})
        yield f"{n}-limits", bytes([n]) + compact({"read_units_per_second": 100, "write_units_per_second": 5.5})


def items():
    for n, case in enumerate(json.loads(read("tests/vectors/canonical.json"))["cases"]):
        if n % 3 == 0 and len(case.get("input", "")) in range(1, 300):
            yield f"{n:03}", case["input"].encode("utf-8", "surrogatepass")
    yield "lines", b'{"a":{"S":"1"},"k":{"N":"10"}}\n{"a":{"S":"2"}}\n{"a":{"S":"1"}}'
    yield "sum", b"v1:2:" + b"0f" * 32
    yield "keys", b'{"k":{"N":"1e1"},"x":{"L":[]},"a":{"B":"AA=="}}'


ITEM = {"id": {"S": "1"}, "n": {"N": "7"}}


def page():
    yield "scan", b"\0" + compact({"Items": [ITEM, {}], "Count": 2, "ScannedCount": 3, "LastEvaluatedKey": {"id": {"S": "1"}},
                                    "ConsumedCapacity": {"TableName": "orders", "CapacityUnits": 0.5}})
    yield "last", b'\0{"Items":[],"Count":0,"ScannedCount":0}'
    yield "lie", b'\0{"Items":[{}],"Count":2}'
    yield "batch", b"\1" + compact({"Responses": {"orders": [ITEM]}, "UnprocessedKeys": {"orders": {"Keys": [ITEM]}},
                                     "ConsumedCapacity": [{"TableName": "orders", "CapacityUnits": 2.0}]})
    yield "other", b"\1" + compact({"Responses": {"others": [ITEM]}, "UnprocessedKeys": {}})


def lines():
    line = compact({"Item": ITEM}) + b"\n"
    yield "two", b"\5" + line * 2
    yield "cut", b"\0" + line + line[:-1]
    yield "spaces", b"\2" + b' { "Item" : {"a":{"S":"}\\"{"}} } \r\n'
    yield "empty-line", b"\7" + line + b"\n" + line
    yield "other", b'\xff{"Item":{},"More":1}\n{"Items":{}}\n'


def gzips():
    one = gzip.compress(compact({"Item": ITEM}) * 20, mtime=0)
    yield "one", b"\x30" + one
    yield "byte-by-byte", b"\0" + one
    yield "two", b"\x08" + one + one
    yield "behind", b"\x08" + one + b"\0\0"
    yield "cut", b"\x08" + one[:-3]
    yield "stored", b"\x08" + gzip.compress(b"abc", 0, mtime=0)
    yield "ratio", b"\x38" + gzip.compress(bytes(60000), mtime=0)
    yield "header", b"\x08\x1f\x8b\x08\x1e" + bytes(6) + b"\2\0xyname\0comment\0" + one[10:]
    yield "write", b"\7" + bytes(range(256))


def manifest():
    empty, sum_ = hashlib.sha256(b"").hexdigest(), "v1:2:" + "0" * 63 + "5"
    files = [{"path": "tables/orders/capsule.json", "size": 100, "sha256": empty},
             {"path": "tables/orders/data/0-0.json.gz", "size": 50, "sha256": empty, "raw_size": 70, "items": 2, "fingerprint": sum_}]
    whole = {"format": 1, "tool": "recoverd 0.1.0", "id": "0190a000-0000-7000-8000-000000000000", "environment": "prod",
             "type": "table", "method": "scan", "table": "orders",
             "source": {"account": "123456789012", "region": "eu-central-1", "arn": "arn:aws:dynamodb:x", "table_id": "t"},
             "consistency": {"from": "2026-01-30T14:30:00.000Z", "to": "2026-01-30T14:31:00.000Z"},
             "created_at": "2026-01-30T14:31:00.000Z", "items": 2, "bytes": 70, "stored_bytes": 150, "fingerprint": sum_, "files": files}
    yield "manifest", b"\0" + compact(whole)
    yield "climbing", b"\0" + compact(whole).replace(b"0-0.json", b"../../x")
    settings = {"key_schema": {"value": {"hash": "id", "hash_type": "S", "range": "at", "range_type": "N"}},
                "ttl": {"value": "expires"}, "stream": {"value": None}, "kinesis": {"unsupported": True},
                "alarms": {"unreadable": {"code": "AWS_DENIED", "message": "no"}},
                "billing": {"value": {"mode": "PROVISIONED", "read": 5, "write": 5}}, "tags": {"value": {"a": "b"}},
                "indexes": {"value": [{"name": "i", "type": "global", "hash": "x", "hash_type": "S", "projection": "ALL"}]}}
    yield "capsule", b"\1" + compact({"format": 1, "table": "orders", "arn": "arn:x", "region": "r", "settings": settings})


def cursors():
    yield "text", b64u(b"\1" + bytes(24)) + b"\nstate\nfailed\n" + bytes(range(10))
    yield "none", b"\n\n\n" + b"\xff" * 10


CONFIG = """\
listen: 127.0.0.1:8080
ops_listen: 127.0.0.1:9090
data_dir: /tmp
store: sqlite:/tmp/recoverd.db
node: test
workers: {threads: 4, lease: 5s, min_free: 1MiB}
auth:
  issuers:
    - issuer: https://idp.example/
      audiences: [recoverd]
      algorithms: [RS256, EdDSA]
      jwks_file: /etc/passwd # any file that can be read
      role_map: {ops: ["operator@prod"]}
      mfa: {amr_values: [mfa], max_age: 5m}
environments:
  prod:
    account: "123456789012"
    region: eu-central-1
    tables: [orders, "eu-*"]
    recovery_points: s3://bucket/prefix
"""


def yaml():
    yield "config", CONFIG.encode()
    yield "flow", b"a: {b: [1, 'it''s', \"x\\n\"], c: {}}\n# end\n"
    yield "refused", b"a: &x 1\nb: *x\nc: !!str d\na: 2\n"
    yield "block", b"a: |\n  one\n  two\nb: >-\n  three\n"
    match = re.search(r"^```yaml\n(.*?)^```", read("README.md").decode(), re.S | re.M)
    if match and len(match[1]) < 2000:
        yield "readme", match[1].encode()


def sigv4():
    yield "plain", b"\0/\nAction=ListTables&b=2&a=1\nHost\nexample.com\nX-Amz-Date\n20260130T143000Z\nA\n  b   c \n"
    yield "dots", b"\2/a/./b//../c%20d/\n\n"
    yield "s3", b"\1/bucket/a%2Fb/../c d\nlist-type=2&prefix=a%2fb&x\nhost\nh\n"
    yield "utf8", b"\x0c/\xe1\x88\xb4\n\xe1\x88\xb4=%E1%88%B4&=&=b\n"


def xml():
    yield "list", b"<?xml version='1.0'?><ListBucketResult xmlns='urn:x'><Contents><Key>a &amp; b</Key><Size>1</Size></Contents>" \
                  b"<Contents><Key><![CDATA[<]]></Key></Contents></ListBucketResult>"
    yield "error", b"<Error><Code>NoSuchKey</Code><Message>m&#10;</Message></Error>"
    yield "entity", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"
    yield "prefix", b"<s:a xmlns:s='u'><s:b/></s:a>"
    yield "deep", b"<a>" * 33 + b"</a>" * 33


def target():
    yield "job", b"\0/v1/jobs/0190a000-0000-7000-8000-000000000000?wait=5&state=failed&state=ok"
    yield "encoded", b"\0/v1/%C3%A9/a%2fb/..;/%2e%2e?a=%20+b&c&=d"
    yield "slashes", b"\0//a/"
    for n, value in enumerate([b"bytes=0-99", b"bytes=-5", b'"a", W/"7", "7-gzip"', b"wait=5, respond-async", b"gzip;q=0.5, *;q=0",
                               b"application/json;q=0.3, text/*", b"application/json; charset=\"utf-8\"", b'"key-1"',
                               b"[::ffff:192.0.2.9]:80"]):
        yield f"value-{n}", b"\1" + struct.pack(">Q", 100) + value + b"\nfor=192.0.2.43, for=\"[2001:db8::1]:4711\";by=_x"


def gate():
    head = b"GET /v1/jobs?a=b HTTP/1.1\r\nHost: x\r\nX-A:  b \r\n\r\n"
    yield "plain", b"\0" + head
    yield "length", b"\0POST / HTTP/1.1\r\nHost: x:1\r\nContent-Length: 5\r\n\r\n12345"
    yield "old", b"\0GET / HTTP/1.0\r\n\r\n"
    yield "lf", b"\x7f" + head.replace(b"\r\n", b"\n")
    yield "fold", b"\x7fGET / HTTP/1.1\r\nHost: x\r\nX-A: one\r\n two\r\n\r\n"
    yield "nul", b"\x7fGET /\0 HTTP/1.1\r\nHost: x\0\nA: b\r\n\r\n"
    yield "two", b"\x7f\r\nPOST  /  HTTP/1.1\r\nHost: x\r\nContent-Length : 5\r\nnonsense\r\nTransfer-Encoding: chunked\r\n\r\n"


FIELDS = "node actor issuer action object environment outcome request_id job_id plan_hash aws_request_id address detail".split()


def trail():
    rows, last = [], bytes(32)
    for seq in range(1, 4):
        row = {"node": "n1", "actor": "alice", "action": "job.accepted", "outcome": "ok", "object": "table/orders", "detail": "{}"}
        data = b"audit/v1\0" + struct.pack(">qq", seq, 1700000000000 + seq)
        for field in FIELDS:
            value = row.get(field)
            data += struct.pack(">I", 0xFFFFFFFF) if value is None else struct.pack(">I", len(value)) + value.encode()
        digest = hashlib.sha256(data + last).digest()
        rows.append(compact({"seq": seq, "at": "2023-11-14T22:13:20.%03dZ" % seq, **{f: row.get(f) for f in FIELDS},
                             "prev_hash": last.hex(), "hash": digest.hex()}))
        last = digest
    yield "trail", b"\2" + b"\n".join(rows) + b"\n"
    yield "newest-first", b"\2" + b"\r\n\n".join(reversed(rows))
    yield "gap", b"\2" + rows[0] + b"\n" + rows[2]
    yield "made", b"\0\2\0\0one\ntwo\n\xc3\xa9"
    yield "frontier", b"\1" + struct.pack(">Q", 5) + bytes(64)


def times():
    return texts(["2026-01-30T14:30:00.123Z", "2024-02-29t23:59:59+05:30", "Sun, 06 Nov 1994 08:49:37 GMT", "500ms", "35d",
                  "64KiB", "9223372036854775807", "-1", "18446744073709551615", "0000-01-01T00:00:00+23:59"])


def claims():
    whole = {"sub": "alice", "iss": "https://idp", "aud": ["x", "recoverd"], "exp": 1700000600, "iat": 1700000000, "nbf": 1699999999,
             "roles": ["operator@prod", "viewer", "ops"], "jti": "1", "auth_time": 1699999990, "amr": ["mfa"],
             "realm": {"roles": ["ops"]}, "user": {"mail": "a@b"}}
    for how in range(16):
        yield f"{how:02}", bytes([how]) + compact(whole)
    yield "float", b"\0" + compact(dict(whole, exp=1700000600.5, iat=1.7e9))


def answers():
    yield "json", b"\0\n" + compact({"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException", "message": "slow"})
    yield "header", b"\4ResourceNotFoundException:http://internal.amazon.com/coral/\n{}"
    yield "s3", b"\x08\n<Error><Code>NoSuchKey</Code><Message>gone</Message><RequestId>1</RequestId></Error>"
    yield "query", b"\x0c\n<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code></Error></ErrorResponse>"
    yield "profiles", b"\3[default]\naws_access_key_id = A ; no\n[profile x]\nregion=eu\ns3 =\n  a = b\n# c\n[y]\nKey=v\n"


TARGETS = {"answers": answers, "jws": jws, "jwks": jwks, "base64": base64_text, "json": lambda: texts(JSON, b"\x20"), "bodies": bodies, "items": items,
           "page": page, "lines": lines, "gzip": gzips, "manifest": manifest, "cursors": cursors, "yaml": yaml, "sigv4": sigv4,
           "xml": xml, "target": target, "gate": gate, "trail": trail, "times": times, "claims": claims}


def main():
    wrong = 0
    for target_, make in TARGETS.items():
        folder = os.path.join(CORPUS, target_)
        os.makedirs(folder, exist_ok=True)
        for name, data in make():
            path = os.path.join(folder, name)
            if os.path.exists(path) and read(path) == data:
                continue
            wrong += 1
            if "--check" in sys.argv:
                print("differs:", path)
                continue
            with open(path, "wb") as file:
                file.write(data)
    return 1 if wrong and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
