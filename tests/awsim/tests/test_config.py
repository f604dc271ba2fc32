"""The services that hold an application's configuration: Route 53, CloudWatch, SSM, Cognito, API Gateway, CloudFormation, SNS, SES."""

import csv
import io
import json
import urllib.request

import pytest
import yaml

# -- Route 53 --------------------------------------------------------------------------------------------


@pytest.fixture
def dns(world):
    return world.client("route53")


@pytest.fixture
def zone(dns):
    return dns.create_hosted_zone(Name="sale.test", CallerReference="1")["HostedZone"]["Id"]


def _change(dns, zone, *changes):
    return dns.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": list(changes)})["ChangeInfo"]


def _record(action, name="a.sale.test", value="192.0.2.1", ttl=60, **more):
    record = {"Name": name, "Type": "A", "TTL": ttl, "ResourceRecords": [{"Value": value}], **more}
    return {"Action": action, "ResourceRecordSet": record}


def _records(dns, zone):
    found = dns.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    return {(one["Name"], one.get("SetIdentifier")): one["ResourceRecords"][0]["Value"] for one in found if one["Type"] == "A"}


def test_a_change_is_pending_before_it_is_in_sync(world, dns, zone, refused):
    world.settings(dns_change_delay="1m")
    first = _change(dns, zone, _record("CREATE"))
    second = _change(dns, zone, _record("UPSERT", value="192.0.2.2"))
    assert (first["Status"], second["Status"]) == ("PENDING", "PENDING") and first["Id"] != second["Id"]
    assert dns.get_change(Id=first["Id"])["ChangeInfo"]["Status"] == "PENDING"
    world.control("POST", "clock", {"advance": "1m"})
    shown = dns.get_change(Id=first["Id"])["ChangeInfo"]
    assert shown["Status"] == "INSYNC" and shown["SubmittedAt"] == first["SubmittedAt"]
    assert refused(dns.get_change, Id="CNOSUCH") == "NoSuchChange"


def test_a_batch_is_all_or_nothing(dns, zone):
    _change(dns, zone, _record("CREATE"))
    batches = (
        [_record("UPSERT", "b.sale.test"), _record("CREATE")],
        [_record("UPSERT", "b.sale.test"), _record("DELETE", value="192.0.2.9")],
        [_record("UPSERT", "b.sale.test"), _record("DELETE", ttl=61)],
        [_record("UPSERT", "b.sale.test"), _record("DELETE", "c.sale.test")],
        [_record("UPSERT", "b.sale.test"), _record("CREATE", "a.other.test")],
    )
    for batch in batches:
        assert _code(dns, zone, batch) == "InvalidChangeBatch"
    assert _records(dns, zone) == {("a.sale.test.", None): "192.0.2.1"}
    _change(dns, zone, _record("DELETE"), _record("CREATE", value="192.0.2.3"))
    assert _records(dns, zone) == {("a.sale.test.", None): "192.0.2.3"}


def _code(dns, zone, batch):
    with pytest.raises(dns.exceptions.ClientError) as fault:
        _change(dns, zone, *batch)
    return fault.value.response["Error"]["Code"]


def test_one_of_two_records_of_a_name_goes_alone(dns, zone):
    pair = {"SetIdentifier": "east", "Weight": 1}, {"SetIdentifier": "west", "Weight": 0}
    _change(dns, zone, _record("CREATE", **pair[0]), _record("CREATE", value="192.0.2.2", **pair[1]), _record("CREATE", "b.sale.test", **pair[0]))
    _change(dns, zone, _record("DELETE", "A.sale.test", **pair[0]))
    assert _records(dns, zone) == {("a.sale.test.", "west"): "192.0.2.2", ("b.sale.test.", "east"): "192.0.2.1"}


# -- CloudWatch ----------------------------------------------------------------------------------------


def test_an_alarm_put_again_is_another_with_its_old_state_and_tags(world):
    alarms = world.client("cloudwatch")
    given = {
        "AlarmName": "throttles",
        "Namespace": "AWS/DynamoDB",
        "MetricName": "ThrottledRequests",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanThreshold",
        "Statistic": "Sum",
    }
    alarms.put_metric_alarm(**given, AlarmDescription="first", Tags=[{"Key": "owner", "Value": "sales"}])
    alarms.set_alarm_state(AlarmName="throttles", StateValue="ALARM", StateReason="test")
    alarms.put_metric_alarm(**{**given, "Threshold": 5.0}, Tags=[{"Key": "owner", "Value": "others"}])
    (alarm,) = alarms.describe_alarms()["MetricAlarms"]
    assert (alarm["Threshold"], alarm["StateValue"], alarm["ActionsEnabled"]) == (5.0, "ALARM", True)
    assert "AlarmDescription" not in alarm
    assert alarms.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"] == [{"Key": "owner", "Value": "sales"}]


