#!/usr/bin/env python3
"""The oracle for CONTRACT.md section 5: canonical form, digest and fingerprint of items.

Written from the contract's text alone, with Python's own JSON reader, decimal and hashlib; it shares nothing with item/.
    make_canonical.py                    writes canonical.json beside this file
    make_canonical.py --check            fails when canonical.json is not what it would write
    make_canonical.py --random SEED N    N random cases, one a line: hex of the input, then hex of the canonical form or !
    make_canonical.py --hard             the large cases, in the same form
"""
import base64
import hashlib
import json
import os
import random
import re
import sys
from decimal import Decimal

DEPTH = 40  # ITEM_DEPTH of base/limits.h: the contract leaves the number to the program
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?([0-9]+))?", re.ASCII)


class NotAnItem(Exception):
    pass


class Pairs(list):
    """An object of JSON with its members in order, repeated ones too."""


def refuse_constant(_):
    raise NotAnItem("JSON")


def read(data):
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise NotAnItem("UTF-8") from None
    try:
        return json.loads(text, object_pairs_hook=Pairs, parse_constant=refuse_constant)
    except (ValueError, RecursionError):
        raise NotAnItem("JSON") from None


def text_of(value):
    """The emitted text of a string, without quotes, as bytes."""
    if not isinstance(value, str):
        raise NotAnItem("JSON")
    out = []
    for c in value:
        if 0xD800 <= ord(c) <= 0xDFFF:
            raise NotAnItem("surrogate")
        if c in '"\\':
            out.append("\\" + c)
        elif ord(c) < 0x20:
            out.append("\\u%04x" % ord(c))
        else:
            out.append(c)
    return "".join(out).encode("utf-8")


def number_of(value):
    if not isinstance(value, str):
        raise NotAnItem("JSON")
    match = NUMBER.fullmatch(value)
    if not match:
        raise NotAnItem("grammar")
    mantissa = value if match[2] is None else value[: match.start(2)]
    exponent = int((match[2] or "e0")[1:])
    sign, digits, scale = Decimal(mantissa).as_tuple()
    digits = "".join(map(str, digits)).lstrip("0")
    exponent += scale
    if not digits:
        return b"0"
    short = digits.rstrip("0")
    exponent += len(digits) - len(short)
    if len(short) > 38:
        raise NotAnItem("38 digits")
    first = exponent + len(short) - 1
    if first < -130 or first > 125:
        raise NotAnItem("range")
    return (("-" if sign else "") + short + ("E%d" % exponent if exponent else "")).encode()


def binary_of(value):
    text = text_of(value)
    try:
        again = base64.b64encode(base64.b64decode(text, validate=True))
    except ValueError:
        raise NotAnItem("base64") from None
    if again != text:
        raise NotAnItem("base64")
    return again


def set_of(values, member):
    if not isinstance(values, list) or isinstance(values, Pairs):
        raise NotAnItem("JSON")
    if not values:
        raise NotAnItem("empty set")
    members = sorted(member(value) for value in values)
    if len(set(members)) != len(members):
        raise NotAnItem("equal members")
    return b"[" + b",".join(b'"' + m + b'"' for m in members) + b"]"


def map_of(pairs, depth):
    if not isinstance(pairs, Pairs):
        raise NotAnItem("JSON")
    members = {}
    for name, value in pairs:
        name = text_of(name)
        if name in members:
            raise NotAnItem("repeated name")
        members[name] = value_of(value, depth + 1)
    return b"{" + b",".join(b'"' + n + b'":' + members[n] for n in sorted(members)) + b"}"


def list_of(values, depth):
    if not isinstance(values, list) or isinstance(values, Pairs):
        raise NotAnItem("JSON")
    return b"[" + b",".join(value_of(v, depth + 1) for v in values) + b"]"


def value_of(pairs, depth):
    if depth > DEPTH:
        raise NotAnItem("deep")
    if not isinstance(pairs, Pairs):
        raise NotAnItem("JSON")
    if len(pairs) > 1:
        raise NotAnItem("more than one type")
    if not pairs:
        raise NotAnItem("JSON")
    kind, value = pairs[0]
    if kind in ("S", "N", "B"):
        inner = b'"' + {"S": text_of, "N": number_of, "B": binary_of}[kind](value) + b'"'
    elif kind in ("SS", "NS", "BS"):
        inner = set_of(value, {"SS": text_of, "NS": number_of, "BS": binary_of}[kind])
    elif kind == "BOOL":
        if value is not True and value is not False:
            raise NotAnItem("BOOL")
        inner = b"true" if value else b"false"
    elif kind == "NULL":
        if value is not True:
            raise NotAnItem("NULL")
        inner = b"true"
    elif kind == "M":
        inner = map_of(value, depth)
    elif kind == "L":
        inner = list_of(value, depth)
    else:
        raise NotAnItem("type that DynamoDB")
    return b'{"' + kind.encode() + b'":' + inner + b"}"


