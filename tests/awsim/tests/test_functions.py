"""Lambda: code, updates, revisions, versions, aliases, mappings."""

import base64
import hashlib
import io
import urllib.error
import urllib.request
import zipfile

import pytest

SLOW = {"function_update_delay": "1m"}


def _zip(text):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr(zipfile.ZipInfo("main.py"), text)  # of no particular time: the same bytes each time
    return archive.getvalue()


@pytest.fixture
def functions(world):
    world.settings(function_update_delay="0s")
    return world.client("lambda")


@pytest.fixture
def function(world, functions):
    role = world.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    return functions.create_function(
        FunctionName="sale",
        Runtime="python3.12",
        Role=role,
        Handler="main.handler",
        Code={"ZipFile": _zip("1")},
        Environment={"Variables": {"A": "1"}},
        TracingConfig={"Mode": "Active"},
    )


def _update(functions, **more):
    return functions.update_function_configuration(FunctionName="sale", **more)


def _fetch(url):
    with urllib.request.urlopen(url) as answer:
        return answer.read()


def test_the_code_can_be_downloaded_for_ten_minutes(world, functions, function):
    found = functions.get_function(FunctionName="sale")
    body, told = _fetch(found["Code"]["Location"]), found["Configuration"]
    assert body == _zip("1") and told["CodeSize"] == len(body)
    assert told["CodeSha256"] == base64.b64encode(hashlib.sha256(body).digest()).decode()
    world.control("POST", "clock", {"advance": "10m"})
    with pytest.raises(urllib.error.HTTPError) as fault:
        _fetch(found["Code"]["Location"])
    assert fault.value.code == 403
    assert _fetch(functions.get_function(FunctionName="sale")["Code"]["Location"]) == body


def test_code_from_a_bucket_is_what_lay_there(world, functions, function):
    s3 = world.client("s3")
    s3.create_bucket(Bucket="code")
    s3.put_object(Bucket="code", Key="sale.zip", Body=_zip("2"))
    functions.update_function_code(FunctionName="sale", S3Bucket="code", S3Key="sale.zip")
    s3.put_object(Bucket="code", Key="sale.zip", Body=_zip("3"))
    assert _fetch(functions.get_function(FunctionName="sale")["Code"]["Location"]) == _zip("2")


def test_an_update_is_in_progress_for_a_while_and_lets_no_other_in(world, functions, function, refused):
    world.settings(**SLOW)
    assert _update(functions, MemorySize=256)["LastUpdateStatus"] == "InProgress"
    shown = functions.get_function_configuration(FunctionName="sale")
    assert (shown["MemorySize"], shown["LastUpdateStatus"], shown["State"]) == (256, "InProgress", "Active")
    for call in (lambda: _update(functions, MemorySize=512), lambda: functions.publish_version(FunctionName="sale")):
        assert refused(call) == "ResourceConflictException"
    world.control("POST", "clock", {"advance": "1m"})
    assert functions.get_function_configuration(FunctionName="sale")["LastUpdateStatus"] == "Successful"
    assert _update(functions, MemorySize=512)["MemorySize"] == 512


def test_a_new_function_is_pending_before_it_is_active(world, functions, function):
    world.settings(**SLOW)
    role = world.client("iam").get_role(RoleName="r")["Role"]["Arn"]
    made = functions.create_function(
        FunctionName="late", Runtime="python3.12", Role=role, Handler="m.h", Code={"ZipFile": _zip("1")}
    )
    assert made["State"] == "Pending"
    world.control("POST", "clock", {"advance": "1m"})
    assert functions.get_function_configuration(FunctionName="late")["State"] == "Active"


def test_an_update_keeps_what_it_does_not_name_and_takes_what_it_names(functions, function):
    _update(functions, Environment={"Variables": {"A": "1", "READ_ONLY": "true"}}, DeadLetterConfig={"TargetArn": "arn:aws:sqs:us-east-1:123456789012:q"})
    shown = functions.get_function_configuration(FunctionName="sale")
    assert shown["Environment"]["Variables"] == {"A": "1", "READ_ONLY": "true"}
    assert shown["TracingConfig"] == {"Mode": "Active"} and shown["DeadLetterConfig"]["TargetArn"].endswith(":q")
    _update(functions, TracingConfig={"Mode": "PassThrough"}, Environment={"Variables": {}})
    shown = functions.get_function_configuration(FunctionName="sale")
    assert shown["TracingConfig"] == {"Mode": "PassThrough"} and "Environment" not in shown


def test_a_lie_changes_no_function_and_makes_none(world, functions, function):
    for operation in ("UpdateFunctionConfiguration", "CreateFunction", "TagResource", "DeleteFunction"):
        world.fault("lambda", operation, "lie")
    functions.tag_resource(Resource=function["FunctionArn"], Tags={"owner": "sales"})
    assert functions.update_function_configuration(FunctionName=function["FunctionArn"], MemorySize=512)["MemorySize"] == 512
    functions.create_function(FunctionName="other", Runtime="python3.12", Role=function["Role"], Handler="m.h", Code={"ZipFile": _zip("2")})
    functions.delete_function(FunctionName="sale")
    shown = functions.get_function_configuration(FunctionName=function["FunctionArn"])
    assert (shown["MemorySize"], shown["RevisionId"]) == (function["MemorySize"], function["RevisionId"])
    assert functions.list_tags(Resource=function["FunctionArn"])["Tags"] == {}
    assert [one["FunctionName"] for one in functions.list_functions()["Functions"]] == ["sale"]


