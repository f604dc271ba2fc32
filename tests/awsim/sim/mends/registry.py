"""How a lie of moto's is mended: what runs before a call (and may answer or refuse it), and after it."""

import json
from functools import cached_property
from urllib.parse import parse_qsl, unquote

from moto.backends import get_backend

from ..names import routes
from ..refusals import error
from ..wire import Response

BEFORE, AFTER, INSTALL = {}, {}, []


class Refused(Exception):
    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class Deed:
    """One call with what a mend needs of it."""

    def __init__(self, app, call, request):
        self.app, self.call, self.request = app, call, request

    @property
    def now(self):
        return self.app.clock.now()

    def seconds(self, setting):
        return self.app.settings.seconds(setting)

    def backend(self, name=None, region=None):
        """moto's backend of this call's service (or another's) in its account and region."""
        return get_backend(name or self.call.service)[self.call.account][region or self.call.region]

    @cached_property
    def given(self):
        """The members: of a JSON body, of the address, of a form (as they are written there)."""
        found = dict(self.request.query)
        if self.request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            return dict(parse_qsl(self.request.body.decode(), keep_blank_values=True))
        if "x-amz-target" not in self.request.headers:
            found |= self._labels()
        if self.request.body.startswith(b"{"):
            found |= json.loads(self.request.body)
        return found

    def _labels(self):
        pattern = next((route[1] for route in routes(self.call.service) if route[4] == self.call.operation), None)
        match = pattern.fullmatch(self.request.path) if pattern else None
        return {name: unquote(text) for name, text in match.groupdict().items()} if match else {}


def before(service, *operations):
    """The function sees the deed; it may give a Response, or raise Refused."""

    def register(function):
        for operation in operations:
            BEFORE.setdefault((service, operation), []).append(function)
        return function

    return register


def after(service, *operations):
    """The function sees the deed and the Response of a call that succeeded, and may change it."""

    def register(function):
        for operation in operations:
            AFTER.setdefault((service, operation), []).append(function)
        return function

    return register


def install(function):
    """The function changes moto itself, once in a process; it is given the App."""
    INSTALL.append(function)
    return function


def answered(members, status=200):
    return Response(status, {"Content-Type": "application/json"}, json.dumps(members).encode())


def rewrite(response, change):
    """Lets `change` alter the members of a JSON answer."""
    members = json.loads(response.body or b"{}")
    change(members)
    response.body = json.dumps(members).encode()
    response.headers.pop("Content-Length", None)


def serve(app, call, request):
    """moto's answer to a call, mended."""
    deed, name = Deed(app, call, request), (call.service, call.operation)
    with app.moto.lock:
        try:
            for prepare in BEFORE.get(name, ()):
                response = prepare(deed)
                if response is not None:
                    return response
            response = app.moto.call(request)
            if response.status < 400:
                for mend in AFTER.get(name, ()):
                    mend(deed, response)
        except Refused as refused:
            return error(call.service, refused.status, refused.code, refused.message)
    return response
