"""A web process without its database or its broker stays up, and says which of them is missing."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from cryptography.fernet import Fernet

from demo.processes import ROOT
from tests.journeys.nodes import Node, ShellProgram, is_listening, procfile, wait_for


@pytest.fixture
def closed_port() -> Iterator[int]:
    """Hold a port that refuses connections."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@contextmanager
def running_web(folder: Path, *, database_url: str, redis_url: str = "") -> Iterator[str]:
    """Run the Procfile's web; yields its address."""
    node = Node(name="Web", folder=folder, country_code="NL", party_id="WEB", role="CPO", port=8350)
    environment = node.environment | {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SECRET_KEY": "only for journeys, " * 3,
        "FIELD_KEYS": Fernet.generate_key().decode(),
        "PORT": str(node.http_port),
    }
    if database_url.startswith("sqlite"):
        migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(migrate, cwd=ROOT, env=environment, check=True)
    web = ShellProgram("web", procfile()["web"], environment)
    try:
        wait_for(lambda: is_listening(node.http_port), within_s=20, what="web listening")
        yield node.url
    finally:
        web.stop()


def answer(url: str) -> tuple[int, dict[str, str]]:
    """Return the status and the body of an answer."""
    response = requests.get(url, timeout=20)
    return response.status_code, response.json()


def test_says_that_the_database_is_gone(tmp_path: Path, closed_port: int) -> None:
    with running_web(tmp_path, database_url=f"postgres://node@127.0.0.1:{closed_port}/node") as url:
        assert answer(f"{url}/healthz") == (200, {"status": "ok"})
        assert answer(f"{url}/readyz") == (
            503,
            {"status": "unready", "database": "unreachable", "broker": "ok", "delivery": "unknown"},
        )


def test_says_that_the_broker_is_gone(tmp_path: Path, closed_port: int) -> None:
    database_url, redis_url = f"sqlite:///{tmp_path}/node.sqlite3", f"redis://127.0.0.1:{closed_port}/0"
    with running_web(tmp_path, database_url=database_url, redis_url=redis_url) as url:
        assert answer(f"{url}/healthz") == (200, {"status": "ok"})
        assert answer(f"{url}/readyz") == (
            503,
            {"status": "unready", "database": "ok", "broker": "unreachable", "delivery": "ok"},
        )
