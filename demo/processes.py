"""Starting, asking and stopping the processes of the demo: nodes and a simulated charger."""

from __future__ import annotations

import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
STOP_LIMIT_S = 12
# What a node reads; whatever the shell has set of it must not change the story.
NODE_SETTINGS = {
    "ACCEPT_UNKNOWN_TOKENS",
    "ALLOWED_HOSTS",
    "DATABASE_URL",
    "DEBUG",
    "DJANGO_SETTINGS_MODULE",
    "FIELD_KEYS",
    "INVITATION_LIFE_S",
    "OLD_TOKEN_GRACE_S",
    "OTHER_PARTIES",
    "OUTBOUND_ALLOWED_NETWORKS",
    "PROFILE_RATE",
    "PROFILE_TIMEOUT_S",
    "REDIS_URL",
    "RESULT_GRACE_S",
    "SECRET_KEY",
}


class StepFailed(Exception):
    """A step of the demo did not happen; the message says which and why."""


def free_port(preferred: int) -> int:
    """Return the preferred port, or the next free one on loopback."""
    for port in range(preferred, preferred + 200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise StepFailed(f"No free port from {preferred} to {preferred + 200}.")


def wait_for(condition: Callable[[], Any], *, within_s: float, what: str) -> Any:
    """Return the first truthy value of `condition`. Raises StepFailed naming `what` when time runs out."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.1)
    raise StepFailed(f"{what} did not happen within {within_s:.0f} s.")


class Program:
    """A running `manage.py` command whose output lines are read as they come."""

    def __init__(self, name: str, arguments: list[str], environment: dict[str, str]) -> None:
        self.name = name
        self.lines: queue.Queue[str] = queue.Queue()
        self.errors: list[str] = []
        self.process = subprocess.Popen(
            self._arguments(arguments),
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._readers = [
            threading.Thread(target=self._read, args=reading, daemon=True)
            for reading in ((self.process.stdout, self.lines.put), (self.process.stderr, self.errors.append))
        ]
        for reader in self._readers:
            reader.start()

    def _arguments(self, arguments: list[str]) -> list[str]:
        return [sys.executable, "manage.py", *arguments]

    def _read(self, stream: Any, take: Callable[[str], object]) -> None:
        with stream:
            for line in stream:
                take(line.rstrip("\n"))

    def line(self, *, within_s: float, what: str) -> str:
        """Return the next output line. Raises StepFailed when none comes or the program ended."""
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            try:
                return self.lines.get(timeout=0.2)
            except queue.Empty:
                if self.process.poll() is not None and self.lines.empty():
                    reason = self.errors[-1] if self.errors else f"exit code {self.process.returncode}"
                    raise StepFailed(f"{self.name} ended: {reason}") from None
        raise StepFailed(f"{what} did not happen within {within_s:.0f} s.")

    def event(self, name: str, *, within_s: float, what: str) -> dict[str, Any]:
        """Return the next JSON line whose `event` is `name`, skipping others."""
        end = time.monotonic() + within_s
        while True:
            line = self.line(within_s=max(0.1, end - time.monotonic()), what=what)
            event: dict[str, Any] = json.loads(line)
            if event.get("event") == name:
                return event

    def stop(self) -> None:
        """End the program cleanly, and by force if it does not listen."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for reader in self._readers:
            reader.join(1)


class Node:
    """One node on its own embedded default: its own folder, database and ports."""

    def __init__(
        self, *, name: str, folder: Path, country_code: str, party_id: str, role: str, port: int
    ) -> None:
        self.name = name
        self.http_port = free_port(port)
        self.ocpp_port = free_port(port + 1000)
        self.url = f"http://127.0.0.1:{self.http_port}"
        clean = {key: value for key, value in os.environ.items() if key not in NODE_SETTINGS}
        self.environment = clean | {
            "DATA_DIR": str(folder),
            "NODE_URL": self.url,
            "COUNTRY_CODE": country_code,
            "PARTY_ID": party_id,
            "PARTY_NAME": name,
            "ROLES": role,
            "LOG_LEVEL": "WARNING",
        }
        self.program: Program | None = None

    def start(self) -> None:
        """Start the node's process; `ready` waits for it."""
        self.program = Program(
            self.name,
            ["node", "--http", f"127.0.0.1:{self.http_port}", "--ocpp", f"127.0.0.1:{self.ocpp_port}"],
            self.environment,
        )

    def ready(self) -> None:
        """Return when the node serves."""
        assert self.program is not None
        self.program.line(within_s=40, what=f"{self.name} getting ready")

    def ask(self, *arguments: str) -> dict[str, Any]:
        """Run a `manage.py` command with --json and return its answer. Raises StepFailed with its reason."""
        finished = subprocess.run(
            [sys.executable, "manage.py", *arguments, "--json"],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if finished.returncode != 0:
            reason = (finished.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise StepFailed(f"`manage.py {' '.join(arguments[:2])}` on {self.name}: {reason}")
        answer: dict[str, Any] = json.loads(finished.stdout)
        return answer

    def stop(self) -> None:
        """Stop the node's process."""
        if self.program:
            self.program.stop()
