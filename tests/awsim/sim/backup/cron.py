"""AWS's cron expressions: minutes hours day-of-month month day-of-week year, in a time zone.

Source: EventBridge Scheduler User Guide, "Schedule types", to which AWS Backup's plans refer.
"""

import calendar
import re
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

FIELDS = ((0, 59), (0, 23), (1, 31), (1, 12), (1, 7), (1970, 2199))
MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
DAYS = {name: number for number, name in enumerate("SUN MON TUE WED THU FRI SAT".split(), 1)}
NAMES = ({}, {}, {}, MONTHS, DAYS, {})
PART = re.compile(r"(\*|(?P<low>\w+)(-(?P<high>\w+))?)(/(?P<step>\d+))?")
LONGEST = 366 * 9  # days without an occurrence: the 29th of February, over a century's end


class Cron:
    """ValueError for what is not such an expression, or not such a zone."""

    def __init__(self, text, zone="Etc/UTC"):
        inner = re.fullmatch(r"cron\((.+)\)", text.strip())
        fields = inner[1].upper().split() if inner else []
        if len(fields) != len(FIELDS):
            raise ValueError(f"not a cron expression of six fields: {text}")
        if (fields[2] == "?") == (fields[4] == "?"):
            raise ValueError("one of day-of-month and day-of-week must be ?, and only one")
        self.minutes, self.hours = (_numbers(fields[place], place) for place in (0, 1))
        self.months, self.years = (set(_numbers(fields[place], place)) for place in (3, 5))
        self.in_month, self.in_week = _days_of_month(fields[2]), _days_of_week(fields[4])
        try:
            self.zone = ZoneInfo(zone)
        except (OSError, ValueError, KeyError):
            raise ValueError(f"not a time zone: {zone}") from None

    def after(self, at):
        """The first occurrence after `at` (both in seconds of Unix time), None when there is none."""
        day = datetime.fromtimestamp(at, self.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        for _ in range(LONGEST):
            if self._has(day):
                for moment in self._moments(day):
                    if moment > at:
                        return moment
            day = day.replace(tzinfo=None) + timedelta(days=1)
            day = day.replace(tzinfo=self.zone)
        return None

    def _has(self, day):
        if day.month not in self.months or day.year not in self.years:
            return False
        return self.in_month(day) and self.in_week(day)

    def _moments(self, day):
        """Of one day, in order; a local time that the clocks leave out does not occur, one that comes twice counts once."""
        for hour in self.hours:
            for minute in self.minutes:
                moment = day.replace(hour=hour, minute=minute)
                stamp = moment.timestamp()
                if datetime.fromtimestamp(stamp, timezone.utc).astimezone(self.zone).hour == hour:
                    yield stamp


def _number(text, place):
    low, high = FIELDS[place]
    number = NAMES[place].get(text, text)
    if not str(number).isdigit() or not low <= int(number) <= high:
        raise ValueError(f"{text} is not between {low} and {high}")
    return int(number)


def _numbers(field, place):
    found = set()
    for part in field.split(","):
        match = PART.fullmatch(part)
        if match is None:
            raise ValueError(f"not a part of a cron expression: {part}")
        low, high = FIELDS[place]
        if match["low"]:
            low = _number(match["low"], place)
            high = _number(match["high"], place) if match["high"] else (high if match["step"] else low)
        step = int(match["step"] or 1)
        if step == 0 or low > high:
            raise ValueError(f"not a range: {part}")
        found |= set(range(low, high + 1, step))
    return sorted(found)


def _last(day):
    return calendar.monthrange(day.year, day.month)[1]


def _weekday(day):
    """1 is Sunday."""
    return (day.weekday() + 1) % 7 + 1


def _days_of_month(field):
    if field == "?":
        return lambda day: True
    if field == "L":
        return lambda day: day.day == _last(day)
    if near := re.fullmatch(r"(\d+|L)W", field):
        wanted = None if near[1] == "L" else _number(near[1], 2)
        return lambda day: day.day == _nearest(day, wanted or _last(day))
    allowed = set(_numbers(field, 2))
    return lambda day: day.day in allowed


def _nearest(day, wanted):
    """The weekday of this month that is nearest to its day `wanted`."""
    wanted = min(wanted, _last(day))
    place = day.replace(day=wanted).weekday()
    if place == 5:
        return wanted - 1 if wanted > 1 else wanted + 2
    if place == 6:
        return wanted + 1 if wanted < _last(day) else wanted - 2
    return wanted


def _days_of_week(field):
    if field == "?":
        return lambda day: True
    if numbered := re.fullmatch(r"(\w+)#([1-5])", field):
        wanted, place = _number(numbered[1], 4), int(numbered[2])
        return lambda day: _weekday(day) == wanted and (day.day - 1) // 7 + 1 == place
    if last := re.fullmatch(r"(\w+)L", field):
        wanted = _number(last[1], 4)
        return lambda day: _weekday(day) == wanted and day.day + 7 > _last(day)
    allowed = {7} if field == "L" else set(_numbers(field, 4))
    return lambda day: _weekday(day) in allowed
