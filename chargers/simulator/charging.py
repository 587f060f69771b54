"""One transaction of the simulated station: from StartTransaction to StopTransaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from chargers.schedule import as_number
from chargers.simulator.car import Car, Meter
from chargers.simulator.link import CallError
from chargers.simulator.profiles import Ruling

if TYPE_CHECKING:
    from chargers.simulator.station import SimulatedStation

LONGEST_NAP_S = 3600.0


def timestamp(moment: datetime) -> str:
    """Return a moment as OCPP writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class TagRefused(Exception):
    """The central system did not accept the tag."""

    is_foreseen = True


class Charging:
    """A car that charges at a connector at the limit that the station was given."""

    def __init__(
        self,
        station: SimulatedStation,
        *,
        connector: int,
        id_tag: str,
        car: Car,
        duration_s: float | None = None,
        clock: Callable[[], datetime],
    ) -> None:
        self.station = station
        self.connector = connector
        self.id_tag = id_tag
        self.car = car
        self.duration_s = duration_s
        self.clock = clock
        self.transaction_id: int | None = None
        self.started_at = clock()
        self.meter = station.meters.setdefault(connector, Meter(now=self.started_at))
        self.meter_start_wh = int(self.meter.read_wh(now=self.started_at))
        self.power_w = 0
        self._ruling: Ruling | None = None
        self._told: tuple[Ruling | None, int] | None = None
        self._stop_reason = ""
        self.is_over = asyncio.Event()
        self._is_disturbed = asyncio.Event()
        self._has_changed = asyncio.Event()

    async def run(self) -> str:
        """Charge until the end and return why it ended. Raises TagRefused, CallError."""
        await self._start()
        telling = asyncio.create_task(self._tell())
        try:
            while not (reason := self._reason_to_stop()):
                self.refresh()
                self._is_disturbed.clear()
                try:
                    async with asyncio.timeout(self._nap_s()):
                        await self._is_disturbed.wait()
                except TimeoutError:
                    continue
        finally:
            telling.cancel()
            self.meter.flow(0, now=self.clock())
        await self._end(reason)
        return reason

    def stop(self, reason: str) -> None:
        """End the transaction, for an OCPP 1.6 Reason."""
        self._stop_reason = reason
        self._is_disturbed.set()

    def refresh(self, *, is_news: bool = False) -> None:
        """Charge with what is allowed now, and report the limit and the power when they changed.

        `is_news`: a profile came or went, so the power is reported in any case.
        """
        now = self.clock()
        station = self.station
        ruling = station.profiles.ruling(self.connector, now, started_at=self.started_at)
        power_w = self.car.draws_w(self._offered_w(ruling), station.supply)
        if self._told is None or ruling != self._ruling:
            limit = None if ruling is None else as_number(ruling.limit)
            unit = None if ruling is None else ruling.unit.value
            if ruling is not None or self._told is not None:
                station.report("limit", connector=self.connector, limit=limit, unit=unit, power_w=power_w)
        has_changed = self._told != (ruling, power_w)
        self._ruling, self.power_w, self._told = ruling, power_w, (ruling, power_w)
        self.meter.flow(power_w, now=now)
        if has_changed:
            station.show_status(self.connector, "Charging" if power_w else "SuspendedEVSE")
            self._has_changed.set()
        if has_changed or is_news:
            self._report_power(now)
        if is_news:
            self._is_disturbed.set()

    def meter_values(self) -> dict[str, Any]:
        """Return MeterValues.req of this moment."""
        now = self.clock()
        offered_a = self.station.supply.current_a(self._offered_w(self._ruling))
        samples = [
            {"measurand": "Energy.Active.Import.Register", "unit": "Wh", "value": str(self._wh(now))},
            {"measurand": "Power.Active.Import", "unit": "W", "value": str(self.power_w)},
            {"measurand": "Current.Offered", "unit": "A", "value": str(offered_a)},
        ]
        sampled = [{"context": "Sample.Periodic", **sample} for sample in samples]
        values: dict[str, Any] = {
            "connectorId": self.connector,
            "meterValue": [{"timestamp": timestamp(now), "sampledValue": sampled}],
        }
        if self.transaction_id is not None:
            values["transactionId"] = self.transaction_id
        return values

    async def _start(self) -> None:
        request = {
            "connectorId": self.connector,
            "idTag": self.id_tag,
            "meterStart": self.meter_start_wh,
            "timestamp": timestamp(self.started_at),
        }
        answer = await self.station.link.insist(
            "StartTransaction", request, pause_s=self.station.retry_pause_s
        )
        self.transaction_id = answer["transactionId"]
        status = answer["idTagInfo"]["status"]
        if status != "Accepted":
            await self._end("DeAuthorized")
            raise TagRefused(f"The tag {self.id_tag} was not accepted: {status}.")
        self.station.report(
            "started",
            connector=self.connector,
            transaction_id=self.transaction_id,
            id_tag=self.id_tag,
            meter_wh=self.meter_start_wh,
        )

    async def _tell(self) -> None:
        """Send status and meter values: when something changed, and at every interval."""
        while True:
            self._has_changed.clear()
            await self.station.tell_status(self.connector)
            await self.station.tell("MeterValues", self.meter_values())
            try:
                async with asyncio.timeout(self.station.configuration.seconds("MeterValueSampleInterval")):
                    await self._has_changed.wait()
            except TimeoutError:
                self._report_power(self.clock())

    async def _end(self, reason: str) -> None:
        now = self.clock()
        request = {
            "transactionId": self.transaction_id,
            "idTag": self.id_tag,
            "meterStop": int(self.meter.read_wh(now=now)),
            "timestamp": timestamp(now),
            "reason": reason,
        }
        self.station.profiles.end_transaction(self.connector)
        pause_s = self.station.retry_pause_s
        try:
            await self.station.link.insist("StopTransaction", request, pause_s=pause_s)
        except CallError as error:
            self.station.report("unanswered", action="StopTransaction", reason=str(error))
        energy_wh = self._wh(now) - self.meter_start_wh
        self.station.report(
            "stopped",
            connector=self.connector,
            transaction_id=self.transaction_id,
            energy_wh=energy_wh,
            reason=reason,
        )

    def _reason_to_stop(self) -> str:
        now = self.clock()
        if self._stop_reason:
            return self._stop_reason
        if self.duration_s is not None and now >= self.started_at + timedelta(seconds=self.duration_s):
            return "EVDisconnected"
        if self.car.wants_wh is not None and self._missing_wh(now) <= 0:
            return "EVDisconnected"
        return ""

    def _nap_s(self) -> float:
        """Return the seconds until something may change by itself."""
        now = self.clock()
        moments = list(self.station.profiles.changes(self.connector, started_at=self.started_at))
        if self.duration_s is not None:
            moments.append(self.started_at + timedelta(seconds=self.duration_s))
        if self.car.wants_wh is not None and self.power_w:
            moments.append(now + timedelta(hours=self._missing_wh(now) / self.power_w, milliseconds=1))
        waits = [(moment - now).total_seconds() for moment in moments if moment > now]
        return min([LONGEST_NAP_S, *waits])

    def _offered_w(self, ruling: Ruling | None) -> Decimal:
        most_w = Decimal(self.station.supply.max_power_w)
        return most_w if ruling is None else min(most_w, ruling.watts(self.station.supply))

    def _missing_wh(self, now: datetime) -> float:
        return float(self.car.wants_wh or 0) - (self.meter.read_wh(now=now) - self.meter_start_wh)

    def _wh(self, now: datetime) -> int:
        return int(self.meter.read_wh(now=now))

    def _report_power(self, now: datetime) -> None:
        energy_wh = self._wh(now) - self.meter_start_wh
        self.station.report("power", connector=self.connector, power_w=self.power_w, energy_wh=energy_wh)
