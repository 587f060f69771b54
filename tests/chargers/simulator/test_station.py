import asyncio
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from chargers.simulator.car import Car
from chargers.simulator.charging import TagRefused
from chargers.simulator.station import SimulatedStation
from tests.chargers.simulator.csms import ACCEPTED, NOW, until
from tests.chargers.simulator.scene import charging, profile, run, station


def samples(meter_values):
    return [
        (sample["measurand"], sample["value"], sample["unit"])
        for sample in meter_values["meterValue"][0]["sampledValue"]
    ]


def test_runs_a_whole_session():
    async def scenario(csms):
        async with charging(csms):
            pass
        status = {"connectorId": 1, "errorCode": "NoError", "timestamp": NOW}
        boot = {
            "chargePointVendor": "Simulated",
            "chargePointModel": "SimulatedStation",
            "firmwareVersion": "1",
        }
        meter_values = csms.got("MeterValues")[0]
        assert csms.calls == [
            ("BootNotification", boot),
            ("StatusNotification", {**status, "connectorId": 0, "status": "Available"}),
            ("StatusNotification", {**status, "status": "Available"}),
            ("Authorize", {"idTag": "SIMULATED"}),
            ("StatusNotification", {**status, "status": "Preparing"}),
            ("StartTransaction", {"connectorId": 1, "idTag": "SIMULATED", "meterStart": 0, "timestamp": NOW}),
            ("StatusNotification", {**status, "status": "Charging"}),
            ("MeterValues", meter_values),
            (
                "StopTransaction",
                {
                    "transactionId": 7,
                    "idTag": "SIMULATED",
                    "meterStop": 0,
                    "timestamp": NOW,
                    "reason": "Local",
                },
            ),
            ("StatusNotification", {**status, "status": "Finishing"}),
            ("StatusNotification", {**status, "status": "Available"}),
        ]
        assert (meter_values["connectorId"], meter_values["transactionId"]) == (1, 7)
        assert samples(meter_values) == [
            ("Energy.Active.Import.Register", "0", "Wh"),
            ("Power.Active.Import", "11000", "W"),
            ("Current.Offered", "32.0", "A"),
        ]

    run(scenario)


def test_charges_at_the_limit_it_is_given_and_pauses_below_6_a():
    async def scenario(csms):
        async with charging(csms) as events:
            assert await csms.ask("SetChargingProfile", profile(10)) == {"status": "Accepted"}
            await until(lambda: len(csms.got("MeterValues")) == 2)
            assert events.last("limit") == {"connector": 1, "limit": 10, "unit": "A", "power_w": 6900}
            assert events.last("power") == {"connector": 1, "power_w": 6900, "energy_wh": 0}
            assert events.last("profile") == {"payload": profile(10), "status": "Accepted", "reason": ""}
            assert samples(csms.got("MeterValues")[1])[1:] == [
                ("Power.Active.Import", "6900", "W"),
                ("Current.Offered", "10.0", "A"),
            ]

            await csms.ask("SetChargingProfile", profile(4000, unit="W"))
            await until(lambda: len(csms.got("MeterValues")) == 3)
            assert events.last("limit") == {"connector": 1, "limit": 4000, "unit": "W", "power_w": 0}
            assert csms.statuses()[-1] == "SuspendedEVSE"

            assert await csms.ask("ClearChargingProfile", {"id": 1}) == {"status": "Accepted"}
            await until(lambda: len(csms.got("MeterValues")) == 4)
            assert events.last("limit") == {"connector": 1, "limit": None, "unit": None, "power_w": 11000}
            assert events.last("cleared") == {"payload": {"id": 1}, "status": "Accepted", "reason": ""}
            assert csms.statuses()[-1] == "Charging"
            assert await csms.ask("ClearChargingProfile", {"id": 1}) == {"status": "Unknown"}

    run(scenario)


