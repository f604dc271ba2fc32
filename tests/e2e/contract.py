"""openapi.yaml as a judge: every answer that the tests' client sees is held against it as it comes, and which operations have
answered well is remembered, so that a whole run can tell what it never asked for."""
import functools
import json
import pathlib
import re

import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

DOCUMENT = yaml.load((pathlib.Path(__file__).resolve().parents[2] / "openapi.yaml").read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
METHODS = ("get", "put", "post", "delete")
OPERATIONS = {node["operationId"] for path in DOCUMENT["paths"].values() for method, node in path.items() if method in METHODS}
REGISTRY = Registry().with_resource("urn:openapi", Resource.from_contents(DOCUMENT, default_specification=DRAFT202012))
exercised = set()


def pattern(path):
    """A parameter is one segment, but for the last of a file's path."""
    return re.compile(re.sub(r"\\\{path\\\}", ".+", re.sub(r"\\\{(?!path\\\})\w+\\\}", "[^/]+", re.escape(path))))


PATHS = [(pattern(path), path) for path in sorted(DOCUMENT["paths"], key=lambda path: path.count("{"))]


def find(target):
    path = target.partition("?")[0]
    return next((known for regex, known in PATHS if regex.fullmatch(path)), None)


def resolved(pointer):
    """-> (the node, its own pointer), through references"""
    node = DOCUMENT
    for part in pointer.removeprefix("#/").split("/"):
        node = node[part.replace("~1", "/").replace("~0", "~")]
    return resolved(node["$ref"]) if "$ref" in node else (node, pointer)


@functools.cache
def validator(pointer):
    return Draft202012Validator({"$ref": f"urn:openapi{pointer}"}, registry=REGISTRY, format_checker=Draft202012Validator.FORMAT_CHECKER)


def escaped(name):
    return name.replace("~", "~0").replace("/", "~1")


def faults_of_body(pointer, media, content):
    if media in ("application/json", "application/problem+json"):
        values = [json.loads(content)]
    elif media == "application/x-ndjson":
        values = [json.loads(line) for line in content.splitlines()]
    else:
        return []
    check = validator(f"{pointer}/content/{escaped(media)}/schema")
    return [f"{error.json_path}: {error.message[:300]}" for value in values for error in check.iter_errors(value)]


def faults_of_answer(known, method, status, headers, content):
    node = DOCUMENT["paths"][known][method]
    if str(status) not in node["responses"]:
        return [f"{status} is not documented"]
    answer, pointer = resolved(f"#/paths/{escaped(known)}/{method}/responses/{status}")
    media = headers.get("Content-Type", "").partition(";")[0]
    faults = [f"no header {name}" for name in ("X-Request-Id",) if name not in headers]
    if not content:
        return faults
    if media not in answer.get("content", {}):
        return faults + [f"{media} is not documented for {status}"]
    return faults + (faults_of_body(pointer, media, content) if "schema" in answer["content"][media] else [])


def judge(method, target, status, headers, content):
    """Raises when openapi.yaml does not say that this can be answered. HEAD is GET without its body."""
    known, verb = find(target), method.lower().replace("head", "get")
    if not known:
        faults = [] if status in (400, 401, 404, 414, 431) else [f"{status} at a path that is not documented"]
    elif verb == "options":
        faults = [] if status == 204 and "Allow" in headers else [f"{status} without Allow"]
    elif verb not in DOCUMENT["paths"][known]:
        faults = [] if status in (400, 405) else [f"{status} to a method that is not documented"]
    else:
        faults = faults_of_answer(known, verb, status, headers, content)
        if status < 400:
            exercised.add(DOCUMENT["paths"][known][verb]["operationId"])
    assert not faults, f"{method} {target}: {status}: {'; '.join(faults)}: {content[:500]!r}"
