"""The words in which AWS refuses a caller, by family of services."""

from .names import model
from .refusals import error

INVALID_TOKEN = "The security token included in the request is invalid."
MISMATCH = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
)
S3_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your key and signing method."
)
EXPIRED = "The security token included in the request is expired"

# kind -> family -> (status, code, message); a call gives its own message where None stands.
DENIALS = {
    "missing": {
        "json": (400, "MissingAuthenticationTokenException", "Request is missing Authentication Token"),
        "rest": (403, "MissingAuthenticationTokenException", "Missing Authentication Token"),
        "query": (403, "MissingAuthenticationToken", "Request is missing Authentication Token"),
        "s3": (403, "AccessDenied", "Access Denied"),
    },
    "incomplete": {
        "json": (400, "IncompleteSignatureException", None),
        "rest": (403, "IncompleteSignatureException", None),
        "query": (400, "IncompleteSignature", None),
        "s3": (400, "AuthorizationHeaderMalformed", None),
    },
    "unknown_key": {
        "json": (400, "UnrecognizedClientException", INVALID_TOKEN),
        "rest": (403, "UnrecognizedClientException", INVALID_TOKEN),
        "query": (403, "InvalidClientTokenId", INVALID_TOKEN),
        "s3": (
            403,
            "InvalidAccessKeyId",
            "The AWS Access Key Id you provided does not exist in our records.",
        ),
    },
    "wrong_token": {
        "json": (400, "UnrecognizedClientException", INVALID_TOKEN),
        "rest": (403, "UnrecognizedClientException", INVALID_TOKEN),
        "query": (403, "InvalidClientTokenId", INVALID_TOKEN),
        "s3": (400, "InvalidToken", "The provided token is malformed or otherwise invalid."),
    },
    "expired": {
        "json": (400, "ExpiredTokenException", EXPIRED),
        "rest": (403, "ExpiredTokenException", EXPIRED),
        "query": (403, "ExpiredToken", EXPIRED),
        "s3": (400, "ExpiredToken", "The provided token has expired."),
    },
    "scope": {
        "json": (400, "InvalidSignatureException", None),
        "rest": (403, "InvalidSignatureException", None),
        "query": (403, "SignatureDoesNotMatch", None),
        "s3": (400, "AuthorizationHeaderMalformed", None),
    },
    "date": {
        "json": (400, "InvalidSignatureException", None),
        "rest": (403, "InvalidSignatureException", None),
        "query": (403, "SignatureDoesNotMatch", None),
        "s3": (
            403,
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
        ),
    },
    "access": {
        "json": (400, "AccessDeniedException", None),
        "rest": (403, "AccessDeniedException", None),
        "query": (403, "AccessDenied", None),
        "s3": (403, "AccessDenied", None),
    },
    "signature": {
        "json": (400, "InvalidSignatureException", MISMATCH),
        "rest": (403, "InvalidSignatureException", MISMATCH),
        "query": (403, "SignatureDoesNotMatch", MISMATCH),
        "s3": (403, "SignatureDoesNotMatch", S3_MISMATCH),
    },
    "unsigned_header": {
        "json": (
            400,
            "InvalidSignatureException",
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
        ),
        "rest": (
            403,
            "InvalidSignatureException",
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
        ),
        "query": (
            403,
            "SignatureDoesNotMatch",
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
        ),
        "s3": (403, "AccessDenied", "There were headers present in the request which were not signed"),
    },
    "url_expired": {
        "json": (400, "InvalidSignatureException", None),
        "rest": (403, "InvalidSignatureException", None),
        "query": (403, "SignatureDoesNotMatch", None),
        "s3": (403, "AccessDenied", "Request has expired"),
    },
}
FAMILIES = {
    "json": "json",
    "smithy-rpc-v2-cbor": "json",
    "query": "query",
    "ec2": "query",
    "rest-json": "rest",
}


def family(call):
    if call.service == "s3":
        return "s3"
    known = model(call.service) if call.service else None
    return FAMILIES.get(known.protocol if known else "json", "query")


class Denied(Exception):
    """A caller that AWS does not let in; `message` where the words depend on the request."""

    def __init__(self, kind, message=None):
        super().__init__(kind)
        self.kind, self.message = kind, message

    def response(self, call):
        status, code, message = DENIALS[self.kind][family(call)]
        return error(call.service, status, code, message or self.message or code)
