"""Users, roles and other accounts of awsim, as recoverd's tests need them."""
import json

import boto3
from botocore.config import Config

from world import ACCOUNT, KEYS

OTHER = "210987654321"


def client(aws, service, account=ACCOUNT, region="us-east-1"):
    """As the root of an account, in a region."""
    return boto3.client(service, endpoint_url=aws.url, region_name=region, aws_access_key_id=f"testing-{account}",
                        aws_secret_access_key="testing", config=Config(retries={"max_attempts": 2}, s3={"addressing_style": "path"}))


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def user(aws, name="recoverd", policy=None):
    """Makes a user of the first account. -> the environment of a process that is this user"""
    iam = client(aws, "iam")
    iam.create_user(UserName=name)
    if policy:
        iam.put_user_policy(UserName=name, PolicyName="policy", PolicyDocument=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {**KEYS, "AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}


def role(aws, account, trust, name="recoverd", policy=None):
    """Makes a role. -> its ARN"""
    iam = client(aws, "iam", account)
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
    if policy:
        iam.put_role_policy(RoleName=name, PolicyName="policy", PolicyDocument=policy)
    return arn
