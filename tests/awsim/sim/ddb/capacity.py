"""Consumed capacity, as AWS bills it: reads by 4 KiB, writes by 1 KiB, indexes beside the table."""

READ_BLOCK, WRITE_BLOCK = 4096, 1024


def blocks(size, block):
    return max(1, -(-size // block))


def read_units(size, consistent):
    return blocks(size, READ_BLOCK) * (1.0 if consistent else 0.5)


def write_units(old, new):
    return float(blocks(max(old.size if old else 0, new.size if new else 0), WRITE_BLOCK))


def index_write_units(table, old, new):
    """{index: units} of the indexes that this change touches."""
    found = {}
    for index in table.indexes.values():
        before, after = (_entry(table, index, stored) for stored in (old, new))
        if before == after:
            continue
        moved = before and after and before[0] != after[0]
        sizes = [entry[2] for entry in (before, after) if entry]
        counted = sizes if moved else [max(sizes)]
        found[index.name] = float(sum(blocks(size, WRITE_BLOCK) for size in counted))
    return found


def _entry(table, index, stored):
    entry = index.entry(table.schema, table.schema.place(stored.members), stored) if stored else None
    return (entry[0], entry[1].body, entry[1].size) if entry else None


class Bill:
    """What one call consumed of one table; `factor` 2 in a transaction."""

    def __init__(self, request, table, factor=1):
        self.detail = request.get("ReturnConsumedCapacity", "NONE")
        self.table, self.factor = table, factor
        self.units, self.by_index = 0.0, {}

    def read(self, size, consistent, index=None):
        units = read_units(size, consistent) * self.factor
        if index is None:
            self.units += units
        else:
            self._add(index.name, units)
        self.table.meter.spend("read", units)

    def write(self, old, new):
        self.units += write_units(old, new) * self.factor
        self.table.meter.spend("write", write_units(old, new) * self.factor)
        if self.detail != "NONE":
            for name, units in index_write_units(self.table, old, new).items():
                self._add(name, units * self.factor)

    def _add(self, name, units):
        self.by_index[name] = self.by_index.get(name, 0.0) + units

    def shown(self):
        """The ConsumedCapacity member's value, None when it was not asked for."""
        if self.detail == "NONE":
            return None
        answer = {"TableName": self.table.name, "CapacityUnits": self.units + sum(self.by_index.values())}
        if self.detail == "INDEXES":
            answer["Table"] = {"CapacityUnits": self.units}
            for name, units in self.by_index.items():
                kind = (
                    "GlobalSecondaryIndexes"
                    if self.table.indexes[name].is_global
                    else "LocalSecondaryIndexes"
                )
                answer.setdefault(kind, {})[name] = {"CapacityUnits": units}
        return answer

    def into(self, answer):
        shown = self.shown()
        if shown:
            answer["ConsumedCapacity"] = shown
        return answer
