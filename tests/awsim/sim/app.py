"""One call from its request to its answer: who, faults, the service that answers, the ledger."""

import sys
import time
import traceback

from . import control, s3
from .bridge import ROOT, Moto, mend_policies, show_streams
from .ddb import api as dynamodb
from .ddb.errors import DdbError
from .ddb.store import Store, table_name
from .faults import AFTER, BEFORE, Faults
from .names import UNSIGNED, effect_of, model, resolve
from .refusals import refuse
from .state import Clock, Ledger, Settings
from .wire import Reset, Response

MOTO_USER = b"arn:aws:sts::%s:user/moto"
MOTO_USER_ID = b"AKIAIOSFODNN7EXAMPLE"


class App:
    def __init__(self, latency):
        self.latency = latency
        self.clock, self.settings, self.faults = Clock(), Settings(), Faults()
        self.ledger = Ledger(self.clock)
        self.dynamodb = Store(self.clock, self.settings)
        self.moto = Moto()
        show_streams(self.dynamodb)
        mend_policies()

    def reset(self):
        for part in (self.settings, self.faults, self.dynamodb, self.moto, self.ledger):
            part.reset()

    def answer(self, request):
        if request.path.startswith("/_awsim/"):
            return control.answer(self, request)
        request = s3.path_style(request)
        call = resolve(request)
        if self.latency:
            time.sleep(self.latency)
        try:
            response = self._faulty(call, request)
        except Reset:
            self.ledger.add(call, 0)
            raise
        if response.status >= 400:
            call.effect = None
        self.ledger.add(call, response.status)
        return response

    def _faulty(self, call, request):
        if call.access_key is None and call.operation not in UNSIGNED:
            return refuse(call, "no_token")
        if call.access_key:
            self.moto.identify(call)
        fault = self.faults.next(call, lambda: _tables(call, request))
        response = BEFORE[fault.do](fault, call) if fault and fault.do in BEFORE else None
        if response is None:
            response = self._serve(call, request)
        if fault and fault.do in AFTER and response.status < 400:
            AFTER[fault.do](fault, call, response)
        return response

    def _serve(self, call, request):
        call.effect = effect_of(call.operation)
        if call.service == "dynamodbstreams" or model(call.service) is None:
            return refuse(call, "unknown_operation")
        try:
            if call.service == "dynamodb":
                return Response(*dynamodb.answer(self.dynamodb, call, request.body))
            if call.service == "s3":
                return s3.answer(self.moto, call, request)
            response = self.moto.call(request)
        except NotImplementedError:
            return refuse(call, "unknown_operation")
        except Exception:
            traceback.print_exc(file=sys.stderr)
            return refuse(call, "error_500")
        if call.operation == "GetCallerIdentity":
            _name_root(call, response)
        return response


def _name_root(call, response):
    """moto calls the owner of any unknown key `user/moto`; ours is the account's root."""
    account = call.account.encode()
    body = response.body.replace(MOTO_USER % account, ROOT.format(call.account).encode())
    response.body = body.replace(MOTO_USER_ID, account)
    response.headers.pop("Content-Length", None)


def _tables(call, request):
    """The tables (or buckets) that a call names, before it is served; empty when its body says none."""
    if call.service != "dynamodb":
        return {call.resource, (call.resource or "").partition("/")[0]}
    members = dynamodb.members(request.body)
    named = [members.get("TableName"), members.get("ResourceArn"), *(members.get("RequestItems") or ())]
    found = set()
    for name in named:
        try:
            found.add(table_name(name))
        except (DdbError, TypeError):
            continue
    return found
