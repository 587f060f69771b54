"""A raw OCPP 2.0.1 or 2.1 station that does what it is told and tells it again."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

from tests.station import Station

NO_SCHEDULE: dict[str, Any] = {
    "startSchedule": "2026-01-01T00:00:00Z",
    "chargingRateUnit": "A",
    "chargingSchedulePeriod": [],
}


def now() -> str:
    """Return this moment as OCPP writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def register(energy_wh: float, *, context: str = "Sample.Periodic", unit: str = "Wh") -> dict[str, Any]:
    """Return a MeterValueType with the energy register."""
    sample = {
        "value": energy_wh,
        "context": context,
        "measurand": "Energy.Active.Import.Register",
        "unitOfMeasure": {"unit": unit},
    }
    return {"timestamp": now(), "sampledValue": [sample]}


class Station2(Station):
    """A station of one transaction at a time per EVSE; 32 A where nothing rules."""

    def __init__(self, url: str, identity: str, *, version: str = "2.0.1", **fields: Any) -> None:
        self.schedules: dict[int, dict[str, Any]] = {}
        self._seq_numbers = itertools.count()
        replies = {
            "SetChargingProfile": self.set_profile,
            "ClearChargingProfile": self.clear_profile,
            "GetCompositeSchedule": self.composite,
            "GetVariables": {"getVariableResult": []},
            **fields.pop("replies", {}),
        }
        super().__init__(url, identity, subprotocols=(f"ocpp{version}",), replies=replies, **fields)

    def boot(self) -> dict[str, Any]:
        """Say that the station started."""
        station = {"vendorName": "Acme", "model": "Two", "firmwareVersion": "2"}
        answer: dict[str, Any] = self.call(
            "BootNotification", {"reason": "PowerUp", "chargingStation": station}
        )
        return answer

    def status(self, connector_status: str, *, evse: int = 1) -> Any:
        """Tell an EVSE's state."""
        payload = {"timestamp": now(), "connectorStatus": connector_status, "evseId": evse, "connectorId": 1}
        return self.call("StatusNotification", payload)

    def event(
        self,
        kind: str,
        transaction: str,
        *,
        evse: int = 1,
        trigger: str = "Authorized",
        tag: str = "",
        at: str = "",
        meter_wh: float | None = None,
        **info: Any,
    ) -> Any:
        """Tell an event of a transaction."""
        payload: dict[str, Any] = {
            "eventType": kind,
            "timestamp": at or now(),
            "triggerReason": trigger,
            "seqNo": next(self._seq_numbers),
            "transactionInfo": {"transactionId": transaction, **info},
            "evse": {"id": evse, "connectorId": 1},
        }
        if tag:
            payload["idToken"] = {"idToken": tag, "type": "ISO14443"}
        if meter_wh is not None:
            payload["meterValue"] = [register(meter_wh)]
        return self.call("TransactionEvent", payload)

    def set_profile(self, request: dict[str, Any]) -> dict[str, Any]:
        """Take a profile."""
        self.schedules[request["evseId"]] = request["chargingProfile"]["chargingSchedule"][0]
        return {"status": "Accepted"}

    def clear_profile(self, request: dict[str, Any]) -> dict[str, Any]:
        """Drop a profile."""
        found = self.schedules.pop(request["chargingProfileId"], None)
        return {"status": "Accepted" if found else "Unknown"}

    def composite(self, request: dict[str, Any]) -> dict[str, Any]:
        """Tell the schedule of an EVSE from now on."""
        schedule = self.schedules.get(request["evseId"], NO_SCHEDULE)
        started_at = datetime.fromisoformat(schedule["startSchedule"])
        gone_s = int((datetime.now(UTC) - started_at).total_seconds())
        coming = [(0, 32.0)]
        for period in schedule["chargingSchedulePeriod"]:
            start_s = period["startPeriod"] - gone_s
            if start_s <= 0:
                coming = [(0, period["limit"])]
            elif start_s < request["duration"]:
                coming.append((start_s, period["limit"]))
        return {
            "status": "Accepted",
            "schedule": {
                "evseId": request["evseId"],
                "duration": request["duration"],
                "scheduleStart": now(),
                "chargingRateUnit": schedule["chargingRateUnit"],
                "chargingSchedulePeriod": [
                    {"startPeriod": start_s, "limit": limit} for start_s, limit in coming
                ],
            },
        }

    def profiles(self, evse: int = 1) -> list[Any]:
        """Return the profiles that an EVSE was sent, oldest first."""
        sent = [frame[3] for frame in list(self.calls) if frame[2] == "SetChargingProfile"]
        return [one["chargingProfile"] for one in sent if one["evseId"] == evse]
