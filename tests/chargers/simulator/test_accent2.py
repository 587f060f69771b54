"""The simulated station in OCPP 2.x: what it says keeps to the schemas, and what it hears means the same."""

import json
from decimal import Decimal
from typing import Any

import pytest
from ocpp.messages import MessageType, get_validator

from chargers.simulator.accent2 import Accent2
from chargers.simulator.link import CallError

NOW = "2026-03-01T12:00:00Z"
ACCEPTED = {"idTokenInfo": {"status": "Accepted"}}
START = {"connectorId": 1, "idTag": "TAG1", "meterStart": 5, "timestamp": NOW}
METER = {
    "connectorId": 1,
    "meterValue": [
        {
            "timestamp": NOW,
            "sampledValue": [
                {
                    "context": "Sample.Periodic",
                    "measurand": "Energy.Active.Import.Register",
                    "unit": "Wh",
                    "value": "1500",
                },
                {
                    "context": "Sample.Periodic",
                    "measurand": "Current.Offered",
                    "unit": "A",
                    "value": "16.0",
                },
            ],
        }
    ],
}


def fits(kind: int, action: str, payload: Any, version: str) -> None:
    """Check a payload against the official schema."""
    validator = get_validator(kind, action, version, parse_float=Decimal)
    validator.validate(json.loads(json.dumps(payload), parse_float=Decimal))


def started(accent: Accent2) -> tuple[int, str]:
    """Start a transaction; return its number and its id."""
    said = accent.say("StartTransaction", START)
    assert said is not None
    answer = accent.hear_answer("StartTransaction", START, ACCEPTED)
    return answer["transactionId"], said[1]["transactionInfo"]["transactionId"]


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
def test_all_that_it_says_keeps_to_the_schema(version: str) -> None:
    accent = Accent2()
    boot = {"chargePointVendor": "Simulated", "chargePointModel": "S", "firmwareVersion": "1"}
    status = {"connectorId": 1, "errorCode": "NoError", "timestamp": NOW}
    number, _ = started(accent)
    for action, payload in [
        ("BootNotification", boot),
        ("Heartbeat", {}),
        ("Authorize", {"idTag": "TAG1"}),
        ("StatusNotification", status | {"status": "Preparing"}),
        ("StatusNotification", status | {"status": "Charging"}),
        ("MeterValues", METER),
        ("MeterValues", METER | {"transactionId": number}),
        (
            "StopTransaction",
            {"transactionId": number, "meterStop": 9, "timestamp": NOW, "reason": "Local", "idTag": "T"},
        ),
        ("StatusNotification", status | {"status": "Available"}),
    ]:
        said = accent.say(action, payload)
        assert said is not None
        fits(MessageType.Call, *said, version)


def test_a_transaction_is_events_in_order_and_a_repeated_one_is_the_same() -> None:
    accent = Accent2()
    number, ocpp_id = started(accent)

    again = accent.say("StartTransaction", START)
    told = accent.say("MeterValues", METER | {"transactionId": number})
    stop = {"transactionId": number, "meterStop": 9, "timestamp": NOW, "reason": "EVDisconnected"}
    ended, repeated = accent.say("StopTransaction", stop), accent.say("StopTransaction", stop)

    assert again is not None
    assert told is not None
    assert ended is not None
    events = [again[1], told[1], ended[1]]
    assert [one["eventType"] for one in events] == ["Started", "Updated", "Ended"]
    assert [one["seqNo"] for one in events] == [0, 1, 2]
    assert {one["transactionInfo"]["transactionId"] for one in events} == {ocpp_id}
    assert (ended[1]["triggerReason"], ended) == ("EVDeparted", repeated)


def test_says_nothing_of_the_station_as_a_whole() -> None:
    payload = {"connectorId": 0, "status": "Available", "errorCode": "NoError", "timestamp": NOW}

    assert Accent2().say("StatusNotification", payload) is None


def profile(**fields: Any) -> dict[str, Any]:
    period = {"startPeriod": 0, "limit": 16.57}
    return {
        "id": 1,
        "stackLevel": 1,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": [
            {
                "id": 1,
                "startSchedule": NOW,
                "duration": 60,
                "chargingRateUnit": "A",
                "chargingSchedulePeriod": [period],
            }
        ],
        **fields,
    }


def test_hears_a_profile_of_its_transaction() -> None:
    accent = Accent2()
    number, ocpp_id = started(accent)

    action, payload = accent.hear(
        "SetChargingProfile", {"evseId": 1, "chargingProfile": profile(transactionId=ocpp_id)}
    )

    fits(MessageType.Call, action, payload, "1.6")
    heard = payload["csChargingProfiles"]
    assert (payload["connectorId"], heard["transactionId"], heard["chargingProfileId"]) == (1, number, 1)
    assert heard["chargingSchedule"]["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 16.5}]
    other = accent.hear("SetChargingProfile", {"evseId": 1, "chargingProfile": profile(transactionId="x")})
    assert other[1]["csChargingProfiles"]["transactionId"] == -1


@pytest.mark.parametrize(
    ("action", "payload", "heard"),
    [
        ("ClearChargingProfile", {"chargingProfileId": 1}, ("ClearChargingProfile", {"id": 1})),
        (
            "ClearChargingProfile",
            {"chargingProfileCriteria": {"evseId": 1, "stackLevel": 0}},
            ("ClearChargingProfile", {"connectorId": 1, "stackLevel": 0}),
        ),
        (
            "GetCompositeSchedule",
            {"evseId": 1, "duration": 60},
            ("GetCompositeSchedule", {"connectorId": 1, "duration": 60}),
        ),
        (
            "RequestStartTransaction",
            {"evseId": 1, "remoteStartId": 4, "idToken": {"idToken": "T", "type": "Central"}},
            ("RemoteStartTransaction", {"connectorId": 1, "idTag": "T"}),
        ),
        ("Reset", {"type": "Immediate"}, ("Reset", {"type": "Hard"})),
        (
            "ChangeAvailability",
            {"operationalStatus": "Inoperative"},
            ("ChangeAvailability", {"connectorId": 0, "type": "Inoperative"}),
        ),
        (
            "TriggerMessage",
            {"requestedMessage": "StatusNotification", "evse": {"id": 1}},
            ("TriggerMessage", {"requestedMessage": "StatusNotification", "connectorId": 1}),
        ),
    ],
)
def test_hears_in_1_6(action: str, payload: dict[str, Any], heard: tuple[str, Any]) -> None:
    assert Accent2().hear(action, payload) == heard


def test_does_not_know_the_rest() -> None:
    with pytest.raises(CallError, match="NotImplemented"):
        Accent2().hear("GetBaseReport", {})


def test_tells_its_variables() -> None:
    asked = [
        {"component": {"name": "SmartChargingCtrlr"}, "variable": {"name": name}}
        for name in ("RateUnit", "Enabled", "Phases3to1")
    ]
    keys = {"ChargingScheduleAllowedChargingRateUnit": "Current,Power", "SupportedFeatureProfiles": "Core"}
    answer = {"configurationKey": [{"key": key, "value": value} for key, value in keys.items()]}

    told = Accent2().answer("GetVariables", {"getVariableData": asked}, answer)

    fits(MessageType.CallResult, "GetVariables", told, "2.0.1")
    assert [(one["attributeStatus"], one.get("attributeValue")) for one in told["getVariableResult"]] == [
        ("Accepted", "A,W"),
        ("Accepted", "false"),
        ("UnknownVariable", None),
    ]
