"""What hangs on a table beside its items: tags, TTL, policy, Contributor Insights, Kinesis, limits."""

from .errors import DdbError, invalid, not_found

MAX_TAGS = 50


def _by_arn(store, call, request):
    return store.find(call, request["ResourceArn"])


# -- tags ------------------------------------------------------------------------------------------


def tag_resource(store, call, request):
    table = _by_arn(store, call, request)
    merged = table.tags | {tag["Key"]: tag["Value"] for tag in request["Tags"]}
    if len(merged) > MAX_TAGS:
        raise invalid(f"Too many tags: {len(merged)}")
    table.tags = merged


def untag_resource(store, call, request):
    table = _by_arn(store, call, request)
    table.tags = {key: value for key, value in table.tags.items() if key not in request["TagKeys"]}


def list_tags_of_resource(store, call, request):
    return {
        "Tags": [{"Key": key, "Value": value} for key, value in _by_arn(store, call, request).tags.items()]
    }


# -- time to live ----------------------------------------------------------------------------------


def update_time_to_live(store, call, request):
    table = store.settled(call, request["TableName"])
    spec, now = request["TimeToLiveSpecification"], store.clock.now()
    enabled, name, _ = table.settings.get("ttl", (False, None, 0))
    if enabled == spec["Enabled"]:
        raise invalid(f"TimeToLive is already {'enabled' if enabled else 'disabled'}")
    if enabled and name != spec["AttributeName"]:
        raise invalid("TimeToLive is active on a different AttributeName: current AttributeName is " + name)
    ready = now + store.settings.seconds("table_update_delay")
    table.settings["ttl"] = (spec["Enabled"], spec["AttributeName"], ready)
    return {"TimeToLiveSpecification": spec}


def describe_time_to_live(store, call, request):
    return {"TimeToLiveDescription": describe_ttl(store, store.find(call, request["TableName"]))}


def describe_ttl(store, table):
    enabled, name, ready = table.settings.get("ttl", (False, None, 0))
    settled = store.clock.now() >= ready
    status = {
        (True, True): "ENABLED",
        (True, False): "ENABLING",
        (False, True): "DISABLED",
        (False, False): "DISABLING",
    }[enabled, settled]
    shown = {"TimeToLiveStatus": status}
    if status != "DISABLED":
        shown["AttributeName"] = name
    return shown


# -- resource policy -------------------------------------------------------------------------------


def _expect_revision(request, kept):
    expected = request.get("ExpectedRevisionId")
    if expected is None:
        return
    if expected != (kept[1] if kept else "NO_POLICY"):
        raise DdbError(
            "PolicyNotFoundException",
            "Resource-based policy not found for the provided ResourceArn: revision id does not match",
        )


def put_resource_policy(store, call, request):
    table = _by_arn(store, call, request)
    kept = table.settings.get("policy")
    _expect_revision(request, kept)
    if kept and kept[0] == request["Policy"]:
        return {"RevisionId": kept[1]}
    revision = str(int(kept[1]) + 1 if kept else int(store.clock.now() * 1000))
    table.settings["policy"] = (request["Policy"], revision)
    return {"RevisionId": revision}


def get_resource_policy(store, call, request):
    kept = _by_arn(store, call, request).settings.get("policy")
    if kept is None:
        raise DdbError(
            "PolicyNotFoundException",
            "Resource-based policy not found for the provided ResourceArn: " + request["ResourceArn"],
        )
    return {"Policy": kept[0], "RevisionId": kept[1]}


def delete_resource_policy(store, call, request):
    table = _by_arn(store, call, request)
    kept = table.settings.get("policy")
    _expect_revision(request, kept)
    table.settings.pop("policy", None)
    return {"RevisionId": kept[1]} if kept else {}


# -- contributor insights --------------------------------------------------------------------------


def _insights(store, call, request):
    """The table, and what is kept about it or about the index that the request names."""
    table = store.find(call, request["TableName"])
    index = request.get("IndexName")
    if index is not None and index not in table.indexes:
        raise not_found(f"Requested resource not found: Table: {table.name} Index: {index} not found")
    return table, table.settings.setdefault("insights", {}), index


def _insights_shown(store, table, index, kept):
    enabled, mode, changed, ready = kept
    settled = store.clock.now() >= ready
    status = ("ENABLED" if settled else "ENABLING") if enabled else ("DISABLED" if settled else "DISABLING")
    shown = {"TableName": table.name, "ContributorInsightsStatus": status, "ContributorInsightsMode": mode}
    return shown | ({"IndexName": index} if index else {}), changed


