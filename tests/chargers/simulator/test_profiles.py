from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from chargers.schedule import Unit
from chargers.simulator.car import Supply
from chargers.simulator.installed import Unfit
from chargers.simulator.profiles import ProfileStore, Ruling

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
START = "2026-03-01T12:00:00Z"
RUNNING = {1: 7}


def store(**fields):
    limits = {"units": frozenset(Unit), "max_periods": 3, "max_stack_level": 8, "max_profiles": 3, **fields}
    return ProfileStore(supply=Supply(), **limits)


def profile(*periods, schedule=None, **fields):
    listed = [{"startPeriod": start_s, "limit": limit} for start_s, limit in periods]
    return {
        "chargingProfileId": 1,
        "transactionId": 7,
        "stackLevel": 1,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": {
            "startSchedule": START,
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": listed,
            **(schedule or {}),
        },
        **fields,
    }


def without(document, name):
    schedule = {key: value for key, value in document["chargingSchedule"].items() if key != name}
    return {**document, "chargingSchedule": schedule}


DEFAULT = {"chargingProfilePurpose": "TxDefaultProfile", "chargingProfileId": 2}
STATION = {"chargingProfilePurpose": "ChargePointMaxProfile", "chargingProfileId": 3}


@pytest.mark.parametrize(
    ("connector", "document", "reason"),
    [
        (1, profile((0, 10), transactionId=8), "transaction 7 runs, not 8"),
        (1, {k: v for k, v in profile((0, 10)).items() if k != "transactionId"}, "not None"),
        (2, profile((0, 10)), "no transaction"),
        (0, profile((0, 10)), "one connector"),
        (1, profile((0, 10), **STATION), "connector 0"),
        (1, profile((0, 10), schedule={"chargingRateUnit": "W"}), "does not take W"),
        (1, profile((0, 10), stackLevel=9), "stack levels"),
        (1, profile((0, 10), (1, 9), (2, 8), (3, 7)), "3 periods at most"),
        (1, profile(), "needs a period"),
        (1, profile((5, 10)), "must start at 0"),
        (1, profile((0, 10), (20, 9), (10, 8)), "ascending"),
        (1, profile((0, 10), (0, 9)), "ascending"),
        (1, profile((0, -1)), "negative"),
        (1, profile((0, 10), chargingProfileKind="Recurring"), "recurring"),
        (1, without(profile((0, 10)), "startSchedule"), "needs startSchedule"),
        (1, profile((0, 10), schedule={"startSchedule": "noon"}), "not a date"),
    ],
)
def test_takes_only_profiles_that_fit(connector, document, reason):
    profiles = store(units=frozenset({Unit.AMPERE}))

    with pytest.raises(Unfit, match=reason):
        profiles.set(connector, document, running=RUNNING)
    assert profiles.installed == []


def test_holds_only_so_many_profiles():
    profiles = store(max_profiles=1)
    profiles.set(0, profile((0, 10), **DEFAULT), running={})

    with pytest.raises(Unfit, match="1 profiles at most"):
        profiles.set(1, profile((0, 10)), running=RUNNING)