def canonical(data):
    return map_of(read(data), 0)


def fingerprint(items):
    total = sum(int.from_bytes(hashlib.sha256(canonical(i)).digest(), "big") for i in items)
    return "v1:%d:%064x" % (len(items), total % 2**256)


# -- the committed vectors ------------------------------------------------------------------------------------------

def nested(kind, levels):
    inner = '{"S":"deep"}'
    for _ in range(levels - 1):
        inner = '{"L":[%s]}' % inner if kind == "L" else '{"M":{"k":%s}}' % inner
    return '{"a":%s}' % inner


CASES = [
    ("the empty map", "{}"),
    ("one string", '{"id":{"S":"1"}}'),
    ("space everywhere", ' {\t"id" :\r\n{ "S" : "1" } } '),
    ("names in order of bytes", '{"b":{"S":"1"},"a":{"S":"2"},"B":{"S":"3"},"A":{"S":"4"}}'),
    ("the shorter name first", '{"ab":{"S":"1"},"a":{"S":"2"},"abc":{"S":"3"},"":{"S":"4"}}'),
    ("long names that differ late", '{"customer_b":{"S":"1"},"customer_a":{"S":"2"},"customer":{"S":"3"}}'),
    ("names by emitted text, not by decoded bytes", '{"\\u0001":{"S":"1"},"A":{"S":"2"},"z":{"S":"3"},"\\n":{"S":"4"},"]":{"S":"5"}}'),
    ("a quote in a name sorts as a backslash", '{"\\"":{"S":"1"},"A":{"S":"2"},"a":{"S":"3"}}'),
    ("a backslash in a name", '{"a\\\\b":{"S":"1"},"a\\\\\\\\":{"S":"2"},"aZ":{"S":"3"}}'),
    ("NUL in a name and a value", '{"a\\u0000b":{"S":"x\\u0000y"},"a":{"S":"\\u0000"}}'),
    ("UTF-8 names by bytes", '{"\u00e9":{"S":"1"},"z":{"S":"2"},"\U0001F600":{"S":"3"},"\uffee":{"S":"4"}}'),
    ("no normalisation", '{"\u00e9":{"S":"1"},"e\u0301":{"S":"2"}}'),
    ("the empty string", '{"a":{"S":""}}'),
    ("all short escapes", r'{"a":{"S":"\"\\\/\b\f\n\r\t"}}'),
    ("escapes of plain letters are undone", r'{"\u0061":{"S":"\u0041\u00e9\u20ac"}}'),
    ("upper and lower hex", r'{"a":{"S":"\u001F\u001f\u00C9\u00e9"}}'),
    ("DEL is plain", r'{"a":{"S":"\u007f"}}'),
    ("a surrogate pair joins", r'{"a":{"S":"\ud83d\ude00"}}'),
    ("raw emoji", '{"a":{"S":"\U0001F600 \U0001F468\u200D\U0001F469\u200D\U0001F467"}}'),
    ("the last code point", r'{"a":{"S":"\udbff\udfff"}}'),
    ("noncharacters are text", r'{"a":{"S":"\uffff\ufffe"}}'),
    ("U+2028 stays raw", r'{"a":{"S":"\u2028"}}'),
    ("a slash loses its escape", r'{"a":{"B":"\/\/\/\/"}}'),
    ("an escaped type", r'{"a":{"\u0053":"x"}}'),
    ("zero", '{"a":{"N":"0"}}'),
    ("minus zero", '{"a":{"N":"-0"}}'),
    ("zero with a point", '{"a":{"N":"0.0"}}'),
    ("zero with an exponent", '{"a":{"N":"-0.00E+50"}}'),
    ("zero with a large exponent", '{"a":{"N":"0E999999"}}'),
    ("leading and trailing zeros", '{"a":{"N":"00012.500"}}'),
    ("a hundred", '{"a":{"N":"100"}}'),
    ("a hundred as exponent", '{"a":{"N":"1e2"}}'),
    ("minus seven", '{"a":{"N":"-7"}}'),
    ("plus seven", '{"a":{"N":"+7"}}'),
    ("no digit before the point", '{"a":{"N":".5"}}'),
    ("no digit behind the point", '{"a":{"N":"5."}}'),
    ("38 digits", '{"a":{"N":"12345678901234567890123456789012345678"}}'),
    ("38 digits with a point", '{"a":{"N":"-0.12345678901234567890123456789012345678"}}'),
    ("38 digits and zeros round them", '{"a":{"N":"000123456789012345678901234567890123456780000.000"}}'),
    ("the smallest", '{"a":{"N":"1e-130"}}'),
    ("the smallest, written out", '{"a":{"N":"0.%s1"}}' % ("0" * 129)),
    ("the largest", '{"a":{"N":"9.9999999999999999999999999999999999999E+125"}}'),
    ("1E125", '{"a":{"N":"1E125"}}'),
    ("minus the largest", '{"a":{"N":"-9.9999999999999999999999999999999999999E125"}}'),
    ("1 and 125 zeros", '{"a":{"N":"1%s"}}' % ("0" * 125)),
    ("exponent with zeros", '{"a":{"N":"1E+0002"}}'),
    ("BOOL and NULL", '{"t":{"BOOL":true},"f":{"BOOL": false},"n":{"NULL":true}}'),
    ("empty binary", '{"a":{"B":""}}'),
    ("binary of each padding", '{"a":{"B":"AA=="},"b":{"B":"AAA="},"c":{"B":"AAAA"}}'),
    ("binary of all letters", '{"a":{"B":"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"}}'),
    ("string sets are sorted", '{"a":{"SS":["b","a","","B"]}}'),
    ("string sets by emitted text", r'{"a":{"SS":["\n","A","z","\"","\u0000"]}}'),
    ("number sets by emitted text", '{"a":{"NS":["10","9","-1","0.5","100"]}}'),
    ("binary sets are sorted", '{"a":{"BS":["AQ==","AA==","/w==","+w=="]}}'),
    ("a set of one", '{"a":{"NS":["1.0"]}}'),
    ("empty list and map", '{"l":{"L":[]},"m":{"M":{}}}'),
    ("a list keeps its order", '{"a":{"L":[{"N":"2"},{"S":"b"},{"N":"1"},{"S":"a"}]}}'),
    ("maps sort inside", '{"z":{"M":{"b":{"M":{"d":{"S":"1"},"c":{"S":"2"}}},"a":{"L":[{"M":{"f":{"S":"3"},"e":{"S":"4"}}}]}}},"y":{"S":"5"}}'),
    ("attributes named like types", '{"S":{"M":{"N":{"N":"1"},"M":{"M":{}}}},"L":{"L":[]}}'),
    ("an attribute named Item", '{"Item":{"S":"1"}}'),
    ("lists 32 deep", nested("L", 32)),
    ("maps 33 deep", nested("M", 33)),
    ("as deep as it goes", nested("L", DEPTH)),
    ("many names", "{%s}" % ",".join('"n%d":{"N":"%d"}' % (i * 7919 % 101, i) for i in range(101))),
    # not items
    ("too deep", nested("M", DEPTH + 1)),
    ("nothing", ""),
    ("cut", '{"a":{"S":"x"}'),
    ("cut in a string", '{"a":{"S":"x'),
    ("cut in an escape", '{"a":{"S":"\\'),
    ("something behind", '{"a":{"S":"x"}} {}'),
    ("an array", '[{"S":"x"}]'),
    ("a trailing comma", '{"a":{"S":"x"},}'),
    ("a list with a trailing comma", '{"a":{"L":[{"S":"x"},]}}'),
    ("no value", '{"a":}'),
    ("a bare value", '{"a":"x"}'),
    ("no type", '{"a":{}}'),
    ("two types", '{"a":{"S":"x","N":"1"}}'),
    ("a type twice", '{"a":{"S":"x","S":"x"}}'),
    ("an unknown type", '{"a":{"X":"x"}}'),
    ("a type in lower case", '{"a":{"s":"x"}}'),
    ("a type with a suffix", '{"a":{"SSS":["x"]}}'),
    ("a repeated name", '{"a":{"S":"x"},"b":{"S":"y"},"a":{"S":"z"}}'),
    ("a repeated name, written differently", r'{"a":{"S":"x"},"\u0061":{"S":"x"}}'),
    ("a repeated name inside", '{"m":{"M":{"a":{"S":"x"},"a":{"S":"x"}}}}'),
    ("a lone high surrogate", r'{"a":{"S":"\ud83d"}}'),
    ("a lone low surrogate", r'{"a":{"S":"\ude00"}}'),
    ("a high surrogate before another", r'{"a":{"S":"\ud83d\ud83d\ude00"}}'),
    ("a high surrogate before a letter", r'{"a":{"S":"\ud83d\u0041"}}'),
    ("a lone surrogate in a name", r'{"\udfff":{"S":"x"}}'),
    ("bad UTF-8", b'{"a":{"S":"\xff"}}'),
    ("overlong UTF-8", b'{"a":{"S":"\xc0\xaf"}}'),
    ("overlong UTF-8 of three bytes", b'{"a":{"S":"\xe0\x9f\xbf"}}'),
    ("a surrogate in UTF-8", b'{"a":{"S":"\xed\xa0\x80"}}'),
    ("above U+10FFFF", b'{"a":{"S":"\xf4\x90\x80\x80"}}'),
    ("UTF-8 cut by the quote", b'{"a":{"S":"\xe2\x82"}}'),
    ("a bare continuation", b'{"a":{"S":"\x80"}}'),
    ("bad UTF-8 in a name", b'{"\xc3(":{"S":"x"}}'),
    ("a raw control character", b'{"a":{"S":"x\x01"}}'),
    ("a raw NUL", b'{"a":{"S":"x\x00"}}'),
    ("a raw line feed", '{"a":{"S":"x\ny"}}'),
    ("an unknown escape", r'{"a":{"S":"\x41"}}'),
    ("an escape of three digits", r'{"a":{"S":"\u004"}}'),
    ("a string that is a number", '{"a":{"S":1}}'),
    ("a number that is not text", '{"a":{"N":1}}'),
    ("an empty number", '{"a":{"N":""}}'),
    ("a sign alone", '{"a":{"N":"-"}}'),
    ("a point alone", '{"a":{"N":"."}}'),
    ("two points", '{"a":{"N":"1.2.3"}}'),
    ("an exponent without digits", '{"a":{"N":"1E"}}'),
    ("an exponent with a point", '{"a":{"N":"1E1.5"}}'),
    ("space in a number", '{"a":{"N":" 1"}}'),
    ("hex", '{"a":{"N":"0x10"}}'),
    ("NaN", '{"a":{"N":"NaN"}}'),
    ("digits that are not ASCII", '{"a":{"N":"\u0661"}}'),
    ("39 digits", '{"a":{"N":"123456789012345678901234567890123456789"}}'),
    ("39 digits with zeros between", '{"a":{"N":"1%s1"}}' % ("0" * 37)),
    ("too large", '{"a":{"N":"1E126"}}'),
    ("too large, written differently", '{"a":{"N":"10E125"}}'),
    ("too small", '{"a":{"N":"1E-131"}}'),
    ("a huge exponent", '{"a":{"N":"1E99999999999999999999"}}'),
    ("a huge negative exponent", '{"a":{"N":"1E-99999999999999999999"}}'),
    ("BOOL as text", '{"a":{"BOOL":"true"}}'),
    ("BOOL as number", '{"a":{"BOOL":1}}'),
    ("NULL false", '{"a":{"NULL":false}}'),
    ("NULL null", '{"a":{"NULL":null}}'),
    ("base64 without padding", '{"a":{"B":"AA"}}'),
    ("base64 with bits behind its end", '{"a":{"B":"AB=="}}'),
    ("base64 with bits behind its end, one pad", '{"a":{"B":"AAB="}}'),
    ("base64 of the other alphabet", '{"a":{"B":"__--"}}'),
    ("base64 with a line break", r'{"a":{"B":"AAAA\nAAA"}}'),
    ("base64 of padding alone", '{"a":{"B":"===="}}'),
    ("base64 with padding inside", '{"a":{"B":"AA==AAAA"}}'),
    ("an empty string set", '{"a":{"SS":[]}}'),
    ("an empty number set", '{"a":{"NS":[]}}'),
    ("an empty binary set", '{"a":{"BS":[]}}'),
    ("a set with equal strings", '{"a":{"SS":["x","y","x"]}}'),
    ("a set with equal strings, written differently", r'{"a":{"SS":["x","\u0078"]}}'),
    ("a set with equal numbers", '{"a":{"NS":["1","2","1.0"]}}'),
    ("a set with zero twice", '{"a":{"NS":["0","-0"]}}'),
    ("a set with equal binaries", '{"a":{"BS":["AA==","AA=="]}}'),
    ("a set of typed values", '{"a":{"SS":[{"S":"x"}]}}'),
    ("a set that is not an array", '{"a":{"SS":"x"}}'),
    ("a list that is an object", '{"a":{"L":{}}}'),
    ("a map that is an array", '{"a":{"M":[]}}'),
]

