"""Expressions. Their grammar is moto's; what surrounds it (placeholders, keys, paths) is checked here."""

import re
from contextlib import contextmanager
from types import SimpleNamespace

from moto.dynamodb.comparisons import create_condition_expression_parser
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.parsing.ast_nodes import ExpressionSelector
from moto.dynamodb.parsing.executors import SetExecutor, UpdateExpressionExecutor
from moto.dynamodb.parsing.expressions import UpdateExpressionParser
from moto.dynamodb.parsing.validators import UpdateExpressionValidator

from .errors import invalid
from .values import check, order_bytes

EXPRESSIONS = (
    "ConditionExpression",
    "FilterExpression",
    "KeyConditionExpression",
    "ProjectionExpression",
    "UpdateExpression",
)
PLACEHOLDER = re.compile(r"[#:][A-Za-z0-9_]+")
KINDS = {"#": ("ExpressionAttributeNames", "name"), ":": ("ExpressionAttributeValues", "value")}
MISSING_KEY = re.compile(r"\s*attribute_not_exists\s*\(\s*(#?[\w.-]+)\s*\)\s*")
NAME, VALUE = r"\(?\s*(#\w+|\w[\w-]*)\s*", r"\s*(:\w+)\s*\)?\s*"
KEY_TERMS = (
    ("compare", re.compile(NAME + r"(=|<=|>=|<|>)" + VALUE)),
    ("begins_with", re.compile(r"\(?\s*begins_with\s*\(\s*(#\w+|\w[\w-]*)\s*,\s*(:\w+)\s*\)\s*\)?\s*")),
    ("between", re.compile(NAME + r"\s+BETWEEN\s+(:\w+)\s+AND\s+(:\w+)\s*\)?\s*", re.IGNORECASE)),
)
COMPARE = {
    "=": lambda a, b: a == b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
PATH_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")


def check_placeholders(request):
    """Each placeholder is defined and each definition used; values are brought to normal form."""
    for name in EXPRESSIONS:
        if name in request and not request[name].strip():
            raise invalid(f"Invalid {name}: The expression can not be empty;")
    for placeholder, name in request.get("ExpressionAttributeNames", {}).items():
        if not name:
            raise invalid(
                f"ExpressionAttributeNames contains invalid value: Empty attribute name for key {placeholder}"
            )
    text = " ".join(str(request[name]) for name in EXPRESSIONS if name in request)
    used = set(PLACEHOLDER.findall(text))
    defined = {*request.get("ExpressionAttributeNames", {}), *request.get("ExpressionAttributeValues", {})}
    for placeholder in sorted(used ^ defined):
        member, what = KINDS.get(placeholder[:1], (None, None))
        if member is None:
            raise invalid(
                f'ExpressionAttributeNames contains invalid key: Syntax error; key: "{placeholder}"'
            )
        if placeholder in used:
            raise invalid(
                f"An expression attribute {what} used in expression is not defined; "
                f"attribute {what}: {placeholder}"
            )
        raise invalid(f"Value provided in {member} unused in expressions: keys: {{{placeholder}}}")
    values = request.get("ExpressionAttributeValues")
    if values:
        request["ExpressionAttributeValues"] = {name: check(value)[0] for name, value in values.items()}


@contextmanager
def _refusing(member):
    """moto says by many exceptions, its own and Python's, that it cannot read an expression."""
    try:
        yield
    except Exception as fault:
        raise invalid(f"Invalid {member}: {getattr(fault, 'message', fault)}") from None


def expression_names(request, member):
    """The top-level attributes that an expression speaks of."""
    names = request.get("ExpressionAttributeNames", {})
    found = re.findall(r"(?<![\w:#.-])#?[A-Za-z_][\w-]*(?!\s*\()", request.get(member, ""))
    return {names.get(one, one) for one in found}


def condition(request, member="ConditionExpression"):
    """A function that says whether an item's members ({} for none) fulfil the expression."""
    text = request.get(member)
    if text is None:
        return lambda members: True
    names = request.get("ExpressionAttributeNames", {})
    simple = MISSING_KEY.fullmatch(text)
    if simple and "." not in simple[1]:
        name = names.get(simple[1], simple[1])
        return lambda members: name not in members
    with _refusing(member):
        parsed = create_condition_expression_parser(
            text, names, request.get("ExpressionAttributeValues", {})
        ).parse()
    return lambda members: bool(parsed.expr(Item(None, None, members)))


class _Set(SetExecutor):
    """moto's, which sets a member of what has none without a word."""

    def execute(self, item):
        part = self.get_item_part_in_which_to_perform_action(item)
        wanted = "L" if isinstance(self.get_element_to_action(), ExpressionSelector) else "M"
        if getattr(part, "type", "M") != wanted:
            raise ValueError("The document path provided in the update expression is invalid for update")
        super().execute(item)


class _Executor(UpdateExpressionExecutor):
    execution_map = {
        kind: _Set if executor is SetExecutor else executor
        for kind, executor in UpdateExpressionExecutor.execution_map.items()
    }


def update(request, table, members):
    """The members after an UpdateExpression."""
    item = Item(None, None, members)
    names = request.get("ExpressionAttributeNames", {})
    stand_in = SimpleNamespace(
        table_key_attrs=table.schema.names,
        attribute_keys=table.schema.names,
        attr=[{"AttributeName": name, "AttributeType": kind} for name, kind in table.types.items()],
    )
    with _refusing("UpdateExpression"):
        tree = UpdateExpressionValidator(
            UpdateExpressionParser.make(request["UpdateExpression"]),
            expression_attribute_names=names,
            expression_attribute_values=request.get("ExpressionAttributeValues", {}),
            item=item,
            table=stand_in,
        ).validate()
        tree.normalize()
        _Executor(tree, item, names).execute()
    return item.to_json()["Attributes"]


def key_condition(request, schema):
    """(the hash's place, a function that judges the range key or None)."""
    values = request.get("ExpressionAttributeValues", {})
    names = request.get("ExpressionAttributeNames", {})
    terms = {}
    for kind, *parts in _key_terms(request.get("KeyConditionExpression", "")):
        terms[names.get(parts[0], parts[0])] = (kind, *parts[1:])
    on_hash = terms.pop(schema.hash, None)
    if on_hash is None or on_hash[:2] != ("compare", "=") or set(terms) - {schema.range}:
        raise invalid("Query condition missed key schema element: " + schema.hash)
    value = values[on_hash[2]]
    if schema.types[schema.hash] not in value:
        raise invalid(
            "One or more parameter values were invalid: Condition parameter type does not match schema type"
        )
    if value[schema.types[schema.hash]] == "":
        raise invalid(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain "
            f"an empty string value. Key: {schema.hash}"
        )
    prefix = schema.place(
        {schema.hash: value, schema.range: {"S": ""}} if schema.range else {schema.hash: value}
    )[:16]
    if not terms:
        return prefix, None
    return prefix, _range_judge(schema, terms[schema.range], values)


def _key_terms(text):
    place = 0
    while place < len(text):
        joined = re.compile(r"\s*AND\s+", re.IGNORECASE).match(text, place) if place else None
        place = joined.end() if joined else place
        found = next(
            ((kind, match) for kind, pattern in KEY_TERMS if (match := pattern.match(text, place))), None
        )
        if found is None:
            raise invalid(
                f'Invalid KeyConditionExpression: Syntax error; token: "{text[place : place + 20]}"'
            )
        yield (found[0], *found[1].groups())
        place = found[1].end()


def _range_judge(schema, term, values):
    kind, *parts = term
    given = [values[part] for part in parts if part in values]
    if any(schema.types[schema.range] not in value for value in given):
        raise invalid(
            "One or more parameter values were invalid: Condition parameter type does not match schema type"
        )
    bounds = [order_bytes(value) for value in given]
    judges = {
        "compare": lambda place: COMPARE[parts[0]](place, bounds[0]),
        "begins_with": lambda place: place.startswith(bounds[0]),
        "between": lambda place: bounds[0] <= place <= bounds[1],
    }
    return lambda members: judges[kind](order_bytes(members[schema.range]))


def projection(request):
    """A function that cuts an item down to the ProjectionExpression."""
    text = request.get("ProjectionExpression")
    if text is None:
        return lambda members: members
    names = request.get("ExpressionAttributeNames", {})
    paths = []
    for path in text.split(","):
        steps = [
            (names.get(name, name) if name else int(place)) for name, place in PATH_STEP.findall(path.strip())
        ]
        if not steps:
            raise invalid("Invalid ProjectionExpression: The expression can not be empty;")
        paths.append(steps)
    _check_overlap(paths)
    return lambda members: _project(members, paths)


def _check_overlap(paths):
    """No path may lead to where another one begins."""
    for place, one in enumerate(paths):
        for other in paths[place + 1 :]:
            if one[: len(other)] == other[: len(one)]:
                raise invalid(
                    "Invalid ProjectionExpression: Two document paths overlap with each other; must remove or "
                    f"rewrite one of these paths; path one: {_shown(one)}, path two: {_shown(other)}"
                )


def _shown(path):
    return "[" + ", ".join(f"[{step}]" if isinstance(step, int) else step for step in path) + "]"


def _project(members, paths):
    shown = {}
    for name in dict.fromkeys(path[0] for path in paths):
        if name in members:
            rests = [path[1:] for path in paths if path[0] == name]
            value = members[name] if [] in rests else _inside(members[name], rests)
            if value is not None:
                shown[name] = value
    return shown


def _inside(value, paths):
    """The parts of a map or list that the paths name; None when there is none."""
    if "M" in value:
        inner = _project(value["M"], [path for path in paths if isinstance(path[0], str)])
        return {"M": inner} if inner else None
    if "L" in value:
        numbered = {str(place): member for place, member in enumerate(value["L"])}
        inner = _project(numbered, [[str(path[0]), *path[1:]] for path in paths if isinstance(path[0], int)])
        return {"L": [inner[place] for place in sorted(inner, key=int)]} if inner else None
    return None