def test_follows_its_profile_from_period_to_period():
    async def scenario(csms):
        async with charging(csms, clock=lambda: datetime.now(UTC)) as events:
            start = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            await csms.ask("SetChargingProfile", profile(10, start=start, rest=[(1, 0), (2, 8)]))
            await until(lambda: events.last("limit")["limit"] == 8)
            # The first period may be over by the time the profile arrives.
            assert [event["power_w"] for event in events.of("limit")][-2:] == [0, 5520]
            await until(lambda: csms.statuses()[-3:] == ["Charging", "SuspendedEVSE", "Charging"])

    run(scenario)


def test_refuses_a_profile_that_does_not_fit():
    async def scenario(csms):
        async with charging(csms) as events:
            assert await csms.ask("SetChargingProfile", profile(10, transaction_id=8)) == {
                "status": "Rejected"
            }
            assert events.last("profile")["reason"] == "transaction 7 runs, not 8"
            assert events.of("limit") == []
            unknown_connector = {**profile(10), "connectorId": 2}
            assert await csms.ask("SetChargingProfile", unknown_connector) == {"status": "Rejected"}

    run(scenario)


def test_tells_its_schedule():
    async def scenario(csms):
        async with charging(csms):
            await csms.ask("SetChargingProfile", profile(10, rest=[(60, 6.5)]))
            assert await csms.ask("GetCompositeSchedule", {"connectorId": 1, "duration": 600}) == {
                "status": "Accepted",
                "connectorId": 1,
                "scheduleStart": NOW,
                "chargingSchedule": {
                    "duration": 600,
                    "chargingRateUnit": "A",
                    "chargingSchedulePeriod": [
                        {"startPeriod": 0, "limit": 10},
                        {"startPeriod": 60, "limit": 6.5},
                    ],
                },
            }
            for wrong in ({"connectorId": 2, "duration": 600}, {"connectorId": 1, "duration": 0}):
                assert await csms.ask("GetCompositeSchedule", wrong) == {"status": "Rejected"}

    run(scenario)


def test_starts_and_stops_from_afar():
    async def scenario(csms):
        async with station(csms, plugs_in=False) as events:
            await until(lambda: csms.statuses() == ["Available"])
            request = {"idTag": "FAR", "chargingProfile": profile(10)["csChargingProfiles"]}
            assert await csms.ask("RemoteStartTransaction", request) == {"status": "Accepted"}
            await until(lambda: csms.got("MeterValues"))
            assert csms.got("StartTransaction")[0]["idTag"] == "FAR"
            assert events.last("limit")["power_w"] == 6900
            assert await csms.ask("RemoteStartTransaction", {"idTag": "TWO"}) == {"status": "Rejected"}

            assert await csms.ask("RemoteStopTransaction", {"transactionId": 8}) == {"status": "Rejected"}
            assert await csms.ask("RemoteStopTransaction", {"transactionId": 7}) == {"status": "Accepted"}
            await until(lambda: csms.statuses()[-2:] == ["Finishing", "Available"])
            assert csms.got("StopTransaction")[0]["reason"] == "Remote"

    run(scenario)


def test_sends_what_it_is_triggered_to_send():
    async def scenario(csms):
        async with charging(csms):
            for message in ("BootNotification", "Heartbeat", "StatusNotification", "MeterValues"):
                before = len(csms.got(message))
                answer = await csms.ask("TriggerMessage", {"requestedMessage": message})
                assert answer == {"status": "Accepted"}
                await until(lambda message=message, before=before: len(csms.got(message)) > before)
            unknown = {"requestedMessage": "FirmwareStatusNotification"}
            assert await csms.ask("TriggerMessage", unknown) == {"status": "NotImplemented"}

    run(scenario)


def test_closes_and_opens_a_connector():
    async def scenario(csms):
        async with station(csms, plugs_in=False, connectors=2):
            await until(lambda: csms.statuses(2) == ["Available"])
            for kind, status in (("Inoperative", "Unavailable"), ("Operative", "Available")):
                answer = await csms.ask("ChangeAvailability", {"connectorId": 2, "type": kind})
                assert answer == {"status": "Accepted"}
                await until(lambda status=status: csms.statuses(2)[-1] == status)
            assert csms.statuses(1) == ["Available"]

    run(scenario)


