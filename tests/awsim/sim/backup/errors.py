"""What AWS Backup says when it refuses, in the form that its REST protocol carries."""

import json
import uuid

from ..wire import Response

STATUS = {"AccessDeniedException": 403, "ServiceUnavailableException": 500, "UnknownOperationException": 404}


class BackupError(Exception):
    """A refusal; `extra` holds further members of the body (Arn, CreatorRequestId, Context)."""

    def __init__(self, code, message, **extra):
        super().__init__(message)
        self.code, self.message, self.extra = code, message, extra

    def response(self):
        body = json.dumps({"Message": self.message, "Type": "Sender", **self.extra}).encode()
        headers = {
            "Content-Type": "application/json",
            "x-amzn-ErrorType": self.code,
            "x-amzn-RequestId": str(uuid.uuid4()),
        }
        return Response(STATUS.get(self.code, 400), headers, body)


def invalid(message):
    return BackupError("InvalidParameterValueException", message)


def missing(message):
    return BackupError("MissingParameterValueException", message)


def refused(message):
    return BackupError("InvalidRequestException", message)


def not_found(message):
    return BackupError("ResourceNotFoundException", message)
