"""What the tests of AWS Backup share: a role, a vault, a table with items, and jobs that are waited for."""

import json

ACCOUNT = "123456789012"
TABLE = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/Sales"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/backup"
FINAL = ("COMPLETED", "FAILED", "ABORTED", "EXPIRED", "PARTIAL")


def trust(service="backup.amazonaws.com"):
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class Backups:
    """AWS Backup as a test uses it. `client` is botocore's."""

    def __init__(self, world, ddb):
        self.world, self.ddb, self.client = world, ddb, world.client("backup")
        world.client("iam").create_role(RoleName="backup", AssumeRolePolicyDocument=trust())
        self.vault = self.client.create_backup_vault(BackupVaultName="Default")["BackupVaultArn"]

    def advanced(self, on=True):
        self.client.update_region_settings(ResourceTypeManagementPreference={"DynamoDB": on})

    def later(self, by):
        self.world.control("POST", "clock", {"advance": by})

    def start(self, arn=TABLE, vault="Default", **more):
        given = {"BackupVaultName": vault, "ResourceArn": arn, "IamRoleArn": ROLE, **more}
        return self.client.start_backup_job(**given)["BackupJobId"]

    def job(self, job):
        return self.client.describe_backup_job(BackupJobId=job)

    def back_up(self, arn=TABLE, **more):
        """The job's description, once it is over."""
        job = self.start(arn, **more)
        self.later("1h")
        shown = self.job(job)
        assert shown["State"] in FINAL, shown
        return shown

    def point(self, arn=TABLE, **more):
        """The ARN of a new recovery point."""
        shown = self.back_up(arn, **more)
        assert shown["State"] == "COMPLETED", shown
        return shown["RecoveryPointArn"]

    def points(self, vault="Default", client=None):
        listed = (client or self.client).list_recovery_points_by_backup_vault(BackupVaultName=vault)
        return listed["RecoveryPoints"]

    def restore(self, point, target="Back", metadata=None, client=None, **more):
        """The restore job's description, once it is over."""
        metadata = {"targetTableName": target} if metadata is None else metadata
        given = {"RecoveryPointArn": point, "Metadata": metadata, "IamRoleArn": ROLE, **more}
        client = client or self.client
        job = client.start_restore_job(**given)["RestoreJobId"]
        self.later("1h")
        shown = client.describe_restore_job(RestoreJobId=job)
        assert shown["Status"] in FINAL, shown
        return shown

    def copy(self, point, to, client=None, **more):
        """The copy job's description, once it is over."""
        given = {"RecoveryPointArn": point, "SourceBackupVaultName": "Default", "IamRoleArn": ROLE, **more}
        client = client or self.client
        job = client.start_copy_job(DestinationBackupVaultArn=to, **given)["CopyJobId"]
        self.later("1h")
        return client.describe_copy_job(CopyJobId=job)["CopyJob"]

    def put(self, *keys):
        for key in keys:
            self.ddb.put_item(TableName="Sales", Item={"pk": {"S": key}})

    def keys(self, table, ddb=None):
        return {item["pk"]["S"] for item in (ddb or self.ddb).scan(TableName=table)["Items"]}
