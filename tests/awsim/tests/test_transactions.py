"""Transactions: all or nothing, what they consume, once for each token; what AWS refuses in names and expressions."""

import pytest

TOO_LONG = "x" * 65536


def _put(key, **more):
    return {"Put": {"TableName": "Sales", "Item": {"pk": {"S": key}, **more}}}


def _get(key):
    return {"Get": {"TableName": "Sales", "Key": {"pk": {"S": key}}}}


def _write(ddb, *parts, **more):
    return ddb.transact_write_items(TransactItems=list(parts), **more)


def _keys(ddb):
    return {item["pk"]["S"] for item in ddb.scan(TableName="Sales")["Items"]}


def _units(answer):
    (shown,) = answer["ConsumedCapacity"]
    return shown["CapacityUnits"]


def test_a_transaction_consumes_twice(ddb, make):
    make()
    total = {"ReturnConsumedCapacity": "TOTAL"}
    assert _units(_write(ddb, _put("a"), _put("b", v={"S": "x" * 1500}), **total)) == 6
    check = {
        "ConditionCheck": {
            "TableName": "Sales",
            "Key": {"pk": {"S": "a"}},
            "ConditionExpression": "attribute_exists(pk)",
        }
    }
    assert _units(_write(ddb, check, **total)) == 2
    assert _units(_write(ddb, {"Delete": {"TableName": "Sales", "Key": {"pk": {"S": "b"}}}}, **total)) == 4
    assert _units(ddb.transact_get_items(TransactItems=[_get("a"), _get("none")], **total)) == 4


def test_a_token_is_done_once_in_ten_minutes(world, ddb, make, refused):
    make()
    add = {
        "TableName": "Sales",
        "Key": {"pk": {"S": "a"}},
        "UpdateExpression": "ADD n :one",
        "ExpressionAttributeValues": {":one": {"N": "1.0"}},
    }
    once = {"TransactItems": [{"Update": add}], "ClientRequestToken": "one", "ReturnConsumedCapacity": "TOTAL"}
    for _ in range(2):
        assert _units(ddb.transact_write_items(**once)) == 2
    assert ddb.get_item(TableName="Sales", Key={"pk": {"S": "a"}})["Item"]["n"] == {"N": "1"}
    other = {"TransactItems": [_put("b")], "ClientRequestToken": "one"}
    assert refused(ddb.transact_write_items, **other) == "IdempotentParameterMismatchException"
    world.control("POST", "clock", {"advance": "10m"})
    ddb.transact_write_items(**once)
    assert ddb.get_item(TableName="Sales", Key={"pk": {"S": "a"}})["Item"]["n"] == {"N": "2"}
    rows = world.ledger(operation="TransactWriteItems")
    assert [row["effect"] for row in rows] == ["changed", "read", None, "changed"]


def test_a_cancelled_transaction_writes_nothing_and_says_why(ddb, make):
    make(
        types=[("g", "S")],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-g",
                "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    for wrong in (
        _put("x", g={"N": "1"}),
        {
            "Update": {
                "TableName": "Sales",
                "Key": {"pk": {"S": "x"}},
                "UpdateExpression": "SET pk = :v",
                "ExpressionAttributeValues": {":v": {"S": "y"}},
            }
        },
    ):
        with pytest.raises(ddb.exceptions.TransactionCanceledException) as caught:
            _write(ddb, _put("a"), wrong)
        assert [one["Code"] for one in caught.value.response["CancellationReasons"]] == ["None", "ValidationError"]
    with pytest.raises(ddb.exceptions.TransactionCanceledException) as caught:
        ddb.transact_get_items(TransactItems=[_get("a"), {"Get": {"TableName": "Sales", "Key": {"pk": {"N": "1"}}}}])
    assert [one["Code"] for one in caught.value.response["CancellationReasons"]] == ["None", "ValidationError"]
    assert _keys(ddb) == set()


def test_transactions_have_their_limits(ddb, make, refused):
    make()
    wrong = "ValidationException"
    big = [_put(str(number), v={"S": "x" * 390000}) for number in range(11)]
    assert refused(ddb.transact_write_items, TransactItems=big) == wrong
    assert refused(ddb.transact_write_items, TransactItems=[_put("a"), _put("a")]) == wrong
    assert refused(ddb.transact_get_items, TransactItems=[_get("a"), _get("a")]) == wrong
    assert refused(ddb.transact_write_items, TransactItems=[_put(str(number)) for number in range(101)]) == wrong
    assert _keys(ddb) == set()


