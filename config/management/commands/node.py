"""`manage.py node`: the whole node in one process, on its embedded default."""

from __future__ import annotations

import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command

from config.embedded import EmbeddedNode, UnableToStart
from ocpi.console import ConsoleCommand, ConsoleError


def address(text: str) -> tuple[str, int]:
    """Return (host, port) of HOST:PORT. Raises ConsoleError for anything else."""
    host, separator, port = text.rpartition(":")
    if not separator or not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ConsoleError(f"{text!r} is not HOST:PORT, such as 127.0.0.1:8000.")
    return host.strip("[]"), int(port)


class Command(ConsoleCommand):
    """Create or migrate the database, then serve OCPI, admin and chargers until SIGINT or SIGTERM."""

    help = "Runs everything embedded: web, gateway, worker, sweeper and beat in one process."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the two addresses to listen on."""
        parser.add_argument("--http", default="127.0.0.1:8000", metavar="HOST:PORT")
        parser.add_argument("--ocpp", default="127.0.0.1:9000", metavar="HOST:PORT")

    def run(self, **options: Any) -> None:
        """Start every part, print one `ready` line, and stop them all at a signal."""
        http, ocpp = address(options["http"]), address(options["ocpp"])
        stop = threading.Event()
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, lambda *_: stop.set())
        node = EmbeddedNode(http=http, ocpp=ocpp)
        try:
            node.claim()
            call_command("migrate", interactive=False, verbosity=0)
            node.start()
        except UnableToStart as error:
            node.stop()
            raise ConsoleError(str(error)) from error
        self.stdout.write(f"ready http={options['http']} ocpp={options['ocpp']}")
        self.stdout.flush()
        try:
            node.wait(stop)
        except UnableToStart as error:
            raise ConsoleError(str(error)) from error
        finally:
            node.stop()
