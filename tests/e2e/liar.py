"""Stands between recoverd and awsim and bends answers: everything is passed on as it is, but for what a lie takes hold of."""
import http.client
import http.server
import json
import threading
import zlib
from urllib.parse import unquote, urlsplit


class Call:
    """One request, and its answer once there is one. A lie reads and changes both."""

    def __init__(self, method, path, headers, body):
        self.method, self.path, self.headers, self.body = method, path, headers, body
        target = next((value for name, value in headers if name.lower() == "x-amz-target"), "")
        self.operation = target.split(".")[-1] or self._of_s3()
        self.status, self.answer_headers, self.answer, self.crc_is_wrong = None, [], b"", False

    def _of_s3(self):
        url = urlsplit(self.path)
        self.key = unquote(url.path).lstrip("/").partition("/")[2]
        if not self.key:
            return "ListObjectsV2" if self.method == "GET" else ""
        return {"GET": "GetObject", "HEAD": "HeadObject", "PUT": "PutObject"}.get(self.method, "")

    @property
    def asked(self):
        return json.loads(self.body)

    @property
    def said(self):
        return json.loads(self.answer)

    def say(self, answer, status=200):
        """Answers so, with the right length and checksum."""
        self.status = status
        self.answer = answer if isinstance(answer, bytes) else json.dumps(answer).encode()

    def set_header(self, name, value):
        self.answer_headers = [(n, v) for n, v in self.answer_headers if n.lower() != name.lower()] + [(name, str(value))]

    def forward(self, host):
        connection = http.client.HTTPConnection(host, timeout=60)
        connection.putrequest(self.method, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers:
            if name.lower() not in ("connection", "expect"):
                connection.putheader(name, value)
        connection.endheaders(self.body)
        answer = connection.getresponse()
        self.status, self.answer = answer.status, answer.read()
        self.answer_headers = [(n, v) for n, v in answer.getheaders() if n.lower() not in ("connection", "transfer-encoding")]
        connection.close()


class Liar:
    """A lie is a function of a call. It may call `call.forward(host)` to learn what is true; if it does not, awsim never hears of it.
    -> None: the truth is told."""

    def __init__(self, to):
        self.host = to.removeprefix("http://")
        self.lie, self.told = None, 0
        liar = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def handle_one_request(self):
                try:
                    super().handle_one_request()
                except OSError:
                    self.close_connection = True

            def _answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                call = Call(self.command, self.path, self.headers.items(), body)
                liar.answer(call)
                self.send_response_only(call.status)
                for name, value in call.answer_headers:
                    if name.lower() != "content-length" or call.method == "HEAD":
                        self.send_header(name, value)
                if call.method != "HEAD" and call.status != 204:
                    self.send_header("Content-Length", str(len(call.answer)))
                self.end_headers()
                if call.method != "HEAD":
                    self.wfile.write(call.answer)

            do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _answer

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def answer(self, call):
        lie = self.lie
        if lie and lie(call, self.host):
            self.told += 1
            if any(name.lower() == "x-amz-crc32" for name, _ in call.answer_headers):
                call.set_header("x-amz-crc32", zlib.crc32(call.answer) ^ call.crc_is_wrong)
        elif call.status is None:
            call.forward(self.host)

    def tell(self, lie):
        self.lie, self.told = lie, 0

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
