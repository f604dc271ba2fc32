"""The condition operators of IAM, and the patterns of its actions, resources and values.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators", "Multivalued context keys", "Variables and tags".
A context maps lower-case keys to a text, or to a list of texts for the keys that have many.
"""

import re
from datetime import datetime, timezone
from functools import cache
from ipaddress import ip_address, ip_network

TOKEN = re.compile(r"\$\{([^}]+)\}|([*?])|(.)", re.S)
WILD = {"*": ".*", "?": "."}


def listed(value):
    return value if isinstance(value, list) else [value]


@cache
def _plain(pattern, fold):
    parts = (WILD[wild] if wild else re.escape(plain) for _, wild, plain in TOKEN.findall(pattern))
    return re.compile("".join(parts), re.S | (re.I if fold else 0))


def _value(variable, context):
    """What stands for ${variable}; None when the request has no such key and the policy no default."""
    if variable in ("*", "?", "$"):
        return variable
    name, _, default = variable.partition(",")
    value = context.get(name.strip().lower())
    if isinstance(value, list):
        return None
    return value if value is not None else default.strip().strip("'") or None


def fits(pattern, text, context=None, fold=False):
    """Whether a text is as a pattern with * and ? (and variables, where there is a context)."""
    if "${" not in pattern:
        return _plain(pattern, fold).fullmatch(text) is not None
    parts = []
    for variable, wild, plain in TOKEN.findall(pattern):
        value = _value(variable, context or {}) if variable else plain
        if value is None:
            return False
        parts.append(WILD[wild] if wild else re.escape(value))
    return re.fullmatch("".join(parts), text, re.S | (re.I if fold else 0)) is not None


def _exact(expected, actual, context, fold=False):
    if "${" in expected:
        escaped = re.sub(r"(?<!\{)([*?])(?!\})", r"${\1}", expected)
        return fits(escaped, actual, context, fold)
    return expected.lower() == actual.lower() if fold else expected == actual


def _arn(expected, actual, context):
    """Each of the six parts for itself."""
    wanted, found = expected.split(":", 5), actual.split(":", 5)
    return len(wanted) == len(found) == 6 and all(
        fits(one, other, context) for one, other in zip(wanted, found)
    )


def _time(text):
    if re.fullmatch(r"-?\d+(\.\d+)?", text):
        return float(text)
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=timezone.utc)).timestamp()


def _ordered(kind, compare):
    return lambda expected, actual, _context: compare(kind(actual), kind(expected))


def _bool(expected, actual, _context):
    return expected.lower() == actual.lower()


def _within(expected, actual, _context):
    return ip_address(actual) in ip_network(expected, strict=False)


def _comparisons(name, kind):
    compares = {
        "Equals": lambda a, b: a == b,
        "LessThan": lambda a, b: a < b,
        "LessThanEquals": lambda a, b: a <= b,
        "GreaterThan": lambda a, b: a > b,
        "GreaterThanEquals": lambda a, b: a >= b,
    }
    return {name + word: _ordered(kind, compare) for word, compare in compares.items()}


OPERATORS = {
    "StringEquals": _exact,
    "StringEqualsIgnoreCase": lambda expected, actual, context: _exact(expected, actual, context, True),
    "StringLike": fits,
    "ArnEquals": _arn,
    "ArnLike": _arn,
    "Bool": _bool,
    "BinaryEquals": _exact,
    "IpAddress": _within,
    **_comparisons("Numeric", float),
    **_comparisons("Date", _time),
}


def _parts(operator):
    """(qualifier, test, whether its answer is turned round, whether a missing key will do)."""
    qualifier, _, name = operator.rpartition(":")
    optional = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    negated = "Not" in name
    return qualifier, OPERATORS.get(name.replace("Not", "", 1)), negated, optional


def _one(operator, key, expected, context):
    qualifier, test, negated, optional = _parts(operator)
    actual = context.get(key.lower())
    if operator == "Null":
        return all((str(want).lower() == "true") == (actual is None) for want in expected)
    if test is None:
        return False  # no operator of IAM: nothing fits it
    if actual is None or actual == []:
        return optional or negated or qualifier == "ForAllValues"

    def meets(value):
        try:
            return any(test(_text(want), value, context) for want in expected) != negated
        except ValueError:
            return False

    return (all if qualifier == "ForAllValues" else any)(meets(value) for value in listed(actual))


def _text(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


def hold(conditions, context):
    """Whether a statement's Condition holds: every operator, every key; any of a key's values."""
    return all(
        _one(operator, key, listed(expected), context)
        for operator, keys in (conditions or {}).items()
        for key, expected in keys.items()
    )
