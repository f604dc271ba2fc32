"""Accounts and regions: the key tells the one, the signature's scope the other, and each has what is its own."""

import pytest

from conftest import BOTH, FAST, signed
from people import OTHER, allow, assume, policy, role, root, user, why


def _table(client, name="Sales", **more):
    return client.create_table(
        TableName=name,
        KeySchema=BOTH[:1],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        **more,
    )["TableDescription"]["TableArn"]


@pytest.fixture
def fast(world):
    world.settings(**FAST)
    return world


def test_accounts_and_regions_do_not_see_each_others_tables(fast):
    mine, theirs = fast.client("dynamodb"), fast.client("dynamodb", **root(OTHER))
    west = fast.client("dynamodb", region="eu-west-1")
    arns = [_table(client) for client in (mine, theirs, west)]
    assert arns == [
        "arn:aws:dynamodb:us-east-1:123456789012:table/Sales",
        f"arn:aws:dynamodb:us-east-1:{OTHER}:table/Sales",
        "arn:aws:dynamodb:eu-west-1:123456789012:table/Sales",
    ]
    mine.put_item(TableName="Sales", Item={"pk": {"S": "1"}})
    assert [client.scan(TableName="Sales")["Count"] for client in (mine, theirs, west)] == [1, 0, 0]


@pytest.mark.parametrize(
    "service, ask, key", [("iam", "list_roles", "Roles"), ("sns", "list_topics", "Topics"), ("kms", "list_keys", "Keys")]
)
def test_motos_services_are_separated_too(world, service, ask, key):
    theirs = world.client(service, **root(OTHER))
    if service == "iam":
        role(world, account=OTHER)
    elif service == "sns":
        theirs.create_topic(Name="t")
    else:
        theirs.create_key()
    assert len(getattr(theirs, ask)()[key]) == 1
    assert getattr(world.client(service), ask)()[key] == []
    if service != "iam":
        assert getattr(world.client(service, region="eu-west-1", **root(OTHER)), ask)()[key] == []


def test_a_session_is_at_home_in_its_roles_account(world):
    arn = role(world, {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}, account=OTHER)
    theirs = assume(world, user(world), arn)
    world.client("sns", **theirs).create_topic(Name="t")
    assert world.client("sns").list_topics()["Topics"] == []
    (topic,) = world.client("sns", **root(OTHER)).list_topics()["Topics"]
    assert f":{OTHER}:" in topic["TopicArn"]


# -- another's table -----------------------------------------------------------------------------------


def test_a_strangers_table_wants_its_own_policy(fast):
    mine, theirs = fast.client("dynamodb"), fast.client("dynamodb", **root(OTHER))
    arn = _table(theirs)
    code, message = why(mine.scan, TableName=arn)
    assert code == "AccessDeniedException"
    assert message == (
        f"User: arn:aws:iam::123456789012:root is not authorized to perform: dynamodb:Scan on resource: {arn} "
        "because no resource-based policy allows the dynamodb:Scan action"
    )
    statement = allow("dynamodb:Scan", arn, Principal={"AWS": "123456789012"})
    theirs.put_resource_policy(ResourceArn=arn, Policy=policy(statement))
    theirs.put_item(TableName="Sales", Item={"pk": {"S": "1"}})
    assert mine.scan(TableName=arn)["Count"] == 1
    assert why(mine.describe_table, TableName=arn)[0] == "AccessDeniedException"


def test_an_arn_of_another_region_is_refused_not_taken_for_a_name(fast):
    arn = _table(fast.client("dynamodb", region="eu-west-1"))
    _table(fast.client("dynamodb"))
    assert why(fast.client("dynamodb").describe_table, TableName=arn)[0] == "ValidationException"


# -- buckets ---------------------------------------------------------------------------------------------


def _bucket(world, name="points-west", region="eu-west-1", **keys):
    place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    world.client("s3", region=region, **keys).create_bucket(Bucket=name, **place)
    return name


def _raw(world, method, path, region, host=None, body=b""):
    headers = {"Host": host} if host else {}
    sent = signed("s3", method, f"http://{host or '127.0.0.1'}:{world.port}{path}", body, headers, region=region)
    if host is None:
        sent = signed("s3", method, world.url + path, body, {}, region=region)
    return world.raw(method, path, body, sent)


def test_a_bucket_elsewhere_is_pointed_to(world):
    _bucket(world)
    status, headers, body = _raw(world, "GET", "/points-west/k", "us-east-1")
    assert (status, headers["x-amz-bucket-region"]) == (301, "eu-west-1")
    assert b"<Code>PermanentRedirect</Code>" in body
    assert b"<Endpoint>points-west.s3.eu-west-1.amazonaws.com</Endpoint>" in body
    status, headers, body = _raw(world, "HEAD", "/points-west", "ap-south-1")
    assert (status, headers["x-amz-bucket-region"], body) == (301, "eu-west-1", b"")
    assert _raw(world, "HEAD", "/points-west", "eu-west-1")[0] == 200


