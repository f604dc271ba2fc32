"""Lambda: updates that take time, revisions, versions and aliases that hold, code that can be downloaded, mappings with states."""

import json
import secrets
import uuid

from moto.awslambda.models import EventSourceMapping, LambdaAlias, LambdaFunction, LambdaStorage
from moto.core.utils import iso_8601_datetime_with_nanoseconds

from ..wire import Response
from .registry import Refused, after, answered, before, install, rewrite

UPDATES = ("UpdateFunctionConfiguration", "UpdateFunctionCode")
# What an update may change and moto forgets.
FORGOTTEN = (
    "DeadLetterConfig",
    "FileSystemConfigs",
    "LoggingConfig",
    "KMSKeyArn",
    "TracingConfig",
    "SnapStart",
    "EphemeralStorage",
)
DOWNLOAD_SECONDS = 600
STALE = (
    "The Revision Id provided does not match the latest Revision Id. "
    "Call the GetFunction/GetAlias API to retrieve the latest Revision Id"
)
BUSY = "The operation cannot be performed at this time. An update is in progress for resource: {}"
clock = None


def _found(deed, qualifier=None):
    """moto's function of a call, None when moto itself will refuse it."""
    try:
        return deed.backend().get_function(deed.given.get("FunctionName", ""), qualifier)
    except Exception:
        return None


@install
def _show_states(app):
    global clock
    clock = app.clock
    if hasattr(LambdaFunction, "revision"):
        return
    plain, alias_plain = LambdaFunction.get_configuration, LambdaAlias.update
    LambdaFunction.revision = LambdaFunction.ready = None

    def get_configuration(self, on_create=False):
        shown = plain(self, on_create)
        self.revision = self.revision or str(uuid.uuid4())
        busy = self.ready is not None and clock.now() < self.ready[1]
        shown |= getattr(self, "more", {})
        shown["RevisionId"] = self.revision
        shown["State"] = "Pending" if busy and self.ready[0] == "made" else "Active"
        if shown["State"] == "Pending":
            shown |= {"StateReason": "The function is being created.", "StateReasonCode": "Creating"}
        if not on_create:
            shown["LastUpdateStatus"] = "InProgress" if busy and self.ready[0] == "changed" else "Successful"
        return shown

    def update(self, *given, **named):
        alias_plain(self, *given, **named)
        self.revision_id = str(uuid.uuid4())

    LambdaFunction.get_configuration, LambdaAlias.update = get_configuration, update
    _never_reuse_numbers()


def _never_reuse_numbers():
    """A version's number is never given again, whatever was deleted."""
    plain = LambdaStorage.publish_version

    def publish_version(self, name_or_arn, description=""):
        function = self.get_function_by_name_or_arn_forbid_qualifier(name_or_arn)
        before = list(self._functions[function.function_name]["versions"])
        published = plain(self, name_or_arn, description)
        if published is not None and published not in before:
            function.published = getattr(function, "published", 0) + 1
            published.set_version(function.published)
            published.revision, published.ready = str(uuid.uuid4()), None
            self._arns[published.function_arn] = published
        return published

    LambdaStorage.publish_version = publish_version


def _busy(deed, function):
    return function.ready is not None and deed.now < function.ready[1]


@before("lambda", *UPDATES, "PublishVersion")
def _may_update(deed):
    function = _found(deed)
    if function is None:
        return
    _same_revision(deed, function.revision)
    if _busy(deed, function):
        raise Refused(409, "ResourceConflictException", BUSY.format(function.function_arn))
    wanted = deed.given.get("CodeSha256")
    if deed.call.operation == "PublishVersion" and wanted and wanted != function.code_sha_256:
        words = f"CodeSHA256 ({wanted}) is different from current CodeSHA256 in $LATEST ({function.code_sha_256}). "
        words += "Please try again with the CodeSHA256 in $LATEST."
        raise Refused(400, "InvalidParameterValueException", words)


def _same_revision(deed, revision):
    wanted = deed.given.get("RevisionId")
    if wanted and wanted != revision:
        raise Refused(412, "PreconditionFailedException", STALE)


@before("lambda", "AddPermission", "RemovePermission")
def _may_change_policy(deed):
    function = _found(deed, deed.given.get("Qualifier"))
    if function is not None:
        _same_revision(deed, function.revision)


@before("lambda", "UpdateAlias")
def _may_change_alias(deed):
    try:
        alias = deed.backend().get_alias(deed.given["Name"], deed.given["FunctionName"])
    except Exception:
        return
    _same_revision(deed, alias.revision_id)


@after("lambda", *UPDATES, "CreateFunction")
def _takes_time(deed, response):
    if deed.given.get("DryRun"):
        return
    function = _found(deed)
    kind = "made" if deed.call.operation == "CreateFunction" else "changed"
    function.revision, function.last_modified = str(uuid.uuid4()), iso_8601_datetime_with_nanoseconds()
    function.more = getattr(function, "more", {}) | {
        name: deed.given[name] for name in FORGOTTEN if deed.given.get(name) is not None
    }
    function.ready = (kind, deed.now + deed.seconds("function_update_delay"))
    if deed.given.get("Publish"):
        return
    rewrite(response, lambda members: members.update(function.get_configuration(kind == "made")))