# -- SSM -----------------------------------------------------------------------------------------------


def test_a_parameter_has_versions_and_a_secret_is_sealed(world, refused):
    ssm = world.client("ssm")
    assert ssm.put_parameter(Name="/sale/table", Value="Sales", Type="String")["Version"] == 1
    assert refused(ssm.put_parameter, Name="/sale/table", Value="New", Type="String") == "ParameterAlreadyExists"
    assert ssm.put_parameter(Name="/sale/table", Value="New", Type="String", Overwrite=True)["Version"] == 2
    values = [ssm.get_parameter(Name=name)["Parameter"]["Value"] for name in ("/sale/table", "/sale/table:1", "/sale/table:2")]
    assert values == ["New", "Sales", "New"]
    assert refused(ssm.get_parameter, Name="/sale/table:3") == "ParameterVersionNotFound"
    history = ssm.get_parameter_history(Name="/sale/table")["Parameters"]
    assert [(one["Version"], one["Value"]) for one in history] == [(1, "Sales"), (2, "New")]
    ssm.put_parameter(Name="/sale/secret", Value="hunter2", Type="SecureString")
    for shown in (
        ssm.get_parameter(Name="/sale/secret")["Parameter"],
        ssm.get_parameters(Names=["/sale/secret"])["Parameters"][0],
        ssm.get_parameters_by_path(Path="/sale")["Parameters"][0],
        ssm.get_parameter_history(Name="/sale/secret")["Parameters"][0],
    ):
        if shown["Type"] == "SecureString":
            assert "hunter2" not in shown["Value"]
    assert ssm.get_parameter(Name="/sale/secret", WithDecryption=True)["Parameter"]["Value"] == "hunter2"


# -- Cognito --------------------------------------------------------------------------------------------


@pytest.fixture
def cognito(world):
    return world.client("cognito-idp")


@pytest.fixture
def pool(cognito):
    policies = {"PasswordPolicy": {"MinimumLength": 12}}
    made = cognito.create_user_pool(PoolName="buyers", Policies=policies, UsernameAttributes=["email"], MfaConfiguration="OPTIONAL")
    return made["UserPool"]["Id"]


def test_an_update_of_a_pool_or_client_resets_what_it_does_not_name(cognito, pool):
    cognito.update_user_pool(UserPoolId=pool, AutoVerifiedAttributes=["email"])
    shown = cognito.describe_user_pool(UserPoolId=pool)["UserPool"]
    assert shown["AutoVerifiedAttributes"] == ["email"] and shown["UsernameAttributes"] == ["email"]
    assert (shown["Policies"]["PasswordPolicy"]["MinimumLength"], shown["MfaConfiguration"]) == (8, "OFF")
    client = cognito.create_user_pool_client(
        UserPoolId=pool, ClientName="web", GenerateSecret=True, CallbackURLs=["https://a.test"], RefreshTokenValidity=7
    )["UserPoolClient"]
    me = {"UserPoolId": pool, "ClientId": client["ClientId"]}
    cognito.update_user_pool_client(**me, LogoutURLs=["https://b.test"])
    shown = cognito.describe_user_pool_client(**me)["UserPoolClient"]
    assert (shown["ClientName"], shown["RefreshTokenValidity"], shown["LogoutURLs"]) == ("web", 30, ["https://b.test"])
    assert "CallbackURLs" not in shown and shown["ClientSecret"] == client["ClientSecret"]


def _make_users(cognito, pool, count):
    for n in range(count):
        attributes = [{"Name": "email", "Value": f"u{n}@sale.test"}, {"Name": "given_name", "Value": "Ann" if n % 2 else "Bob"}]
        cognito.admin_create_user(
            UserPoolId=pool, Username=f"u{n}@sale.test", UserAttributes=attributes, TemporaryPassword="Secret-pass-1", MessageAction="SUPPRESS"
        )


