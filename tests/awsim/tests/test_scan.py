"""Scan, Query and batches: every item once, in pages as AWS cuts them."""

import pytest

KEYS = {
    "S": [
        {"S": text}
        for text in ("a", "b'\"", "nul\0inside", "é", "😀😀", "z" * 2048, "\u0001", "-1", "10", "9")
    ],
    "N": [
        {"N": text}
        for text in (
            "0",
            "1",
            "-1",
            "1" + "0" * 125,
            "-" + "9" * 38,
            "0." + "0" * 129 + "1",
            "10",
            "9",
            "0.5",
        )
    ],
    "B": [{"B": raw} for raw in (b"\0", b"\0\0", b"\xff\xff", b"a", b"\x80", b"\0\xff")],
}


def _scan(ddb, **given):
    """(items, pages) of a whole scan."""
    items, pages = [], []
    while True:
        page = ddb.scan(TableName="Sales", **given)
        items += page.get("Items", [])
        pages.append(page)
        if "LastEvaluatedKey" not in page:
            return items, pages
        given["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _fill(ddb, count, size=10, group=lambda place: place):
    for first in range(0, count, 25):
        ddb.batch_write_item(
            RequestItems={
                "Sales": [
                    {
                        "PutRequest": {
                            "Item": {
                                "pk": {"S": f"k{group(place)}"},
                                "sk": {"N": str(place)},
                                "v": {"S": "x" * size},
                            }
                        }
                    }
                    for place in range(first, min(first + 25, count))
                ]
            }
        )


@pytest.mark.parametrize("pk", "SNB")
@pytest.mark.parametrize("sk", [None, "S", "N", "B"])
def test_every_key_survives_as_a_start_key(make, ddb, pk, sk):
    make(pk=pk, sk=sk)
    items = [
        {"pk": one, **({"sk": other} if sk else {})}
        for one in KEYS[pk]
        for other in KEYS.get(sk, [None])
        if sk != "S" or len(other["S"]) <= 1024
    ]
    for item in items:
        ddb.put_item(TableName="Sales", Item=item)
    found, pages = _scan(ddb, Limit=1)
    assert len(pages) == len(items) + 1
    assert sorted(map(str, found)) == sorted(map(str, items))
    assert found == _scan(ddb)[0]


@pytest.mark.parametrize("total", [1, 2, 7, 16, 1000])
def test_segments_hold_each_item_once(make, ddb, total):
    make(sk="N")
    _fill(ddb, 100)
    found = [
        item["sk"]["N"]
        for segment in range(total)
        for item in _scan(ddb, Segment=segment, TotalSegments=total, Limit=7)[0]
    ]
    assert sorted(map(int, found)) == list(range(100))


def test_a_page_ends_at_one_megabyte(make, ddb):
    make(sk="N")
    _fill(ddb, 30, size=100_000, group=lambda _: 0)
    items, pages = _scan(ddb)
    assert [page["Count"] for page in pages] == [11, 11, 8] and len(items) == 30
    count = ddb.scan(TableName="Sales", Select="COUNT")
    assert (count["Count"], "Items" in count, "LastEvaluatedKey" in count) == (11, False, True)
    query = ddb.query(
        TableName="Sales", KeyConditionExpression="pk = :p", ExpressionAttributeValues={":p": {"S": "k0"}}
    )
    assert query["Count"] == 11 and [int(item["sk"]["N"]) for item in query["Items"]] == list(range(11))


def test_a_filtered_page_may_be_empty_and_still_go_on(make, ddb):
    make(sk="N")
    _fill(ddb, 10)
    page = ddb.scan(
        TableName="Sales", FilterExpression="sk > :n", ExpressionAttributeValues={":n": {"N": "99"}}, Limit=4
    )
    assert (page["Count"], page["ScannedCount"], "LastEvaluatedKey" in page) == (0, 4, True)
    items, _ = _scan(ddb, FilterExpression="sk >= :n", ExpressionAttributeValues={":n": {"N": "5"}}, Limit=3)
    assert len(items) == 5


def test_a_start_key_from_elsewhere_is_refused(make, ddb, refused):
    make(sk="N")
    _fill(ddb, 40)
    ends = [
        ddb.scan(TableName="Sales", Segment=segment, TotalSegments=4, Limit=1)["LastEvaluatedKey"]
        for segment in range(4)
    ]
    for segment in range(4):
        assert (
            refused(
                ddb.scan,
                TableName="Sales",
                Segment=segment,
                TotalSegments=4,
                ExclusiveStartKey=ends[segment - 1],
            )
            == "ValidationException"
        )
    for key in (
        {"pk": {"S": "a"}},
        {"pk": {"S": "a"}, "sk": {"S": "1"}},
        {"id": {"S": "a"}, "sk": {"N": "1"}},
        {},
        {"pk": {"S": "a"}, "sk": {"N": "1"}, "x": {"S": "a"}},
        {"pk": {"S": ""}, "sk": {"N": "1"}},
    ):
        assert refused(ddb.scan, TableName="Sales", ExclusiveStartKey=key) == "ValidationException"


def test_a_start_key_whose_item_is_gone_still_counts(make, ddb):
    make(sk="N")
    _fill(ddb, 10)
    whole, _ = _scan(ddb)
    key = {name: whole[4][name] for name in ("pk", "sk")}
    ddb.delete_item(TableName="Sales", Key=key)
    assert _scan(ddb, ExclusiveStartKey=key)[0] == whole[5:]


@pytest.mark.parametrize(
    "given",
    [
        {"Segment": 4, "TotalSegments": 4},
        {"Segment": 0},
        {"TotalSegments": 2},
        {"IndexName": "none-such"},
        {"Select": "SPECIFIC_ATTRIBUTES"},
        {"Select": "ALL_ATTRIBUTES", "ProjectionExpression": "pk"},
    ],
)
def test_a_scan_that_makes_no_sense_is_refused(make, ddb, refused, given):
    make()
    assert refused(ddb.scan, TableName="Sales", **given) == "ValidationException"


def test_a_query_takes_the_range_in_its_order(make, ddb):
    make(sk="N")
    for number in ("-10", "-9.5", "0", "0.001", "2", "10", "100"):
        ddb.put_item(TableName="Sales", Item={"pk": {"S": "p"}, "sk": {"N": number}})

    def ask(condition, *values, **more):
        values = dict(zip((":a", ":b"), ({"N": value} for value in values), strict=False))
        answer = ddb.query(
            TableName="Sales",
            KeyConditionExpression="pk = :p AND " + condition,
            ExpressionAttributeValues={":p": {"S": "p"}, **values},
            **more,
        )
        return [item["sk"]["N"] for item in answer["Items"]]

    assert ask("sk > :a", "-9.5") == ["0", "0.001", "2", "10", "100"]
    assert ask("sk BETWEEN :a AND :b", "0", "10") == ["0", "0.001", "2", "10"]
    assert ask("sk <= :a", "0", ScanIndexForward=False) == ["0", "-9.5", "-10"]
    assert ask("sk = :a", "2.0") == ["2"]


def test_an_index_shows_what_its_projection_names(make, ddb):
    make(
        sk="N",
        types=[("g", "S")],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-g",
                "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
    )
    for number in range(5):
        ddb.put_item(
            TableName="Sales",
            Item={
                "pk": {"S": "p"},
                "sk": {"N": str(number)},
                "v": {"S": "x"},
                **({"g": {"S": "odd"}} if number % 2 else {}),
            },
        )
    items, pages = _scan(ddb, IndexName="by-g", Limit=1)
    assert sorted(item["sk"]["N"] for item in items) == ["1", "3"] and "v" not in items[0]
    assert set(pages[0]["LastEvaluatedKey"]) == {"pk", "sk", "g"}
    found = ddb.query(
        TableName="Sales",
        IndexName="by-g",
        KeyConditionExpression="g = :g",
        ExpressionAttributeValues={":g": {"S": "odd"}},
    )
    assert found["Count"] == 2


def test_an_index_follows_every_write(make, ddb):
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

    def shown():
        (index,) = ddb.describe_table(TableName="Sales")["Table"]["GlobalSecondaryIndexes"]
        items = ddb.scan(TableName="Sales", IndexName="by-g")["Items"]
        assert index["ItemCount"] == len(items)
        return [item["g"]["S"] for item in items], index["IndexSizeBytes"]

    assert shown() == ([], 0)
    for group, expected in (("x", (["x"], 5)), ("long", (["long"], 8)), (None, ([], 0)), ("y", (["y"], 5))):
        ddb.put_item(TableName="Sales", Item={"pk": {"S": "a"}, **({"g": {"S": group}} if group else {})})
        assert shown() == expected
    ddb.delete_item(TableName="Sales", Key={"pk": {"S": "a"}})
    assert shown() == ([], 0)


@pytest.mark.parametrize(
    "operation, body",
    [
        ("BatchWriteItem", '{"RequestItems":{"Sales":[{"PutRequest":{}}]}}'),
        ("BatchWriteItem", '{"RequestItems":{"Sales":{}}}'),
        ("BatchWriteItem", '{"RequestItems":{"Sales":[{}]}}'),
        ("BatchWriteItem", '{"RequestItems":[]}'),
        (
            "BatchWriteItem",
            '{"RequestItems":{"Sales":[{"PutRequest":{"Item":{"pk":{"S":"a"}}},"DeleteRequest":{"Key":{"pk":{"S":"a"}}}}]}}',
        ),
        ("BatchGetItem", '{"RequestItems":{"Sales":{"Keys":[1]}}}'),
        ("BatchGetItem", '{"RequestItems":{"Sales":{}}}'),
        ("TransactWriteItems", '{"TransactItems":[{"Put":{"TableName":"Sales"}}]}'),
        ("PutItem", '{"TableName":"Sales","Item":[]}'),
        ("TransactWriteItems", '{"TransactItems":[{}]}'),
        ("TransactGetItems", '{"TransactItems":[{}]}'),
        ("GetItem", '{"TableName":"Sales","Key":{"pk":"a"}}'),
        ("Scan", '{"TableName":"Sales","Segment":"0","TotalSegments":1}'),
        ("Query", '{"TableName":"Sales"}'),
        ("Query", '{"TableName":"Sales","KeyConditionExpression":"pk = :p"}'),
        (
            "Query",
            '{"TableName":"Sales","KeyConditionExpression":"pk = :p AND sk = :s","ExpressionAttributeValues":{":p":{"S":"a"},":s":{"L":[]}}}',
        ),
        ("Scan", "[]"),
        ("UpdateItem", '{"TableName":"Sales","Key":{"pk":{"S":"a"}},"UpdateExpression":"SOT x"}'),
        ("Scan", '{"TableName":"Sales","FilterExpression":"pk ="}'),
    ],
)
def test_a_request_of_the_wrong_shape_is_refused(world, make, operation, body):
    make(sk="N")
    status, _, answer = world.dynamodb(operation, body)
    assert status == 400, answer


def _put(key):
    return {"PutRequest": {"Item": {"pk": {"S": str(key)}, "sk": {"N": "1"}}}}


def test_a_batch_has_at_most_25_parts_each_for_another_key(make, ddb, refused):
    make(sk="N")
    delete = {"DeleteRequest": {"Key": {"pk": {"S": "1"}, "sk": {"N": "1.0"}}}}
    assert (
        refused(ddb.batch_write_item, RequestItems={"Sales": [_put(key) for key in range(26)]})
        == "ValidationException"
    )
    assert refused(ddb.batch_write_item, RequestItems={"Sales": [_put(1), delete]}) == "ValidationException"
    assert refused(ddb.batch_write_item, RequestItems={"Nowhere": [_put(1)]}) == "ResourceNotFoundException"
    assert ddb.scan(TableName="Sales")["Count"] == 0
    answer = ddb.batch_write_item(
        RequestItems={"Sales": [_put(key) for key in range(25)]}, ReturnConsumedCapacity="TOTAL"
    )
    assert answer["ConsumedCapacity"] == [{"TableName": "Sales", "CapacityUnits": 25.0}]


def test_a_batch_over_16_megabytes_is_refused(make, ddb, refused):
    make(sk="N")
    big = [
        {"PutRequest": {"Item": {"pk": {"S": str(key)}, "sk": {"N": "1"}, "v": {"B": b"x" * 409_000}}}}
        for key in range(25)
    ]
    ddb.batch_write_item(RequestItems={"Sales": big})
    for part in big:
        part["PutRequest"]["Item"]["v"] = {"M": {"n" * 40: {"S": "\\" * 400_000}}}
    assert refused(ddb.batch_write_item, RequestItems={"Sales": big}) == "ValidationException"


def test_a_batch_get_is_cut_at_16_megabytes(make, ddb):
    make(sk="N")
    for key in range(50):
        ddb.put_item(
            TableName="Sales", Item={"pk": {"S": str(key)}, "sk": {"N": "1"}, "v": {"S": "x" * 400_000}}
        )
    keys = [{"pk": {"S": str(key)}, "sk": {"N": "1"}} for key in range(50)]
    answer = ddb.batch_get_item(RequestItems={"Sales": {"Keys": keys}})
    assert len(answer["Responses"]["Sales"]) == 41 and len(answer["UnprocessedKeys"]["Sales"]["Keys"]) == 9
