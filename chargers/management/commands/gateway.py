"""`manage.py gateway`: the process that chargers connect to."""

from __future__ import annotations

import signal
import threading
from argparse import ArgumentParser
from typing import Any

from chargers import server
from chargers.bus import bus_from_settings
from ocpi.console import ConsoleCommand, ConsoleError


class Command(ConsoleCommand):
    """Serve chargers until SIGINT or SIGTERM; any number of gateways may run."""

    help = "Serves chargers over OCPP; any number of gateways may run."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the address to listen on."""
        parser.add_argument("--listen", default="127.0.0.1:9000", metavar="HOST:PORT")

    def run(self, **options: Any) -> None:
        """Print one `ready` line when serving, and drain at a signal."""
        listen: str = options["listen"]
        host, _separator, port = listen.rpartition(":")
        if not host or not port.isdigit() or not 0 < int(port) < 65536:
            raise ConsoleError(f"{listen!r} is not HOST:PORT, such as 127.0.0.1:9000.")
        stop = threading.Event()
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, lambda *_: stop.set())
        try:
            server.run(
                host=host.strip("[]"),
                port=int(port),
                bus=bus_from_settings(),
                stop=stop,
                on_ready=lambda: self._ready(listen),
            )
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise ConsoleError(f"Can't listen on {listen}: {reason}.") from error

    def _ready(self, listen: str) -> None:
        self.stdout.write(f"ready ocpp={listen}")
        self.stdout.flush()
