"""`manage.py sweep`: the sweeper as a process of its own."""

from __future__ import annotations

import signal
import threading
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from ocpi.console import ConsoleCommand
from ocpi.delivery import sweeper


def interval_s(text: str) -> float:
    """Return the seconds between two rounds. Raises ArgumentTypeError outside 0.1 to 60."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.1 <= seconds <= 60:
        raise ArgumentTypeError(f"{text!r} is not a number of seconds from 0.1 to 60")
    return seconds


class Command(ConsoleCommand):
    """Deliver what is due until SIGINT or SIGTERM; it needs the database only, not the broker."""

    help = "Finds duties that are due and delivers them, without needing the broker."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the seconds between two rounds."""
        parser.add_argument(
            "--every", type=interval_s, default=1.0, metavar="S", help="seconds between rounds"
        )

    def run(self, **options: Any) -> None:
        """Sweep until a signal ends it."""
        stop = threading.Event()
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, lambda *_: stop.set())
        every_s = options["every"]
        self.emit({"sweeping_every_s": every_s}, f"Sweeping every {every_s:g} s; Ctrl-C ends it.")
        self.stdout.flush()
        sweeper.run(stop, every_s)
