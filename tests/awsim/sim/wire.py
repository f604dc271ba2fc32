"""HTTP/1.1 on a loopback socket: one thread a connection, keep-alive, no delay, nothing compressed."""

import socket
import struct
import threading
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from urllib.parse import parse_qsl, urlsplit

MAX_LINE, MAX_HEADERS = 64 << 10, 200
MAX_BODY = 1 << 30


@dataclass
class Request:
    method: str
    target: str
    headers: dict
    body: bytes = b""
    path: str = ""
    query: list = field(default_factory=list)

    def __post_init__(self):
        parts = urlsplit(self.target)
        self.path, self.query_string = parts.path or "/", parts.query
        self.query = parse_qsl(parts.query, keep_blank_values=True)


@dataclass
class Response:
    status: int
    headers: dict
    body: bytes = b""


class Reset(Exception):
    """The connection is to be reset here, without an answer."""


class Malformed(Exception):
    pass


def _line(stream):
    line = stream.readline(MAX_LINE)
    if line and not line.endswith(b"\n"):
        raise Malformed("line too long")
    return line.rstrip(b"\r\n")


def _headers(stream):
    found = {}
    for _ in range(MAX_HEADERS):
        line = _line(stream)
        if not line:
            return found
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon:
            raise Malformed("header without a colon")
        name, value = name.lower(), value.strip()
        found[name] = f"{found[name]},{value}" if name in found else value
    raise Malformed("too many headers")


def _exactly(stream, length):
    data = stream.read(length)
    if len(data) != length:
        raise Malformed("body cut short")
    return data


def _body(stream, headers):
    if headers.get("transfer-encoding", "").lower() == "chunked":
        parts = []
        while size := int(_line(stream).split(b";")[0], 16):
            parts.append(_exactly(stream, size))
            _line(stream)
        while _line(stream):
            continue
        return b"".join(parts)
    length = int(headers.get("content-length") or 0)
    if not 0 <= length <= MAX_BODY:
        raise Malformed("body too large")
    return _exactly(stream, length)


def read_request(stream, connection):
    """The next request, None at the end of the connection."""
    first = _line(stream)
    if not first:
        return None
    method, target, version = first.decode("latin-1").split(" ")
    headers = _headers(stream)
    if headers.get("expect", "").lower() == "100-continue":
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    request = Request(method, target, headers, _body(stream, headers))
    request.keep = version == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
    return request


def head_bytes(response, request):
    """Status line and headers; a HEAD answer keeps the length that its GET would have."""
    headers = {"Date": formatdate(usegmt=True), **response.headers}
    if request.method != "HEAD" or "Content-Length" not in headers:
        headers["Content-Length"] = str(len(response.body))
    if response.status in (204, 304):
        headers.pop("Content-Length")
    if not request.keep:
        headers["Connection"] = "close"
    try:
        reason = HTTPStatus(response.status).phrase
    except ValueError:
        reason = "Unknown"
    lines = [
        f"HTTP/1.1 {response.status} {reason}",
        *(f"{name}: {value}" for name, value in headers.items()),
        "",
        "",
    ]
    return "\r\n".join(lines).encode("latin-1")


class Server:
    """`answer(request)` gives a Response, and `cut_at` on it (if any) how many body bytes to send."""

    def __init__(self, port, answer):
        self.listener = socket.create_server(("127.0.0.1", port), backlog=512)
        self.port = self.listener.getsockname()[1]
        self.answer = answer

    def serve(self):
        while True:
            connection, _ = self.listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._connection, args=(connection,), daemon=True).start()

    def _connection(self, connection):
        with connection, connection.makefile("rb", 256 << 10) as stream:
            try:
                while (request := read_request(stream, connection)) is not None:
                    if not self._one(connection, request):
                        return
            except Reset:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            except (Malformed, ValueError):
                connection.sendall(
                    b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                )
            except OSError:
                return

    def _one(self, connection, request):
        response = self.answer(request)
        body = b"" if request.method == "HEAD" else response.body
        cut = getattr(response, "cut_at", None)
        connection.sendall(head_bytes(response, request) + body[:cut])
        return request.keep and cut is None
