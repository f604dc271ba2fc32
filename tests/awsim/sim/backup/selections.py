"""Which resources a plan protects: by ARN or pattern, by tag, by conditions, and by what the region has opted in to."""

import uuid
from fnmatch import fnmatchcase

from . import contents, documents, roles
from .errors import BackupError, invalid, not_found
from .store import given, page

TAG = "aws:ResourceTag/"
ARNS, PATTERNS = 500, 30
# Operator of Conditions -> whether a tag's value (None: no such tag) fulfils it.
OPERATORS = {
    "StringEquals": lambda have, want: have == want,
    "StringNotEquals": lambda have, want: have != want,
    "StringLike": lambda have, want: have is not None and fnmatchcase(have, want),
    "StringNotLike": lambda have, want: have is None or not fnmatchcase(have, want),
}


class Selection:
    def __init__(self, plan, spec, request_id, now):
        self.id, self.plan, self.spec = str(uuid.uuid4()), plan, spec
        self.request_id, self.created = request_id, now

    @property
    def role(self):
        return self.spec["IamRoleArn"]

    def head(self):
        return given(
            SelectionId=self.id,
            BackupPlanId=self.plan.id,
            CreationDate=self.created,
            CreatorRequestId=self.request_id,
        )

    def row(self):
        return {**self.head(), "SelectionName": self.spec["SelectionName"], "IamRoleArn": self.role}


def resources(store, place, selection):
    """The ARNs that are selected now. Every part of the selection that is given must hold."""
    spec = selection.spec
    wanted, unwanted = spec.get("Resources") or ["*"], spec.get("NotResources", ())
    explicit = wanted != ["*"]
    return [
        arn
        for arn, kind, tags in contents.everything(store, place)
        if _any(arn, wanted)
        and not _any(arn, unwanted)
        and (explicit or place.opt_in.get(kind, False))
        and _tagged(spec, tags)
    ]


def _any(arn, patterns):
    return any(fnmatchcase(arn, pattern) for pattern in patterns)


def _tagged(spec, tags):
    listed = spec.get("ListOfTags", ())
    if listed and not any(tags.get(one["ConditionKey"]) == one["ConditionValue"] for one in listed):
        return False
    return all(
        OPERATORS[operator](tags.get(one["ConditionKey"].removeprefix(TAG)), one["ConditionValue"])
        for operator, conditions in spec.get("Conditions", {}).items()
        for one in conditions
    )


def _check(spec):
    if not spec.get("Resources") and not spec.get("ListOfTags"):
        raise invalid("Invalid selection. Resources or ListOfTags must be given")
    for name in ("Resources", "NotResources"):
        patterns = [arn for arn in spec.get(name, ()) if "*" in arn]
        if len(spec.get(name, ())) > ARNS or len(patterns) > PATTERNS:
            raise invalid(f"Invalid selection. {name}: at most {ARNS} ARNs, or {PATTERNS} with wildcards")
        for arn in spec.get(name, ()):
            if arn != "*" and not arn.startswith("arn:"):
                raise invalid(f"Invalid ARN: {arn}")
    for conditions in spec.get("Conditions", {}).values():
        for one in conditions:
            if not one.get("ConditionKey", "").startswith(TAG) or "ConditionValue" not in one:
                raise invalid(f"Invalid condition. A ConditionKey begins with {TAG}")


def create_backup_selection(store, call, request):
    plan = store.of(call).plans.get(request["BackupPlanId"])
    if plan is None or plan.deleted:
        raise invalid(f"Backup plan does not exist: {request['BackupPlanId']}")
    spec, token = request["BackupSelection"], request.get("CreatorRequestId")
    former = [one for one in plan.selections.values() if token and one.request_id == token]
    if former:
        call.effect = "read"
        return _made(former[0])
    _check(spec)
    roles.passed(call, spec["IamRoleArn"])
    if any(one.spec["SelectionName"] == spec["SelectionName"] for one in plan.selections.values()):
        raise BackupError("AlreadyExistsException", "Backup selection with the same name already exists", Arn=plan.arn)
    selection = Selection(plan, spec, token, store.now)
    plan.selections[selection.id] = selection
    return _made(selection)


def _made(selection):
    shown = selection.head()
    shown.pop("CreatorRequestId", None)
    return shown


def _find(store, call, request):
    plan, _ = documents.find(store, call, request["BackupPlanId"])
    if request["SelectionId"] not in plan.selections:
        raise not_found("Failed reading Backup selection with provided id")
    return plan, plan.selections[request["SelectionId"]]


def get_backup_selection(store, call, request):
    selection = _find(store, call, request)[1]
    return {"BackupSelection": selection.spec, **selection.head()}


def list_backup_selections(store, call, request):
    plan, _ = documents.find(store, call, request["BackupPlanId"])
    rows, more = page(list(plan.selections.values()), request, Selection.row)
    return {"BackupSelectionsList": rows, **more}


def delete_backup_selection(store, call, request):
    plan, selection = _find(store, call, request)
    del plan.selections[selection.id]
