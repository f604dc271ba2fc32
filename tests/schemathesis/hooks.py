"""Ids and names of things that are there (KNOWN_THINGS, a JSON file), put into two of three generated requests: else all that
is ever looked at is what does not exist."""
import json
import os
import zlib

import schemathesis

KNOWN = json.load(open(os.environ["KNOWN_THINGS"], encoding="utf-8"))


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    things = KNOWN.get(context.operation.path, {})
    luck = zlib.crc32(repr(path_parameters).encode())
    if path_parameters and luck % 3:
        for name in path_parameters:
            if things.get(name):
                path_parameters[name] = things[name][luck % len(things[name])]
    return path_parameters


@schemathesis.hook
def map_body(context, body):
    choices = KNOWN.get("bodies", {}).get(context.operation.path)
    luck = zlib.crc32(repr(body).encode())
    if choices and isinstance(body, dict) and luck % 3 == 0:
        return {**body, **choices[luck % len(choices)]}
    return body