SETS = [
    ("no items", []),
    ("one item", ['{"id":{"S":"1"}}']),
    ("two items", ['{"id":{"S":"1"}}', '{"id":{"S":"2"}}']),
    ("the same two, the other way round and spelled otherwise", ['{ "id": {"S": "\\u0032"} }', '{"id":{"S":"1"}}']),
    ("an item twice is counted twice", ['{"id":{"S":"1"}}', '{"id":{"S":"1"}}']),
    ("a thousand, so that the sum wraps", ['{"id":{"N":"%d"}}' % i for i in range(1000)]),
]


def verdict(data):
    try:
        return canonical(data), None
    except NotAnItem as why:
        return None, str(why)


def vectors():
    cases = []
    for name, given in CASES:
        data = given if isinstance(given, bytes) else given.encode("utf-8")
        case = {"name": name}
        if isinstance(given, bytes):
            case["input_hex"] = data.hex()
        else:
            case["input"] = given
        text, why = verdict(data)
        if why:
            case["error"] = why
        else:
            case["canonical"] = text.decode("utf-8")
            case["sha256"] = hashlib.sha256(text).hexdigest()
        cases.append(case)
    sets = [{"name": n, "items": i, "fingerprint": fingerprint([x.encode() for x in i])} for n, i in SETS]
    return json.dumps({"cases": cases, "fingerprints": sets}, indent=1) + "\n"


