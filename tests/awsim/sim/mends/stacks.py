"""CloudFormation: a stack takes its time, an update that changes nothing is refused, a protected stack stays."""

from moto.cloudformation.models import Stack

from ..wire import Response
from .registry import Refused, after, before, install

ENDED = {"CREATE_COMPLETE": "CREATE_IN_PROGRESS", "UPDATE_COMPLETE": "UPDATE_IN_PROGRESS"}
clock = None


@install
def _show_progress(app):
    global clock
    clock = app.clock
    if isinstance(Stack.__dict__.get("status"), property):
        return

    def read(self):
        status, ready = self.__dict__["kept_status"], self.__dict__.get("ready")
        return ENDED[status] if ready is not None and clock.now() < ready and status in ENDED else status

    Stack.status = property(read, lambda self, status: self.__dict__.update(kept_status=status))


def _stack(deed):
    """moto's stack of a call, None when it is none of its own."""
    name = deed.given.get("StackName", "")
    found = [one for one in deed.backend().stacks.values() if name in (one.name, one.stack_id)]
    return found[-1] if found else None


@before("cloudformation", "UpdateStack", "DeleteStack", "ExecuteChangeSet")
def _not_in_progress(deed):
    stack = _stack(deed)
    if stack is not None and stack.status.endswith("_IN_PROGRESS") and stack.status != "REVIEW_IN_PROGRESS":
        words = f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated."
        raise Refused(400, "ValidationError", words)


@before("cloudformation", "DeleteStack")
def _protected(deed):
    stack = _stack(deed)
    if stack is not None and stack.enable_termination_protection in (True, "true", "True"):
        words = f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled"
        raise Refused(400, "ValidationError", words)


@before("cloudformation", "UpdateTerminationProtection")
def _protect(deed):
    stack = _stack(deed)
    if stack is None:
        raise Refused(400, "ValidationError", f"Stack [{deed.given['StackName']}] does not exist")
    stack.enable_termination_protection = deed.given["EnableTerminationProtection"] == "true"
    body = (
        '<UpdateTerminationProtectionResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">'
        f"<UpdateTerminationProtectionResult><StackId>{stack.stack_id}</StackId></UpdateTerminationProtectionResult>"
        "</UpdateTerminationProtectionResponse>"
    )
    return Response(200, {"Content-Type": "text/xml"}, body.encode())


@before("cloudformation", "CreateChangeSet")
def _of_an_update(deed):
    """moto takes a change set without a type for one that creates."""
    if "ChangeSetType" not in deed.given:
        deed.request.body += b"&ChangeSetType=UPDATE"


@before("cloudformation", "UpdateStack")
def _changes_something(deed):
    stack, template = _stack(deed), deed.given.get("TemplateBody")
    if stack is None:
        return
    given = {
        text: deed.given.get(name.replace("ParameterKey", "ParameterValue"))
        for name, text in deed.given.items()
        if name.endswith(".ParameterKey")
    }
    kept = {name: text for name, text in given.items() if text is not None}
    same = template in (None, stack.template) and all(stack.parameters.get(name) == text for name, text in kept.items())
    if same and not any(name.startswith(("Tags.", "TemplateURL")) for name in deed.given):
        raise Refused(400, "ValidationError", "No updates are to be performed.")


@after("cloudformation", "CreateStack", "UpdateStack", "ExecuteChangeSet")
def _takes_time(deed, _response):
    stack = _stack(deed)
    if stack is None:
        name = deed.given.get("ChangeSetName", "")
        sets = [one for key, one in deed.backend().change_sets.items() if name in (key, one.change_set_name)]
        stack = deed.backend().stacks.get(sets[-1].stack_id) if sets else None
    if stack is not None:
        stack.ready = deed.now + deed.seconds("stack_delay")
