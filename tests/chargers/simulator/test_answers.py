import asyncio

import pytest

from tests.chargers.simulator.csms import until
from tests.chargers.simulator.scene import charging, profile, run


def test_tells_its_configuration():
    async def scenario(csms):
        changes = {"ChargingScheduleAllowedChargingRateUnit": "Current", "ChargingScheduleMaxPeriods": None}
        async with charging(csms, configuration=changes):
            keys = ["chargingscheduleallowedchargingrateunit", "ChargingScheduleMaxPeriods"]
            assert await csms.ask("GetConfiguration", {"key": keys}) == {
                "configurationKey": [
                    {
                        "key": "ChargingScheduleAllowedChargingRateUnit",
                        "readonly": True,
                        "value": "Current",
                    }
                ],
                "unknownKey": ["ChargingScheduleMaxPeriods"],
            }
            answer = await csms.ask("SetChargingProfile", profile(9000, unit="W"))
            assert answer == {"status": "Rejected"}
            everything = await csms.ask("GetConfiguration", {})
            assert {"key": "NumberOfConnectors", "readonly": True, "value": "1"} in everything[
                "configurationKey"
            ]

    run(scenario)


@pytest.mark.parametrize(
    ("key", "value", "status"),
    [
        ("MeterValueSampleInterval", "30", "Accepted"),
        ("MeterValueSampleInterval", "often", "Rejected"),
        ("MeterValueSampleInterval", "0", "Rejected"),
        ("NumberOfConnectors", "2", "Rejected"),
        ("Colour", "blue", "NotSupported"),
    ],
)
def test_changes_only_what_may_be_changed(key, value, status):
    async def scenario(csms):
        async with charging(csms):
            answer = await csms.ask("ChangeConfiguration", {"key": key, "value": value})
            assert answer == {"status": status}

    run(scenario)


def test_says_when_it_knows_no_smart_charging():
    async def scenario(csms):
        async with charging(csms, configuration={"SupportedFeatureProfiles": "Core"}):
            assert await csms.ask("SetChargingProfile", profile(10)) == {"status": "NotSupported"}

    run(scenario)


@pytest.mark.parametrize(
    ("action", "payload", "code"),
    [
        ("SetChargingProfile", {"connectorId": 1}, "FormationViolation"),
        ("SetChargingProfile", profile(7.123), "FormationViolation"),
        ("SetChargingProfile", ["connectorId"], "FormationViolation"),
        ("MakeCoffee", {}, "NotImplemented"),
    ],
)
def test_answers_an_error_to_what_it_can_not_read(action, payload, code):
    async def scenario(csms):
        async with charging(csms):
            kind, _, told, *_ = await csms.call(action, payload)
            assert (kind, told) == (4, code)

    run(scenario)


@pytest.mark.parametrize(
    "frame", ["hello", "{}", "5", "[]", "[2]", '[2, "1", "Reset"]', '[3, "1"]', "[9, 1]"]
)
def test_survives_frames_that_are_not_ocpp(frame):
    async def scenario(csms):
        async with charging(csms):
            await csms.sockets[0].send(frame)
            assert await csms.ask("ClearCache", {}) == {"status": "Accepted"}

    run(scenario)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("Rejected", [3, "x", {"status": "Rejected"}]),
        ("NotSupported", [3, "x", {"status": "NotSupported"}]),
        ("NotImplemented", [4, "x", "NotImplemented", "as scripted", {}]),
        (lambda request: {"status": "accepted", "extra": 1}, [3, "x", {"status": "accepted", "extra": 1}]),
    ],
)
def test_misbehaves_as_it_is_told(script, expected):
    async def scenario(csms):
        async with charging(csms, answers={"SetChargingProfile": script}) as events:
            assert await csms.call("SetChargingProfile", profile(10), "x") == expected
            assert events.of("limit") == []

    run(scenario)


def test_stays_silent_where_it_is_told_and_answers_the_rest():
    async def scenario(csms):
        async with charging(csms, silent={"SetChargingProfile"}) as events:
            asking = asyncio.create_task(csms.call("SetChargingProfile", profile(10), "x"))
            await until(lambda: events.of("profile"))
            assert await csms.ask("ClearCache", {}) == {"status": "Accepted"}
            assert not asking.done()
            asking.cancel()

    run(scenario)


def test_answers_late_where_it_is_told():
    async def scenario(csms):
        async with charging(csms, delay_s=0.05) as events:
            asking = asyncio.create_task(csms.ask("SetChargingProfile", profile(10)))
            await asyncio.sleep(0)
            assert events.of("profile") == []
            assert await asking == {"status": "Accepted"}
            await until(lambda: events.of("limit"))

    run(scenario)
