"""awsim's own calls, below /_awsim/. What is not here is not in this version: 404."""

import json

from . import mends
from .state import rfc3339
from .wire import Response

LEDGER_FILTERS = ("service", "operation", "resource", "since")


def _given(request, kind):
    given = json.loads(request.body)
    if not isinstance(given, kind):
        raise ValueError(f"the body must be a JSON {'object' if kind is dict else 'array'}")
    return given


def clock(app, _request):
    return {"now": rfc3339(app.clock.now())}


def move_clock(app, request):
    given = _given(request, dict)
    if set(given) != {"advance"}:
        raise ValueError('the body must be {"advance": duration}')
    app.clock.advance(given["advance"])
    return clock(app, request)


def settings(app, _request):
    return app.settings.texts


def change_settings(app, request):
    app.settings.change(_given(request, dict))
    return app.settings.texts


def faults(app, _request):
    return app.faults.shown()


def add_faults(app, request):
    app.faults.add(_given(request, list))
    return app.faults.shown()


def drop_faults(app, _request):
    app.faults.reset()
    return []


def rates(app, _request):
    return app.dynamodb.rates.shown()


def change_rates(app, request):
    app.dynamodb.rates.change(_given(request, dict))
    return app.dynamodb.rates.shown()


def identity(app, _request):
    return app.identity.shown()


def change_identity(app, request):
    app.identity.change(_given(request, dict))
    return app.identity.shown()


def ledger(app, request):
    filters = dict(request.query)
    if unknown := set(filters) - set(LEDGER_FILTERS):
        raise ValueError(f"no such filter: {', '.join(sorted(unknown))}")
    return app.ledger.find(**filters)


def messages(app, _request):
    return app.messages


def wrong(app, _request):
    return app.ledger.take_wrong()


def reset(app, _request):
    app.reset()
    return {}


CALLS = {
    ("GET", "clock"): clock,
    ("POST", "clock"): move_clock,
    ("GET", "settings"): settings,
    ("POST", "settings"): change_settings,
    ("GET", "faults"): faults,
    ("POST", "faults"): add_faults,
    ("DELETE", "faults"): drop_faults,
    ("GET", "rates"): rates,
    ("POST", "rates"): change_rates,
    ("GET", "iam"): identity,
    ("POST", "iam"): change_identity,
    ("GET", "ledger"): ledger,
    ("GET", "messages"): messages,
    ("POST", "wrong"): wrong,
    ("POST", "reset"): reset,
}


# What a client gets or puts at an address that a service told it: (method, the function that answers).
PRESIGNED = {"GET": mends.functions.download, "PUT": mends.pools.upload}


def answer(app, request):
    if request.path.startswith("/_awsim/code/") and request.method in PRESIGNED:
        return PRESIGNED[request.method](app, request)
    call = CALLS.get((request.method, request.path.removeprefix("/_awsim/")))
    if call is None:
        return _json(404, {"error": "not in this version"})
    try:
        return _json(200, call(app, request))
    except ValueError as fault:
        return _json(400, {"error": str(fault)})


def _json(status, value):
    return Response(status, {"Content-Type": "application/json"}, json.dumps(value).encode())
