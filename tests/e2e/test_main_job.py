"""The main job: back up a table, lose it, restore it, prove it."""
from world import items_of, make_table, plain_items, put_items


def test_a_lost_table_comes_back_and_is_proven(aws, server):
    dynamodb = aws.client("dynamodb")
    make_table(dynamodb, "Sales")
    put_items(dynamodb, "Sales", plain_items(3000))
    before = items_of(dynamodb, "Sales")

    job = server.backup("Sales")
    assert job["result"]["items"] == 3000
    point = server.get(f"/v1/recovery-points/{job['result']['recovery_point']}")
    assert point["status"] == "verified" and point["items"] == 3000
    assert point["consistency"]["from"] < point["consistency"]["to"]

    dynamodb.delete_table(TableName="Sales")
    restored = server.restore(point["id"], "Sales-restored")
    assert restored["result"]["items"] == 3000
    assert restored["result"]["fingerprint"] == point["fingerprint"]
    assert items_of(dynamodb, "Sales-restored") == before
    assert server.get(f"/v1/recovery-points/{point['id']}")["status"] == "proven"

    checked = server.run("validate.backup", {"source": {"recovery_point": point["id"]}})
    assert checked["result"]["verdict"] == "intact"
    checked = server.run("validate.table", {"table": "Sales-restored"})
    assert checked["result"]["verdict"] == "intact"
    assert len(aws.effects("CreateTable")) == 2
    assert [row["action"] for row in server.get("/v1/audit?action=job.finished")["items"]] == ["job.finished"] * 4


def test_a_restored_table_is_compared_with_what_was_asked_for(aws, server):
    """Without the indexes, when the restore left them out; with them, when they are its own."""
    dynamodb = aws.client("dynamodb")
    index = {"IndexName": "by-n", "KeySchema": [{"AttributeName": "n", "KeyType": "HASH"}], "Projection": {"ProjectionType": "ALL"}}
    make_table(dynamodb, "Sales", attributes={"n": "N"}, GlobalSecondaryIndexes=[index])
    put_items(dynamodb, "Sales", plain_items(30))
    point = server.backup("Sales")["result"]["recovery_point"]
    server.restore(point, "Bare", settings={"skip": ["indexes"]})
    assert server.run("validate.table", {"table": "Bare"})["result"]["verdict"] == "intact"
    server.restore(point, "Other", overrides={"indexes": [{"name": "by-sk", "hash": "sk"}]})
    assert server.run("validate.table", {"table": "Other"})["result"]["verdict"] == "intact"
    against = {"table": "Other", "against": {"recovery_point": point}}
    job = server.run("validate.table", against, want="failed")
    assert job["error"]["code"] == "MISMATCH" and "the same, but its keys or indexes differ" in job["error"]["detail"], job["error"]
