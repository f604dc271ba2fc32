"""A table in CloudFormation's template is a table: moto would make it in a DynamoDB of its own, which nobody asks.

Source: AWS CloudFormation Template Reference, AWS::DynamoDB::Table.
"""

import json

from moto.cloudformation.exceptions import UnformattedGetAttTemplateException, ValidationError
from moto.dynamodb.models import Table

from ..ddb import api
from ..names import Call
from .registry import install

SELF = "cloudformation.amazonaws.com"
MADE_WITH = (
    "KeySchema AttributeDefinitions BillingMode ProvisionedThroughput GlobalSecondaryIndexes LocalSecondaryIndexes Tags "
    "DeletionProtectionEnabled TableClass OnDemandThroughput SSESpecification StreamSpecification"
).split()
CHANGED = (
    "BillingMode ProvisionedThroughput DeletionProtectionEnabled TableClass OnDemandThroughput SSESpecification StreamSpecification"
).split()


class StackTable:
    app = None

    def __init__(self, name, account, region):
        self.name, self.account, self.region = name, account, region

    @property
    def physical_resource_id(self):
        return self.name

    def is_created(self):
        return True

    @classmethod
    def has_cfn_attr(cls, name):
        return name in ("Arn", "StreamArn")

    def ask(self, operation, **members):
        """A call in the stack's name; what DynamoDB refuses fails the stack."""
        call = Call("dynamodb", operation, None, None, self.region, self.account, SELF)
        status, _, body = api.answer(self.app.dynamodb, call, json.dumps({"TableName": self.name, **members}).encode())
        answer = json.loads(body)
        if status != 200:
            raise ValidationError(self.name, message=answer.get("message", ""))
        call.effect = {"Create": "made", "Delete": "deleted", "Descri": "read"}.get(operation[:6], "changed")
        self.app.ledger.add(call, status)
        return answer

    def get_cfn_attribute(self, name):
        shown = self.ask("DescribeTable")["Table"]
        if name not in ("Arn", "StreamArn"):
            raise UnformattedGetAttTemplateException()
        return shown["TableArn"] if name == "Arn" else shown["LatestStreamArn"]

    def create(self, properties):
        self.ask("CreateTable", **{name: value for name, value in _given(properties).items() if name in MADE_WITH})
        self._settle()
        self._more(properties)

    def update(self, old, new):
        old, new = _given(old), _given(new)
        for name in CHANGED:
            if name in new and new[name] != old.get(name):
                self.ask("UpdateTable", **{name: new[name]})
                self._settle()
        self._more(new)

    def _settle(self):
        """CloudFormation waits until the table is ACTIVE; how long a stack takes is told elsewhere."""
        table = self.app.dynamodb.places[self.account, self.region][self.name]
        table.ready = table.born = min(table.ready, self.app.clock.now())

    def _more(self, properties):
        for name, operation in (("TimeToLiveSpecification", "UpdateTimeToLive"), ("PointInTimeRecoverySpecification", "UpdateContinuousBackups")):
            if name in properties:
                self.ask(operation, **{name: properties[name]})
                self._settle()


def _given(properties):
    """The properties as DynamoDB's calls name and type them."""
    given = _numbers(properties)
    if "SSEEnabled" in given.get("SSESpecification", {}):
        given["SSESpecification"]["Enabled"] = given["SSESpecification"].pop("SSEEnabled")
    if "StreamSpecification" in given:
        given["StreamSpecification"]["StreamEnabled"] = True
    return given


def _numbers(value):
    if isinstance(value, list):
        return [_numbers(one) for one in value]
    if isinstance(value, dict):
        return {name: int(one) if name.endswith("Units") else _numbers(one) for name, one in value.items()}
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


@install
def _make_them_ours(app):
    StackTable.app = app

    def create(_cls, resource_name, cloudformation_json, account_id, region_name, **_more):
        table = StackTable(resource_name, account_id, region_name)
        table.create(cloudformation_json["Properties"])
        table.properties = cloudformation_json["Properties"]
        return table

    def update(_cls, original_resource, cloudformation_json, **_more):
        original_resource.update(original_resource.properties, cloudformation_json["Properties"])
        original_resource.properties = cloudformation_json["Properties"]
        return original_resource

    def delete(_cls, resource_name, _json, account_id, region_name):
        StackTable(resource_name, account_id, region_name).ask("DeleteTable")

    Table.create_from_cloudformation_json = classmethod(create)
    Table.update_from_cloudformation_json = classmethod(update)
    Table.delete_from_cloudformation_json = classmethod(delete)
