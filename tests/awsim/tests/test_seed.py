"""The demo's tables are the same each time."""

import os
import subprocess
import sys

from conftest import HERE

NAMES = ("SalesTable-production", "BuyersTable-production", "ProducersTable-production")


def _seed(world, items):
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    subprocess.run(
        [
            sys.executable,
            "-m",
            "sim.seed",
            "--endpoint",
            world.url,
            "--items",
            str(items),
            "--bucket",
            "backups",
        ],
        env=environment,
        check=True,
        timeout=60,
        capture_output=True,
    )
    client = world.client("dynamodb")
    return {name: client.scan(TableName=name)["Items"] for name in NAMES}


def test_the_seed_makes_three_tables_with_their_settings_and_always_the_same_items(world):
    first = _seed(world, 200)
    assert [len(items) for items in first.values()] == [200] * 3
    client = world.client("dynamodb")
    sales = client.describe_table(TableName=NAMES[0])["Table"]
    assert [
        sales["GlobalSecondaryIndexes"][0]["ItemCount"] > 0,
        sales["LocalSecondaryIndexes"][0]["ItemCount"],
    ] == [True, 200]
    for name in NAMES:
        assert (
            client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]["AttributeName"]
            == "expires_at"
        )
        pitr = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"][
            "PointInTimeRecoveryDescription"
        ]
        assert pitr["PointInTimeRecoveryStatus"] == "ENABLED"
        arn = client.describe_table(TableName=name)["Table"]["TableArn"]
        assert {"Key": "owner", "Value": "sales"} in client.list_tags_of_resource(ResourceArn=arn)["Tags"]
    assert (
        len(
            world.client("application-autoscaling").describe_scaling_policies(ServiceNamespace="dynamodb")[
                "ScalingPolicies"
            ]
        )
        == 2
    )
    assert world.client("cloudwatch").describe_alarms(AlarmNamePrefix="SalesTable")["MetricAlarms"]
    world.control("POST", "reset")
    assert _seed(world, 200) == first
