"""What an import reads: objects, packed or not, of items as DynamoDB JSON or as rows of CSV."""

import csv
import gzip
import io
import json
import zlib
from dataclasses import dataclass, field

import zstandard

from .errors import DdbError


@dataclass
class Outcome:
    """`faults`: (key, the item's place in its object, what is wrong), each counted in `errors`."""

    imported: int = 0
    bytes: int = 0
    faults: list = field(default_factory=list)

    @property
    def errors(self):
        return len(self.faults)


class Unreadable(Exception):
    """From here on the object gives no items."""


def _zstd(body):
    """Of any number of frames."""
    return zstandard.ZstdDecompressor().stream_reader(body, read_across_frames=True).read()


UNPACK = {"NONE": bytes, "GZIP": gzip.decompress, "ZSTD": _zstd}
BROKEN = (OSError, EOFError, zlib.error, zstandard.ZstdError)


def _json_items(body, _request, _table):
    for line in body.split(b"\n"):
        if not line.strip():
            continue
        try:
            item = json.loads(line)["Item"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise Unreadable("The line is not an item in DynamoDB JSON") from None
        if not isinstance(item, dict):
            raise Unreadable("The line is not an item in DynamoDB JSON")
        yield item


def _csv_items(body, request, table):
    """Keys have the types of the table and its indexes; every other value is a string, an empty one is left out."""
    options = request.get("InputFormatOptions", {}).get("Csv", {})
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise Unreadable("The object is not UTF-8") from None
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=options.get("Delimiter", ","))
    header = options.get("HeaderList") or next(rows, [])
    for row in rows:
        if not row:
            continue
        if len(row) > len(header):
            raise Unreadable("A row has more values than the header has names")
        yield {name: {table.types.get(name, "S"): value} for name, value in zip(header, row) if value != ""}


READERS = {"DYNAMODB_JSON": _json_items, "CSV": _csv_items}


def read(request, table, objects):
    """Fills the table from [(key, body)], in this order: of items with one key the last stays."""
    outcome = Outcome()
    for key, packed in objects:
        index = 0
        try:
            body = UNPACK[request.get("InputCompressionType", "NONE")](packed)
            outcome.bytes += len(body)
            for item in READERS[request["InputFormat"]](body, request, table):
                _one(table, item, outcome, key, index)
                index += 1
        except BROKEN:
            outcome.faults.append((key, index, "The object is not compressed as the request says"))
        except (Unreadable, csv.Error) as fault:
            outcome.faults.append((key, index, str(fault)))
    return outcome


def _one(table, item, outcome, key, index):
    """Values of no type end the object; an item that the table refuses is skipped."""
    try:
        place, _, stored = table.item(item)
    except UnicodeEncodeError:
        raise Unreadable("A string is not valid Unicode") from None
    except DdbError as fault:
        if fault.code == "SerializationException":
            raise Unreadable(fault.message) from None
        outcome.faults.append((key, index, fault.message))
        return
    table.put(place, stored)
    outcome.imported += 1