# -- random and large cases -------------------------------------------------------------------------------------------

class Dice:
    """Random items, each spelled at random."""

    LETTERS = ['a', 'b', 'c', 'A', 'Z', '0', ' ', '"', '\\', '/', '\n', '\t', '\0', '\x1f', '\x7f', '\u00e9', '\u07ff',
               '\u0800', '\u20ac', '\ud7ff', '\ue000', '\uffff', '\U00010000', '\U0001F600', '\U0010FFFF']
    SHORT = {'"': '\\"', '\\': '\\\\', '/': '\\/', '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t'}

    def __init__(self, seed):
        self.r = random.Random(seed)

    def space(self):
        return "" if self.r.random() < 0.9 else self.r.choice([" ", "\n", "\t", "\r\n", "  "])

    def join(self, opening, parts, closing):
        return opening + self.space() + ("," + self.space()).join(parts) + self.space() + closing

    def spell(self, text):
        out = []
        for c in text:
            way = self.r.random()
            if way < 0.15 or (ord(c) < 0x20 and c not in self.SHORT):
                units = c.encode("utf-16-be", "surrogatepass")
                digits = self.r.choice(["%04x", "%04X"])
                out += ["\\u" + digits % int.from_bytes(units[i:i + 2], "big") for i in range(0, len(units), 2)]
            elif c in self.SHORT and (way < 0.5 or c != "/"):
                out.append(self.SHORT[c])
            else:
                out.append(c)
        return '"' + "".join(out) + '"'

    def text(self):
        size = self.r.choice([0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 40])
        if self.r.random() < 0.5:
            return "".join(self.r.choice("abcdefgh") for _ in range(size))
        return "".join(self.r.choice(self.LETTERS) for _ in range(size))

    def number(self):
        r = self.r
        digits = "".join(r.choice("0001234567899") for _ in range(r.choice([1, 1, 2, 3, 5, 17, 37, 38] * 8 + [39, 40])))
        if r.random() < 0.4:
            at = r.randint(0, len(digits))
            digits = digits[:at] + "." + digits[at:]
        out = r.choice(["", "", "-", "+"]) + "0" * r.choice([0, 0, 0, 3]) + digits
        if r.random() < 0.4:
            out += r.choice("eE") + r.choice(["", "+", "-"]) + str(r.choice([0, 1, 2, 5, 30, 86] * 6 + [87, 88, 89, 90, 124, 125, 126, 129, 130, 131, 170]))
        if r.random() < 0.002:
            out += r.choice([".", "e", " ", "x", "-"])
        return out

    def binary(self):
        data = bytes(self.r.randrange(256) for _ in range(self.r.choice([0, 1, 2, 3, 4, 30])))
        text = base64.b64encode(data).decode()
        return text if self.r.random() < 0.995 else text[:-1] + self.r.choice("=AB")

    def value(self, depth):
        kinds = ["S", "S", "N", "N", "B", "BOOL", "NULL", "SS", "NS", "BS"] + (["M", "L"] * 2 if depth < 3 else [])
        kind = self.r.choice(kinds)
        many = range(self.r.choice([1, 1, 2, 3, 5] * 3 + [20]))
        if kind in ("S", "N", "B"):
            inner = self.spell({"S": self.text, "N": self.number, "B": self.binary}[kind]())
        elif kind in ("SS", "NS", "BS"):
            make = {"SS": self.text, "NS": self.number, "BS": self.binary}[kind]
            inner = self.join("[", [self.spell(m) for m in {make() for _ in many}], "]")
        elif kind == "BOOL":
            inner = self.r.choice(["true", "false"])
        elif kind == "NULL":
            inner = "true"
        elif kind == "M":
            inner = self.map(depth)
        else:
            inner = self.join("[", [self.value(depth + 1) for _ in range(self.r.choice([0, 1, 2, 3]))], "]")
        return self.join("{", ['"%s"' % kind + self.space() + ":" + self.space() + inner], "}")

    def map(self, depth):
        names = {self.text() for _ in range(self.r.choice([0, 1, 2, 3, 5, 18, 40] if depth == 0 else [0, 1, 2, 3]))}
        parts = [self.spell(n) + self.space() + ":" + self.space() + self.value(depth + 1) for n in names]
        self.r.shuffle(parts)
        return self.join("{", parts, "}")

    def case(self):
        data = bytearray(self.map(0).encode("utf-8"))
        for _ in range(self.r.choice([0, 0, 0, 1, 2])):
            at = self.r.randrange(len(data))
            way = self.r.randrange(4)
            if way == 0:
                data[at] ^= 1 << self.r.randrange(8)
            elif way == 1:
                del data[at:at + self.r.choice([1, 1, 2, 5])]
            elif way == 2:
                data[at:at] = self.r.choice([b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b" ", b"\xc3", b"\\ud800", b"0"])
            else:
                data = data[:at + 1]
            if not data:
                break
        return bytes(data)


