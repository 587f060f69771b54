"""The simulated station's OCPP 1.6 said in OCPP 2.0.1 or 2.1, and what it hears in those said in 1.6. Pure.

The station is one and thinks in 1.6: transactions have numbers, EVSEs are connectors.
Spec: OCPP 2.0.1 edition 3, part 2.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from chargers.simulator.link import CallError
from chargers.simulator.payloads2 import VARIABLES, meter_value, register, tenths, token, variable

Payload = dict[str, Any]
Said = tuple[str, Payload]

OCCUPIED = {"Preparing", "Charging", "SuspendedEV", "SuspendedEVSE", "Finishing"}
CHARGING_STATES = {"Charging", "SuspendedEV", "SuspendedEVSE"}
TRIGGERS = {"Remote": "RemoteStop", "EVDisconnected": "EVDeparted", "DeAuthorized": "Deauthorized"}
RESETS = {"SoftReset", "HardReset"}
PURPOSES = {"ChargingStationMaxProfile": "ChargePointMaxProfile"}


class Accent2:
    """Translates one station's messages, and remembers its transactions by their number and their id."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._ids: dict[int, str] = {}
        self._running: dict[int, int] = {}
        self._seq_numbers: dict[str, Any] = {}
        # A message that is said again must be the same one.
        self._said: dict[tuple[Any, ...], Payload] = {}
        self._remote_starts: dict[str, int] = {}
        self._sayings: dict[str, Callable[[Payload], Said | None]] = {
            "BootNotification": self._say_boot_notification,
            "Heartbeat": self._say_heartbeat,
            "Authorize": self._say_authorize,
            "StatusNotification": self._say_status_notification,
            "StartTransaction": self._say_start_transaction,
            "MeterValues": self._say_meter_values,
            "StopTransaction": self._say_stop_transaction,
        }
        self._hearings: dict[str, Callable[[Payload], Said]] = {
            "SetChargingProfile": self._hear_set_charging_profile,
            "ClearChargingProfile": self._hear_clear_charging_profile,
            "GetCompositeSchedule": self._hear_get_composite_schedule,
            "GetVariables": self._hear_get_variables,
            "RequestStartTransaction": self._hear_request_start_transaction,
            "RequestStopTransaction": self._hear_request_stop_transaction,
            "TriggerMessage": self._hear_trigger_message,
            "Reset": self._hear_reset,
            "ChangeAvailability": self._hear_change_availability,
            "ClearCache": self._hear_clear_cache,
            "DataTransfer": self._hear_data_transfer,
        }

    def say(self, action: str, payload: Payload) -> Said | None:
        """Return our call as it goes out; None when it has nothing to say in this version."""
        return self._sayings[action](payload)

    def hear_answer(self, action: str, payload: Payload, answer: Payload) -> Payload:
        """Return the answer to our call `action` as 1.6 has it."""
        if action not in ("Authorize", "StartTransaction"):
            return answer
        heard: Payload = {"idTagInfo": answer.get("idTokenInfo") or {"status": "Accepted"}}
        if action == "StartTransaction":
            heard["transactionId"] = self._running[payload["connectorId"]]
        return heard

    def hear(self, action: str, payload: Payload) -> Said:
        """Return a call to us as 1.6 has it. Raises CallError for one that this station does not know."""
        if action not in self._hearings:
            raise CallError("NotImplemented", f"this station knows no {action}")
        return self._hearings[action](payload)

    def answer(self, action: str, payload: Payload, answer: Payload) -> Payload:
        """Return our answer to a call to us as it goes out."""
        if action == "GetCompositeSchedule" and "chargingSchedule" in answer:
            schedule = answer["chargingSchedule"]
            told = {"evseId": answer["connectorId"], "scheduleStart": answer["scheduleStart"], **schedule}
            return {"status": answer["status"], "schedule": told}
        if action == "GetVariables":
            keys = {entry["key"]: entry["value"] for entry in answer["configurationKey"]}
            return {"getVariableResult": [variable(one, keys) for one in payload["getVariableData"]]}
        if action == "SetChargingProfile" and answer.get("status") == "NotSupported":
            return {"status": "Rejected", "statusInfo": {"reasonCode": "UnsupportedRequest"}}
        return answer

    def _say_boot_notification(self, payload: Payload) -> Said:
        station = {
            "vendorName": payload["chargePointVendor"],
            "model": payload["chargePointModel"],
            "firmwareVersion": payload["firmwareVersion"],
        }
        return "BootNotification", {"reason": "PowerUp", "chargingStation": station}

    def _say_heartbeat(self, payload: Payload) -> Said:
        return "Heartbeat", payload

    def _say_authorize(self, payload: Payload) -> Said:
        return "Authorize", {"idToken": token(payload["idTag"])}

    def _say_status_notification(self, payload: Payload) -> Said | None:
        connector, status = payload["connectorId"], payload["status"]
        if connector == 0:
            return None
        if status in CHARGING_STATES and connector in self._running:
            info = {"chargingState": status}
            return self._event(
                "Updated", connector, "ChargingStateChanged", info=info, timestamp=payload["timestamp"]
            )
        return "StatusNotification", {
            "timestamp": payload["timestamp"],
            "connectorStatus": "Occupied" if status in OCCUPIED else status,
            "evseId": connector,
            "connectorId": 1,
        }

    def _say_start_transaction(self, payload: Payload) -> Said:
        connector, tag = payload["connectorId"], payload["idTag"]
        key = ("Started", connector, payload["timestamp"])
        if key not in self._said:
            number = self._running[connector] = next(self._numbers)
            self._ids[number] = str(uuid4())
            info: Payload = {"chargingState": "EVConnected"}
            remote = self._remote_starts.pop(tag, None)
            if remote is not None:
                info["remoteStartId"] = remote
            self._said[key] = self._event(
                "Started",
                connector,
                "Authorized" if remote is None else "RemoteStart",
                info=info,
                timestamp=payload["timestamp"],
                meter=[register(payload["meterStart"], payload["timestamp"], "Transaction.Begin")],
                idToken=token(tag),
            )[1]
        return "TransactionEvent", self._said[key]

    def _say_meter_values(self, payload: Payload) -> Said:
        values = [meter_value(one) for one in payload["meterValue"]]
        connector = payload["connectorId"]
        if "transactionId" not in payload:
            return "MeterValues", {"evseId": connector, "meterValue": values}
        return self._event(
            "Updated", connector, "MeterValuePeriodic", timestamp=values[0]["timestamp"], meter=values
        )

    def _say_stop_transaction(self, payload: Payload) -> Said:
        number, reason = payload["transactionId"], payload["reason"]
        key = ("Ended", number)
        if key not in self._said:
            connector = next(where for where, running in self._running.items() if running == number)
            self._said[key] = self._event(
                "Ended",
                connector,
                "ResetCommand" if reason in RESETS else TRIGGERS.get(reason, "StopAuthorized"),
                info={"stoppedReason": "ImmediateReset" if reason in RESETS else reason},
                timestamp=payload["timestamp"],
                meter=[register(payload["meterStop"], payload["timestamp"], "Transaction.End")],
            )[1]
            del self._running[connector]
        return "TransactionEvent", self._said[key]

    def _hear_set_charging_profile(self, payload: Payload) -> Said:
        return "SetChargingProfile", {
            "connectorId": payload["evseId"],
            "csChargingProfiles": self._profile(payload["chargingProfile"]),
        }

    def _hear_clear_charging_profile(self, payload: Payload) -> Said:
        if "chargingProfileId" in payload:
            return "ClearChargingProfile", {"id": payload["chargingProfileId"]}
        criteria = dict(payload.get("chargingProfileCriteria") or {})
        if "evseId" in criteria:
            criteria["connectorId"] = criteria.pop("evseId")
        return "ClearChargingProfile", criteria

    def _hear_get_composite_schedule(self, payload: Payload) -> Said:
        rest = {name: value for name, value in payload.items() if name != "evseId"}
        return "GetCompositeSchedule", {"connectorId": payload["evseId"], **rest}

    def _hear_get_variables(self, payload: Payload) -> Said:
        return "GetConfiguration", {"key": sorted(set(VARIABLES.values()))}

    def _hear_request_start_transaction(self, payload: Payload) -> Said:
        tag = payload["idToken"]["idToken"]
        self._remote_starts[tag] = payload["remoteStartId"]
        request: Payload = {"idTag": tag}
        if "evseId" in payload:
            request["connectorId"] = payload["evseId"]
        if "chargingProfile" in payload:
            request["chargingProfile"] = self._profile(payload["chargingProfile"])
        return "RemoteStartTransaction", request

    def _hear_request_stop_transaction(self, payload: Payload) -> Said:
        return "RemoteStopTransaction", {"transactionId": self._number(payload["transactionId"])}

    def _hear_trigger_message(self, payload: Payload) -> Said:
        message = payload["requestedMessage"]
        request: Payload = {"requestedMessage": "MeterValues" if message == "TransactionEvent" else message}
        if "evse" in payload:
            request["connectorId"] = payload["evse"]["id"]
        return "TriggerMessage", request

    def _hear_reset(self, payload: Payload) -> Said:
        return "Reset", {"type": "Hard" if payload["type"] == "Immediate" else "Soft"}

    def _hear_change_availability(self, payload: Payload) -> Said:
        connector = payload["evse"]["id"] if "evse" in payload else 0
        return "ChangeAvailability", {"connectorId": connector, "type": payload["operationalStatus"]}

    def _hear_clear_cache(self, payload: Payload) -> Said:
        return "ClearCache", payload

    def _hear_data_transfer(self, payload: Payload) -> Said:
        return "DataTransfer", payload

    def _profile(self, profile: Payload) -> Payload:
        schedule = {name: value for name, value in profile["chargingSchedule"][0].items() if name != "id"}
        schedule["chargingSchedulePeriod"] = [
            {"startPeriod": period["startPeriod"], "limit": tenths(period["limit"])}
            for period in schedule["chargingSchedulePeriod"]
        ]
        purpose = profile["chargingProfilePurpose"]
        told = {
            "chargingProfileId": profile["id"],
            "stackLevel": profile["stackLevel"],
            "chargingProfilePurpose": PURPOSES.get(purpose, purpose),
            "chargingProfileKind": profile["chargingProfileKind"],
            "chargingSchedule": schedule,
        }
        kept: Payload = {name: profile[name] for name in ("validFrom", "validTo") if name in profile}
        if "transactionId" in profile:
            kept["transactionId"] = self._number(profile["transactionId"])
        return told | kept

    def _number(self, ocpp_id: str) -> int:
        """Return the number of a transaction, one that no transaction has for an unknown id."""
        return next((number for number, known in self._ids.items() if known == ocpp_id), -1)

    def _event(
        self,
        kind: str,
        connector: int,
        trigger: str,
        *,
        timestamp: str,
        info: Payload | None = None,
        meter: list[Payload] | None = None,
        **fields: Any,
    ) -> Said:
        ocpp_id = self._ids[self._running[connector]]
        event: Payload = {
            "eventType": kind,
            "timestamp": timestamp,
            "triggerReason": trigger,
            "seqNo": next(self._seq_numbers.setdefault(ocpp_id, itertools.count())),
            "transactionInfo": {"transactionId": ocpp_id, **(info or {})},
            "evse": {"id": connector, "connectorId": 1},
            **fields,
        }
        if meter:
            event["meterValue"] = meter
        return "TransactionEvent", event