def test_the_global_name_leads_there_and_wants_its_region_signed(world):
    _bucket(world)
    host = f"points-west.localhost:{world.port}"
    status, headers, body = _raw(world, "GET", "/?list-type=2", "us-east-1", host)
    assert (status, headers["x-amz-bucket-region"]) == (400, "eu-west-1")
    assert b"the region 'us-east-1' is wrong; expecting 'eu-west-1'" in body and b"<Region>eu-west-1</Region>" in body
    assert _raw(world, "GET", "/?list-type=2", "eu-west-1", host)[0] == 200


@pytest.mark.parametrize("form", ["points-west.s3.{}.localhost", "s3.{}.localhost"])
def test_a_host_that_names_a_region_is_that_regions_endpoint(world, form):
    _bucket(world)
    path = "/?list-type=2" if form.startswith("points") else "/points-west?list-type=2"
    here, there = (f"{form.format(region)}:{world.port}" for region in ("eu-west-1", "us-east-1"))
    assert _raw(world, "GET", path, "eu-west-1", here)[0] == 200
    assert _raw(world, "GET", path, "us-east-1", there)[0] == 301
    assert _raw(world, "GET", path, "us-east-1", here)[0] == 400


def test_clients_find_the_region_by_themselves(world):
    _bucket(world)
    s3 = world.client("s3")
    s3.put_object(Bucket="points-west", Key="k", Body=b"1")
    assert s3.get_object(Bucket="points-west", Key="k")["Body"].read() == b"1"
    assert s3.get_bucket_location(Bucket="points-west")["LocationConstraint"] == "eu-west-1"


@pytest.mark.parametrize(
    "region, constraint, code",
    [
        ("eu-west-1", None, "IllegalLocationConstraintException"),
        ("eu-west-1", "ap-south-1", "IllegalLocationConstraintException"),
        ("us-east-1", "us-east-1", "InvalidLocationConstraint"),
        ("us-east-1", "mars-north-1", "InvalidLocationConstraint"),
        ("us-east-1", "ap-south-1", None),
        ("eu-west-1", "eu-west-1", None),
    ],
)
def test_a_bucket_is_made_where_its_endpoint_is(world, region, constraint, code):
    s3 = world.client("s3", region=region)
    place = {"CreateBucketConfiguration": {"LocationConstraint": constraint}} if constraint else {}
    if code:
        assert why(s3.create_bucket, Bucket="new-bucket", **place)[0] == code
        return
    s3.create_bucket(Bucket="new-bucket", **place)
    assert s3.get_bucket_location(Bucket="new-bucket")["LocationConstraint"] == constraint


def test_names_of_buckets_are_the_whole_worlds(world):
    _bucket(world, "points", "us-east-1")
    assert why(world.client("s3", **root(OTHER)).create_bucket, Bucket="points")[0] == "BucketAlreadyExists"
    world.client("s3").create_bucket(Bucket="points")  # us-east-1 takes it for done
    west = world.client("s3", region="eu-west-1")
    place = {"CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}}
    west.create_bucket(Bucket="points-west", **place)
    assert why(west.create_bucket, Bucket="points-west", **place)[0] == "BucketAlreadyOwnedByYou"
    assert world.client("s3", **root(OTHER)).list_buckets()["Buckets"] == []


def test_a_strangers_bucket_wants_its_own_policy(world):
    _bucket(world, "points", "us-east-1")
    mine, theirs = world.client("s3"), world.client("s3", **root(OTHER))
    mine.put_object(Bucket="points", Key="a/1", Body=b"1")
    read = {"Bucket": "points", "Key": "a/1"}
    assert why(theirs.get_object, **read) == ("AccessDenied", "Access Denied")
    assert why(theirs.copy_object, Bucket="points", Key="b", CopySource="points/a/1")[0] == "AccessDenied"
    grant = allow("s3:GetObject", "arn:aws:s3:::points/a/*", Principal={"AWS": f"arn:aws:iam::{OTHER}:root"})
    mine.put_bucket_policy(Bucket="points", Policy=policy(grant))
    assert theirs.get_object(**read)["Body"].read() == b"1"
    assert why(theirs.put_object, **read, Body=b"2")[0] == "AccessDenied"
    assert why(theirs.get_object, Bucket="points", Key="b/1")[0] == "AccessDenied"


def test_a_copy_reads_a_strangers_source_only_by_its_policy(world):
    _bucket(world, "points", "us-east-1")
    mine, theirs = world.client("s3"), world.client("s3", **root(OTHER))
    theirs.create_bucket(Bucket="theirs")
    mine.put_object(Bucket="points", Key="a", Body=b"1")
    copy = {"Bucket": "theirs", "Key": "b", "CopySource": "points/a"}
    assert why(theirs.copy_object, **copy)[0] == "AccessDenied"
    mine.put_bucket_policy(
        Bucket="points", Policy=policy(allow("s3:GetObject", "arn:aws:s3:::points/*", Principal={"AWS": OTHER}))
    )
    theirs.copy_object(**copy)
    assert theirs.get_object(Bucket="theirs", Key="b")["Body"].read() == b"1"
