"""`manage.py gateway`, as a process of its own beside the one that owes commands."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings
from django.db import connection

from chargers.models import Charger
from tests.chargers.owed import ACCEPTED, SET, owe_limit, settled
from tests.ports import free_port
from tests.station import Station

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[2]


def environment() -> dict[str, str]:
    """Return what a process needs to work on the test's own database."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        url = f"sqlite://{name}"
    else:
        url = urlunsplit(urlsplit(settings.DATABASE_URL)._replace(path=f"/{name}"))
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": url,
        "SECRET_KEY": settings.SECRET_KEY,
        "FIELD_KEYS": ",".join(settings.FIELD_KEYS),
    }


def gateway_command(listen: str) -> subprocess.Popen[str]:
    """Start the command."""
    return subprocess.Popen(
        [sys.executable, "manage.py", "gateway", "--listen", listen],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def process() -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A gateway process that serves, and its port."""
    port = free_port()
    with gateway_command(f"127.0.0.1:{port}") as running:
        assert running.stdout is not None
        assert running.stdout.readline() == f"ready ocpp=127.0.0.1:{port}\n"
        yield running, port
        running.kill()


def test_serves_what_other_processes_owe_and_drains(
    charger: Charger, process: tuple[subprocess.Popen[str], int]
) -> None:
    running, port = process
    with Station(f"ws://127.0.0.1:{port}", "CH1", replies={SET: ACCEPTED}) as station:
        assert settled(owe_limit(station.start(), 10)) == ("ANSWERED", "ACCEPTED")

        running.send_signal(signal.SIGTERM)

        assert running.wait(10) == 0
        assert station.socket.close_code == 1012


@pytest.mark.parametrize(
    ("listen", "reason"),
    [
        ("", "Can't listen on {address}: address already in use."),
        ("nonsense", "'nonsense' is not HOST:PORT, such as 127.0.0.1:9000."),
        ("127.0.0.1:99999", "'127.0.0.1:99999' is not HOST:PORT, such as 127.0.0.1:9000."),
    ],
)
def test_says_in_one_line_why_it_can_not_serve(gateway: str, listen: str, reason: str) -> None:
    address = urlsplit(gateway).netloc

    with gateway_command(listen or address) as running:
        output, errors = running.communicate(timeout=20)

    assert (running.returncode, output) == (1, "")
    assert errors == f"{reason.format(address=address)}\n"
