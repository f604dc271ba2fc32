"""Route 53: a batch is checked as a whole against the records that stand, and is PENDING before it is INSYNC."""

import re
import secrets
import string
from xml.etree import ElementTree

from moto.route53.models import Route53Backend

from ..state import rfc3339
from ..wire import Response
from .registry import Refused, after, before, install

PLACEHOLDER = re.compile(rb"<ChangeInfo>(.*?)</ChangeInfo>", re.S)
NAMESPACE = "https://route53.amazonaws.com/doc/2013-04-01/"
LETTERS = string.ascii_uppercase + string.digits
# What a DELETE must repeat exactly.
DETAILS = ("TTL", "Weight", "Region", "Failover", "HealthCheckId")


@install
def _apply_plainly(_app):
    """moto judges by a journal, which remembers what is gone, and deletes by the set identifier alone."""

    def apply(self, zoneid, change_list):
        zone = self.get_hosted_zone(zoneid)
        for change in change_list:
            record = dict(change["ResourceRecordSet"])
            record["Name"] = _name(record["Name"])
            if "ResourceRecords" in record:
                record["ResourceRecords"] = [one["Value"] for one in record["ResourceRecords"]]
            place = (record["Name"], record["Type"], record.get("SetIdentifier"))
            if change["Action"] == "DELETE":
                zone.rrsets = [one for one in zone.rrsets if (_name(one.name), one.type, one.set_identifier) != place]
            else:
                zone.upsert_rrset(record)

    Route53Backend.change_resource_record_sets = apply


def _text(element, name):
    found = element.find("{*}" + name)
    return found.text if found is not None else None


def _name(text):
    """As Route 53 keeps it: lower case, ending in a dot, what is not plain as an octal escape."""
    text = (text or "").lower().rstrip(".") + "."
    return "".join(one if re.match(r"[a-z0-9._\\-]", one) else f"\\{ord(one):03o}" for one in text)


def _wanted(change):
    """(action, (name, type, set identifier), everything that a DELETE must match)."""
    record = change.find("{*}ResourceRecordSet")
    values = sorted(one.text or "" for one in record.findall("{*}ResourceRecords/{*}ResourceRecord/{*}Value"))
    alias = record.find("{*}AliasTarget")
    target = alias is not None and (_text(alias, "HostedZoneId"), _name(_text(alias, "DNSName")))
    place = (_name(_text(record, "Name")), _text(record, "Type"), _text(record, "SetIdentifier"))
    return _text(change, "Action"), place, (values, target, [_text(record, one) for one in DETAILS])


def _standing(record):
    """The same of a record that moto holds."""
    values = sorted(str(one["Value"] if isinstance(one, dict) else one) for one in record.records or [])
    alias = record.alias_target
    target = bool(alias) and (alias.get("HostedZoneId"), _name(alias.get("DNSName")))
    details = (record.ttl, record.weight, record.region, record.failover, record.health_check_id)
    place = (_name(record.name), record.type, record.set_identifier)
    return place, (values, target, [None if one is None else str(one) for one in details])


@before("route53", "ChangeResourceRecordSets")
def _all_or_nothing(deed):
    zone = deed.backend(region="aws").zones.get(deed.given["Id"].rpartition("/")[2])
    if zone is None:
        return
    standing, faults = dict(map(_standing, zone.rrsets)), []
    changes = ElementTree.fromstring(deed.request.body).findall(".//{*}Change")
    for action, place, content in map(_wanted, changes):
        words = f"resource record set [name='{place[0]}', type='{place[1]}'"
        words += f", set-identifier='{place[2]}']" if place[2] else "]"
        if not place[0].endswith("." + _name(zone.name)) and place[0] != _name(zone.name):
            faults.append(f"RRSet with DNS name {place[0]} is not permitted in zone {_name(zone.name)}")
        elif action == "CREATE" and place in standing:
            faults.append(f"Tried to create {words} but it already exists")
        elif action == "DELETE" and place not in standing:
            faults.append(f"Tried to delete {words} but it was not found")
        elif action == "DELETE" and standing[place] != content:
            faults.append(f"Tried to delete {words} but the values provided do not match the current values")
        elif action == "DELETE":
            del standing[place]
        else:
            standing[place] = content
    if faults:
        raise Refused(400, "InvalidChangeBatch", "[" + ", ".join(faults) + "]")


@after(
    "route53",
    "ChangeResourceRecordSets",
    "CreateHostedZone",
    "DeleteHostedZone",
    "AssociateVPCWithHostedZone",
    "DisassociateVPCFromHostedZone",
)
def _pending(deed, response):
    """Each change has an id of its own, and takes its time."""
    name = "C" + "".join(secrets.choice(LETTERS) for _ in range(20))
    now = deed.now
    deed.app.changes[deed.call.account, name] = (now, now + deed.seconds("dns_change_delay"))
    status = "PENDING" if deed.seconds("dns_change_delay") else "INSYNC"

    def mended(match):
        text = match[0]
        for part, value in (("Id", "/change/" + name), ("Status", status), ("SubmittedAt", rfc3339(now))):
            text = re.sub(f"<{part}>.*?</{part}>".encode(), f"<{part}>{value}</{part}>".encode(), text)
        return text

    response.body = PLACEHOLDER.sub(mended, response.body)
    response.headers.pop("Content-Length", None)


@before("route53", "GetChange")
def _get_change(deed):
    name = deed.given["Id"].rpartition("/")[2]
    at, ready = deed.app.changes.get((deed.call.account, name), (None, None))
    if ready is None:
        raise Refused(404, "NoSuchChange", f"Could not find resource with ID: {name}")
    status = "INSYNC" if deed.now >= ready else "PENDING"
    body = f'<?xml version="1.0"?>\n<GetChangeResponse xmlns="{NAMESPACE}"><ChangeInfo><Id>/change/{name}</Id>'
    body += f"<Status>{status}</Status><SubmittedAt>{rfc3339(at)}</SubmittedAt></ChangeInfo></GetChangeResponse>"
    return Response(200, {"Content-Type": "text/xml"}, body.encode())