def hard():
    """Large items: 400 KB as DynamoDB counts, the most members, the longest text, the deepest nests."""
    r = random.Random(400)
    names = ["%x" % i for i in range(130000)]
    r.shuffle(names)
    yield "{%s}" % ",".join('"%s":{"M":{}}' % n for n in names[:100000])
    yield '{"id":{"S":"1"},"s":{"SS":[%s]}}' % ",".join('"%s"' % n for n in names)
    yield '{"id":{"S":"1"},"s":{"NS":[%s]}}' % ",".join('"%d"' % i for i in r.sample(range(10**9), 100000))
    yield '{"s":{"S":"%s"},"id":{"S":"1"}}' % ("x" * 409000)
    yield '{"s":{"S":"%s"},"id":{"S":"1"}}' % ("\\n" * 409000)
    yield '{"s":{"S":"%s"},"id":{"S":"1"}}' % ("\\u0001" * 400000)
    yield '{"s":{"S":"%s"},"id":{"S":"1"}}' % ("\\ud83d\\ude00" * 100000)
    yield '{"b":{"B":"%s"},"a":{"S":"1"}}' % base64.b64encode(bytes(range(256)) * 1500).decode()
    yield '{"l":{"L":[%s]},"id":{"S":"1"}}' % ",".join(['{"NULL":true}'] * 136000)
    yield "{%s}" % ",".join('"%s%d":{"S":""}' % ("p" * 200, i) for i in range(1900, 0, -1))
    yield "{%s}" % ",".join('"n%d":{"M":{%s}}' % (i, ",".join('"k%d":{"N":"%d"}' % (j, j) for j in range(30, 0, -1))) for i in range(900))
    yield '{"a":%s{"S":"x"}%s}' % ('{"L":[' * 100000, "]}" * 100000)
    yield '{"a":%s' % ('{"M":{"a":' * 100000)


def line(data):
    text, why = verdict(data)
    return data.hex() + " " + ("!" if why else text.hex())


def main(args):
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "canonical.json")
    if args[:1] == ["--random"]:
        dice = Dice(int(args[1]))
        for _ in range(int(args[2])):
            print(line(dice.case()))
    elif args == ["--hard"]:
        for text in hard():
            print(line(text.encode()))
    elif args == ["--check"]:
        with open(path, encoding="utf-8") as file:
            return 0 if file.read() == vectors() else 1
    elif not args:
        with open(path, "w", encoding="utf-8") as file:
            file.write(vectors())
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
