"""One call from its request to its answer: who, faults, the service that answers, the ledger."""

import sys
import time
import traceback
from contextlib import contextmanager, nullcontext
from email.utils import formatdate

from . import buckets, control, guard, lies, mends, s3, wellformed
from .backup import api as aws_backup
from .backup import stacks
from .backup.store import Store as BackupStore
from .bridge import Moto, follow_clock, mend_policies, show_streams
from .ddb import api as dynamodb
from .ddb import import_log, imports
from .ddb import stacks as tables_of_stacks
from .ddb.backups import system_backup
from .ddb.errors import DdbError
from .ddb.exports import settle
from .ddb.store import Store, table_name
from .denials import Denied
from .faults import AFTER, BEFORE, Faults
from .iam.identity import Identity
from .names import effect_of, model, resolve
from .refusals import refuse
from .s3 import services
from .s3.world import S3
from .state import Clock, Ledger, Settings
from .wire import Reset, Response

NAMING = ("TargetTableName", "SourceTableName", "SourceTableArn", "BackupArn", "TableArn")


class App:
    def __init__(self, latency, enforce_iam=False):
        self.latency = latency
        self.clock, self.settings, self.faults = Clock(), Settings(), Faults()
        self.ledger = Ledger(self.clock)
        self.dynamodb = Store(self.clock, self.settings)
        self.dynamodb.leave_backup = system_backup
        self.moto = Moto()
        self.s3 = self.moto.s3 = S3(self.moto, self.clock, self.settings, self.ledger)
        services.mend_moto(self.s3)
        self.dynamodb.put_object, self.dynamodb.read_objects = services.put_for(self.s3), services.read_for(self.s3)
        self.dynamodb.write_log = import_log.write
        self.backup = BackupStore(self)
        stacks.show(self.backup)
        tables_of_stacks.show(self.dynamodb, self.ledger)
        self.identity = Identity(enforce_iam, self.clock, self.dynamodb, self.moto.lock)
        follow_clock(self.clock)
        show_streams(self.dynamodb)
        mend_policies()
        mends.install(self)

    def reset(self):
        for part in (self.clock, self.settings, self.faults, self.dynamodb, self.moto, self.s3, self.ledger, self.backup):
            part.reset()
        self.identity.reset()
        mends.forget(self)

    def answer(self, request):
        if request.path.startswith("/_awsim/"):
            return control.answer(self, request)
        sent, request = request, s3.path_style(request)
        call = resolve(request)
        call.clock = self.clock
        if self.latency:
            time.sleep(self.latency)
        try:
            call.wrong = wellformed.faults(call, request)
            response = buckets.elsewhere(call, sent)
            if response is None:
                self._let_in(call, sent, request)
                response = self._faulty(call, request)
        except Denied as denied:
            response = denied.response(call)
        except Reset:
            self._write_down(call, 0, request)
            raise
        except Exception:  # awsim's own fault: told as one, and written down
            traceback.print_exc(file=sys.stderr)
            response = refuse(call, "error_500")
        if response.status >= 400:
            call.effect = None
        self._write_down(call, response.status, request)
        response.headers.setdefault("Date", formatdate(self.clock.now(), usegmt=True))
        return response

    def _write_down(self, call, status, request):
        if call.service == "dynamodb":
            dynamodb.look(call, request.body)
        self.ledger.add(call, status)

    def _let_in(self, call, sent, request):
        """Who calls, and whether he may; Denied. `sent`: the request as it was signed."""
        if guard.unsigned_call(call) and "authorization" not in sent.headers:
            return
        call.caller = guard.check(call, sent, self.identity).caller
        call.account, call.principal = call.caller.account, call.caller.arn
        self.identity.gate.check(call, request)

    def _faulty(self, call, request):
        fault = self.faults.next(call, lambda: _tables(call, request))
        response = BEFORE[fault.do](fault, call) if fault and fault.do in BEFORE else None
        if response is None:
            response = self._serve(call, request)
        if fault and fault.do in AFTER and response.status < 400:
            AFTER[fault.do](fault, call, response)
        return self.identity.gate.shown(call, response)

    def _serve(self, call, request):
        """The answer; a call that lies gets it too, and has no effect."""
        settle(self.dynamodb)
        imports.settle(self.dynamodb)
        self.s3.settle()
        self.backup.settle()
        if not call.lies:
            return self._really(call, request, self.dynamodb)
        if call.service == "dynamodb":
            with self.dynamodb.lock:
                response = self._really(call, request, lies.shadow_of(self.dynamodb))
        elif aws_backup.serves(call):
            with self.backup.lock:
                response = aws_backup.answer(self.backup.shadow(), call, request)
        else:
            with self.moto.lock, lies.undone(call) if call.service != "s3" else self.s3.undone(call):
                response = self._really(call, request, None)
        call.effect = None
        return response

    @contextmanager
    def _of_stacks(self):
        """The locks of what a stack makes beside moto, in the order in which everybody takes them before moto's."""
        with self.backup.lock, self.dynamodb.lock:
            yield

    def _really(self, call, request, store):
        call.effect = effect_of(call.operation)
        if call.service == "dynamodbstreams" or model(call.service) is None:
            return refuse(call, "unknown_operation")
        request.headers["x-moto-account-id"] = call.account
        try:
            if (response := self.identity.answer(call, request)) is not None:
                return response
            if call.service == "dynamodb":
                return Response(*dynamodb.answer(store, call, request.body))
            if aws_backup.serves(call):
                return aws_backup.answer(self.backup, call, request)
            if call.service == "s3":
                return s3.answer(self.moto, call, request)
            with self._of_stacks() if call.service == "cloudformation" else nullcontext():
                return mends.serve(self, call, request)
        except NotImplementedError:
            return refuse(call, "unknown_operation")


def _tables(call, request):
    """The tables (or buckets) that a call names, before it is served; empty when its body says none."""
    if aws_backup.serves(call):
        return aws_backup.named(request)
    if call.service != "dynamodb":
        return {call.resource, (call.resource or "").partition("/")[0]}
    members = dynamodb.members(request.body)
    named = [
        members.get("TableName"),
        members.get("ResourceArn"),
        *(members.get(name) for name in NAMING),
        *(members.get("RequestItems") or ()),
    ]
    found = set()
    for name in named:
        try:
            found.add(table_name(name))
        except (DdbError, TypeError):
            continue
    return found
