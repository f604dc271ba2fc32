"""What DynamoDB says when it refuses, in the form its JSON protocol carries."""

PREFIXES = {
    "ValidationException": "com.amazon.coral.validate#",
    "SerializationException": "com.amazon.coral.service#",
    "UnknownOperationException": "com.amazon.coral.service#",
    "MissingAuthenticationTokenException": "com.amazon.coral.service#",
}
OWN_PREFIX = "com.amazonaws.dynamodb.v20120810#"


class DdbError(Exception):
    """A refusal; `extra` holds further members of the body (Item, CancellationReasons)."""

    def __init__(self, code, message, status=400, **extra):
        super().__init__(message)
        self.code, self.message, self.status, self.extra = code, message, status, extra

    def body(self):
        return {
            "__type": PREFIXES.get(self.code, OWN_PREFIX) + self.code,
            "message": self.message,
            **self.extra,
        }


def invalid(message):
    return DdbError("ValidationException", message)


def invalid_value(message):
    return invalid("One or more parameter values were invalid: " + message)


def unknown(message):
    return DdbError("UnknownOperationException", message)


def not_found(message="Requested resource not found"):
    return DdbError("ResourceNotFoundException", message)


def in_use(message):
    return DdbError("ResourceInUseException", message)
