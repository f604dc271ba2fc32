"""What is protected, tags of what AWS Backup keeps, and the settings of a region."""

from . import contents, vaults
from .errors import invalid, not_found
from .store import given, page

MAX_TAGS = 50
name_of = contents.name_of


class Protected:
    """A resource with its recovery points, the newest first."""

    def __init__(self, points):
        self.points = sorted(points, key=lambda point: -point.created)
        self.id = self.points[0].content.arn

    def shown(self):
        newest = self.points[0]
        return given(
            ResourceArn=self.id,
            ResourceType=newest.content.kind,
            ResourceName=newest.content.name,
            LastBackupTime=newest.created,
            LastBackupVaultArn=newest.vault.arn,
            LastRecoveryPointArn=newest.arn,
        )


def _protected(held_in):
    """What these vaults hold, in order of the resource's ARN."""
    found = {}
    for vault in held_in:
        for point in vault.points.values():
            if point.completed is not None:
                found.setdefault(point.content.arn, []).append(point)
    return [Protected(points) for _, points in sorted(found.items())]


def list_protected_resources(store, call, request):
    rows, more = page(_protected(store.of(call).vaults.values()), request, Protected.shown)
    return {"Results": rows, **more}


def list_protected_resources_by_backup_vault(store, call, request):
    vault = vaults.find(store, call, request["BackupVaultName"])
    rows, more = page(_protected([vault]), request, Protected.shown)
    return {"Results": rows, **more}


def describe_protected_resource(store, call, request):
    place = store.of(call)
    found = [one for one in _protected(place.vaults.values()) if one.id == request["ResourceArn"]]
    if not found:
        raise not_found(f"Resource is not protected: {request['ResourceArn']}")
    done = [
        job
        for job in place.restore.values()
        if job.state == "COMPLETED" and job.point.content.arn == request["ResourceArn"]
    ]
    if not done:
        return found[0].shown()
    latest = max(done, key=lambda job: job.created)
    return {
        **found[0].shown(),
        "LatestRestoreExecutionTimeMinutes": int((latest.completed - latest.created) // 60),
        "LatestRestoreJobCreationDate": round(latest.created, 3),
        "LatestRestoreRecoveryPointCreationDate": round(latest.point.created, 3),
    }


def get_supported_resource_types(_store, _call, _request):
    return {"ResourceTypes": ["DynamoDB", "S3"]}


# -- tags ------------------------------------------------------------------------------------------


def _tags(store, call, arn):
    """The tags of a vault, a plan or a recovery point that AWS Backup manages."""
    call.resource, place = arn, store.of(call)
    kept = {vault.arn for vault in place.vaults.values()} | {plan.arn for plan in place.plans.values()}
    kept |= {arn for vault in place.vaults.values() for arn, point in vault.points.items() if point.managed}
    if not arn.startswith("arn:aws:backup:"):
        raise invalid(f"Resource is not fully managed by AWS Backup: {arn}")
    if arn not in kept:
        raise not_found(f"Resource does not exist: {arn}")
    return place.tags.setdefault(arn, {})


def tag_resource(store, call, request):
    tags = _tags(store, call, request["ResourceArn"])
    merged = tags | request["Tags"]
    if any(name.lower().startswith("aws:") for name in request["Tags"]):
        raise invalid("Tag keys must not begin with aws:")
    if len(merged) > MAX_TAGS:
        raise invalid(f"Too many tags: {len(merged)}")
    tags.update(merged)


def untag_resource(store, call, request):
    tags = _tags(store, call, request["ResourceArn"])
    for name in request["TagKeyList"]:
        tags.pop(name, None)


class _Tag:
    def __init__(self, pair):
        self.id, self.value = pair


def list_tags(store, call, request):
    tags = _tags(store, call, request["ResourceArn"])
    rows, more = page([_Tag(pair) for pair in sorted(tags.items())], request, lambda tag: (tag.id, tag.value))
    return {"Tags": dict(rows), **more}


# -- the region ------------------------------------------------------------------------------------


def describe_region_settings(store, call, _request):
    place = store.of(call)
    return {
        "ResourceTypeOptInPreference": dict(place.opt_in),
        "ResourceTypeManagementPreference": dict(place.managed),
    }


def update_region_settings(store, call, request):
    place = store.of(call)
    for name, kept in (
        ("ResourceTypeOptInPreference", place.opt_in),
        ("ResourceTypeManagementPreference", place.managed),
    ):
        if unknown := set(request.get(name, {})) - set(kept):
            raise invalid(f"Unsupported resource type: {', '.join(sorted(unknown))}")
    place.opt_in.update(request.get("ResourceTypeOptInPreference", {}))
    place.managed.update(request.get("ResourceTypeManagementPreference", {}))
