"""What the demo does to the emulated AWS without recoverd, so that its word is not taken for it:
demo_aws.py ENDPOINT delete|digest TABLE"""
import hashlib
import json
import sys
import time

import boto3


def items(client, table):
    for page in client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        yield from page["Items"]


def plain(value):
    """The same text for the same value: bytes as hex, sets in order."""
    if isinstance(value, dict):
        return {name: plain(sorted(member) if name in ("SS", "NS", "BS") else member) for name, member in value.items()}
    if isinstance(value, list):
        return [plain(member) for member in value]
    return value.hex() if isinstance(value, bytes) else value


def digest(client, table):
    """One number over all items in any order, made here with Python's json and boto3 and nothing of recoverd's."""
    rows = sorted(json.dumps(plain(item), sort_keys=True) for item in items(client, table))
    return f"{len(rows)} items, sha256 {hashlib.sha256(chr(10).join(rows).encode()).hexdigest()[:32]}"


def delete(client, table):
    client.delete_table(TableName=table)
    for _ in range(300):
        if table not in client.list_tables()["TableNames"]:
            return "gone"
        time.sleep(0.1)
    sys.exit(f"{table} is still there")


endpoint, what, table = sys.argv[1:]
client = boto3.client("dynamodb", endpoint_url=endpoint, region_name="us-east-1",
                      aws_access_key_id="testing", aws_secret_access_key="testing")
print({"digest": digest, "delete": delete}[what](client, table))
