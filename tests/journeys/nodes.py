"""Nodes as real processes for the journeys: embedded in one, or spread over the Procfile's."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import requests
from cryptography.fernet import Fernet

from demo.processes import ROOT, Node, Program, StepFailed, wait_for

PROCESSES = ["web", "worker", "gateway", "sweeper"]


def procfile() -> dict[str, str]:
    """Return the Procfile's commands by name."""
    lines = (ROOT / "Procfile").read_text().splitlines()
    return {name: command.strip() for name, command in (line.split(":", 1) for line in lines if line)}


def is_listening(port: int) -> bool:
    """Tell whether something accepts connections on the loopback port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class ShellProgram(Program):
    """A line of the Procfile, run the way a process manager does."""

    def __init__(self, name: str, command: str, environment: dict[str, str]) -> None:
        self.command = command
        super().__init__(name, [], environment)

    def _arguments(self, arguments: list[str]) -> list[str]:
        # The virtualenv that runs the tests stands for the one that the Procfile names.
        return ["sh", "-c", "exec " + self.command.replace(".venv/bin/", f"{Path(sys.executable).parent}/")]


class SpreadNode(Node):
    """A node as in production: PostgreSQL, Redis, and web, worker, gateway and sweeper as processes."""

    def __init__(self, *, database_url: str, redis_url: str, redis_number: int, **fields: object) -> None:
        super().__init__(**fields)  # type: ignore[arg-type]
        self.server_url = database_url
        self.database = f"journey_{fields['party_id']}_{self.http_port}".lower()
        self.programs: dict[str, Program] = {}
        self.environment |= {
            "DATABASE_URL": urlunsplit(urlsplit(database_url)._replace(path=f"/{self.database}")),
            "REDIS_URL": urlunsplit(urlsplit(redis_url)._replace(path=f"/{redis_number}")),
            "SECRET_KEY": "only for journeys, " * 3,
            "FIELD_KEYS": Fernet.generate_key().decode(),
            "OUTBOUND_ALLOWED_NETWORKS": "127.0.0.0/8",
            "ACCEPT_UNKNOWN_TOKENS": "true",
            "PORT": str(self.http_port),
            "LISTEN": f"127.0.0.1:{self.ocpp_port}",
        }

    def _on_server(self, statement: str) -> None:
        with psycopg.connect(self.server_url, autocommit=True) as connection:
            connection.execute(statement.encode())

    def start(self) -> None:
        """Make the database, migrate it, and start the processes."""
        self._on_server(f"DROP DATABASE IF EXISTS {self.database} WITH (FORCE)")
        self._on_server(f"CREATE DATABASE {self.database}")
        migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(migrate, cwd=ROOT, env=self.environment, check=True)
        for process in PROCESSES:
            self.launch(process)

    def launch(self, process: str, name: str = "", **environment: str) -> Program:
        """Start a process of the Procfile; one more of a kind gets a name and an environment of its own."""
        name = name or process
        program = ShellProgram(f"{self.name} {name}", procfile()[process], self.environment | environment)
        self.programs[name] = program
        return program

    def kill(self, name: str) -> None:
        """End a process, and its children, as if the power went."""
        program = self.programs.pop(name)
        os.killpg(program.process.pid, signal.SIGKILL)
        program.stop()

    def ready(self) -> None:
        """Return when web and gateway serve."""
        wait_for(
            lambda: is_listening(self.ocpp_port), within_s=40, what=f"{self.name}'s gateway getting ready"
        )
        wait_for(self._answers, within_s=40, what=f"{self.name}'s web getting ready")

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except requests.ConnectionError:
            return False

    def stop(self) -> None:
        """Stop the processes and drop the database."""
        for program in self.programs.values():
            program.process.terminate()
        for program in self.programs.values():
            program.stop()
        self._on_server(f"DROP DATABASE IF EXISTS {self.database} WITH (FORCE)")


__all__ = ["Node", "Program", "SpreadNode", "StepFailed", "wait_for"]
