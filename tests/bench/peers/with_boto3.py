"""What a script with boto3 does: with_boto3.py URL ITEMS FILE backup|restore. Prints its CPU time in us an item."""
import gzip
import json
import resource
import sys

import boto3
from boto3.dynamodb.types import TypeDeserializer
from botocore.config import Config

URL, ITEMS, PATH, WHAT = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]


def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def backup():
    config = Config(parameter_validation=False)
    client = boto3.client("dynamodb", endpoint_url=URL, region_name="us-east-1", config=config)
    count = 0
    with gzip.open(PATH, "wt", compresslevel=6) as out:
        for page in client.get_paginator("scan").paginate(TableName="Bench", ConsistentRead=True):
            for item in page["Items"]:
                out.write(json.dumps({"Item": item}, separators=(",", ":")) + "\n")
                count += 1
    return count


def restore():
    table = boto3.resource("dynamodb", endpoint_url=URL, region_name="us-east-1").Table("Bench")
    read, count = TypeDeserializer().deserialize, 0
    with gzip.open(PATH, "rt") as lines, table.batch_writer() as batch:
        for line in lines:
            batch.put_item(Item={k: read(v) for k, v in json.loads(line)["Item"].items()})
            count += 1
    return count


began = cpu()
count = {"backup": backup, "restore": restore}[WHAT]()
assert count == ITEMS, count
print((cpu() - began) / ITEMS * 1e6)