def ruling(profiles, seconds=0):
    return profiles.ruling(1, NOON + timedelta(seconds=seconds), started_at=NOON)


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        pytest.param([], None, id="nothing limits"),
        pytest.param([(1, profile((0, 10)))], "10", id="the only one"),
        pytest.param([(1, profile((0, 10))), (1, profile((0, 16)))], "16", id="the same id replaces"),
        pytest.param(
            [(1, profile((0, 10))), (1, profile((0, 16), chargingProfileId=9))],
            "16",
            id="the same level replaces",
        ),
        pytest.param(
            [(1, profile((0, 10), stackLevel=2)), (1, profile((0, 6), chargingProfileId=9))],
            "10",
            id="the highest level rules",
        ),
        pytest.param(
            [
                (1, profile((0, 10), stackLevel=2, schedule={"duration": 20})),
                (1, profile((0, 6), chargingProfileId=9)),
            ],
            "6",
            id="the next level rules after its end",
        ),
        pytest.param([(0, profile((0, 6), **DEFAULT)), (1, profile((0, 10)))], "10", id="over the default"),
        pytest.param(
            [(0, profile((0, 6), **DEFAULT)), (1, profile((0, 8), **{**DEFAULT, "chargingProfileId": 9}))],
            "8",
            id="the connector's default",
        ),
        pytest.param([(0, profile((0, 6), **STATION)), (1, profile((0, 10)))], "6", id="capped"),
        pytest.param([(1, profile((0, 10), validTo=START))], None, id="no longer valid"),
        pytest.param([(1, profile((0, 10), validFrom="2026-03-01T13:00:00Z"))], None, id="not valid yet"),
        pytest.param([(1, profile((0, 10), (30, 6)))], "6", id="a later period"),
        pytest.param(
            [(1, profile((0, 10), (30, 6), chargingProfileKind="Relative"))],
            "6",
            id="relative: from the start of charging",
        ),
    ],
)
def test_one_limit_rules(documents, expected):
    profiles = store()
    for connector, document in documents:
        profiles.set(connector, document, running=RUNNING)

    assert ruling(profiles, 30) == (None if expected is None else Ruling(Decimal(expected), Unit.AMPERE))


@pytest.mark.parametrize(
    ("request_", "left"),
    [
        ({"id": 1}, [2]),
        ({"id": 1, "connectorId": 9}, [2]),
        ({"id": 9}, [1, 2]),
        ({"connectorId": 1}, [2]),
        ({"chargingProfilePurpose": "TxDefaultProfile"}, [1]),
        ({"stackLevel": 1}, []),
        ({"connectorId": 1, "stackLevel": 5}, [1, 2]),
        ({}, []),
    ],
)
def test_forgets_the_profiles_that_a_request_names(request_, left):
    profiles = store()
    profiles.set(1, profile((0, 10)), running=RUNNING)
    profiles.set(0, profile((0, 6), **DEFAULT), running=RUNNING)

    assert profiles.clear(request_) == 2 - len(left)
    assert [installed.profile_id for installed in profiles.installed] == left


def test_forgets_tx_profiles_when_the_transaction_ends():
    profiles = store()
    profiles.set(1, profile((0, 10)), running=RUNNING)
    profiles.set(0, profile((0, 6), **DEFAULT), running=RUNNING)

    profiles.end_transaction(1)

    assert [installed.profile_id for installed in profiles.installed] == [2]


def composite(profiles, *, seconds, duration_s, unit=None):
    now = NOON + timedelta(seconds=seconds, milliseconds=500)
    schedule = profiles.composite(1, now=now, duration_s=duration_s, unit=unit, started_at=NOON)
    return schedule.pop("chargingSchedulePeriod"), schedule


def test_tells_the_schedule_in_force_from_now_on():
    profiles = store()
    profiles.set(1, profile((0, 22000), (60, 3000), schedule={"chargingRateUnit": "W"}), running=RUNNING)
    profiles.set(1, profile((0, 40), schedule={"duration": 90}, **DEFAULT), running=RUNNING)
    profiles.set(0, profile((0, 16), schedule={"duration": 20}, **STATION), running=RUNNING)

    assert composite(profiles, seconds=10, duration_s=300) == (
        [
            {"startPeriod": 0, "limit": 16},
            {"startPeriod": 10, "limit": 31.8},
            {"startPeriod": 50, "limit": 4.3},
        ],
        {"duration": 300, "startSchedule": "2026-03-01T12:00:10Z", "chargingRateUnit": "A"},
    )
    assert composite(profiles, seconds=30, duration_s=30) == (
        [{"startPeriod": 0, "limit": 22000}],
        {"duration": 30, "startSchedule": "2026-03-01T12:00:30Z", "chargingRateUnit": "W"},
    )


@pytest.mark.parametrize(("unit", "limit"), [(None, 32), (Unit.AMPERE, 32), (Unit.WATT, 22080)])
def test_tells_its_maximum_where_nothing_limits(unit, limit):
    periods, _ = composite(store(), seconds=0, duration_s=60, unit=unit)

    assert periods == [{"startPeriod": 0, "limit": limit}]
