"""Which service and operation a request is, by AWS's published models: the ledger's and the faults' words."""

import json
import re
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import parse_qs, unquote

from botocore.exceptions import UnknownServiceError
from botocore.session import Session

# Signing names that differ from the service's name in botocore.
SERVICES = {
    "monitoring": "cloudwatch",
    "email": "ses",
    "states": "stepfunctions",
    "elasticloadbalancing": "elbv2",
    "tagging": "resourcegroupstaggingapi",
    "execute-api": "apigatewaymanagementapi",
}
STREAMS_TARGET = "DynamoDBStreams_20120810."
CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request")
CBOR_PATH = re.compile(r"/service/[^/]+/operation/(\w+)")
UNSIGNED = {"AssumeRoleWithWebIdentity": "sts", "AssumeRoleWithSAML": "sts"}
# Services whose requests name themselves: by X-Amz-Target's prefix, or by a form's Version.
BY_TARGET = (
    "dynamodb",
    "cloudwatch",
    "application-autoscaling",
    "kms",
    "ssm",
    "cognito-idp",
    "logs",
    "events",
    "secretsmanager",
    "kinesis",
    "resourcegroupstaggingapi",
)
BY_VERSION = ("sts", "iam", "cloudwatch", "sns", "ses", "cloudformation", "ec2", "rds")

EFFECTS = (
    (r"(Get|List|Describe|Head|Scan|Query|BatchGet|TransactGet|Select|Search|Lookup|Assume|Decode)", "read"),
    (r"(Create|Register|Allocate|Run|Import|Restore|Export|BatchCreate)", "made"),
    (r"(Delete|Deregister|Terminate|BatchDelete)", "deleted"),
)


@dataclass
class Call:
    """One call on its way: who, what, where; handlers set `resource` and `effect`."""

    service: str
    operation: str
    resource: str | None
    access_key: str | None
    region: str
    account: str = "123456789012"
    principal: str = ""
    effect: str | None = None
    body_bytes: int = 0
    unprocessed: bool = False
    overlaps: bool = False
    lies: bool = False
    outcome: tuple | None = None  # how the job that the call starts is to end: (kind, message)
    clock: object = None
    denied: dict = field(default_factory=dict)  # (key, version id) of DeleteObjects: why this one may not go
    caller: object = None  # iam.callers.Caller; None of a call that needs no signature
    looked_at: bool = False
    wrong: list = field(default_factory=list)  # why AWS's models do not know this request

    def leaves(self, count, total):
        """Whether a batch hands this part back: under the fault its second half, at least one part."""
        return self.unprocessed and count >= total // 2


@cache
def session():
    return Session()


@cache
def model(service):
    try:
        return session().get_service_model(service)
    except UnknownServiceError:
        return None


@cache
def routes(service):
    """(method, path pattern, needed query, needed headers, operation), the most particular first."""
    found = []
    for name in model(service).operation_names:
        operation = model(service).operation_model(name)
        path, _, literal = operation.http["requestUri"].partition("?")
        query = {part.partition("=")[0]: part.partition("=")[2] for part in literal.split("&") if part}
        query.pop("x-id", None)
        headers = set()
        shape = operation.input_shape
        for member in shape.required_members if shape else ():
            where = shape.members[member].serialization
            if where.get("location") == "querystring":
                query.setdefault(where["name"], "")
            if where.get("location") == "header":
                headers.add(where["name"].lower())
        pattern = re.sub(
            r"\\\{(\w+)(\\\+)?\\\}",
            lambda one: f"(?P<{one[1]}>{'.+' if one[2] else '[^/]+'})",
            re.escape(path.rstrip("/") or "/"),
        )
        found.append((operation.http["method"], re.compile(pattern + "/?"), query, headers, name))
    old = {route[4] for route in found if model(service).operation_model(route[4]).deprecated}
    return sorted(found, key=lambda route: (-(len(route[2]) + len(route[3])), route[4] in old))


def _by_route(service, request):
    given = dict(request.query)
    for method, pattern, query, headers, name in routes(service):
        match = pattern.fullmatch(request.path) if method == request.method else None
        if (
            match
            and headers <= set(request.headers)
            and all(key in given and value in ("", given[key]) for key, value in query.items())
        ):
            return name, "/".join(unquote(part) for part in match.groups() if part) or None
    return request.method, None


def _first_member(service, operation, members):
    """The resource of a call whose members lie in its body: its first required word."""
    known = model(service)
    if known is None or operation not in known.operation_names:
        return None
    shape = known.operation_model(operation).input_shape
    names = (shape.required_members or list(shape.members)) if shape else []
    return next((members[name] for name in names if isinstance(members.get(name), str)), None)


def _in_body(service, operation, members):
    return Call(service, operation, _first_member(service, operation, members), None, "")


def json_members(body):
    try:
        members = json.loads(body)
    except ValueError:
        return {}
    return members if isinstance(members, dict) else {}


def resolve(request):
    """The Call that a request makes."""
    signed = CREDENTIAL.search(request.headers.get("authorization", ""))
    if signed is None:
        signed = CREDENTIAL.search("Credential=" + dict(request.query).get("X-Amz-Credential", ""))
    key, _, region, signing = signed.groups() if signed else (None, None, "us-east-1", None)
    service = SERVICES.get(signing, signing)
    target = request.headers.get("x-amz-target")
    cbor = CBOR_PATH.fullmatch(request.path)
    if target:
        service = "dynamodbstreams" if target.startswith(STREAMS_TARGET) else service
        operation = target.rpartition(".")[2]
        # An item's resource is its table: DynamoDB's handlers tell it, and its bodies are not parsed twice.
        members = {} if service == "dynamodb" else json_members(request.body)
        call = _in_body(service, operation, members)
    elif cbor:
        call = Call(service, cbor[1], None, None, "")
    elif (form := form_of(request)) is not None:
        action = form.get("Action", "")
        call = _in_body(service or UNSIGNED.get(action), action, form)
    else:
        service = "sesv2" if service == "ses" and request.path.startswith("/v2/") else service or "s3"
        operation, resource = _by_route(service, request) if model(service) else (request.method, None)
        call = Call(service, operation, resource, None, "")
    call.access_key, call.region, call.body_bytes = key, region, len(request.body)
    return call


def signing_name(call, request):
    """The service for which a request of this form is to be signed."""
    known = model(call.service) if call.service else None
    target, cbor = request.headers.get("x-amz-target"), CBOR_PATH.fullmatch(request.path)
    if target or cbor:
        prefix = target.rpartition(".")[0] if target else request.path.split("/")[2]
        if prefix == STREAMS_TARGET.rstrip("."):
            return "dynamodb"
        return _named(known, BY_TARGET, lambda one: one.metadata.get("targetPrefix") == prefix)
    form = form_of(request)
    if form is not None:
        return _named(known, BY_VERSION, lambda one: one.api_version == form.get("Version", one.api_version))
    return known.signing_name if known and known.protocol.startswith("rest-") else "s3"


def _named(known, others, fits):
    if known and fits(known):
        return known.signing_name
    return next(
        (model(name).signing_name for name in others if fits(model(name))),
        known.signing_name if known else "s3",
    )


def form_of(request):
    """The members of a call in the query protocol: in its body, or in its address."""
    form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    if form and request.method == "POST" and request.path == "/":
        given = parse_qs(request.body.decode("utf-8", "replace"), keep_blank_values=True)
        return {name: values[0] for name, values in given.items()}
    given = dict(request.query)
    return given if "Action" in given and request.path == "/" else None


def effect_of(operation):
    return next((effect for pattern, effect in EFFECTS if re.match(pattern, operation)), "changed")