def update_contributor_insights(store, call, request):
    table, kept, index = _insights(store, call, request)
    now = store.clock.now()
    enabled = request["ContributorInsightsAction"] == "ENABLE"
    mode = request.get("ContributorInsightsMode", "ACCESSED_AND_THROTTLED_KEYS")
    kept[index] = (enabled, mode, now, now + store.settings.seconds("table_update_delay"))
    return _insights_shown(store, table, index, kept[index])[0]


def describe_contributor_insights(store, call, request):
    table, kept, index = _insights(store, call, request)
    if index not in kept:
        answer = {"TableName": table.name, "ContributorInsightsStatus": "DISABLED"}
        return answer | ({"IndexName": index} if index else {})
    shown, changed = _insights_shown(store, table, index, kept[index])
    rules = [
        f"DynamoDBContributorInsights-{part}-{table.name}-{int(table.created * 1000)}"
        for part in ("PKC", "PKT")
    ]
    if shown["ContributorInsightsStatus"] == "ENABLED":
        shown["ContributorInsightsRuleList"] = rules
    return shown | {"LastUpdateDateTime": round(changed, 3)}


def list_contributor_insights(store, call, request):
    tables = (
        [store.find(call, request["TableName"])] if "TableName" in request else store.tables(call).values()
    )
    return {
        "ContributorInsightsSummaries": [
            _insights_shown(store, table, index, kept)[0]
            for table in tables
            for index, kept in table.settings.get("insights", {}).items()
        ]
    }


# -- kinesis destinations --------------------------------------------------------------------------


def _destination(store, stream, kept):
    enabled, precision, ready = kept
    settled = store.clock.now() >= ready
    status = ("ACTIVE" if settled else "ENABLING") if enabled else ("DISABLED" if settled else "DISABLING")
    return {
        "StreamArn": stream,
        "DestinationStatus": status,
        **({"ApproximateCreationDateTimePrecision": precision} if precision else {}),
    }


def describe_kinesis_streaming_destination(store, call, request):
    table = store.find(call, request["TableName"])
    return {
        "TableName": table.name,
        "KinesisDataStreamDestinations": [
            _destination(store, stream, kept) for stream, kept in table.settings.get("kinesis", {}).items()
        ],
    }


def _set_destination(store, call, request, wanted, enabled, member):
    """Turns a destination whose state must be `wanted` now (None: any that is not active)."""
    table = store.settled(call, request["TableName"])
    stream, now = request["StreamArn"], store.clock.now()
    kept = table.settings.setdefault("kinesis", {})
    status = _destination(store, stream, kept[stream])["DestinationStatus"] if stream in kept else "DISABLED"
    if status != wanted:
        raise DdbError(
            "ResourceInUseException" if stream in kept else "ResourceNotFoundException",
            f"Table is not in a valid state for this change of Kinesis Streaming Destination: {status}",
        )
    given = request.get(member, {}).get("ApproximateCreationDateTimePrecision")
    precision = given or (kept[stream][1] if stream in kept else None)
    kept[stream] = (enabled, precision, now + store.settings.seconds("table_update_delay"))
    return {"TableName": table.name, "StreamArn": stream}, request.get(member)


def enable_kinesis_streaming_destination(store, call, request):
    answer, spec = _set_destination(
        store, call, request, "DISABLED", True, "EnableKinesisStreamingConfiguration"
    )
    return (
        answer
        | {"DestinationStatus": "ENABLING"}
        | ({"EnableKinesisStreamingConfiguration": spec} if spec else {})
    )


def disable_kinesis_streaming_destination(store, call, request):
    answer, _ = _set_destination(store, call, request, "ACTIVE", False, "EnableKinesisStreamingConfiguration")
    return answer | {"DestinationStatus": "DISABLING"}


def update_kinesis_streaming_destination(store, call, request):
    answer, spec = _set_destination(
        store, call, request, "ACTIVE", True, "UpdateKinesisStreamingConfiguration"
    )
    return (
        answer
        | {"DestinationStatus": "UPDATING"}
        | ({"UpdateKinesisStreamingConfiguration": spec} if spec else {})
    )


# -- the account -----------------------------------------------------------------------------------


def describe_limits(_store, _call, _request):
    return {
        "AccountMaxReadCapacityUnits": 80000,
        "AccountMaxWriteCapacityUnits": 80000,
        "TableMaxReadCapacityUnits": 40000,
        "TableMaxWriteCapacityUnits": 40000,
    }


def describe_endpoints(_store, call, _request):
    return {"Endpoints": [{"Address": f"dynamodb.{call.region}.amazonaws.com", "CachePeriodInMinutes": 1440}]}
