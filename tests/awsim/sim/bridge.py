"""The way into moto: a WSGI call without a socket, and who a caller is to moto's IAM."""

import datetime
import io
import threading
from types import SimpleNamespace
from urllib.parse import unquote_to_bytes

from moto.applicationautoscaling.models import ApplicationAutoscalingBackend
from moto.core import utils as moto_utils
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodbstreams.models import DynamoDBStreamsBackend
from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3 import models as s3_models

from .wire import Response


class Moto:
    """moto's models are not made for threads: one call at a time."""

    def __init__(self):
        self.lock = threading.RLock()
        self.app = DomainDispatcherApplication(create_backend_app)

    def call(self, request):
        environ = _environ(request)
        started = {}

        def start(status, headers, _exc=None):
            started.update(status=int(status.split(" ")[0]), headers=headers)
            return lambda _data: None

        with self.lock:
            parts = self.app.get_application(environ)(environ, start)
            body = b"".join(parts)
        headers = {
            name: value for name, value in started["headers"] if not name.startswith("Access-Control-")
        }
        return Response(started["status"], headers, body)

    def reset(self):
        with self.lock:
            moto_api_backend.reset()


def follow_clock(clock):
    """moto takes the time from `datetime` among its modules' names: in those that tell it to clients, that is ours."""
    real = datetime.datetime

    class Kind(type(real)):
        def __instancecheck__(cls, value):
            return isinstance(value, real)

    class Simulated(real, metaclass=Kind):
        @classmethod
        def now(cls, tz=None):
            return real.fromtimestamp(clock.now(), tz)

        @classmethod
        def utcnow(cls):
            return cls.now(datetime.timezone.utc).replace(tzinfo=None)

    names = {name: getattr(datetime, name) for name in dir(datetime)}
    for module in (moto_utils, s3_models):
        module.datetime = SimpleNamespace(**{**names, "datetime": Simulated})


def mend_policies():
    """moto takes a resource's id for part of another's: table/T has the policies of table/T-restored as well. A list of one is exact."""
    describe = ApplicationAutoscalingBackend.describe_scaling_policies
    if describe.__name__ == "exact":
        return

    def exact(self, service_namespace, resource_id, *more, **named):
        return describe(self, service_namespace, resource_id and [resource_id], *more, **named)

    ApplicationAutoscalingBackend.describe_scaling_policies = exact


def show_streams(store):
    """moto's Lambda takes an event source only when moto's DynamoDB has the stream: it is shown ours."""

    def list_streams(backend, _table_name=None):
        tables = list(store.places.get((backend.account_id, backend.region_name), {}).values())  # its lock is not held here
        return [
            {"StreamArn": table.stream_arn, "TableName": table.name} for table in tables if table.stream_arn
        ]

    DynamoDBStreamsBackend.list_streams = list_streams
    DynamoDBBackend.get_table = lambda _backend, _name: SimpleNamespace(lambda_event_source_mappings={})


def _environ(request):
    environ = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "QUERY_STRING": request.query_string,
        "PATH_INFO": unquote_to_bytes(request.path).decode("latin-1"),
        "RAW_URI": request.target,
        "REQUEST_URI": request.target,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_LENGTH": str(len(request.body)),
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in request.headers.items():
        if name not in ("content-type", "content-length", "transfer-encoding", "expect"):
            environ["HTTP_" + name.upper().replace("-", "_")] = value
    return environ
