"""Items: what is taken, what is refused, what comes back."""

import json
import zlib

import pytest

PUT = '{"TableName":"Sales","Item":{"pk":{"S":"a"},"v":%s}}'


def _put(ddb, value, **more):
    return ddb.put_item(TableName="Sales", Item={"pk": {"S": "a"}, "v": value}, **more)


def _value(ddb):
    return ddb.get_item(TableName="Sales", Key={"pk": {"S": "a"}})["Item"]["v"]


@pytest.mark.parametrize(
    "given, kept",
    [
        ("00012.500", "12.5"),
        ("1E125", "1" + "0" * 125),
        ("-0", "0"),
        ("0E400", "0"),
        ("+5", "5"),
        (".5", "0.5"),
        ("1.", "1"),
        ("1e+3", "1000"),
        ("-1E-5", "-0.00001"),
        ("1e-130", "0." + "0" * 129 + "1"),
        ("9" * 38, "9" * 38),
        ("12345678901234567890123456789012345678" + "00", "12345678901234567890123456789012345678" + "00"),
    ],
)
def test_a_number_comes_back_in_its_plain_form(make, ddb, given, kept):
    make()
    _put(ddb, {"N": given})
    assert _value(ddb) == {"N": kept}


@pytest.mark.parametrize("bad", ["9" * 39, "1E126", "1E-131", "0x1", "", " 1", "1_0", "NaN", "Infinity", "١"])
def test_a_number_outside_the_grammar_or_38_digits_is_refused(make, ddb, refused, bad):
    make()
    assert refused(_put, ddb=ddb, value={"N": bad}) == "ValidationException"


@pytest.mark.parametrize(
    "value",
    [
        {"S": ""},
        {"B": b""},
        {"M": {}},
        {"L": []},
        {"NULL": True},
        {"BOOL": False},
        {"S": 'é😀\0"\\'},
        {"SS": ["", "a"]},
        {"NS": ["1", "-2.5"]},
        {"BS": [b"\0", b"\xff"]},
        {"M": {" ": {"S": "x"}}},
    ],
)
def test_every_kind_of_value_comes_back_as_it_went(make, ddb, value):
    make()
    _put(ddb, value)
    assert _value(ddb) == value


@pytest.mark.parametrize(
    "value",
    [
        '{"SS":[]}',
        '{"NS":[]}',
        '{"BS":[]}',
        '{"SS":["a","a"]}',
        '{"NS":["1","1.0"]}',
        '{"BS":["YQ==","YQ=="]}',
        '{"NULL":false}',
        "{}",
        '{"S":"a","N":"1"}',
        '{"X":"a"}',
        '{"S":1}',
        '{"B":"%%"}',
        '{"B":"YQ"}',
        '{"BOOL":"true"}',
        '{"L":{}}',
        '"a"',
        '{"S":"\\ud800"}',
    ],
)
def test_a_value_that_is_none_is_refused(world, make, value):
    make()
    status, _, body = world.dynamodb("PutItem", PUT % value)
    assert status == 400 and json.loads(body)["__type"].endswith(
        ("#ValidationException", "#SerializationException")
    )


def _nested(depth):
    value = {"S": "x"}
    for _ in range(depth):
        value = {"L": [value]}
    return value


def test_nesting_ends_at_32_levels(make, ddb, refused):
    make()
    _put(ddb, _nested(31))
    assert _value(ddb) == _nested(31)
    assert refused(_put, ddb=ddb, value=_nested(32)) == "ValidationException"


def test_an_item_may_have_400_kilobytes_and_not_one_byte_more(make, ddb, refused):
    make()
    room = 400 * 1024 - len("pk") - len("a") - len("v")
    _put(ddb, {"S": "x" * room})
    assert refused(_put, ddb=ddb, value={"S": "x" * (room + 1)}) == "ValidationException"


