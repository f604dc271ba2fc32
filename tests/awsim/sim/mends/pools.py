"""Cognito: an update resets what it does not name, as AWS's does; users come in by a CSV job, and no password goes out."""

import csv
import io
import secrets
import uuid

from moto.cognitoidp.models import CognitoIdpUserPool, CognitoIdpUserPoolClient, UserStatus

from ..wire import Response
from .registry import Refused, answered, before, install

FIXED = ("UsernameAttributes", "AliasAttributes", "UsernameConfiguration", "UserPoolTags", "Schema")
HEADER = (
    "cognito:username name given_name family_name middle_name nickname preferred_username profile picture website email email_verified "
    "gender birthdate zoneinfo locale phone_number phone_number_verified address updated_at cognito:mfa_enabled"
).split()
PAGE = 60
UPLOAD_SECONDS = 900


@install
def _reset_what_is_not_named(_app):
    if hasattr(CognitoIdpUserPool, "resets"):
        return
    CognitoIdpUserPool.resets = True
    plain = CognitoIdpUserPool.update_extended_config

    def update_extended_config(self, given):
        old = getattr(self, "extended_config", {})
        plain(self, given)
        self.extended_config |= {name: old[name] for name in FIXED if name in old and name not in given}
        if old:
            self.mfa_config = given.get("MfaConfiguration") or "OFF"
            self.extended_config.pop("UserPoolId", None)

    CognitoIdpUserPool.update_extended_config = update_extended_config


@before("cognito-idp", "UpdateUserPoolClient")
def _reset_client(deed):
    pool = deed.backend().user_pools.get(deed.given["UserPoolId"])
    client = pool and pool.clients.get(deed.given["ClientId"])
    if client:
        name = client.extended_config.get("ClientName")
        fresh = CognitoIdpUserPoolClient(pool.id, client.generate_secret, {"ClientName": name})
        client.extended_config = fresh.extended_config


@before("cognito-idp", "ListUsers", "ListUserPools", "ListUserPoolClients", "ListUsersInGroup")
def _page(deed):
    for name in ("Limit", "MaxResults"):
        if deed.given.get(name, 1) > PAGE:
            words = f"Value '{deed.given[name]}' at '{name[0].lower() + name[1:]}' failed to satisfy constraint: "
            words += f"Member must have value less than or equal to {PAGE}"
            raise Refused(400, "InvalidParameterException", f"1 validation error detected: {words}")


# -- the import of users ---------------------------------------------------------------------------------------


def _pool(deed):
    pool = deed.backend().user_pools.get(deed.given["UserPoolId"])
    if pool is None:
        raise Refused(400, "ResourceNotFoundException", f"User pool {deed.given['UserPoolId']} does not exist.")
    if not hasattr(pool, "imports"):
        pool.imports = {}
    return pool


def _header(pool):
    own = [name for name in pool.schema_attributes if name.startswith("custom:")]
    return HEADER[:-2] + own + HEADER[-2:]


@before("cognito-idp", "GetCSVHeader")
def _csv_header(deed):
    pool = _pool(deed)
    return answered({"UserPoolId": pool.id, "CSVHeader": _header(pool)})


@before("cognito-idp", "CreateUserImportJob")
def _create_job(deed):
    pool, token = _pool(deed), secrets.token_urlsafe(24)
    job = {
        "JobName": deed.given["JobName"],
        "JobId": f"import-{uuid.uuid4().hex[:10]}",
        "UserPoolId": pool.id,
        "PreSignedUrl": f"http://{deed.request.headers['host']}/_awsim/code/{token}",
        "CreationDate": deed.now,
        "Status": "Created",
        "CloudWatchLogsRoleArn": deed.given["CloudWatchLogsRoleArn"],
        "ImportedUsers": 0,
        "SkippedUsers": 0,
        "FailedUsers": 0,
    }
    pool.imports[job["JobId"]] = job
    deed.app.uploads[token] = [deed.now + UPLOAD_SECONDS, None]
    return answered({"UserImportJob": job})


def _settled(deed, pool, job):
    """The job as it stands now: its users are there at its end."""
    ends = job.get("ends")
    if ends is not None and deed.now >= ends and job["Status"] in ("Pending", "InProgress"):
        _, body = deed.app.uploads[job["PreSignedUrl"].rpartition("/")[2]]
        _take_in(deed.backend(), pool, job, (body or b"").decode())
        job["CompletionDate"] = ends
    return {name: value for name, value in job.items() if name != "ends"}


def _take_in(backend, pool, job, text):
    rows = list(csv.reader(io.StringIO(text)))
    if not rows or rows[0] != _header(pool):
        job["Status"], job["CompletionMessage"] = "Failed", "The header in the CSV file does not match the expected headers"
        return
    for row in rows[1:]:
        given = dict(zip(rows[0], row))
        name = given.pop("cognito:username", "")
        given.pop("cognito:mfa_enabled", None)
        verified = "true" in (given.get("email_verified", "").lower(), given.get("phone_number_verified", "").lower())
        if not name or len(row) != len(rows[0]) or not verified:
            job["FailedUsers"] += 1
        elif pool._get_user(name):
            job["SkippedUsers"] += 1
        else:
            attributes = [{"Name": key, "Value": value} for key, value in given.items() if value]
            user = backend.admin_create_user(pool.id, name, "SUPPRESS", secrets.token_urlsafe(16) + "aA1!", attributes)
            user.status, user.password = UserStatus.RESET_REQUIRED, None
            job["ImportedUsers"] += 1
    job["Status"], job["CompletionMessage"] = "Succeeded", "Import Job Completed Successfully."


def _job(deed, pool):
    job = pool.imports.get(deed.given["JobId"])
    if job is None:
        raise Refused(400, "ResourceNotFoundException", f"Job {deed.given['JobId']} does not exist.")
    return job


@before("cognito-idp", "StartUserImportJob")
def _start_job(deed):
    pool = _pool(deed)
    job = _job(deed, pool)
    if job["Status"] != "Created":
        raise Refused(400, "PreconditionNotMetException", "Job is not in the Created state.")
    if deed.app.uploads[job["PreSignedUrl"].rpartition("/")[2]][1] is None:
        raise Refused(400, "PreconditionNotMetException", "The CSV file was not uploaded.")
    job |= {"Status": "Pending", "StartDate": deed.now, "ends": deed.now + deed.seconds("import_delay")}
    return answered({"UserImportJob": {name: value for name, value in job.items() if name != "ends"}})


@before("cognito-idp", "DescribeUserImportJob")
def _describe_job(deed):
    pool = _pool(deed)
    return answered({"UserImportJob": _settled(deed, pool, _job(deed, pool))})


@before("cognito-idp", "ListUserImportJobs")
def _list_jobs(deed):
    pool = _pool(deed)
    jobs = [_settled(deed, pool, job) for job in reversed(pool.imports.values())]
    return answered({"UserImportJobs": jobs[: deed.given["MaxResults"]]})


@before("cognito-idp", "ListUsers", "AdminGetUser")
def _settle_jobs(deed):
    pool = deed.backend().user_pools.get(deed.given["UserPoolId"])
    for job in getattr(pool, "imports", {}).values():
        _settled(deed, pool, job)


def upload(app, request):
    """What is put behind a job's PreSignedUrl."""
    place = app.uploads.get(request.path.rpartition("/")[2])
    if place is None or app.clock.now() >= place[0]:
        body = b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
        return Response(403, {"Content-Type": "application/xml"}, body)
    place[1] = request.body
    return Response(200, {}, b"")
