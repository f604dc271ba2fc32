"""All tables of all accounts and regions, and each one's life: CREATING, ACTIVE, UPDATING, DELETING, gone."""

import re
import threading
import uuid
from dataclasses import replace

from . import encryption
from .errors import in_use, invalid, not_found
from .rates import Rates
from .table import Table

NAME = re.compile(r"[a-zA-Z0-9_.-]{3,255}")
ARN = re.compile(r"arn:aws:dynamodb:[a-z0-9-]+:[0-9]{12}:table/([a-zA-Z0-9_.-]{3,255})(?:/.*)?")


def table_name(text):
    """A table's name out of a name or an ARN."""
    arn = ARN.fullmatch(text)
    name = arn[1] if arn else text
    if not NAME.fullmatch(name):
        raise invalid(
            "1 validation error detected: Value '" + name + "' at 'tableName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+, length 3 to 255"
        )
    return name


class LiveTable(Table):
    """A table with its settings; `ready` is when CREATING or UPDATING ends, `gone` when DELETING does."""

    def __init__(self, name, arn, request, now, delay):
        super().__init__(
            name,
            request["KeySchema"],
            {one["AttributeName"]: one["AttributeType"] for one in request["AttributeDefinitions"]},
        )
        self.arn, self.id, self.created = arn, str(uuid.uuid4()), now
        self.ready, self.gone, self.born = now + delay, None, now + delay
        self.settings = {}
        self.counted = (now, 0, 0)
        self.clock, self.journal, self.restored, self.tags = None, None, None, {}

    def status(self, now):
        if self.gone is not None:
            return "DELETING"
        if now >= self.ready:
            return "ACTIVE"
        return "CREATING" if self.ready == self.born else "UPDATING"

    @property
    def stream_arn(self):
        """The latest stream's ARN, also when it is off by now."""
        label = self.settings.get("stream_label")
        return f"{self.arn}/stream/{label}" if label else None

    def put(self, place, stored):
        return self._noted(place, super().put(place, stored))

    def delete(self, place):
        return self._noted(place, super().delete(place))

    def _noted(self, place, old):
        if self.journal is not None:
            self.journal.add(self.clock.now(), place, old)
        return old

    def drop_gone_indexes(self, now):
        gone = [name for name, index in self.indexes.items() if index.gone is not None and now >= index.gone]
        for name in gone:
            self.drop_index(name)
        if gone:
            schemas = [self.schema, *(index.schema for index in self.indexes.values())]
            used = {name for schema in schemas for name in schema.names}
            self.types = {name: kind for name, kind in self.types.items() if name in used}

    def count(self, now, lag):
        """(items, bytes) as DescribeTable tells them: renewed only once every `lag` seconds."""
        if now - self.counted[0] >= lag:
            self.counted = (now, len(self.items), self.bytes)
        return self.counted[1:]


class Store:
    """`lock` guards everything below; a call holds it from its first look at a table to its answer."""

    def __init__(self, clock, settings):
        self.clock, self.settings = clock, settings
        self.lock = threading.RLock()
        self.places, self.backups, self.rates = {}, {}, Rates(clock)
        self.tokens = {}  # of transactions: (account, region, token) -> (time, what was asked)
        self.exports, self.imports = {}, {}
        self.put_object = self.read_objects = self.write_log = None  # how they reach S3 and logs, set by the app
        self.leave_backup = None  # of a table that is deleted: set by the API, which knows backups

    def reset(self):
        with self.lock:
            self.places.clear()
            self.backups.clear()
            self.tokens.clear()
            self.exports.clear()
            self.imports.clear()
            self.rates.reset()

    def tables(self, call):
        """name -> table of the caller's account and region, without those that are gone by now."""
        tables = self.places.setdefault((call.account, call.region), {})
        now = self.clock.now()
        for name in [name for name, table in tables.items() if table.gone is not None and now >= table.gone]:
            del tables[name]
        return tables

    def _look(self, call, text):
        name = table_name(text)
        call.resource = name
        if ARN.fullmatch(text) and text.split(":")[3:5] != [call.region, call.account]:
            raise invalid(f"Invalid TableArn: Invalid ResourceArn provided as input {text}")
        table = self.tables(call).get(name)
        if table:
            table.drop_gone_indexes(self.clock.now())
        return table

    def anywhere(self, call, text):
        """The table that an ARN names, in any region of the caller's account; by name, one of this region."""
        arn = ARN.fullmatch(text)
        region, account = text.split(":")[3:5] if arn else (call.region, call.account)
        if account != call.account:
            raise not_found(f"Requested resource not found: Table: {text} not found")
        return self.find(replace(call, region=region), text)

    def find(self, call, text):
        """The table, whatever its state."""
        table = self._look(call, text)
        if table is None:
            raise not_found(f"Requested resource not found: Table: {call.resource} not found")
        return table

    def active(self, call, text, admit=None):
        """The table as the data plane sees it: one that is CREATING or DELETING is not there.

        `admit`: refuses a call that wants to read or write beyond the table's rate.
        """
        table = self._look(call, text)
        if table is None or table.status(self.clock.now()) in ("CREATING", "DELETING"):
            raise not_found()
        if table.settings.get("sse"):
            encryption.admit(table, self.clock.now())
        table.meter = self.rates.of(table.name)
        if admit:
            table.meter.admit(admit, table.arn)
        return table

    def settled(self, call, text):
        """The table, free for a change of its settings."""
        table = self.find(call, text)
        status = table.status(self.clock.now())
        if status != "ACTIVE":
            raise in_use(
                f"Attempt to change a resource which is still in use: Table: {table.name} is {status}"
            )
        return table
