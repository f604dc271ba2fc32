"""AWS Backup's resources in CloudFormation's templates. moto passes over what it does not know, and calls the stack complete.

Source: AWS CloudFormation Template Reference, AWS::Backup::BackupVault, BackupPlan, BackupSelection.
"""

import json

from moto.cloudformation.exceptions import ValidationError
from moto.core.common_models import CloudFormationModel

from ..names import Call, model
from ..shapes import typed
from . import api
from .errors import BackupError

SELF = "cloudformation.amazonaws.com"
RULE_NAMES = {"TargetBackupVault": "TargetBackupVaultName"}


class Resource:
    """One resource of a stack; `id` is what Ref gives, `shown` what GetAtt does."""

    kind, attributes, store = "", (), None

    def __init__(self, account, region, properties):
        self.account, self.region, self.id, self.shown = account, region, None, {}
        self.properties = properties

    def ask(self, operation, **members):
        """A call in the stack's name; what AWS Backup refuses fails the stack."""
        store, call = Resource.store, Call("backup", operation, None, None, self.region, self.account, SELF)
        shape = model("backup").operation_model(operation).input_shape
        try:
            found = api.perform(store, call, typed(shape, members))
        except BackupError as fault:
            raise ValidationError(self.id or "", message=f"{fault.message} ({fault.code})") from None
        call.effect = "deleted" if operation.startswith("Delete") else "made" if "Create" in operation else "changed"
        store.app.ledger.add(call, 200)
        return found

    @property
    def physical_resource_id(self):
        return self.id

    def get_cfn_attribute(self, name):
        return self.shown[name]

    @classmethod
    def has_cfn_attr(cls, attr):
        return attr in cls.attributes

    @staticmethod
    def cloudformation_name_type():
        return ""

    @classmethod
    def create_from_cloudformation_json(cls, _name, cloudformation_json, account_id, region_name, **_more):
        made = cls(account_id, region_name, cloudformation_json["Properties"])
        made.create()
        return made

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name
    ):
        original_resource.properties = cloudformation_json["Properties"]
        original_resource.update()
        return original_resource


class Vault(Resource, CloudFormationModel):
    attributes = ("BackupVaultArn", "BackupVaultName")

    @staticmethod
    def cloudformation_type():
        return "AWS::Backup::BackupVault"

    def create(self):
        kept = ("BackupVaultName", "BackupVaultTags", "EncryptionKeyArn")
        self.shown = self.ask(
            "CreateBackupVault", **{name: self.properties[name] for name in kept if name in self.properties}
        )
        self.id = self.shown["BackupVaultName"]
        self.update()

    def update(self):
        here = {"BackupVaultName": self.id}
        if "AccessPolicy" in self.properties:
            self.ask("PutBackupVaultAccessPolicy", Policy=json.dumps(self.properties["AccessPolicy"]), **here)
        if "LockConfiguration" in self.properties:
            self.ask("PutBackupVaultLockConfiguration", **self.properties["LockConfiguration"], **here)

    def delete(self, _account, _region):
        self.ask("DeleteBackupVault", BackupVaultName=self.id)


class Plan(Resource, CloudFormationModel):
    attributes = ("BackupPlanArn", "BackupPlanId", "VersionId")

    @staticmethod
    def cloudformation_type():
        return "AWS::Backup::BackupPlan"

    def _document(self):
        document = dict(self.properties["BackupPlan"])
        rules = document.pop("BackupPlanRule")
        document["Rules"] = [{RULE_NAMES.get(name, name): value for name, value in rule.items()} for rule in rules]
        return document

    def create(self):
        tags = {"BackupPlanTags": self.properties["BackupPlanTags"]} if "BackupPlanTags" in self.properties else {}
        self.shown = self.ask("CreateBackupPlan", BackupPlan=self._document(), **tags)
        self.id = self.shown["BackupPlanId"]

    def update(self):
        self.shown = self.ask("UpdateBackupPlan", BackupPlanId=self.id, BackupPlan=self._document())

    def delete(self, _account, _region):
        self.ask("DeleteBackupPlan", BackupPlanId=self.id)


class Selection(Resource, CloudFormationModel):
    attributes = ("BackupPlanId", "Id", "SelectionId")

    @staticmethod
    def cloudformation_type():
        return "AWS::Backup::BackupSelection"

    def create(self):
        plan = self.properties["BackupPlanId"]
        found = self.ask("CreateBackupSelection", BackupPlanId=plan, BackupSelection=self.properties["BackupSelection"])
        self.shown = {"BackupPlanId": plan, "SelectionId": found["SelectionId"], "Id": found["SelectionId"]}
        self.id = f"{found['SelectionId']}_{plan}"

    def update(self):
        """Each change of a selection is a new one."""
        self.delete(self.account, self.region)
        self.create()

    def delete(self, _account, _region):
        gone = {name: self.shown[name] for name in ("BackupPlanId", "SelectionId")}
        self.ask("DeleteBackupSelection", **gone)


def show(store):
    """CloudFormation makes them from now on in this store."""
    Resource.store = store
