"""Tables in CloudFormation's templates: moto would make them in its own DynamoDB, which nobody here can see.

Source: AWS CloudFormation Template Reference, AWS::DynamoDB::Table.
"""

import json

from moto.cloudformation.exceptions import ValidationError
from moto.core.common_models import CloudFormationModel

from ..names import Call, model
from ..shapes import typed
from . import api, pitr, settings, tables
from .errors import DdbError

SELF = "cloudformation.amazonaws.com"
AS_THEY_ARE = (
    "TableName",
    "KeySchema",
    "AttributeDefinitions",
    "BillingMode",
    "ProvisionedThroughput",
    "OnDemandThroughput",
    "GlobalSecondaryIndexes",
    "LocalSecondaryIndexes",
    "DeletionProtectionEnabled",
    "TableClass",
    "Tags",
)
UPDATABLE = ("BillingMode", "ProvisionedThroughput", "OnDemandThroughput", "DeletionProtectionEnabled", "TableClass")
BESIDE = ("PointInTimeRecoverySpecification", "TimeToLiveSpecification")


class Table(CloudFormationModel):
    """`id` is what Ref gives. A store, and a ledger to write to, are told to the class when awsim starts."""

    store = ledger = None

    def __init__(self, account, region, name, properties):
        self.account, self.region, self.id, self.properties = account, region, name, properties
        self.shown = {}

    @staticmethod
    def cloudformation_name_type():
        return "TableName"

    @staticmethod
    def cloudformation_type():
        return "AWS::DynamoDB::Table"

    @classmethod
    def has_cfn_attr(cls, attr):
        return attr in ("Arn", "StreamArn", "TableId")

    def get_cfn_attribute(self, name):
        return self.shown[name]

    @property
    def physical_resource_id(self):
        return self.id

    @classmethod
    def create_from_cloudformation_json(cls, resource_name, cloudformation_json, account_id, region_name, **_more):
        made = cls(account_id, region_name, resource_name, cloudformation_json["Properties"])
        made.create()
        return made

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name
    ):
        """moto tries again what failed: then too it must be seen that something changes."""
        before, original_resource.properties = original_resource.properties, cloudformation_json["Properties"]
        try:
            original_resource.update(before)
        except ValidationError:
            original_resource.properties = before
            raise
        return original_resource

    def _ask(self, function, operation, effect, request):
        """A call in the stack's name, on a table that is ready; what DynamoDB refuses fails the stack."""
        store, call = Table.store, Call("dynamodb", operation, self.id, None, self.region, self.account, SELF, effect)
        try:
            with store.lock:
                api.check(call, request)
                found = function(store, call, request)
                self._ready(store, call)
        except DdbError as fault:
            raise ValidationError(self.id, message=f"{fault.message} ({fault.code})") from None
        Table.ledger.add(call, 200)
        return found

    def _ready(self, store, call):
        """The stack goes on once the table has settled: it does not wait for it by its own clock."""
        table = store.tables(call).get(self.id)
        if table is not None and table.gone is None:
            table.ready = min(table.ready, store.clock.now())
            table.born = min(table.born, table.ready)
            for index in table.indexes.values():
                index.ready = min(index.ready, table.ready)

    def create(self):
        given = {name: self.properties[name] for name in AS_THEY_ARE if name in self.properties}
        if "SSESpecification" in self.properties:
            sse = dict(self.properties["SSESpecification"])
            given["SSESpecification"] = {"Enabled": sse.pop("SSEEnabled", True), **sse}
        if "StreamSpecification" in self.properties:
            view = self.properties["StreamSpecification"]["StreamViewType"]
            given["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": view}
        if "ResourcePolicy" in self.properties:
            given["ResourcePolicy"] = json.dumps(self.properties["ResourcePolicy"]["PolicyDocument"])
        request = _typed("CreateTable", {**given, "TableName": self.id})
        table = self._ask(tables.create_table, "CreateTable", "made", request)["TableDescription"]
        self.shown = {"Arn": table["TableArn"], "TableId": table["TableId"]}
        if "LatestStreamArn" in table:
            self.shown["StreamArn"] = table["LatestStreamArn"]
        self._beside({})

    def _beside(self, before):
        """What has calls of its own, when it is others now."""
        calls = (
            (pitr.update_continuous_backups, "UpdateContinuousBackups"),
            (settings.update_time_to_live, "UpdateTimeToLive"),
        )
        for name, (function, operation) in zip(BESIDE, calls):
            spec = self.properties.get(name)
            if spec is not None and spec != before.get(name):
                request = _typed(operation, {"TableName": self.id, name: spec})
                self._ask(function, operation, "changed", request)

    def update(self, before):
        names = sorted(name for name in {*before, *self.properties} if before.get(name) != self.properties.get(name))
        if unable := [name for name in names if name not in (*UPDATABLE, *BESIDE)]:
            raise ValidationError(self.id, message=f"awsim updates no {', '.join(unable)} of a stack's table")
        changed = {name: self.properties[name] for name in UPDATABLE if name in names and name in self.properties}
        if changed:
            request = _typed("UpdateTable", {"TableName": self.id, **changed})
            self._ask(tables.update_table, "UpdateTable", "changed", request)
        self._beside(before)

    def delete(self, _account, _region):
        self._ask(tables.delete_table, "DeleteTable", "deleted", {"TableName": self.id})


def _typed(operation, members):
    """With numbers and truths for the texts that a template may have."""
    return typed(model("dynamodb").operation_model(operation).input_shape, members)


def show(store, ledger):
    """CloudFormation makes them from now on in this store."""
    Table.store, Table.ledger = store, ledger
