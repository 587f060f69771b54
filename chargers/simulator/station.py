"""The simulated station: stays connected to a central system, plugs a car in and lets it charge."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping
from datetime import UTC, datetime
from typing import Any, NoReturn

from chargers.simulator.answers import Answers, Scripted
from chargers.simulator.car import Car, Meter, Supply
from chargers.simulator.charging import Charging, TagRefused, timestamp
from chargers.simulator.configuration import Configuration
from chargers.simulator.connection import Connection
from chargers.simulator.link import CallError, Link, NoAnswer
from chargers.simulator.link2 import Link2

LAST_WORDS_S = 5
BOOT_PAUSE_S = 10


def _now() -> datetime:
    return datetime.now(UTC)


class SimulatedStation:
    """An OCPP station with one car at connector 1; `version` is 1.6, 2.0.1 or 2.1.

    It connects to `{url}/{identity}`, boots, starts a transaction (unless `plugs_in` is False) and charges
    with the car's power or the limit that it was given. `report` gets every event as a dict. `configuration`
    overrides configuration keys; `answers`, `silent` and `delay_s` make it misbehave (see Answers).
    """

    def __init__(
        self,
        identity: str,
        url: str,
        *,
        password: str | None = None,
        car: Car | None = None,
        supply: Supply | None = None,
        connectors: int = 1,
        id_tag: str = "SIMULATED",
        plugs_in: bool = True,
        meter_interval_s: float = 5,
        duration_s: float | None = None,
        report: Callable[[dict[str, Any]], object] = lambda event: None,
        clock: Callable[[], datetime] = _now,
        retry_pause_s: float = 1,
        configuration: Mapping[str, str | None] | None = None,
        answers: Mapping[str, Scripted] | None = None,
        silent: Collection[str] = (),
        delay_s: float = 0,
        version: str = "1.6",
    ) -> None:
        self.connection = Connection(url, identity, password, version=version)
        self.car = car or Car(power_w=11_000)
        self.supply = supply or Supply()
        self.connectors = connectors
        self.id_tag = id_tag
        self.plugs_in = plugs_in
        self.duration_s = duration_s
        self.clock = clock
        self.retry_pause_s = retry_pause_s
        self.configuration = Configuration(
            connectors=connectors, meter_interval_s=meter_interval_s, changes=configuration
        )
        self.profiles = self.configuration.profile_store(self.supply)
        self.answers = Answers(self, scripted=answers or {}, silent=silent, delay_s=delay_s)
        self.link = (Link if version == "1.6" else Link2)(
            answer=self.answers.answer, unreadable=lambda frame: self.report("unreadable", frame=frame[:200])
        )
        self.charging: dict[int, Charging] = {}
        self.meters: dict[int, Meter] = {}
        self.status = dict.fromkeys(range(connectors + 1), "Available")
        self._told_status: dict[int, str] = {}
        self._inoperative: set[int] = set()
        self._report = report
        self._is_booted = asyncio.Event()
        self._spawned: set[asyncio.Task[Any]] = set()

    async def run(self, stop: asyncio.Event | None = None) -> None:
        """Live until the car is full, its time is over, or `stop` is set; then end the transaction and leave.

        Raises NotLetIn when the first connection fails, TagRefused, and CallError when no car can start.
        """
        connecting = self.connection.keep(
            self.link, greet=self._greet, report=self.report, pause_s=self.retry_pause_s
        )
        stopping = (stop or asyncio.Event()).wait()
        tasks = [asyncio.create_task(life) for life in (connecting, self._live(), stopping, self._beat())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            await self._stop_charging("Local")
        finally:
            tasks += self._spawned
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def report(self, event: str, **fields: Any) -> None:
        """Tell whoever listens what happened."""
        self._report({"at": timestamp(self.clock()), "event": event, **fields})

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run something beside the rest, until the station stops."""
        task = asyncio.create_task(work)
        self._spawned.add(task)
        task.add_done_callback(self._spawned.discard)
        return task

    def running(self) -> dict[int, int]:
        """Return the id of the transaction that runs at each connector."""
        return {
            number: charging.transaction_id
            for number, charging in self.charging.items()
            if charging.transaction_id is not None
        }

    def is_free(self, connector: int) -> bool:
        """Tell whether a car can be plugged in."""
        is_known = 1 <= connector <= self.connectors
        return is_known and connector not in self.charging and connector not in self._inoperative

    def start_remotely(self, connector: int, id_tag: str) -> None:
        """Plug a car in because the central system asked for it."""

        async def charge() -> None:
            try:
                await self._charge(connector, id_tag)
            except (TagRefused, CallError) as error:
                self.report("refused", reason=str(error))

        self.spawn(charge())

    async def reset(self, reason: str) -> None:
        """End the transactions, for an OCPP 1.6 Reason, and start over with a new connection."""
        await self._stop_charging(reason)
        self._is_booted.clear()
        await self.link.close()

    def set_operative(self, connector: int, is_operative: bool) -> bool:
        """Open or close a connector (0: all) and return whether a car is still at one."""
        numbers = set(range(1, self.connectors + 1)) if connector == 0 else {connector}
        self._inoperative = self._inoperative - numbers if is_operative else self._inoperative | numbers
        for number in numbers - set(self.charging):
            self.show_status(number, self._idle_status(number))
            self.spawn(self.tell_status(number))
        return bool(numbers & set(self.charging))

    def show_status(self, connector: int, status: str) -> None:
        """Set a connector's status, to be told by `tell_status`."""
        if self.status[connector] != status:
            self.status[connector] = status
            self.report("status", connector=connector, status=status)

    async def tell_status(self, connector: int, *, is_repeated: bool = False) -> None:
        """Send the status of a connector if it was not told yet, or again."""
        status = self.status[connector]
        if self._told_status.get(connector) == status and not is_repeated:
            return
        request = {
            "connectorId": connector,
            "errorCode": "NoError",
            "status": status,
            "timestamp": timestamp(self.clock()),
        }
        if await self.tell("StatusNotification", request) is not None:
            self._told_status[connector] = status

    async def tell(self, action: str, request: dict[str, Any]) -> dict[str, Any] | None:
        """Return the answer to a call that may get lost, None when it was."""
        try:
            return await self.link.call(action, request)
        except (NoAnswer, CallError) as error:
            self.report("unanswered", action=action, reason=str(error))
            return None

    async def boot(self) -> dict[str, Any] | None:
        """Send BootNotification and return the answer."""
        request = {
            "chargePointVendor": "Simulated",
            "chargePointModel": "SimulatedStation",
            "firmwareVersion": "1",
        }
        return await self.tell("BootNotification", request)

    async def _greet(self) -> None:
        """Boot, if that is due, and tell every status: on each new socket."""
        await self.link.is_up.wait()
        while not self._is_booted.is_set():
            answer = await self.boot() or {}
            status, interval_s = answer.get("status"), answer.get("interval") or 0
            self.report("booted", status=status, interval_s=interval_s)
            if status != "Accepted":
                await asyncio.sleep(interval_s or BOOT_PAUSE_S)
                continue
            if interval_s > 0:
                self.configuration.keys["HeartbeatInterval"] = str(interval_s)
            break
        for connector in range(self.connectors + 1):
            await self.tell_status(connector, is_repeated=True)
        self._is_booted.set()

    async def _beat(self) -> NoReturn:
        await self._is_booted.wait()
        while True:
            await asyncio.sleep(self.configuration.seconds("HeartbeatInterval"))
            if self.link.is_up.is_set():
                await self.tell("Heartbeat", {})

    async def _live(self) -> None:
        await self._is_booted.wait()
        if self.plugs_in:
            self.show_status(1, "Preparing")
            try:
                await self._authorize(self.id_tag)
            except TagRefused:
                self.show_status(1, self._idle_status(1))
                await self.tell_status(1)
                raise
            if await self._charge(1, self.id_tag, duration_s=self.duration_s) == "EVDisconnected":
                return
        # Stopped remotely, or nothing to start with: RemoteStart may bring the next car.
        await asyncio.Event().wait()

    async def _authorize(self, id_tag: str) -> None:
        answer = await self.link.insist("Authorize", {"idTag": id_tag}, pause_s=self.retry_pause_s)
        status = answer["idTagInfo"]["status"]
        self.report("authorized", id_tag=id_tag, status=status)
        if status != "Accepted":
            raise TagRefused(f"The tag {id_tag} was not accepted: {status}.")

    async def _charge(self, connector: int, id_tag: str, *, duration_s: float | None = None) -> str:
        """Let the car charge at a connector and return the reason of the end."""
        charging = Charging(
            self, connector=connector, id_tag=id_tag, car=self.car, duration_s=duration_s, clock=self.clock
        )
        self.charging[connector] = charging
        self.show_status(connector, "Preparing")
        await self.tell_status(connector)
        try:
            reason = await charging.run()
            self.show_status(connector, "Finishing")
            await self.tell_status(connector)
            return reason
        finally:
            del self.charging[connector]
            self.show_status(connector, self._idle_status(connector))
            await self.tell_status(connector)
            charging.is_over.set()

    async def _stop_charging(self, reason: str) -> None:
        """End every transaction and return when the central system knows, or has had its time."""
        stopping = list(self.charging.values())
        for charging in stopping:
            charging.stop(reason)
        try:
            async with asyncio.timeout(LAST_WORDS_S):
                for charging in stopping:
                    await charging.is_over.wait()
        except TimeoutError:
            self.report("unanswered", action="StopTransaction", reason="the server could not be told in time")

    def _idle_status(self, connector: int) -> str:
        return "Unavailable" if connector in self._inoperative else "Available"
