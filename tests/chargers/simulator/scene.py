"""A simulated station before a central system, both in the test's own loop."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from chargers.simulator.station import SimulatedStation
from tests.chargers.simulator.csms import NOW, Csms, until

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Events(list):
    """What the station reported."""

    def of(self, name):
        return [event for event in self if event["event"] == name]

    def last(self, name):
        """Return the fields of the newest event of a name, without what all events have."""
        return {key: value for key, value in self.of(name)[-1].items() if key not in {"at", "event"}}


@asynccontextmanager
async def charging(csms, **fields):
    """A station whose transaction 7 runs; it is stopped at the end."""
    async with station(csms, **fields) as events:
        await until(lambda: csms.got("MeterValues"))
        yield events


@asynccontextmanager
async def station(csms, **fields):
    events, stop = Events(), asyncio.Event()
    fields = {"clock": lambda: NOON, "meter_interval_s": 60, "retry_pause_s": 0.02, **fields}
    running = asyncio.create_task(SimulatedStation("CP1", csms.url, report=events.append, **fields).run(stop))
    await until(lambda: csms.sockets or running.done())
    try:
        yield events
    finally:
        stop.set()
        await running


def run(scenario, *, answers=None):
    async def scene():
        async with Csms(answers).open() as csms:
            await scenario(csms)

    asyncio.run(scene())


def profile(limit, *, unit="A", start=NOW, transaction_id=7, rest=()):
    periods = [{"startPeriod": 0, "limit": limit}]
    periods += [{"startPeriod": start_s, "limit": later} for start_s, later in rest]
    return {
        "connectorId": 1,
        "csChargingProfiles": {
            "chargingProfileId": 1,
            "transactionId": transaction_id,
            "stackLevel": 1,
            "chargingProfilePurpose": "TxProfile",
            "chargingProfileKind": "Absolute",
            "chargingSchedule": {
                "startSchedule": start,
                "chargingRateUnit": unit,
                "chargingSchedulePeriod": periods,
            },
        },
    }