def test_users_are_listed_in_pages_by_filter_and_without_passwords(cognito, pool, refused):
    _make_users(cognito, pool, 5)
    names, token = [], {}
    while True:
        page = cognito.list_users(UserPoolId=pool, Limit=2, **token)
        names += [one["Username"] for one in page["Users"]]
        if "PaginationToken" not in page:
            break
        token = {"PaginationToken": page["PaginationToken"]}
    assert len(names) == len(set(names)) == 5
    assert len(cognito.list_users(UserPoolId=pool, Filter='given_name = "Ann"')["Users"]) == 2
    assert len(cognito.list_users(UserPoolId=pool, Filter='email ^= "u1"')["Users"]) == 1
    assert refused(cognito.list_users, UserPoolId=pool, Limit=61) == "InvalidParameterException"
    everything = json.dumps([cognito.list_users(UserPoolId=pool), cognito.admin_get_user(UserPoolId=pool, Username=names[0])], default=str)
    assert "Secret-pass" not in everything and "assword" not in everything.replace("FORCE_CHANGE_PASSWORD", "")


def test_users_come_in_by_a_job_and_must_reset_their_passwords(world, cognito, pool, refused):
    world.settings(import_delay="1m")
    header = cognito.get_csv_header(UserPoolId=pool)["CSVHeader"]
    job = cognito.create_user_import_job(UserPoolId=pool, JobName="back", CloudWatchLogsRoleArn="arn:aws:iam::123456789012:role/logs")
    job = job["UserImportJob"]
    assert job["Status"] == "Created"
    me = {"UserPoolId": pool, "JobId": job["JobId"]}
    assert refused(cognito.start_user_import_job, **me) == "PreconditionNotMetException"
    _make_users(cognito, pool, 1)
    text = io.StringIO()
    rows = csv.DictWriter(text, header, restval="")
    rows.writeheader()
    for n in range(3):
        rows.writerow({"cognito:username": f"u{n}@sale.test", "email": f"u{n}@sale.test", "email_verified": "TRUE" if n != 1 else "FALSE"})
    put = urllib.request.Request(job["PreSignedUrl"], text.getvalue().encode(), method="PUT")
    urllib.request.urlopen(put).close()
    assert cognito.start_user_import_job(**me)["UserImportJob"]["Status"] == "Pending"
    assert len(cognito.list_users(UserPoolId=pool)["Users"]) == 1
    world.control("POST", "clock", {"advance": "1m"})
    ended = cognito.describe_user_import_job(**me)["UserImportJob"]
    assert [ended[name] for name in ("Status", "ImportedUsers", "SkippedUsers", "FailedUsers")] == ["Succeeded", 1, 1, 1]
    states = sorted(one["UserStatus"] for one in cognito.list_users(UserPoolId=pool)["Users"])
    assert states == ["FORCE_CHANGE_PASSWORD", "RESET_REQUIRED"]


# -- API Gateway -------------------------------------------------------------------------------------------


@pytest.fixture
def apis(world):
    return world.client("apigateway")


@pytest.fixture
def api(apis):
    api = apis.create_rest_api(name="sale", description="the shop")["id"]
    root = apis.get_resources(restApiId=api)["items"][0]["id"]
    orders = apis.create_resource(restApiId=api, parentId=root, pathPart="orders")["id"]
    one = apis.create_resource(restApiId=api, parentId=orders, pathPart="{id}")["id"]
    method = {"restApiId": api, "resourceId": one, "httpMethod": "GET"}
    wanted = {"method.request.path.id": True, "method.request.querystring.full": False}
    apis.put_method(**method, authorizationType="NONE", apiKeyRequired=True, requestParameters=wanted, operationName="getOrder")
    apis.put_method_response(**method, statusCode="200")
    apis.put_integration(**method, type="AWS_PROXY", integrationHttpMethod="POST", uri="arn:aws:apigateway:us-east-1:lambda:path/f")
    apis.put_integration_response(**method, statusCode="200", selectionPattern="", responseTemplates={"application/json": "x"})
    return api


def _export(apis, api, kind="oas30", accepts="application/json", **more):
    found = apis.get_export(restApiId=api, stageName="prod", exportType=kind, parameters={"extensions": "integrations"}, accepts=accepts, **more)
    return found["body"].read()


