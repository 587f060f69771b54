"""A node starts quickly, says why when it can't, and stops cleanly."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from demo.processes import ROOT, Node, free_port
from tests.journeys.nodes import ShellProgram, procfile, wait_for

WARNING = "ALLOWED_HOSTS has *: requests for any host name are answered. (node.W002)"


def make_node(folder: Path) -> Node:
    return Node(name="Start", folder=folder, country_code="NL", party_id="STA", role="CPO,SCSP", port=8600)


def refusal(folder: Path, *arguments: str, **environment: str) -> tuple[int, str]:
    """Run `manage.py` and return its exit code and what it said on standard error."""
    node = make_node(folder)
    finished = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=node.environment | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return finished.returncode, finished.stderr.strip()


def test_serves_what_it_says_and_stops_at_sigterm_within_10_seconds(tmp_path: Path) -> None:
    node = make_node(tmp_path)
    node.start()
    try:
        assert node.program is not None
        line = node.program.line(within_s=40, what="ready")

        assert line == f"ready http=127.0.0.1:{node.http_port} ocpp=127.0.0.1:{node.ocpp_port}"
        assert requests.get(f"{node.url}/healthz", timeout=5).json() == {"status": "ok"}
        assert requests.get(f"{node.url}/readyz", timeout=5).json() == {
            "status": "ok",
            "database": "ok",
            "broker": "ok",
            "delivery": "ok",
        }
        assert requests.get(f"{node.url}/admin/login/", timeout=5).status_code == 200
    finally:
        began = time.monotonic()
        node.stop()
    assert time.monotonic() - began < 10
    assert node.program.process.returncode == 0


def test_is_ready_within_5_seconds_and_ends_cleanly_at_ctrl_c(tmp_path: Path) -> None:
    node = make_node(tmp_path)
    began = time.monotonic()
    node.start()
    try:
        node.ready()
        ready_s = time.monotonic() - began
        assert node.program is not None

        node.program.process.send_signal(signal.SIGINT)

        assert node.program.process.wait(10) == 0
        assert ready_s < 5
    finally:
        node.stop()
    assert node.program.errors == []


def test_refuses_a_second_node_on_the_same_folder(tmp_path: Path) -> None:
    node = make_node(tmp_path)
    node.start()
    try:
        node.ready()
        free = free_port(8700)

        code, reason = refusal(
            tmp_path, "node", "--http", f"127.0.0.1:{free}", "--ocpp", f"127.0.0.1:{free + 1000}"
        )
    finally:
        node.stop()

    assert code == 1
    assert reason == f"Another node runs on {tmp_path}; stop it, or set DATA_DIR to a folder of its own."


@pytest.mark.parametrize("taken", ["http", "ocpp"])
def test_names_the_port_that_is_in_use(tmp_path: Path, taken: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", free_port(8800)))
        other.listen()
        port = other.getsockname()[1]
        addresses = {"http": f"127.0.0.1:{free_port(8900)}", "ocpp": f"127.0.0.1:{free_port(9900)}"}
        addresses[taken] = f"127.0.0.1:{port}"

        code, reason = refusal(tmp_path, "node", "--http", addresses["http"], "--ocpp", addresses["ocpp"])

    assert code == 1
    assert reason == f"Can't listen on 127.0.0.1:{port}: address already in use."


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({"PROFILE_TIMEOUT_S": "soon"}, "PROFILE_TIMEOUT_S must be a whole number of seconds"),
        ({"ROLES": "HUB"}, "ROLES must list some of CPO, SCSP"),
        ({"DATABASE_URL": "postgres://u:p@h:abc/db"}, "DATABASE_URL must be like postgres://"),
        ({"DATABASE_URL": "postgres://"}, "DATABASE_URL must name a database"),
        ({"REDIS_URL": "redis://h:abc/0"}, "REDIS_URL must be like redis://"),
        ({"DATA_DIR": "/proc/nope"}, "DATA_DIR must be a folder that we can write in"),
        ({"LOG_LEVEL": "LOUD"}, "LOG_LEVEL must be one of DEBUG, INFO, WARNING, ERROR"),
        ({"COUNTRY_CODE": "12"}, "COUNTRY_CODE must be the two letters of a country"),
        ({"NODE_URL": "http://a b"}, "NODE_URL must be an address such as"),
        ({"PARTY_NAME": "x" * 101}, "PARTY_NAME must have at most 100 characters"),
        ({"REDIS_URL": "redis://127.0.0.1/0"}, "SECRET_KEY must be set"),
        (
            {"DATABASE_URL": "postgres://127.0.0.1/x", "SECRET_KEY": "x" * 50},
            "FIELD_KEYS must be set",
        ),
    ],
)
def test_does_not_start_with_a_wrong_setting(
    tmp_path: Path, environment: dict[str, str], reason: str
) -> None:
    code, said = refusal(tmp_path, "node", **environment)

    assert code != 0
    assert said.startswith(reason)
    assert "\n" not in said


@pytest.mark.parametrize("process", ["web", "worker", "gateway", "sweeper", "beat"])
def test_no_process_of_the_procfile_starts_with_a_wrong_setting(tmp_path: Path, process: str) -> None:
    node = make_node(tmp_path)
    listen = {"PORT": str(node.http_port), "LISTEN": f"127.0.0.1:{node.ocpp_port}"}
    program = ShellProgram(process, procfile()[process], node.environment | listen | {"ROLES": "HUB"})
    try:
        code = program.process.wait(20)
    finally:
        program.stop()

    assert code != 0
    # gunicorn adds lines of its own.
    said = [line for line in program.errors if not line.startswith("[")]
    assert said == ["ROLES must list some of CPO, SCSP, not 'HUB'."]


@pytest.mark.parametrize("process", ["node", "web", "gateway", "sweeper"])
def test_warns_of_an_unsafe_setting_as_it_starts(tmp_path: Path, process: str) -> None:
    node = make_node(tmp_path)
    listen = {"PORT": str(node.http_port), "LISTEN": f"127.0.0.1:{node.ocpp_port}"}
    commands = procfile() | {"node": ".venv/bin/python manage.py node --http 127.0.0.1:$PORT --ocpp $LISTEN"}
    program = ShellProgram(process, commands[process], node.environment | listen | {"ALLOWED_HOSTS": "*"})
    try:
        wait_for(lambda: any(WARNING in line for line in list(program.errors)), within_s=20, what=WARNING)
    finally:
        program.stop()


def test_short_commands_say_nothing_of_unsafe_settings(tmp_path: Path) -> None:
    assert refusal(tmp_path, "migrate", "-v", "0") == (0, "")

    assert refusal(tmp_path, "partner", "list", "--json", ALLOWED_HOSTS="*") == (0, "")


@pytest.mark.parametrize(
    "arguments",
    [
        ["node", "--http", "8000"],
        ["node", "--http", "127.0.0.1:0"],
        ["partner", "show", "999"],
        ["partner", "list", "nonsense"],
        ["charger", "add", "has a space"],
        ["profile", "show", "not-a-request"],
        ["delivery", "replay", "nothing"],
    ],
)
def test_refuses_arguments_that_make_no_sense_in_one_line(tmp_path: Path, arguments: list[str]) -> None:
    assert refusal(tmp_path, "migrate", "-v", "0") == (0, "")

    code, said = refusal(tmp_path, *arguments)

    assert code != 0
    assert said
    assert "\n" not in said
    assert "Traceback" not in said
