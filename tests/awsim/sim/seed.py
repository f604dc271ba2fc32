"""The demo's three tables with sales, buyers and producers: the same bytes for the same number of items."""

import argparse
import hashlib
import os
import random
import sys
from concurrent.futures import ThreadPoolExecutor

from botocore.config import Config
from botocore.session import Session

BATCH, WRITERS = 25, 4
FIRST_DAY = 1_735_689_600  # 2025-01-01
PROVISIONED = {"ReadCapacityUnits": 3000, "WriteCapacityUnits": 3000}
FIRST = (
    "Ana",
    "Bruno",
    "Céline",
    "Dmitri",
    "Éva",
    "Farah",
    "Goran",
    "Hélène",
    "Ivo",
    "Jürgen",
    "Kenji",
    "Łucja",
    "Мария",
)
LAST = (
    "Almeida",
    "Bonnet",
    "Costa",
    "Dvořák",
    "Esposito",
    "Fischer",
    "García",
    "O'Neill",
    "Smith",
    "Yılmaz",
    "王",
)
TOWNS = (
    ("Lisboa", "PT"),
    ("Lyon", "FR"),
    ("Graz", "AT"),
    ("Bologna", "IT"),
    ("Kraków", "PL"),
    ("Sevilla", "ES"),
    ("Gent", "BE"),
)
GOODS = (
    "olive oil 0.75 l",
    "comté 24 months",
    "chestnut honey",
    "dried figs",
    "walnuts 1 kg",
    "cider brut",
    "saffron 2 g",
)
CERTIFICATES = ("organic", "PDO", "fair trade", "family farm", "short chain")
SALE_STATES = ("paid", "shipped", "delivered", "returned")


def text(value):
    return {"S": value}


def number(value):
    return {"N": str(value)}


def money(cents):
    return {"N": f"{cents // 100}.{cents % 100:02d}"}


def _person(dice):
    return f"{dice.choice(FIRST)} {dice.choice(LAST)}"


def _address(dice):
    town, country = dice.choice(TOWNS)
    return {
        "M": {
            "street": text(f"{dice.randint(1, 240)}, rua {dice.choice(LAST)}"),
            "town": text(town),
            "country": text(country),
            "postcode": text(f"{dice.randint(1000, 99999)}"),
        }
    }


def _moment(dice):
    return FIRST_DAY + dice.randint(0, 600 * 86400)


def sales(count):
    """Sales with their lines; `count` items in all."""
    dice, made, place = random.Random("sales"), 0, 0
    while made < count:
        place += 1
        key = text(f"SALE#{place:08d}")
        lines = [_line(dice, key, line) for line in range(1, dice.randint(1, 5) + 1)][: count - made - 1]
        yield _sale(dice, key, lines)
        yield from lines
        made += 1 + len(lines)


def _line(dice, key, place):
    quantity, cents = dice.randint(1, 12), dice.randint(150, 9900)
    return {
        "pk": key,
        "sk": text(f"LINE#{place:03d}"),
        "amount": money(quantity * cents),
        "quantity": number(quantity),
        "unit_price": money(cents),
        "goods": text(dice.choice(GOODS)),
        "producer": text(f"PRODUCER#{dice.randint(1, 3000):06d}"),
        "lot": {"B": hashlib.sha256(dice.randbytes(8)).digest()},
        "gift": {"BOOL": dice.random() < 0.1},
    }


def _sale(dice, key, lines):
    cents = sum(round(float(line["amount"]["N"]) * 100) for line in lines)
    moment = _moment(dice)
    sale = {
        "pk": key,
        "sk": text("SALE"),
        "buyer": text(f"BUYER#{dice.randint(1, 3000):06d}"),
        "sold_at": number(moment),
        "amount": money(cents),
        "state": text(dice.choice(SALE_STATES)),
        "deliver_to": _address(dice),
        "history": {
            "L": [
                {"M": {"state": text(state), "at": number(moment + 3600 * place)}}
                for place, state in enumerate(SALE_STATES[: dice.randint(1, 3)])
            ]
        },
        "coupon": {"NULL": True} if dice.random() < 0.8 else text(f"SPRING-{dice.randint(10, 50)}"),
        "note": text(""),
    }
    if dice.random() < 0.2:
        sale["expires_at"] = number(moment + 5 * 365 * 86400)
    return sale


def buyers(count):
    dice = random.Random("buyers")
    for place in range(1, count + 1):
        yield {
            "pk": text(f"BUYER#{place:06d}"),
            "name": text(_person(dice)),
            "email": text(f"buyer{place}@example.com"),
            "since": number(_moment(dice)),
            "address": _address(dice),
            "points": number(dice.randint(-20, 9000)),
            "rating": number(f"{dice.randint(0, 50) / 10}"),
            "newsletter": {"BOOL": dice.random() < 0.4},
            "likes": {"SS": sorted(dice.sample(GOODS, dice.randint(1, 4)))},
        }