def test_starts_over_after_a_reset():
    async def scenario(csms):
        async with charging(csms):
            assert await csms.ask("Reset", {"type": "Hard"}) == {"status": "Accepted"}
            await until(lambda: len(csms.got("BootNotification")) == 2)
            assert csms.got("StopTransaction")[0]["reason"] == "HardReset"

    run(scenario)


def test_goes_on_charging_over_a_lost_socket():
    async def scenario(csms):
        async with charging(csms, meter_interval_s=0.05):
            await csms.sockets[0].close()
            await until(lambda: len(csms.sockets) == 2)
            before = len(csms.got("MeterValues"))
            await until(lambda: len(csms.got("MeterValues")) > before)
        assert len(csms.got("BootNotification")) == len(csms.got("StartTransaction")) == 1
        assert csms.got("StopTransaction")[0]["transactionId"] == 7

    run(scenario)


def test_repeats_a_start_whose_answer_was_lost():
    async def scenario(csms):
        silent_once = [None, {"transactionId": 7, **ACCEPTED}]
        csms.answers["StartTransaction"] = lambda request: silent_once.pop(0)
        async with station(csms):
            await until(lambda: csms.got("StartTransaction"))
            await csms.sockets[0].close()
            await until(lambda: csms.got("MeterValues"))
        first, again = csms.got("StartTransaction")
        assert first == again

    run(scenario)


def test_leaves_when_the_car_has_what_it_wants():
    async def scenario(csms):
        station = SimulatedStation("CP1", csms.url, car=Car(20_000, wants_wh=Decimal("0.5")))
        await asyncio.wait_for(station.run(), 5)
        stop = csms.got("StopTransaction")[0]
        assert (stop["reason"], stop["meterStop"]) == ("EVDisconnected", 0)
        assert csms.statuses()[-1] == "Available"

    run(scenario)


@pytest.mark.parametrize("action", ["Authorize", "StartTransaction"])
def test_leaves_when_its_tag_is_refused(action):
    refused = {"idTagInfo": {"status": "Blocked"}}
    if action == "StartTransaction":
        refused["transactionId"] = 7

    async def scenario(csms):
        with pytest.raises(TagRefused, match="SIMULATED was not accepted: Blocked"):
            await SimulatedStation("CP1", csms.url).run()
        assert csms.statuses()[-1] == "Available"
        reasons = [stop["reason"] for stop in csms.got("StopTransaction")]
        assert reasons == (["DeAuthorized"] if action == "StartTransaction" else [])

    run(scenario, answers={action: refused})


def test_leaves_in_time_when_nobody_hears_its_last_words(monkeypatch):
    monkeypatch.setattr("chargers.simulator.station.LAST_WORDS_S", 0.05)

    async def scenario(csms):
        csms.answers["StopTransaction"] = None
        async with asyncio.timeout(5), charging(csms) as events:
            pass
        assert "StopTransaction" in [event["action"] for event in events.of("unanswered")]
        await until(lambda: csms.sockets[0].close_code)
        assert csms.sockets[0].close_code == 1000

    run(scenario)


def test_boots_again_until_it_is_accepted():
    pending = {"status": "Pending", "currentTime": NOW, "interval": 0.01}
    answers = [pending, {**pending, "status": "Accepted", "interval": 300}]

    async def scenario(csms):
        async with charging(csms):
            pass
        assert [name for name, _ in csms.calls[:3]] == ["BootNotification"] * 2 + ["StatusNotification"]

    run(scenario, answers={"BootNotification": lambda request: answers.pop(0)})


def test_beats_as_often_as_it_is_told():
    boot = {"status": "Accepted", "currentTime": NOW, "interval": 0.02}

    async def scenario(csms):
        async with station(csms, plugs_in=False):
            await until(lambda: len(csms.got("Heartbeat")) > 1)

    run(scenario, answers={"BootNotification": boot})
