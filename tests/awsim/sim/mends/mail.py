"""SES keeps an account in its sandbox until it asks for more; what SES and SNS delivered can be read."""

import json
from email.utils import parseaddr
from urllib.parse import parse_qsl

from moto.ses.models import SESBackend

from ..state import rfc3339
from .registry import Refused, after, answered, before, install

SENDING = ("SendEmail", "SendRawEmail", "SendTemplatedEmail", "SendBulkTemplatedEmail")
WITHOUT_CONFIRMING = ("sqs", "lambda", "application", "sms", "firehose")
SANDBOX_QUOTA, QUOTA = 200.0, 50000.0


@install
def _verify_as_aws(_app):
    """A name's own domain counts, an address that was given with a name too."""

    def verified(self, source):
        address = parseaddr(source)[1] or source
        return address in self.email_identities or address.rpartition("@")[2] in self.email_identities

    SESBackend._is_verified_address = verified


def _backend(deed):
    return deed.backend("ses")


def _addresses(deed):
    """(sender, every recipient), of any of the ways to send."""
    if deed.call.service == "sesv2":
        given = deed.given
        destination = given.get("Destination") or {}
        return given.get("FromEmailAddress"), [one for part in destination.values() for one in part]
    pairs = parse_qsl(deed.request.body.decode())
    sender = next((text for name, text in pairs if name == "Source"), None)
    return sender, [text for name, text in pairs if "Addresses.member." in name or name.startswith("Destinations.member.") and "@" in text]


@before("ses", *SENDING)
@before("sesv2", "SendEmail")
def _in_the_sandbox(deed):
    backend, (sender, recipients) = _backend(deed), _addresses(deed)
    checked = [sender] if sender else []
    if not getattr(backend, "production", False):
        checked += [one for one in recipients if not one.endswith("simulator.amazonses.com")]
    failed = [one for one in checked if not backend._is_verified_address(one)]
    if failed:
        words = f"The following identities failed the check in region {deed.call.region.upper()}: {', '.join(failed)}"
        raise Refused(400, "MessageRejected", f"Email address is not verified. {words}")


@before("sesv2", "PutAccountDetails")
def _leave_the_sandbox(deed):
    """AWS's people look at it for a day; here it is granted at once."""
    if deed.given.get("ProductionAccessEnabled"):
        _backend(deed).production = True
    return answered({})


@before("sesv2", "GetAccount")
def _account(deed):
    production = getattr(_backend(deed), "production", False)
    quota = {"Max24HourSend": QUOTA if production else SANDBOX_QUOTA, "MaxSendRate": 14.0 if production else 1.0}
    quota["SentLast24Hours"] = float(_backend(deed).sent_message_count)
    return answered({"ProductionAccessEnabled": production, "SendingEnabled": True, "EnforcementStatus": "HEALTHY", "SendQuota": quota})


@after("ses", *SENDING)
@after("sesv2", "SendEmail")
def _keep_mail(deed, response):
    sender, recipients = _addresses(deed)
    message = _backend(deed).sent_messages[-1]
    told = {
        name: getattr(message, name)
        for name in ("subject", "body", "raw_data", "template", "template_data")
        if getattr(message, name, None) is not None
    }
    _keep(deed, sender or getattr(message, "source", None), recipients or _of_raw(message), told)


def _of_raw(message):
    found = message.destinations
    return found if isinstance(found, list) else [one for part in found.values() for one in part]


@after("sns", "Publish")
def _keep_notice(deed, _response):
    form = deed.given
    target = form.get("TopicArn") or form.get("TargetArn") or form.get("PhoneNumber")
    topic = deed.backend().topics.get(target)
    waiting = [one for one in deed.backend().subscriptions.values() if topic is not None and one.topic is topic]
    ready = [f"{one.protocol}:{one.endpoint}" for one in waiting if one.confirmed or one.protocol in WITHOUT_CONFIRMING]
    told = {"subject": form.get("Subject"), "body": form.get("Message")}
    _keep(deed, target, ready, told)


def _keep(deed, sender, recipients, told):
    if deed.call.lies:
        return
    row = {"at": rfc3339(deed.now), "service": deed.call.service, "from": sender, "to": sorted(recipients)}
    deed.app.messages.append({**row, "region": deed.call.region, **json.loads(json.dumps(told, default=str))})
