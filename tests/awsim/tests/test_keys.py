"""KMS keys that are disabled, or wait for their deletion, refuse whoever uses them."""

import pytest


@pytest.fixture
def kms(world):
    return world.client("kms")


@pytest.fixture
def key(kms):
    made = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName="alias/backups", TargetKeyId=made["KeyId"])
    return made


def _uses(kms, key, sealed):
    return {
        "Encrypt": lambda: kms.encrypt(KeyId=key["Arn"], Plaintext=b"x"),
        "Decrypt": lambda: kms.decrypt(CiphertextBlob=sealed),
        "ReEncrypt": lambda: kms.re_encrypt(CiphertextBlob=sealed, DestinationKeyId="alias/backups"),
        "GenerateDataKey": lambda: kms.generate_data_key(KeyId="alias/backups", KeySpec="AES_256"),
        "GenerateDataKeyWithoutPlaintext": lambda: kms.generate_data_key_without_plaintext(KeyId=key["KeyId"], KeySpec="AES_256"),
    }


def test_a_disabled_key_refuses_and_works_again(kms, key, refused):
    sealed = kms.encrypt(KeyId="alias/backups", Plaintext=b"x")["CiphertextBlob"]
    kms.disable_key(KeyId=key["KeyId"])
    uses = _uses(kms, key, sealed)
    assert {name: refused(use) for name, use in uses.items()} == dict.fromkeys(uses, "DisabledException")
    kms.enable_key(KeyId=key["KeyId"])
    assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"x"


def test_a_signing_key_too(kms, refused):
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    kms.disable_key(KeyId=key["KeyId"])
    given = {"KeyId": key["KeyId"], "Message": b"x", "SigningAlgorithm": "ECDSA_SHA_256"}
    assert refused(kms.sign, **given) == "DisabledException"


def test_a_key_that_waits_for_its_deletion_refuses_and_is_gone_in_time(world, kms, key, refused):
    sealed = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    assert refused(kms.schedule_key_deletion, KeyId=key["KeyId"], PendingWindowInDays=31) == "ValidationException"
    told = kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    assert (told["KeyId"], told["KeyState"], told["PendingWindowInDays"]) == (key["Arn"], "PendingDeletion", 7)
    uses = _uses(kms, key, sealed)
    assert {name: refused(use) for name, use in uses.items()} == dict.fromkeys(uses, "KMSInvalidStateException")
    for call in (kms.enable_key, kms.disable_key, kms.schedule_key_deletion):
        assert refused(call, KeyId=key["KeyId"]) == "KMSInvalidStateException"
    world.control("POST", "clock", {"advance": "6d"})
    kms.cancel_key_deletion(KeyId=key["KeyId"])
    assert kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == "Disabled"
    assert refused(kms.cancel_key_deletion, KeyId=key["KeyId"]) == "KMSInvalidStateException"
    kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    world.control("POST", "clock", {"advance": "7d"})
    assert refused(kms.describe_key, KeyId=key["KeyId"]) == "NotFoundException"
    assert refused(kms.decrypt, CiphertextBlob=sealed) in ("NotFoundException", "AccessDeniedException")


def _sse(key):
    return {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key}


def test_a_table_is_lost_with_its_key_after_a_while(world, kms, key, make, ddb, refused):
    make(SSESpecification=_sse("alias/backups"))
    assert ddb.describe_table(TableName="Sales")["Table"]["SSEDescription"]["KMSMasterKeyArn"] == key["Arn"]
    ddb.put_item(TableName="Sales", Item={"pk": {"S": "a"}})
    kms.disable_key(KeyId=key["KeyId"])
    assert ddb.scan(TableName="Sales")["Count"] == 1  # its data key is cached
    world.control("POST", "clock", {"advance": "5m"})
    for call, given in ((ddb.scan, {}), (ddb.put_item, {"Item": {"pk": {"S": "b"}}}), (ddb.get_item, {"Key": {"pk": {"S": "a"}}})):
        with pytest.raises(ddb.exceptions.ClientError, match="KMS key disabled error.*is disabled") as fault:
            call(TableName="Sales", **given)
        assert fault.value.response["Error"]["Code"] == "ValidationException"
    assert ddb.describe_table(TableName="Sales")["Table"]["TableStatus"] == "ACTIVE"
    world.control("POST", "clock", {"advance": "10m"})
    shown = ddb.describe_table(TableName="Sales")["Table"]
    assert shown["TableStatus"] == "INACCESSIBLE_ENCRYPTION_CREDENTIALS" and "InaccessibleEncryptionDateTime" in shown["SSEDescription"]
    kms.enable_key(KeyId=key["KeyId"])
    assert ddb.describe_table(TableName="Sales")["Table"]["TableStatus"] == "ACTIVE"
    assert ddb.scan(TableName="Sales")["Count"] == 1


def test_no_table_is_made_or_restored_under_a_key_that_cannot_be_used(world, kms, key, make, ddb, refused):
    world.settings(backup_delay="0s", restore_delay="0s")
    make("Sales", SSESpecification=_sse(key["Arn"]))
    arn = ddb.create_backup(TableName="Sales", BackupName="nightly")["BackupDetails"]["BackupArn"]
    kms.schedule_key_deletion(KeyId=key["KeyId"])
    with pytest.raises(ddb.exceptions.ClientError, match="pending deletion"):
        make("Other", SSESpecification=_sse(key["Arn"]))
    with pytest.raises(ddb.exceptions.ClientError, match="does not exist"):
        make("Other", SSESpecification=_sse("00000000-0000-0000-0000-000000000000"))
    assert refused(ddb.restore_table_from_backup, TargetTableName="Back", BackupArn=arn) == "ValidationException"
    assert ddb.list_tables()["TableNames"] == ["Sales"]
    ddb.restore_table_from_backup(TargetTableName="Back", BackupArn=arn, SSESpecificationOverride={"Enabled": False})


def test_a_secret_parameter_needs_its_key(world, kms, key, refused):
    ssm = world.client("ssm")
    given = {"Name": "/sale/secret", "Value": "hunter2", "Type": "SecureString", "KeyId": "alias/backups"}
    ssm.put_parameter(**given)
    kms.disable_key(KeyId=key["KeyId"])
    for name in ("get_parameter", "get_parameters", "get_parameters_by_path"):
        asked = {"get_parameter": {"Name": "/sale/secret"}, "get_parameters": {"Names": ["/sale/secret"]}}.get(name, {"Path": "/sale"})
        assert refused(getattr(ssm, name), **asked, WithDecryption=True) == "InvalidKeyId"
        getattr(ssm, name)(**asked)
    assert refused(ssm.put_parameter, **given, Overwrite=True) == "InvalidKeyId"
    kms.enable_key(KeyId=key["KeyId"])
    assert ssm.get_parameter(Name="/sale/secret", WithDecryption=True)["Parameter"]["Value"] == "hunter2"
