"""`manage.py simulate_charger IDENTITY --url ws://HOST:9000`: a station that lets a car charge."""

from __future__ import annotations

import asyncio
import signal
from argparse import ArgumentTypeError
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.core.management.base import CommandParser

from chargers.simulator.car import Car, Supply
from chargers.simulator.sentences import sentence
from chargers.simulator.station import SimulatedStation
from ocpi.console import ConsoleCommand


def above_zero(kind: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return a reader of arguments that must be numbers above 0."""

    def number(text: str) -> Any:
        try:
            value = kind(text)
            if 0 < value < 10**9:
                return value
        except (ValueError, ArithmeticError):
            pass
        raise ArgumentTypeError(f"{text} is not a number above 0")

    return number


def tag(text: str) -> str:
    """Read an idTag: OCPP 1.6, 7.28 allows 1 to 20 characters."""
    if not 1 <= len(text) <= 20:
        raise ArgumentTypeError("a tag has 1 to 20 characters")
    return text


class Command(ConsoleCommand):
    """Simulate an OCPP charging station; needs no database."""

    # Whoever read the lines left, as `head` does.
    foreseen = (BrokenPipeError,)
    help = "Simulates a charging station: connects, plugs a car in and charges at the limit it is given."

    def add_arguments(self, parser: CommandParser) -> None:
        """Say what can be chosen."""
        whole, decimal = above_zero(int), above_zero(float)
        parser.add_argument("identity", metavar="IDENTITY", help="the charger's name at the server")
        parser.add_argument("--url", required=True, metavar="URL", help="such as ws://127.0.0.1:9000")
        parser.add_argument("--password", metavar="P", help="for Basic auth")
        parser.add_argument("--ocpp", choices=("1.6", "2.0.1", "2.1"), default="1.6", help="its version")
        parser.add_argument("--power-w", type=whole, default=11_000, metavar="W", help="what the car takes")
        parser.add_argument("--phases", type=int, choices=(1, 2, 3), default=3)
        parser.add_argument("--connectors", type=whole, default=1, metavar="N")
        parser.add_argument(
            "--id-tag", type=tag, default="SIMULATED", metavar="TAG", help="the driver's card"
        )
        parser.add_argument("--meter-interval-s", type=decimal, default=5.0, metavar="S")
        parser.add_argument("--energy-kwh", type=above_zero(Decimal), metavar="N", help="leave when charged")
        parser.add_argument("--duration-s", type=decimal, metavar="S", help="leave after so many seconds")
        parser.add_argument("--quiet", action="store_true", help="print nothing but problems")

    def run(self, **options: Any) -> None:
        """Charge until the car leaves, or until SIGINT or SIGTERM."""
        energy_kwh = options["energy_kwh"]
        station = SimulatedStation(
            options["identity"],
            options["url"],
            password=options["password"],
            version=options["ocpp"],
            car=Car(options["power_w"], None if energy_kwh is None else energy_kwh * 1000),
            supply=Supply(phases=options["phases"]),
            connectors=options["connectors"],
            id_tag=options["id_tag"],
            meter_interval_s=options["meter_interval_s"],
            duration_s=options["duration_s"],
            report=(lambda event: None) if options["quiet"] else self.say,
        )
        asyncio.run(_until_stopped(station))

    def say(self, event: dict[str, Any]) -> None:
        """Print an event at once: programs read it as it happens."""
        self.emit(event, sentence(event))
        self.stdout.flush()


async def _until_stopped(station: SimulatedStation) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await station.run(stop)