@before("lambda", "DeleteFunction")
def _not_under_an_alias(deed):
    qualifier, function = deed.given.get("Qualifier"), _found(deed)
    if not qualifier or function is None:
        return
    aliases = [one.name for one in deed.backend().list_aliases(function.function_name) if one.function_version == qualifier]
    if aliases:
        words = f"Unable to delete version because the following aliases reference it: {sorted(aliases)}"
        raise Refused(409, "ResourceConflictException", words.replace("'", ""))


@after("lambda", "GetAlias", "UpdateAlias")
def _plain_status(_deed, response):
    response.status = 200


@after("lambda", "DeleteAlias")
def _no_content(_deed, response):
    response.status, response.body = 204, b""
    response.headers.pop("Content-Length", None)


@after("lambda", "ListAliases")
def _only_of_version(deed, response):
    version = deed.given.get("FunctionVersion")
    if version:
        rewrite(
            response,
            lambda members: members.update(Aliases=[one for one in members["Aliases"] if one["FunctionVersion"] == version]),
        )


# -- the code ----------------------------------------------------------------------------------------------


@after("lambda", "GetFunction")
def _tell_where_the_code_is(deed, response):
    function = _found(deed, deed.given.get("Qualifier"))
    if function.package_type != "Zip":
        return
    token, downloads = secrets.token_urlsafe(24), deed.app.downloads
    for old in [old for old, (ends, _) in downloads.items() if deed.now >= ends]:
        del downloads[old]
    downloads[token] = (deed.now + DOWNLOAD_SECONDS, function.code_bytes)
    url = f"http://{deed.request.headers['host']}/_awsim/code/{token}"
    rewrite(response, lambda members: members.update(Code={"RepositoryType": "S3", "Location": url}))


def download(app, request):
    """What stands behind Code.Location: as S3, for ten minutes, without a signature of its own."""
    ends, body = app.downloads.get(request.path.rpartition("/")[2], (0, b""))
    if app.clock.now() >= ends:
        body = b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
        return Response(403, {"Content-Type": "application/xml"}, body)
    return Response(200, {"Content-Type": "application/zip"}, body)


# -- event source mappings ---------------------------------------------------------------------------------

MAPPINGS = tuple(f"{verb}EventSourceMapping" for verb in ("Create", "Get", "Update", "Delete")) + ("ListEventSourceMappings",)


@install
def _show_transitions(_app):
    if hasattr(EventSourceMapping, "passing"):
        return
    plain, EventSourceMapping.passing = EventSourceMapping.get_configuration, None

    def get_configuration(self):
        shown = plain(self)
        if self.passing is not None and clock.now() < self.passing[1]:
            shown["State"] = self.passing[0]
        if "StateTransitionReason" in shown:
            shown["StateTransitionReason"] = "USER_INITIATED"
        return shown

    EventSourceMapping.get_configuration = get_configuration


@before("lambda", *MAPPINGS)
def _settle(deed):
    """Deletions whose time has come."""
    mappings = deed.backend()._event_source_mappings
    for name, one in list(mappings.items()):
        if one.passing is not None and one.passing[0] == "Deleting" and one.passing[1] <= deed.now:
            del mappings[name]


@before("lambda", "UpdateEventSourceMapping", "DeleteEventSourceMapping")
def _not_in_passing(deed):
    one = deed.backend().get_event_source_mapping(deed.given["UUID"])
    if one is not None and one.passing is not None and deed.now < one.passing[1]:
        verb = "update" if deed.call.operation.startswith("Update") else "delete"
        words = f"Cannot {verb} the event source mapping because it is in use."
        raise Refused(400, "ResourceInUseException", words)


@before("lambda", "UpdateEventSourceMapping")
def _remember(deed):
    one = deed.backend().get_event_source_mapping(deed.given["UUID"])
    if one is not None:
        one.was_enabled = one.enabled


@before("lambda", "DeleteEventSourceMapping")
def _delete(deed):
    backend = deed.backend()
    one = backend.get_event_source_mapping(deed.given["UUID"])
    if one is None:
        raise Refused(404, "ResourceNotFoundException", "The resource you requested does not exist.")
    wait = deed.seconds("function_update_delay")
    one.passing = ("Deleting", deed.now + wait)
    if not wait:
        del backend._event_source_mappings[one.uuid]
    return answered({**one.get_configuration(), "State": "Deleting"}, 202)


@after("lambda", "CreateEventSourceMapping", "UpdateEventSourceMapping")
def _pass(deed, response):
    one = deed.backend().get_event_source_mapping(json.loads(response.body)["UUID"])
    if deed.call.operation.startswith("Create"):
        state = "Creating"
        response.status = 202
    elif one.was_enabled == one.enabled:
        state = "Updating"
    else:
        state = "Enabling" if one.enabled else "Disabling"
    one.passing = (state, deed.now + deed.seconds("function_update_delay"))
    rewrite(response, lambda members: members.update(one.get_configuration(), State=state))
