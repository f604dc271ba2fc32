"""What an import writes to CloudWatch Logs, which is moto's."""

import json

from moto.logs.models import LogGroup, logs_backends


def write(place, group, stream, at, rows):
    """One event for each row. Put beside moto's own checks, which take the host's clock for the time."""
    account, region = place
    groups = logs_backends[account][region].groups
    if group not in groups:
        groups[group] = LogGroup(account, region, group)
    found = groups[group]
    if stream not in found.streams:
        found.create_log_stream(stream)
    found.streams[stream].put_log_events(
        [{"timestamp": int(at * 1000), "message": json.dumps(row)} for row in rows]
    )
