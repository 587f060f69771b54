"""A raw OCPP 1.6 station that does what it is told and tells it again, for journeys."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.station import Station

NO_SCHEDULE: dict[str, Any] = {
    "startSchedule": "2026-01-01T00:00:00Z",
    "chargingRateUnit": "A",
    "chargingSchedulePeriod": [],
}


def at(seconds: float = 0) -> str:
    """Return the moment `seconds` from now in whole seconds, as OCPI and OCPP write it."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


class ObedientStation(Station):
    """A station whose outlets take what they are sent and tell it again; 32 A where nothing rules."""

    def __init__(self, url: str, identity: str, **fields: Any) -> None:
        self.schedules: dict[int, dict[str, Any]] = {}
        replies = {
            "SetChargingProfile": self.set_profile,
            "ClearChargingProfile": self.clear_profile,
            "GetCompositeSchedule": self.composite,
            **fields.pop("replies", {}),
        }
        super().__init__(url, identity, replies=replies, **fields)

    def set_profile(self, request: dict[str, Any]) -> dict[str, Any]:
        """Take a profile."""
        self.schedules[request["connectorId"]] = request["csChargingProfiles"]["chargingSchedule"]
        return {"status": "Accepted"}

    def clear_profile(self, request: dict[str, Any]) -> dict[str, Any]:
        """Drop a profile."""
        found = self.schedules.pop(request["id"], None)
        return {"status": "Accepted" if found else "Unknown"}

    def composite(self, request: dict[str, Any]) -> dict[str, Any]:
        """Tell the schedule of an outlet from now on."""
        schedule = self.schedules.get(request["connectorId"], NO_SCHEDULE)
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
            "connectorId": request["connectorId"],
            "scheduleStart": at(),
            "chargingSchedule": {
                "duration": request["duration"],
                "chargingRateUnit": schedule["chargingRateUnit"],
                "chargingSchedulePeriod": [
                    {"startPeriod": start_s, "limit": limit} for start_s, limit in coming
                ],
            },
        }

    def meter(
        self, connector: int, transaction: int, energy_wh: int, *, offered_a: float | None = None
    ) -> None:
        """Tell what the meter of an outlet shows."""
        sampled = [{"value": str(energy_wh), "measurand": "Energy.Active.Import.Register", "unit": "Wh"}]
        if offered_a is not None:
            sampled.append({"value": str(offered_a), "measurand": "Current.Offered", "unit": "A"})
        self.call(
            "MeterValues",
            {
                "connectorId": connector,
                "transactionId": transaction,
                "meterValue": [{"timestamp": at(), "sampledValue": sampled}],
            },
        )

    @contextmanager
    def silent(self, action: str) -> Iterator[None]:
        """Leave our calls of one action unanswered."""
        truthful = self.replies[action]
        self.replies[action] = None
        try:
            yield
        finally:
            self.replies[action] = truthful

    def answer_late(self) -> None:
        """Take the last profile after all, and say so."""
        _, message_id, _, request = [frame for frame in self.calls if frame[2] == "SetChargingProfile"][-1]
        self.send([3, message_id, self.set_profile(request)])

    def reads(self, connector: int) -> list[Any]:
        """Return the questions for the schedule in force of an outlet."""
        asked = [frame[3] for frame in list(self.calls) if frame[2] == "GetCompositeSchedule"]
        return [one for one in asked if one["connectorId"] == connector]

    def profiles(self, connector: int) -> list[Any]:
        """Return the profiles that an outlet was sent, oldest first."""
        sent = [frame[3] for frame in list(self.calls) if frame[2] == "SetChargingProfile"]
        return [one["csChargingProfiles"] for one in sent if one["connectorId"] == connector]
