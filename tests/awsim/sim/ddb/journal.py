"""What a table was at an earlier time: each write leaves what stood there before it."""

from bisect import bisect_left, bisect_right
from operator import itemgetter

from sortedcontainers import SortedDict

AT = itemgetter(0)


class Journal:
    def __init__(self):
        self.entries = []  # (time, place, the item before or None), in order of time

    def copy(self):
        other = Journal()
        other.entries = list(self.entries)
        return other

    def add(self, at, place, old):
        self.entries.append((at, place, old))

    def forget(self, before):
        del self.entries[: bisect_left(self.entries, before, key=AT)]

    def items_at(self, items, at):
        """The items as of `at`, every write up to then and none after it; `items` is how they are now."""
        found = SortedDict(items)
        for _, place, old in reversed(self.entries[bisect_right(self.entries, at, key=AT) :]):
            if old is None:
                found.pop(place, None)
            else:
                found[place] = old
        return found
