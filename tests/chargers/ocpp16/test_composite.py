from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from chargers.capabilities import Capabilities, Place
from chargers.ocpp16.calls import outcome_of, schedule_of
from chargers.schedule import Period, Schedule, Unit

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
START = "2026-03-01T11:59:58Z"
PLACE = Place(1, voltage_v=230, phases=3, max_current_a=32, is_dc=False, capabilities=Capabilities())


def answer(*periods, start=START, **schedule):
    listed = [{"startPeriod": start_s, "limit": limit} for start_s, limit in periods]
    schedule = {"duration": 600, "chargingRateUnit": "A", "chargingSchedulePeriod": listed, **schedule}
    told = {"status": "Accepted", "connectorId": 1, "scheduleStart": start, "chargingSchedule": schedule}
    return {key: value for key, value in told.items() if value is not None}


def told(*periods, seconds=-2, unit="A", duration=600):
    listed = tuple(Period(start_s, Decimal(str(limit))) for start_s, limit in periods)
    return Schedule(NOON + timedelta(seconds=seconds), Unit(unit), listed, duration)


def understood(document):
    if outcome_of("GetCompositeSchedule", document) != "ACCEPTED":
        return None
    return schedule_of(PLACE, document, asked_duration_s=900, received_at=NOON)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        pytest.param(answer((0, 16), (60, 6)), told((0, 16), (60, 6)), id="as the specification has it"),
        pytest.param(
            answer((0, 11000), chargingRateUnit="w"), told((0, 11000), unit="W"), id="unit in lower case"
        ),
        pytest.param(answer((0, 16)) | {"status": "accepted"}, told((0, 16)), id="status in lower case"),
        pytest.param(
            answer((0, 16), start=None, startSchedule=START), told((0, 16)), id="start inside the schedule"
        ),
        pytest.param(answer((0, 16), start=None), told((0, 16), seconds=0), id="no start: now"),
        pytest.param(answer((0, 16), start="now"), told((0, 16), seconds=0), id="unreadable start: now"),
        pytest.param(
            answer((0, 16), start="1970-01-01T00:00:00Z"), told((0, 16), seconds=0), id="wrong clock: now"
        ),
        pytest.param(
            answer((0, 16), start="0001-01-01T00:00:00+14:00"), told((0, 16), seconds=0), id="absurd start"
        ),
        pytest.param(
            answer((0, 16), start="2026-03-01T12:10:00"), told((0, 16), seconds=600), id="no zone: UTC"
        ),
        pytest.param(answer((0, -1), (60, 6)), told((0, 32), (60, 6)), id="negative: no limit"),
        pytest.param(answer((0, 1e12), (60, 6)), told((0, 32), (60, 6)), id="absurd: no limit"),
        pytest.param(answer((0, None), (60, 6)), told((0, 32), (60, 6)), id="no number: no limit"),
        pytest.param(
            answer((0, -1), (60, 6000), chargingRateUnit="W"),
            told((0, 22080), (60, 6000), unit="W"),
            id="no limit in watts",
        ),
        pytest.param(answer((59.453, 6)), told((0, 32), (59, 6)), id="first period late and fractional"),
        pytest.param(answer((60, 6), (0, 16)), told((0, 16), (60, 6)), id="unsorted"),
        pytest.param(answer((0, 2.3333333333333335)), told((0, 2.3)), id="long fraction: down"),
        pytest.param(answer((0, 16), (600, 6)), told((0, 16)), id="period at the end"),
        pytest.param(answer((0, 16), duration=None), told((0, 16), duration=900), id="no duration"),
        pytest.param(
            answer((0, 16), duration=8638204751362), told((0, 16), duration=900), id="absurd duration"
        ),
        pytest.param(answer((0, 16), duration=0), told((0, 16), duration=900), id="zero duration"),
        pytest.param(answer((None, 6), (0, 16)), told((0, 16)), id="a period without start"),
    ],
)
def test_cleans_what_chargers_tell(document, expected):
    assert understood(document) == expected


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"status": "Rejected"},
        {"status": "Accepted"},
        {"status": "Accepted", "chargingSchedule": "none"},
        answer((0, 16)) | {"status": "Rejected"},
        answer(),
        answer(chargingSchedulePeriod=None),
        answer(chargingSchedulePeriod=["16"]),
        answer((0, -1), (60, -1)),
        answer((700, 16)),
        answer((0, 16), chargingRateUnit="kW"),
    ],
)
def test_finds_no_schedule_where_none_is_told(document):
    assert understood(document) is None