def test_an_export_is_what_was_deployed_in_the_form_asked_for(apis, api, refused):
    assert refused(_export, apis=apis, api=api) == "NotFoundException"
    apis.create_deployment(restApiId=api, stageName="prod")
    three = json.loads(_export(apis, api))
    assert three["openapi"] == "3.0.1" and three["info"]["title"] == "sale"
    operation = three["paths"]["/orders/{id}"]["get"]
    assert operation["operationId"] == "getOrder" and operation["security"] == [{"api_key": []}]
    assert [(one["name"], one["in"], one["required"]) for one in operation["parameters"]] == [("id", "path", True), ("full", "query", False)]
    assert operation["x-amazon-apigateway-integration"]["responses"]["default"]["statusCode"] == "200"
    two = yaml.safe_load(_export(apis, api, "swagger", "application/yaml"))
    assert two["swagger"] == "2.0" and two["basePath"] == "/prod" and set(two["paths"]) == {"/orders/{id}"}
    root = next(one["id"] for one in apis.get_resources(restApiId=api)["items"] if one["path"] == "/")
    apis.put_method(restApiId=api, resourceId=root, httpMethod="ANY", authorizationType="NONE")
    apis.put_integration(restApiId=api, resourceId=root, httpMethod="ANY", type="MOCK")
    assert json.loads(_export(apis, api)) == three
    apis.create_deployment(restApiId=api, stageName="prod")
    assert "x-amazon-apigateway-any-method" in json.loads(_export(apis, api))["paths"]["/"]
    assert "x-amazon-apigateway-integration" not in apis.get_export(restApiId=api, stageName="prod", exportType="oas30")["body"].read().decode()


@pytest.mark.parametrize("kind", ("oas30", "swagger"))
def test_what_was_exported_can_be_imported_and_exported_alike(apis, api, kind, refused):
    apis.create_deployment(restApiId=api, stageName="prod")
    first = json.loads(_export(apis, api, kind))
    new = apis.import_rest_api(body=json.dumps(first).encode())["id"]
    apis.create_deployment(restApiId=new, stageName="prod")
    assert json.loads(_export(apis, new, kind))["paths"] == first["paths"]
    other = json.dumps({**first, "paths": {"/other": first["paths"]["/orders/{id}"]}}).encode()
    apis.put_rest_api(restApiId=new, mode="merge", body=other)
    apis.create_deployment(restApiId=new, stageName="prod")
    assert set(json.loads(_export(apis, new, kind))["paths"]) == {"/orders/{id}", "/other"}
    apis.put_rest_api(restApiId=new, mode="overwrite", body=other)
    apis.create_deployment(restApiId=new, stageName="prod")
    assert set(json.loads(_export(apis, new, kind))["paths"]) == {"/other"}
    assert refused(apis.put_rest_api, restApiId=new, body=b"[1]") == "BadRequestException"


# -- CloudFormation ----------------------------------------------------------------------------------------

TEMPLATE = {
    "Parameters": {"Size": {"Type": "String", "Default": "1"}},
    "Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "alerts"}}},
}


def test_a_stack_takes_its_time_and_is_changed_by_a_change_only(world, refused):
    stacks = world.client("cloudformation")
    world.settings(stack_delay="1m")
    body = json.dumps(TEMPLATE)
    stacks.create_stack(StackName="sale", TemplateBody=body, EnableTerminationProtection=True)

    def status():
        return stacks.describe_stacks(StackName="sale")["Stacks"][0]["StackStatus"]

    assert status() == "CREATE_IN_PROGRESS"
    assert refused(stacks.update_stack, StackName="sale", TemplateBody=body) == "ValidationError"
    world.control("POST", "clock", {"advance": "1m"})
    assert status() == "CREATE_COMPLETE"
    with pytest.raises(stacks.exceptions.ClientError, match="No updates are to be performed"):
        stacks.update_stack(StackName="sale", TemplateBody=body)
    changed = json.dumps({**TEMPLATE, "Description": "more"})
    stacks.update_stack(StackName="sale", TemplateBody=changed)
    assert status() == "UPDATE_IN_PROGRESS"
    world.control("POST", "clock", {"advance": "1m"})
    assert status() == "UPDATE_COMPLETE"
    assert stacks.get_template(StackName="sale")["TemplateBody"]["Description"] == "more"
    with pytest.raises(stacks.exceptions.ClientError, match="TerminationProtection"):
        stacks.delete_stack(StackName="sale")
    stacks.update_termination_protection(StackName="sale", EnableTerminationProtection=False)
    stacks.delete_stack(StackName="sale")
    assert refused(stacks.describe_stacks, StackName="sale") == "ValidationError"
    assert world.client("sns").list_topics()["Topics"] == []


