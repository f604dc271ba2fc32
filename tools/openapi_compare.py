"""openapi_compare.py RELEASED NOW: within /v1 nothing that a release promised is removed, renamed, narrowed or newly required."""
import sys

import yaml

METHODS = ("get", "put", "post", "delete", "patch", "head", "options")
faults = []


def resolve(document, node):
    while isinstance(node, dict) and "$ref" in node:
        found = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part.replace("~1", "/").replace("~0", "~")]
        node = found
    return node if isinstance(node, dict) else {}


def compare_schema(old, new, where, answer, seen):
    """answer: what the server sends may gain members; what it takes may not gain required ones"""
    a, b = resolve(documents[0], old), resolve(documents[1], new)
    if (id(a), id(b)) in seen:
        return
    seen.add((id(a), id(b)))
    if a.get("type") and a.get("type") != b.get("type"):
        faults.append(f"{where}: type {a.get('type')} became {b.get('type')}")
    gone = set(map(str, a.get("enum", []))) - set(map(str, b.get("enum", a.get("enum", []))))
    if gone:
        faults.append(f"{where}: values gone: {', '.join(sorted(gone))}")
    for word in ("enum", "pattern"):
        if not answer and word in b and (word not in a or word == "pattern" and a[word] != b[word]):
            faults.append(f"{where}: takes only {b[word]} now")
    for name, schema in a.get("properties", {}).items():
        if name not in b.get("properties", {}):
            faults.append(f"{where}/{name}: gone")
        else:
            compare_schema(schema, b["properties"][name], f"{where}/{name}", answer, seen)
    changed = set(a.get("required", [])) - set(b.get("required", [])) if answer else set(b.get("required", [])) - set(a.get("required", []))
    for name in sorted(changed):
        faults.append(f"{where}/{name}: {'no longer always there' if answer else 'newly required'}")
    for low in ("minimum", "minLength", "minItems"):
        if not answer and low in b and b[low] > a.get(low, b[low] - 1):
            faults.append(f"{where}: {low} {a.get(low)} became {b[low]}")
    for high in ("maximum", "maxLength", "maxItems"):
        if not answer and high in b and b[high] < a.get(high, b[high] + 1):
            faults.append(f"{where}: {high} {a.get(high)} became {b[high]}")
    if "items" in a:
        compare_schema(a["items"], b.get("items", {}), f"{where}/[]", answer, seen)


def parameters(document, path, operation):
    nodes = [resolve(document, node) for node in path.get("parameters", []) + operation.get("parameters", [])]
    return {(node.get("in"), node.get("name")): node for node in nodes}


def content(document, node):
    return {kind: media.get("schema", {}) for kind, media in resolve(document, node).get("content", {}).items()}


def compare_operation(where, old_path, new_path, method):
    a, b = old_path[method], new_path.get(method)
    if not b:
        faults.append(f"{where}: gone")
        return
    if a.get("operationId") != b.get("operationId"):
        faults.append(f"{where}: operationId {a.get('operationId')} became {b.get('operationId')}")
    before, after = parameters(documents[0], old_path, a), parameters(documents[1], new_path, b)
    for key, node in before.items():
        if key not in after:
            faults.append(f"{where}: parameter {key[1]} gone")
        else:
            compare_schema(node.get("schema", {}), after[key].get("schema", {}), f"{where}?{key[1]}", False, set())
    for key, node in after.items():
        if node.get("required") and not before.get(key, {}).get("required"):
            faults.append(f"{where}: parameter {key[1]} newly required")
    pairs = [("request", a.get("requestBody", {}), b.get("requestBody", {}), False)]
    pairs += [(status, node, b.get("responses", {}).get(status), True) for status, node in a.get("responses", {}).items()]
    for name, old, new, answer in pairs:
        if new is None:
            faults.append(f"{where} {name}: gone")
            continue
        kinds = content(documents[1], new)
        for kind, schema in content(documents[0], old).items():
            if kind not in kinds:
                faults.append(f"{where} {name}: {kind} gone")
            else:
                compare_schema(schema, kinds[kind], f"{where} {name}", answer, set())


documents = [yaml.safe_load(open(name, encoding="utf-8")) for name in sys.argv[1:3]]
for path, node in documents[0]["paths"].items():
    for method in METHODS:
        if method in node:
            compare_operation(f"{method.upper()} {path}", node, documents[1]["paths"].get(path, {}), method)
print("\n".join(faults), end="\n" if faults else "")
sys.exit(1 if faults else 0)
