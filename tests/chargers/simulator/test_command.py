import asyncio
import json
import os
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.chargers.simulator.csms import Csms, until
from tests.chargers.simulator.scene import profile

ROOT = Path(__file__).parents[3]


@asynccontextmanager
async def command(data_dir, *arguments):
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "manage.py",
        "simulate_charger",
        *arguments,
        cwd=ROOT,
        env={**os.environ, "DATA_DIR": str(data_dir)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def ended(process):
    """Return exit code, output and errors of a process that ends by itself."""
    output, errors = await asyncio.wait_for(process.communicate(), 10)
    return process.returncode, output.decode(), errors.decode()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_prints_json_lines_and_ends_the_transaction_on_a_signal(tmp_path, number):
    async def scene():
        arguments = ["CP1", "--power-w", "22000", "--id-tag", "CARD", "--json"]
        async with Csms().open() as csms, command(tmp_path, *arguments, "--url", csms.url) as process:
            await until(lambda: csms.got("MeterValues"), 10)
            await csms.ask("SetChargingProfile", profile(10))
            await until(lambda: len(csms.got("MeterValues")) > 1)
            process.send_signal(number)
            code, output, errors = await ended(process)

        assert (code, errors) == (0, "")
        events = [json.loads(line) for line in output.splitlines()]
        assert [event["event"] for event in events] == [
            *("connected", "booted", "status", "authorized", "started", "status", "power"),
            *("profile", "limit", "power", "stopped", "status", "status"),
        ]
        assert [event["power_w"] for event in events if event["event"] == "power"] == [22000, 6900]
        assert csms.got("StartTransaction")[0]["idTag"] == "CARD"
        assert csms.got("StopTransaction")[0]["reason"] == "Local"
        assert csms.statuses()[-1] == "Available"
        assert list(tmp_path.glob("*.sqlite3")) == []

    asyncio.run(scene())


def test_prints_for_people_and_leaves_after_its_time(tmp_path):
    async def scene():
        arguments = ["CP1", "--phases", "1", "--power-w", "3680", "--duration-s", "0.2"]
        async with Csms().open() as csms, command(tmp_path, *arguments, "--url", csms.url) as process:
            code, output, errors = await ended(process)

        assert (code, errors) == (0, "")
        lines = [line.split("  ", 1)[1] for line in output.splitlines()]
        assert lines == [
            f"connected to {csms.url}/CP1",
            "boot: Accepted",
            "Preparing",
            "tag SIMULATED: Accepted",
            "transaction 7 started",
            "Charging",
            "3680 W, 0.000 kWh",
            "transaction 7 ended with 0.000 kWh",
            "Finishing",
            "Available",
        ]

    asyncio.run(scene())


def test_says_in_one_line_why_it_was_not_let_in_even_when_quiet(tmp_path):
    async def scene():
        async with (
            Csms(http_status=404).open() as csms,
            command(tmp_path, "CP1", "--url", csms.url, "--quiet") as process,
        ):
            assert await ended(process) == (1, "", "The server knows no charger CP1 (HTTP 404).\n")

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--power-w", "0"], "--power-w"),
        (["--phases", "4"], "--phases"),
        (["--energy-kwh", "nan"], "--energy-kwh"),
        (["--duration-s", "-1"], "--duration-s"),
        (["--id-tag", "a tag of more than twenty characters"], "--id-tag"),
    ],
)
def test_refuses_arguments_that_make_no_sense(arguments, named):
    from django.core.management import CommandError, call_command

    with pytest.raises(CommandError, match=named):
        call_command("simulate_charger", "CP1", "--url", "ws://127.0.0.1:1", *arguments)