def test_a_change_set_is_looked_at_before_it_is_executed(world):
    stacks = world.client("cloudformation")
    world.settings(stack_delay="0s")
    body = json.dumps(TEMPLATE)
    made = stacks.create_change_set(StackName="sale", ChangeSetName="first", ChangeSetType="CREATE", TemplateBody=body)
    assert stacks.describe_stacks(StackName="sale")["Stacks"][0]["StackStatus"] == "REVIEW_IN_PROGRESS"
    assert world.client("sns").list_topics()["Topics"] == []
    shown = stacks.describe_change_set(ChangeSetName=made["Id"])
    assert [one["ResourceChange"]["Action"] for one in shown["Changes"]] == ["Add"]
    stacks.execute_change_set(ChangeSetName=made["Id"])
    assert stacks.describe_stacks(StackName="sale")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
    same = stacks.create_change_set(StackName="sale", ChangeSetName="second", TemplateBody=body)
    shown = stacks.describe_change_set(ChangeSetName=same["Id"])
    assert shown["Status"] == "FAILED" and "didn't contain changes" in shown["StatusReason"]


# -- SNS and SES ------------------------------------------------------------------------------------------


def test_what_was_published_can_be_read(world):
    sns = world.client("sns")
    topic = sns.create_topic(Name="alerts")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="ann@sale.test")
    queue = "arn:aws:sqs:us-east-1:123456789012:q"
    world.client("sqs").create_queue(QueueName="q")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    sns.publish(TopicArn=topic, Subject="s", Message="m")
    (message,) = world.control("GET", "messages")
    assert (message["service"], message["from"], message["to"]) == ("sns", topic, [f"sqs:{queue}"])  # ann has not confirmed
    assert (message["subject"], message["body"]) == ("s", "m")
    world.control("POST", "reset")
    assert world.control("GET", "messages") == []


def _mail(mail, to="bob@sale.test", sender="ann@sale.test"):
    body = {"Subject": {"Data": "s"}, "Body": {"Text": {"Data": "m"}}}
    return mail.send_email(Source=sender, Destination={"ToAddresses": [to]}, Message=body)


def test_the_sandbox_lets_only_verified_addresses_send_and_receive(world, refused):
    mail, more = world.client("ses"), world.client("sesv2")
    assert refused(_mail, mail=mail) == "MessageRejected"
    mail.verify_email_identity(EmailAddress="ann@sale.test")
    assert refused(_mail, mail=mail) == "MessageRejected"
    assert more.get_account()["ProductionAccessEnabled"] is False
    _mail(mail, "success@simulator.amazonses.com")
    mail.verify_email_identity(EmailAddress="bob@sale.test")
    _mail(mail)
    given = {"MailType": "TRANSACTIONAL", "WebsiteURL": "https://sale.test", "UseCaseDescription": "alerts", "ProductionAccessEnabled": True}
    more.put_account_details(**given)
    assert more.get_account()["ProductionAccessEnabled"] is True
    _mail(mail, "eve@other.test")
    with pytest.raises(mail.exceptions.ClientError, match="failed the check in region US-EAST-1: eve@other.test"):
        _mail(mail, sender="eve@other.test")
    content = {"Simple": {"Subject": {"Data": "s"}, "Body": {"Text": {"Data": "m"}}}}
    more.send_email(FromEmailAddress="Ann <ann@sale.test>", Destination={"ToAddresses": ["dan@other.test"]}, Content=content)
    raw = b"From: ann@sale.test\nTo: fay@other.test\nSubject: s\n\nm"
    mail.send_raw_email(RawMessage={"Data": raw})
    sent = world.control("GET", "messages")
    everyone = ["success@simulator.amazonses.com", "bob@sale.test", "eve@other.test", "dan@other.test", "fay@other.test"]
    assert [one["to"] for one in sent] == [[one] for one in everyone]
    assert {one["from"] for one in sent} == {"ann@sale.test", "Ann <ann@sale.test>"} and sent[1]["subject"] == "s"


def test_a_lie_of_having_sent_sends_nothing(world):
    sns = world.client("sns")
    topic = sns.create_topic(Name="alerts")["TopicArn"]
    world.fault("sns", "Publish", "lie")
    sns.publish(TopicArn=topic, Message="m")
    assert world.control("GET", "messages") == []
