"""CloudWatch: PutMetricAlarm overwrites everything but the state and the tags of the alarm that has the name."""

from moto.cloudwatch.models import CloudWatchBackend

from .registry import install

KEPT = ("state_reason", "state_reason_data", "state_value", "state_updated_timestamp", "history")


@install
def _overwrite(_app):
    plain = CloudWatchBackend.put_metric_alarm
    if plain.__name__ == "put_over":
        return

    def put_over(self, **given):
        old = self.alarms.get(given["name"])
        if old is not None:
            given["tags"] = None  # AWS ignores them on an alarm that exists
        if given.get("actions_enabled") is None:
            given["actions_enabled"] = True
        made = plain(self, **given)
        for name in KEPT if old is not None else ():
            if hasattr(old, name):
                setattr(made, name, getattr(old, name))
        return made

    CloudWatchBackend.put_metric_alarm = put_over
