"""Users, roles and their keys, for the tests of who may do what."""

import json

OTHER = "210987654321"
TRUST_ALL = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action, resource="*", effect="Allow", **more):
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


def root(account):
    """The keys of an account's root, as World.client takes them."""
    return {"key": f"testing-{account}", "secret": "testing"}


def user(world, name="ann", *statements, account=None):
    """Makes a user; its keys."""
    iam = world.client("iam", **(root(account) if account else {}))
    iam.create_user(UserName=name)
    if statements:
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy(*statements))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {"key": key["AccessKeyId"], "secret": key["SecretAccessKey"]}


def role(world, trust=TRUST_ALL, *statements, name="backup", account=None, **more):
    """Makes a role; its ARN."""
    iam = world.client("iam", **(root(account) if account else {}))
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust), **more)["Role"]["Arn"]
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy(*statements))
    return made


def assume(world, keys, arn, **more):
    """A session's keys."""
    made = world.client("sts", **keys).assume_role(RoleArn=arn, RoleSessionName="job", **more)["Credentials"]
    return {"key": made["AccessKeyId"], "secret": made["SecretAccessKey"], "token": made["SessionToken"]}


def why(call, **given):
    """(code, message) of the refusal of a call."""
    try:
        call(**given)
    except Exception as fault:
        return fault.response["Error"]["Code"], fault.response["Error"]["Message"]
    raise AssertionError("was not refused")
