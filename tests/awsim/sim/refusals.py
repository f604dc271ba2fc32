"""Errors in the form that each service's protocol carries them."""

import json
import re
import uuid
import zlib
from xml.sax.saxutils import escape

from .names import model
from .wire import Response

# kind -> (DynamoDB, S3, every other service), each (status, code, message).
REFUSALS = {
    "throttle": (
        (
            400,
            "ProvisionedThroughputExceededException",
            "The level of configured provisioned throughput for the table was exceeded.",
        ),
        (503, "SlowDown", "Please reduce your request rate."),
        (400, "ThrottlingException", "Rate exceeded"),
    ),
    "error_500": (
        (500, "InternalServerError", "The request processing has failed because of an unknown error."),
        (500, "InternalError", "We encountered an internal error. Please try again."),
        (500, "InternalFailure", "The request processing has failed because of an unknown error."),
    ),
    "error_503": ((503, "ServiceUnavailable", "The service is unavailable. Please try again shortly."),) * 3,
    "conflict": (
        (400, "TransactionConflictException", "Transaction is ongoing for the item"),
        (
            409,
            "ConditionalRequestConflict",
            "The conditional request cannot succeed due to a conflicting operation against this resource.",
        ),
        (409, "ConflictException", "A conflicting operation is in progress."),
    ),
    "denied": (
        (400, "AccessDeniedException", "User is not authorized to perform this operation."),
        (403, "AccessDenied", "Access Denied"),
        (400, "AccessDeniedException", "User is not authorized to perform this operation."),
    ),
    "unknown_operation": (
        (400, "UnknownOperationException", "An unknown operation was requested."),
        (501, "NotImplemented", "A header you provided implies functionality that is not implemented."),
        (400, "UnknownOperationException", "An unknown operation was requested."),
    ),
}
PLANES, TOO_MANY = ("dynamodb", "s3"), "TooManyRequestsException"
# DynamoDB speaks of provisioned throughput where items move, and as other services elsewhere.
DATA_PLANE = re.compile(r"(Put|Get|Update|Delete|BatchGet|BatchWrite)Item|Transact\w+|Scan|Query")


def _throttled(call):
    """(status, code, message) of a service that is neither S3 nor DynamoDB's data plane, as its model names it."""
    known = model(call.service)
    if known and call.operation in known.operation_names:
        shapes = {shape.name: shape for shape in known.operation_model(call.operation).error_shapes}
        if TOO_MANY in shapes:
            return shapes[TOO_MANY].metadata.get("error", {}).get("httpStatusCode", 400), TOO_MANY, "Rate exceeded"
    return (400, "Throttling", "Rate exceeded") if known and known.protocol == "query" else REFUSALS["throttle"][2]


def refuse(call, kind):
    """The Response with which this call is refused."""
    plain = call.service == "s3" or call.service == "dynamodb" and DATA_PLANE.fullmatch(call.operation)
    if kind == "throttle" and not plain:
        return error(call.service, *_throttled(call))
    plane = PLANES.index(call.service) if call.service in PLANES else 2
    return error(call.service, *REFUSALS[kind][plane])


def error(service, status, code, message):
    known = model(service)
    form = _xml if service == "s3" else FORMS.get(known.protocol if known else "json", _json)
    return form(status, code, message, str(uuid.uuid4()))


def _json(status, code, message, request):
    body = json.dumps({"__type": code, "message": message}).encode()
    return Response(
        status,
        {
            "Content-Type": "application/x-amz-json-1.0",
            "x-amzn-ErrorType": code,
            "x-amzn-RequestId": request,
            "x-amz-crc32": str(zlib.crc32(body)),
        },
        body,
    )


def _query(status, code, message, request):
    return Response(
        status,
        {"Content-Type": "text/xml", "x-amzn-RequestId": request},
        (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>"
            f"<Message>{escape(message)}</Message></Error>"
            f"<RequestId>{request}</RequestId></ErrorResponse>"
        ).encode(),
    )


def _xml(status, code, message, request):
    return Response(
        status,
        {"Content-Type": "application/xml", "x-amz-request-id": request},
        (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<Error><Code>{code}</Code><Message>{escape(message)}</Message>"
            f"<RequestId>{request}</RequestId></Error>"
        ).encode(),
    )


FORMS = {"query": _query, "ec2": _query, "rest-xml": _query}
