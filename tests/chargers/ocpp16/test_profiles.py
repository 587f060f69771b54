import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from ocpp.messages import Call, MessageType, get_validator

from chargers.capabilities import Capabilities
from chargers.ocpp16.profiles import capabilities_of, clear_profile, composite_request, set_profile
from chargers.schedule import Period, Schedule, Unit, from_charging_profile

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FIXTURE = Path(__file__).parents[2] / "fixtures" / "jedlix-set-charging-profile.json"


def sent(schedule):
    return set_profile(schedule, connector_id=2, profile_id=7, stack_level=1, transaction_id=55)


def check(action, payload):
    """Validate against the official OCPP 1.6 schema, decimals as they are written."""
    validator = get_validator(MessageType.Call, action, "1.6", parse_float=Decimal)
    validator.validate(json.loads(json.dumps(payload), parse_float=Decimal))


def test_sends_a_provider_s_profile_as_an_absolute_tx_profile():
    document = json.loads(FIXTURE.read_text())["charging_profile"]

    payload = sent(from_charging_profile(document, relative_to=NOON))

    assert payload == {
        "connectorId": 2,
        "csChargingProfiles": {
            "chargingProfileId": 7,
            "transactionId": 55,
            "stackLevel": 1,
            "chargingProfilePurpose": "TxProfile",
            "chargingProfileKind": "Absolute",
            "chargingSchedule": {
                "startSchedule": "2023-10-01T12:00:00Z",
                "chargingRateUnit": "W",
                "chargingSchedulePeriod": [
                    {"startPeriod": 0, "limit": 22000},
                    {"startPeriod": 1800, "limit": 0},
                    {"startPeriod": 3600, "limit": 10000},
                ],
            },
        },
    }
    check("SetChargingProfile", payload)


def test_sends_duration_and_least_rate_only_when_there_are_some():
    periods = (Period(0, Decimal("16.1")), Period(60, Decimal("21.4")))
    payload = sent(Schedule(NOON + timedelta(milliseconds=999), Unit.AMPERE, periods, 600, Decimal("6.1")))

    assert payload["csChargingProfiles"]["chargingSchedule"] == {
        "startSchedule": "2026-03-01T12:00:00Z",
        "duration": 600,
        "chargingRateUnit": "A",
        "minChargingRate": 6.1,
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.1}, {"startPeriod": 60, "limit": 21.4}],
    }
    check("SetChargingProfile", payload)


def test_the_longest_profile_fits_into_one_frame():
    periods = tuple(Period(300_000_000 + n if n else 0, Decimal(99_999_999) - n) for n in range(1024))
    payload = sent(Schedule(NOON, Unit.WATT, periods, 10**8, Decimal("0.1")))

    frame = Call("c" * 36, "SetChargingProfile", payload).to_json()
    assert len(frame) < 16 * 1024
    assert len(json.dumps(payload)) < 16 * 1024
    schedule = payload["csChargingProfiles"]["chargingSchedule"]
    assert schedule["chargingSchedulePeriod"][-1]["limit"] == 99_999_999 - 1023


def test_refuses_a_tx_profile_for_the_whole_station():
    with pytest.raises(ValueError, match="connector"):
        set_profile(
            Schedule(NOON, Unit.AMPERE, (Period(0, Decimal(6)),)),
            connector_id=0,
            profile_id=1,
            stack_level=0,
            transaction_id=1,
        )


def test_clears_by_id_and_asks_for_the_schedule():
    clear, ask = clear_profile(7), composite_request(2, 900)

    assert clear == {"id": 7}
    assert ask == {"connectorId": 2, "duration": 900}
    check("ClearChargingProfile", clear)
    check("GetCompositeSchedule", ask)


UNIT_KEY = "ChargingScheduleAllowedChargingRateUnit"


@pytest.mark.parametrize(
    ("configuration", "expected"),
    [
        ({}, Capabilities()),
        (
            {
                UNIT_KEY: "Current,Power",
                "ChargingScheduleMaxPeriods": "24",
                "ChargeProfileMaxStackLevel": "8",
                "MaxChargingProfilesInstalled": "10",
                "SupportedFeatureProfiles": "Core, SmartCharging",
            },
            Capabilities(frozenset(Unit), 24, 8, 10, True),
        ),
        ({UNIT_KEY.lower(): "W"}, Capabilities(frozenset({Unit.WATT}))),
        ({UNIT_KEY: " current "}, Capabilities(frozenset({Unit.AMPERE}))),
        ({UNIT_KEY: "horses", "ChargingScheduleMaxPeriods": "many"}, Capabilities()),
        ({"ChargingScheduleMaxPeriods": "0", "ChargeProfileMaxStackLevel": None}, Capabilities()),
        ({"supportedfeatureprofiles": "Core,RemoteTrigger"}, Capabilities(takes_profiles=False)),
        ({"SupportedFeatureProfiles": ""}, Capabilities()),
    ],
)
def test_reads_what_the_charger_said_of_itself(configuration, expected):
    assert capabilities_of(configuration) == expected


BOTH, AMPS, WATTS = frozenset(Unit), frozenset({Unit.AMPERE}), frozenset({Unit.WATT})


@pytest.mark.parametrize(
    ("units", "asked", "is_dc", "phases", "expected"),
    [
        (frozenset(), "W", False, 3, "A"),
        (frozenset(), "A", True, 3, "W"),
        (BOTH, "W", False, 3, "W"),
        (BOTH, "A", False, 3, "A"),
        (BOTH, "W", False, 1, "A"),
        (BOTH, "W", True, 1, "W"),
        (AMPS, "W", False, 3, "A"),
        (WATTS, "A", False, 1, "W"),
    ],
)
def test_chooses_a_unit_that_the_charger_takes(units, asked, is_dc, phases, expected):
    assert Capabilities(units).unit_for(Unit(asked), is_dc=is_dc, phases=phases) == expected


@pytest.mark.parametrize(("most", "level"), [(None, 0), (0, 0), (1, 1), (8, 1)])
def test_uses_one_stack_level_that_the_charger_has(most, level):
    assert Capabilities(max_stack_level=most).stack_level == level


@pytest.mark.parametrize(("told", "most"), [(None, 300), (24, 24), (1000, 300)])
def test_never_sends_more_periods_than_a_frame_holds(told, most):
    assert Capabilities(max_periods=told).most_periods == most