@pytest.mark.parametrize(
    "item",
    [
        {"pk": {"S": ""}, "sk": {"N": "1"}},
        {"pk": {"S": "a"}},
        {"pk": {"N": "1"}, "sk": {"N": "1"}},
        {"pk": {"S": "a" * 2049}, "sk": {"N": "1"}},
        {"pk": {"S": "a"}, "sk": {"N": "1"}, "g": {"N": "1"}},
        {"pk": {"S": "a"}, "sk": {"N": "1"}, "g": {"S": ""}},
    ],
)
def test_a_key_that_does_not_fit_the_schema_is_refused(make, ddb, refused, item):
    make(
        sk="N",
        types=[("g", "S")],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-g",
                "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    assert refused(ddb.put_item, TableName="Sales", Item=item) == "ValidationException"


def test_a_range_key_has_at_most_1024_bytes(make, ddb, refused):
    make(sk="B")
    ddb.put_item(TableName="Sales", Item={"pk": {"S": "a"}, "sk": {"B": b"x" * 1024}})
    too_long = {"pk": {"S": "a"}, "sk": {"B": b"x" * 1025}}
    assert refused(ddb.put_item, TableName="Sales", Item=too_long) == "ValidationException"


def test_a_put_on_condition_that_the_key_is_free_keeps_the_first_item(make, ddb):
    make()
    _put(ddb, {"S": "first"}, ConditionExpression="attribute_not_exists(pk)")
    with pytest.raises(ddb.exceptions.ConditionalCheckFailedException) as failed:
        _put(
            ddb,
            {"S": "second"},
            ConditionExpression="attribute_not_exists(#k)",
            ExpressionAttributeNames={"#k": "pk"},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    assert failed.value.response["Item"]["v"] == _value(ddb) == {"S": "first"}


def test_update_and_delete_work_with_expressions(make, ddb, refused):
    make()
    key = {"pk": {"S": "a"}}
    answer = ddb.update_item(
        TableName="Sales",
        Key=key,
        UpdateExpression="SET n = :one, #l = :l ADD c :one",
        ExpressionAttributeNames={"#l": "list"},
        ReturnValues="ALL_NEW",
        ExpressionAttributeValues={":one": {"N": "1.0"}, ":l": {"L": [{"S": "x"}]}},
    )
    assert answer["Attributes"] == {**key, "n": {"N": "1"}, "list": {"L": [{"S": "x"}]}, "c": {"N": "1"}}
    assert (
        refused(
            ddb.delete_item,
            TableName="Sales",
            Key=key,
            ConditionExpression="n > :two",
            ExpressionAttributeValues={":two": {"N": "2"}},
        )
        == "ConditionalCheckFailedException"
    )
    assert ddb.delete_item(TableName="Sales", Key=key, ReturnValues="ALL_OLD")["Attributes"]["n"] == {
        "N": "1"
    }
    assert "Item" not in ddb.get_item(TableName="Sales", Key=key)


def test_placeholders_must_be_defined_and_used(make, ddb, refused):
    make()
    for given in (
        {"ConditionExpression": "attribute_exists(#x)"},
        {"ConditionExpression": "attribute_not_exists(pk)", "ExpressionAttributeNames": {"#x": "y"}},
    ):
        assert refused(_put, ddb=ddb, value={"S": ""}, **given) == "ValidationException"


def test_a_transaction_is_all_or_nothing(make, ddb):
    make()
    put = {
        "Put": {
            "TableName": "Sales",
            "Item": {"pk": {"S": "b"}},
            "ConditionExpression": "attribute_not_exists(pk)",
        }
    }
    ddb.transact_write_items(TransactItems=[put])
    other = {"Put": {"TableName": "Sales", "Item": {"pk": {"S": "c"}}}}
    with pytest.raises(ddb.exceptions.TransactionCanceledException) as cancelled:
        ddb.transact_write_items(TransactItems=[other, put])
    assert [one["Code"] for one in cancelled.value.response["CancellationReasons"]] == [
        "None",
        "ConditionalCheckFailed",
    ]
    got = ddb.transact_get_items(
        TransactItems=[{"Get": {"TableName": "Sales", "Key": {"pk": {"S": key}}}} for key in "bc"]
    )
    assert [bool(one) for one in got["Responses"]] == [True, False]


@pytest.mark.parametrize(
    "operation, body",
    [
        ("PutItem", PUT % '{"S":"x"}'),
        ("GetItem", '{"TableName":"Sales","Key":{"pk":{"S":"a"}}}'),
        ("Scan", '{"TableName":"Sales"}'),
        ("Scan", '{"TableName":"None-such"}'),
        ("NoSuchCall", "{}"),
        ("PutItem", "not json"),
        ("PutItem", "[" * 100000),
        ("PutItem", '{"Zork":1}'),
        ("PutItem", ""),
    ],
)
def test_every_answer_carries_the_crc_of_its_bytes(world, make, operation, body):
    make()
    status, headers, answer = world.dynamodb(operation, body)
    assert status in (200, 400)
    assert headers["x-amz-crc32"] == str(zlib.crc32(answer))
    assert "content-encoding" not in headers


def test_capacity_is_counted_as_aws_bills_it(make, ddb):
    make()
    item = {"pk": {"S": "a"}, "v": {"S": "x" * 4100}}
    bill = {"ReturnConsumedCapacity": "TOTAL"}
    assert ddb.put_item(TableName="Sales", Item=item, **bill)["ConsumedCapacity"]["CapacityUnits"] == 5.0
    small = {"pk": {"S": "a"}}
    assert ddb.put_item(TableName="Sales", Item=small, **bill)["ConsumedCapacity"]["CapacityUnits"] == 5.0
    ddb.put_item(TableName="Sales", Item=item)
    for consistent, units in ((False, 1.0), (True, 2.0)):
        for answer in (
            ddb.get_item(TableName="Sales", Key=small, ConsistentRead=consistent, **bill),
            ddb.scan(TableName="Sales", ConsistentRead=consistent, **bill),
        ):
            assert answer["ConsumedCapacity"] == {"TableName": "Sales", "CapacityUnits": units}