def producers(count):
    dice = random.Random("producers")
    for place in range(1, count + 1):
        town, country = dice.choice(TOWNS)
        yield {
            "pk": text(f"PRODUCER#{place:06d}"),
            "name": text(f"{dice.choice(LAST)} & {dice.choice(LAST)}"),
            "country": text(country),
            "town": text(town),
            "certificates": {"SS": sorted(dice.sample(CERTIFICATES, 2))},
            "latitude": number(f"{dice.randint(36_000_000, 55_000_000) / 1_000_000}"),
            "harvests": {"NS": sorted({str(dice.randint(1990, 2025)) for _ in range(4)})},
            "seal": {"B": hashlib.sha256(str(place).encode()).digest()},
            "founded": number(dice.randint(1850, 2024)),
        }


def _keys(*names):
    return [{"AttributeName": name, "KeyType": role} for name, role in zip(names, ("HASH", "RANGE"))]


def _index(name, *keys, **more):
    return {"IndexName": name, "KeySchema": _keys(*keys), "Projection": {"ProjectionType": "ALL"}, **more}


def _types(**types):
    return [{"AttributeName": name, "AttributeType": kind} for name, kind in types.items()]


TABLES = {
    "SalesTable-production": (
        sales,
        {
            "KeySchema": _keys("pk", "sk"),
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": _types(pk="S", sk="S", buyer="S", sold_at="N", amount="N"),
            "GlobalSecondaryIndexes": [_index("by-buyer", "buyer", "sold_at")],
            "LocalSecondaryIndexes": [_index("by-amount", "pk", "amount")],
            "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        },
    ),
    "BuyersTable-production": (
        buyers,
        {
            "KeySchema": _keys("pk"),
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": _types(pk="S", email="S"),
            "GlobalSecondaryIndexes": [_index("by-email", "email")],
        },
    ),
    "ProducersTable-production": (
        producers,
        {
            "KeySchema": _keys("pk"),
            "ProvisionedThroughput": PROVISIONED,
            "AttributeDefinitions": _types(pk="S", country="S"),
            "GlobalSecondaryIndexes": [_index("by-country", "country", ProvisionedThroughput=PROVISIONED)],
        },
    ),
}


def _write(client, table, batch):
    left = {table: [{"PutRequest": {"Item": item}} for item in batch]}
    while left:
        left = client.batch_write_item(RequestItems=left)["UnprocessedItems"]


def fill(client, table, items):
    """Returns how many items it wrote."""
    items = list(items)
    batches = [items[place : place + BATCH] for place in range(0, len(items), BATCH)]
    with ThreadPoolExecutor(WRITERS) as writers:
        list(writers.map(lambda batch: _write(client, table, batch), batches))
    return len(items)


def make(client, table, shape):
    client.create_table(
        TableName=table,
        Tags=[{"Key": "owner", "Value": "sales"}, {"Key": "stage", "Value": "production"}],
        **shape,
    )
    client.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1})
    client.update_time_to_live(
        TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"}
    )
    client.update_continuous_backups(
        TableName=table,
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": 35},
    )


def scale_and_watch(client_of):
    """Autoscaling on the provisioned table, an alarm on the busiest."""
    scaling = client_of("application-autoscaling")
    for way in ("Read", "Write"):
        target = {
            "ServiceNamespace": "dynamodb",
            "ResourceId": "table/ProducersTable-production",
            "ScalableDimension": f"dynamodb:table:{way}CapacityUnits",
        }
        scaling.register_scalable_target(**target, MinCapacity=3000, MaxCapacity=9000)
        scaling.put_scaling_policy(
            **target,
            PolicyName=f"producers-{way.lower()}s",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": 70.0,
                "PredefinedMetricSpecification": {
                    "PredefinedMetricType": f"DynamoDB{way}CapacityUtilization"
                },
            },
        )
    client_of("cloudwatch").put_metric_alarm(
        AlarmName="SalesTable-production-throttles",
        Namespace="AWS/DynamoDB",
        MetricName="WriteThrottleEvents",
        Dimensions=[{"Name": "TableName", "Value": "SalesTable-production"}],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
    )


def main():
    parser = argparse.ArgumentParser(prog="seed", description=__doc__)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--items", type=int, default=3000, help="in each table")
    parser.add_argument("--bucket", help="makes this bucket too")
    arguments = parser.parse_args()
    session = Session()

    def client_of(service):
        return session.create_client(
            service,
            endpoint_url=arguments.endpoint,
            region_name="us-east-1",
            aws_access_key_id=os.environ.get("AWS_ACCESS_KEY_ID", "testing"),
            aws_secret_access_key=os.environ.get("AWS_SECRET_ACCESS_KEY", "testing"),
            config=Config(s3={"addressing_style": "path"}, parameter_validation=False),
        )

    client = client_of("dynamodb")
    for table, (items, shape) in TABLES.items():
        make(client, table, shape)
        print(f"{table}: {fill(client, table, items(arguments.items))} items", flush=True)
    scale_and_watch(client_of)
    if arguments.bucket:
        client_of("s3").create_bucket(Bucket=arguments.bucket)
        print(f"bucket {arguments.bucket}")


if __name__ == "__main__":
    sys.exit(main())