def test_a_revision_guards_an_update(functions, function, refused):
    first = functions.get_function_configuration(FunctionName="sale")["RevisionId"]
    assert function["RevisionId"] == first
    second = _update(functions, RevisionId=first, MemorySize=256)["RevisionId"]
    assert second != first
    allowed = {"FunctionName": "sale", "StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com"}
    for call in (
        lambda: _update(functions, RevisionId=first, MemorySize=512),
        lambda: functions.update_function_code(FunctionName="sale", ZipFile=_zip("2"), RevisionId=first),
        lambda: functions.publish_version(FunctionName="sale", RevisionId=first),
        lambda: functions.add_permission(**allowed, RevisionId=first),
    ):
        assert refused(call) == "PreconditionFailedException"
    shown = functions.get_function_configuration(FunctionName="sale")
    assert (shown["RevisionId"], shown["MemorySize"]) == (second, 256)


def test_a_published_version_stays_as_it_was(functions, function, refused):
    one = functions.publish_version(FunctionName="sale")
    assert one["Version"] == "1" and functions.publish_version(FunctionName="sale")["Version"] == "1"
    _update(functions, Environment={"Variables": {"A": "2"}})
    functions.update_function_code(FunctionName="sale", ZipFile=_zip("2"))
    assert refused(functions.publish_version, FunctionName="sale", CodeSha256=one["CodeSha256"]) == "InvalidParameterValueException"
    assert functions.publish_version(FunctionName="sale")["Version"] == "2"
    kept = functions.get_function(FunctionName="sale", Qualifier="1")
    assert kept["Configuration"]["Environment"]["Variables"] == {"A": "1"}
    assert _fetch(kept["Code"]["Location"]) == _zip("1")
    functions.delete_function(FunctionName="sale", Qualifier="2")
    _update(functions, MemorySize=300)
    assert functions.publish_version(FunctionName="sale")["Version"] == "3"


def test_an_alias_points_to_a_version_that_is_there(functions, function, refused):
    functions.publish_version(FunctionName="sale")
    assert refused(functions.create_alias, FunctionName="sale", Name="live", FunctionVersion="7") == "ResourceNotFoundException"
    made = functions.create_alias(FunctionName="sale", Name="live", FunctionVersion="1")
    _update(functions, MemorySize=256)
    functions.publish_version(FunctionName="sale")
    moved = functions.update_alias(FunctionName="sale", Name="live", FunctionVersion="2", RevisionId=made["RevisionId"])
    assert moved["RevisionId"] != made["RevisionId"]
    stale = {"FunctionName": "sale", "Name": "live", "FunctionVersion": "1", "RevisionId": made["RevisionId"]}
    assert refused(functions.update_alias, **stale) == "PreconditionFailedException"
    assert functions.get_function_configuration(FunctionName="sale", Qualifier="live")["MemorySize"] == 256
    assert refused(functions.delete_function, FunctionName="sale", Qualifier="2") == "ResourceConflictException"
    assert [one["Name"] for one in functions.list_aliases(FunctionName="sale", FunctionVersion="2")["Aliases"]] == ["live"]
    assert functions.list_aliases(FunctionName="sale", FunctionVersion="1")["Aliases"] == []
    assert functions.delete_alias(FunctionName="sale", Name="live")["ResponseMetadata"]["HTTPStatusCode"] == 204
    functions.delete_function(FunctionName="sale", Qualifier="2")


@pytest.fixture
def mapping(world, make, ddb, functions, function):
    make(StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"})
    world.settings(**SLOW)
    stream = ddb.describe_table(TableName="Sales")["Table"]["LatestStreamArn"]
    return functions.create_event_source_mapping(FunctionName="sale", EventSourceArn=stream, StartingPosition="LATEST")


def test_a_mapping_passes_through_its_states(world, functions, mapping, refused):
    me = {"UUID": mapping["UUID"]}

    def state():
        return functions.get_event_source_mapping(**me)["State"]

    assert (mapping["State"], state()) == ("Creating", "Creating")
    assert refused(functions.update_event_source_mapping, **me, Enabled=False) == "ResourceInUseException"
    world.control("POST", "clock", {"advance": "1m"})
    assert state() == "Enabled"
    seen = []
    for change in ({"Enabled": False}, {"BatchSize": 5}, {"Enabled": True}):
        seen.append(functions.update_event_source_mapping(**me, **change)["State"])
        world.control("POST", "clock", {"advance": "1m"})
        seen.append(state())
    assert seen == ["Disabling", "Disabled", "Updating", "Disabled", "Enabling", "Enabled"]
    assert functions.delete_event_source_mapping(**me)["State"] == "Deleting"
    assert state() == "Deleting"
    assert refused(functions.delete_event_source_mapping, **me) == "ResourceInUseException"
    world.control("POST", "clock", {"advance": "1m"})
    assert refused(functions.get_event_source_mapping, **me) == "ResourceNotFoundException"
    assert functions.list_event_source_mappings()["EventSourceMappings"] == []
