"""Reads OpenMetrics 1.0 text on stdin and says what is wrong with it: its order, its suffixes, its end. (promtool knows only the
older format.)"""
import re
import sys

TYPES = {"counter": ("_total", "_created"), "gauge": ("",), "info": ("_info",), "unknown": ("",), "stateset": ("",),
         "histogram": ("_bucket", "_sum", "_count", "_created"), "summary": ("", "_sum", "_count", "_created")}
LABELS = r'\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\n"])*",?)*\}'
SAMPLE = re.compile(rf"^([a-zA-Z_:][a-zA-Z0-9_:]*)({LABELS})? (-?[0-9.]+(?:e[+-]?[0-9]+)?|[+-]Inf|NaN)( [0-9.]+)?( # .*)?$")


def check(text):
    lines = text.split("\n")
    if lines[-2:] != ["# EOF", ""]:
        yield "the last line is not # EOF"
    family, kind, done, seen = None, "unknown", set(), set()
    for number, line in enumerate(lines[:-2], 1):
        told = re.match(r"^# (TYPE|HELP|UNIT) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$", line)
        if told:
            what, name, value = told.groups()
            if name != family:
                if name in done:
                    yield f"line {number}: {name} comes again"
                done.add(name)
                family, kind = name, "unknown"
            if what == "TYPE":
                kind = value
                if kind not in TYPES:
                    yield f"line {number}: no such type as {kind}"
                if kind == "counter" and name.endswith("_total"):
                    yield f"line {number}: the family of a counter has no _total"
            continue
        sample = SAMPLE.match(line)
        if not sample:
            yield f"line {number}: not a sample: {line[:80]}"
            continue
        if sample.group(1) not in {f"{family}{suffix}" for suffix in TYPES.get(kind, ())}:
            yield f"line {number}: {sample.group(1)} is not of {kind} {family}"
        if (sample.group(1), sample.group(2)) in seen:
            yield f"line {number}: the same sample again"
        seen.add((sample.group(1), sample.group(2)))


faults = list(check(sys.stdin.read()))
print("\n".join(faults), end="\n" if faults else "")
sys.exit(1 if faults else 0)