@pytest.mark.parametrize("item", [{"": {"S": "x"}}, {"m": {"M": {"": {"S": "x"}}}}, {TOO_LONG: {"S": "x"}}])
def test_attributes_have_a_name_of_some_length(ddb, make, refused, item):
    make()
    item = {"pk": {"S": "a"}, **item}
    assert refused(ddb.put_item, TableName="Sales", Item=item) == "ValidationException"
    batch = {"Sales": [{"PutRequest": {"Item": item}}]}
    assert refused(ddb.batch_write_item, RequestItems=batch) == "ValidationException"
    if "" in item:
        named = {"ExpressionAttributeNames": {"#e": ""}, "ExpressionAttributeValues": {":v": {"S": "x"}}}
        key = {"TableName": "Sales", "Key": {"pk": {"S": "a"}}}
        assert refused(ddb.update_item, **key, UpdateExpression="SET #e = :v", **named) == "ValidationException"
    assert _keys(ddb) == set()
    ddb.put_item(TableName="Sales", Item={"pk": {"S": "a"}, TOO_LONG[1:]: {"S": "x"}})


@pytest.mark.parametrize(
    "operation, given",
    [
        ("scan", {"FilterExpression": ""}),
        ("scan", {"FilterExpression": " "}),
        ("scan", {"Select": "ALL_PROJECTED_ATTRIBUTES"}),
        ("scan", {"ProjectionExpression": "pk, pk"}),
        ("scan", {"ProjectionExpression": "m.a, m"}),
        ("query", {"KeyConditionExpression": "pk = :v", "ExpressionAttributeValues": {":v": {"S": ""}}}),
        (
            "query",
            {
                "KeyConditionExpression": "pk = :v",
                "FilterExpression": "#k <> :v",
                "ExpressionAttributeNames": {"#k": "pk"},
                "ExpressionAttributeValues": {":v": {"S": "a"}},
            },
        ),
        (
            "update_item",
            {
                "Key": {"pk": {"S": "a"}},
                "UpdateExpression": "SET n.x = :v",
                "ExpressionAttributeValues": {":v": {"S": "a"}},
            },
        ),
        (
            "update_item",
            {
                "Key": {"pk": {"S": "a"}},
                "UpdateExpression": "SET m[0] = :v",
                "ExpressionAttributeValues": {":v": {"S": "a"}},
            },
        ),
    ],
)
def test_expressions_that_aws_does_not_take_are_refused(ddb, make, refused, operation, given):
    make()
    item = {"pk": {"S": "a"}, "n": {"N": "1"}, "m": {"M": {"a": {"S": "x"}}}}
    ddb.put_item(TableName="Sales", Item=item)
    assert refused(getattr(ddb, operation), TableName="Sales", **given) == "ValidationException"
    assert ddb.get_item(TableName="Sales", Key={"pk": {"S": "a"}})["Item"] == item


def test_expressions_that_aws_takes_are_taken(ddb, make):
    make()
    key = {"TableName": "Sales", "Key": {"pk": {"S": "a"}}}
    ddb.put_item(TableName="Sales", Item={"pk": {"S": "a"}, "m": {"M": {"a": {"S": "x"}, "l": {"L": [{"N": "1"}]}}}})
    values = {":v": {"S": "y"}}
    ddb.update_item(**key, UpdateExpression="SET m.b = :v, m.l[0] = :v", ExpressionAttributeValues=values)
    found = ddb.get_item(**key, ProjectionExpression="m.b, m.l[0]")["Item"]
    assert found == {"m": {"M": {"b": {"S": "y"}, "l": {"L": [{"S": "y"}]}}}}
    filtered = {"KeyConditionExpression": "pk = :k", "FilterExpression": "size(m) > :n AND m.b = :v"}
    values = {":k": {"S": "a"}, ":n": {"N": "1"}, ":v": {"S": "y"}}
    assert ddb.query(TableName="Sales", **filtered, ExpressionAttributeValues=values)["Count"] == 1
