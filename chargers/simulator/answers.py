"""What the simulated station answers to the central system's calls, by OCPP 1.6 edition 2, section 5."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection, Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ocpp.messages import MessageType, get_validator

from chargers.schedule import Unit
from chargers.simulator.installed import Unfit
from chargers.simulator.link import Answer, CallError

if TYPE_CHECKING:
    from chargers.simulator.station import SimulatedStation

# A status to answer, a whole payload, or a function of the request that returns either, or None for silence.
Scripted = str | dict[str, Any] | Callable[[dict[str, Any]], str | dict[str, Any] | None]
# Scripted words that stand for a CALLERROR rather than for a status.
ERROR_CODES = {"NotImplemented", "InternalError", "GenericError", "FormationViolation", "ProtocolError"}
EVENTS = {
    "SetChargingProfile": "profile",
    "ClearChargingProfile": "cleared",
    "GetCompositeSchedule": "composite",
}


class Answers:
    """Answers truthfully, unless told to misbehave.

    `scripted`: other answers, by action; `silent`: actions that get none; `delay_s`: a wait before each.
    """

    def __init__(
        self,
        station: SimulatedStation,
        *,
        scripted: Mapping[str, Scripted],
        silent: Collection[str],
        delay_s: float,
    ) -> None:
        self.station = station
        self.scripted = dict(scripted)
        self.silent = set(silent)
        self.delay_s = delay_s
        self._truthful: dict[str, Callable[[dict[str, Any]], Answer]] = {
            "SetChargingProfile": self._set_profile,
            "ClearChargingProfile": self._clear_profile,
            "GetCompositeSchedule": self._composite,
            "GetConfiguration": lambda request: Answer(station.configuration.read(request)),
            "ChangeConfiguration": self._change_configuration,
            "RemoteStartTransaction": self._remote_start,
            "RemoteStopTransaction": self._remote_stop,
            "TriggerMessage": self._trigger,
            "Reset": self._reset,
            "ChangeAvailability": self._change_availability,
            "ClearCache": lambda request: _status("Accepted"),
            "UnlockConnector": lambda request: _status("NotSupported"),
            "DataTransfer": lambda request: _status("UnknownVendorId"),
        }

    async def answer(self, action: str, payload: dict[str, Any]) -> Answer | None:
        """Return the answer to a call, None for silence. Raises CallError."""
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        if action in self.silent:
            self._say(action, payload, status=None)
            return None
        if action in self.scripted:
            return self._script(action, payload)
        if action not in self._truthful:
            raise CallError("NotImplemented", f"this station knows no {action}")
        _check(action, payload)
        return self._truthful[action](payload)

    def _script(self, action: str, payload: dict[str, Any]) -> Answer | None:
        script = self.scripted[action]
        answer = script(payload) if callable(script) else script
        if isinstance(answer, str):
            if answer in ERROR_CODES:
                raise CallError(answer, "as scripted")
            answer = {"status": answer}
        self._say(action, payload, status=None if answer is None else answer.get("status"))
        return None if answer is None else Answer(answer)

    def _say(self, action: str, payload: dict[str, Any], *, status: str | None, reason: str = "") -> None:
        event = EVENTS.get(action)
        if event:
            self.station.report(event, payload=payload, status=status, reason=reason)

    def _set_profile(self, request: dict[str, Any]) -> Answer:
        station = self.station
        status, reason = "Accepted", ""
        if "SmartCharging" not in station.configuration.keys.get("SupportedFeatureProfiles", "SmartCharging"):
            status, reason = "NotSupported", "this station knows no smart charging"
        else:
            try:
                if not 0 <= request["connectorId"] <= station.connectors:
                    raise Unfit(f"there is no connector {request['connectorId']}")
                station.profiles.set(
                    request["connectorId"], request["csChargingProfiles"], running=station.running()
                )
            except Unfit as unfit:
                status, reason = "Rejected", str(unfit)

        def then() -> None:
            self._say("SetChargingProfile", request, status=status, reason=reason)
            self._refresh()

        return _status(status, then)

    def _refresh(self) -> None:
        for charging in self.station.charging.values():
            if charging.transaction_id is not None:
                charging.refresh(is_news=True)

    def _clear_profile(self, request: dict[str, Any]) -> Answer:
        status = "Accepted" if self.station.profiles.clear(request) else "Unknown"

        def then() -> None:
            self._say("ClearChargingProfile", request, status=status)
            self._refresh()

        return _status(status, then)

    def _composite(self, request: dict[str, Any]) -> Answer:
        station = self.station
        connector, unit = request["connectorId"], request.get("chargingRateUnit")
        if not 0 <= connector <= station.connectors or request["duration"] < 1:
            return _status("Rejected")
        if unit is not None and Unit(unit) not in station.profiles.units:
            return _status("Rejected")
        now = station.clock()
        charging = station.charging.get(connector)
        schedule = station.profiles.composite(
            connector,
            now=now,
            duration_s=request["duration"],
            unit=None if unit is None else Unit(unit),
            started_at=charging.started_at if charging else now,
        )
        start = schedule.pop("startSchedule")
        payload = {
            "status": "Accepted",
            "connectorId": connector,
            "scheduleStart": start,
            "chargingSchedule": schedule,
        }
        return Answer(payload, lambda: self._say("GetCompositeSchedule", payload, status="Accepted"))

    def _change_configuration(self, request: dict[str, Any]) -> Answer:
        return _status(self.station.configuration.change(request["key"], request["value"]))

    def _remote_start(self, request: dict[str, Any]) -> Answer:
        station = self.station
        asked = request.get("connectorId")
        numbers = range(1, station.connectors + 1) if asked is None else [asked]
        connector = next((number for number in numbers if station.is_free(number)), None)
        if connector is None:
            return _status("Rejected")
        profile = request.get("chargingProfile")
        try:
            installed = station.profiles.check(connector, profile) if profile else None
        except Unfit:
            return _status("Rejected")

        def then() -> None:
            if installed is not None:
                station.profiles.install(installed)
            station.start_remotely(connector, request["idTag"])

        return _status("Accepted", then)

    def _remote_stop(self, request: dict[str, Any]) -> Answer:
        ids = {number: connector for connector, number in self.station.running().items()}
        connector = ids.get(request["transactionId"])
        if connector is None:
            return _status("Rejected")
        return _status("Accepted", lambda: self.station.charging[connector].stop("Remote"))

    def _trigger(self, request: dict[str, Any]) -> Answer:
        message, connector = request["requestedMessage"], request.get("connectorId")
        if connector is not None and not 0 <= connector <= self.station.connectors:
            return _status("Rejected")
        numbers = range(self.station.connectors + 1) if connector is None else [connector]
        send = {
            "BootNotification": self.station.boot,
            "Heartbeat": lambda: self.station.tell("Heartbeat", {}),
            "StatusNotification": lambda: self._send_statuses(numbers),
            "MeterValues": lambda: self._send_meter_values(numbers),
        }.get(message)
        if send is None:
            return _status("NotImplemented")
        return _status("Accepted", lambda: self.station.spawn(send()))

    async def _send_statuses(self, connectors: Iterable[int]) -> None:
        for number in connectors:
            await self.station.tell_status(number, is_repeated=True)

    async def _send_meter_values(self, connectors: Iterable[int]) -> None:
        for number in connectors:
            if number in self.station.charging:
                await self.station.tell("MeterValues", self.station.charging[number].meter_values())

    def _reset(self, request: dict[str, Any]) -> Answer:
        return _status("Accepted", lambda: self.station.spawn(self.station.reset(f"{request['type']}Reset")))

    def _change_availability(self, request: dict[str, Any]) -> Answer:
        connector = request["connectorId"]
        if not 0 <= connector <= self.station.connectors:
            return _status("Rejected")
        is_operative = request["type"] == "Operative"
        is_busy = self.station.set_operative(connector, is_operative)
        return _status("Scheduled" if is_busy and not is_operative else "Accepted")


def _status(status: str, then: Callable[[], object] | None = None) -> Answer:
    return Answer({"status": status}, then)


def _check(action: str, payload: dict[str, Any]) -> None:
    """Raise CallError when a payload does not fit the official schema."""
    # Decimals: in binary a multiple of 0.1 would not be one.
    validator = get_validator(MessageType.Call, action, "1.6", parse_float=Decimal)
    document = json.loads(json.dumps(payload), parse_float=Decimal)
    for error in validator.iter_errors(document):
        raise CallError("FormationViolation", error.message)
