"""The main flow between two real nodes and a simulated charger, on the form of the lane."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from demo.processes import Program, wait_for
from tests.journeys.conftest import Pair

CHARGER = "FLOW-1"


@pytest.fixture(scope="module")
def charger(pair: Pair) -> Iterator[Program]:
    """A simulated charger that is in the middle of a session."""
    pair.cpo.ask("charger", "add", CHARGER, "--location", "FLOW", "--password", "a long enough password")
    program = Program(
        "The simulated charger",
        [
            "simulate_charger", CHARGER, "--url", f"ws://127.0.0.1:{pair.cpo.ocpp_port}",
            "--password", "a long enough password", "--power-w", "22000", "--id-tag", "FLOWTAG",
            "--meter-interval-s", "1", "--json",
        ],
        pair.cpo.environment,
    )  # fmt: skip
    try:
        program.event("started", within_s=20, what="StartTransaction")
        yield program
    finally:
        program.stop()


@pytest.fixture(scope="module")
def session(pair: Pair, charger: Program) -> dict[str, Any]:
    """The charger's session, as it reached the SCSP."""

    def arrived() -> dict[str, Any] | None:
        sessions = pair.scsp.ask("session", "list", "--active")["sessions"]
        return next((row for row in sessions if row["location_id"] == "FLOW"), None)

    found: dict[str, Any] = wait_for(arrived, within_s=10, what="the session at the SCSP")
    return found


def settled(pair: Pair, request: str) -> dict[str, Any]:
    """Return the request once its result is in."""

    def shown() -> dict[str, Any] | None:
        row = pair.scsp.ask("profile", "show", request)
        return row if row["state"] == "SETTLED" else None

    row: dict[str, Any] = wait_for(shown, within_s=15, what="the charger's result")
    return row


def power_at_most(charger: Program, power_w: int) -> int:
    """Return the charger's power once it is at most so high."""
    found = wait_for(
        lambda: [
            power
            for power in [charger.event("power", within_s=10, what="power")["power_w"]]
            if power <= power_w
        ],
        within_s=15,
        what=f"power of at most {power_w} W",
    )
    return int(found[0])


def test_the_session_arrives_as_the_charger_told_it(pair: Pair, session: dict[str, Any]) -> None:
    at_scsp = pair.scsp.ask("session", "show", session["id"])["document"]
    at_cpo = pair.cpo.ask("session", "show", session["id"])["document"]

    assert at_scsp["cdr_token"]["uid"] == "FLOWTAG"
    assert (at_scsp["country_code"], at_scsp["party_id"]) == ("NL", "JCP")
    assert {**at_scsp, "kwh": 0, "last_updated": 0} == {**at_cpo, "kwh": 0, "last_updated": 0}


def test_its_energy_follows_the_meter(pair: Pair, session: dict[str, Any]) -> None:
    wait_for(
        lambda: pair.scsp.ask("session", "show", session["id"])["kwh"] > 0,
        within_s=15,
        what="energy at the SCSP",
    )


def test_a_profile_reaches_the_charger_and_its_result_comes_back(
    pair: Pair, charger: Program, session: dict[str, Any], tmp_path: Path
) -> None:
    profile = json.loads((Path(__file__).parents[2] / "demo" / "charging_profile.json").read_text())
    profile["charging_profile"]["start_date_time"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    profile["charging_profile"]["charging_profile_period"][0]["limit"] = 9000
    file = tmp_path / "profile.json"
    file.write_text(json.dumps(profile))

    asked = pair.scsp.ask("profile", "set", session["id"], "--file", str(file))

    assert (asked["result"], asked["timeout"]) == ("ACCEPTED", 30)
    assert settled(pair, asked["request"])["result"] == "ACCEPTED"
    assert 0 < power_at_most(charger, 9000) <= 9000


def test_the_active_profile_is_what_the_charger_tells(pair: Pair, session: dict[str, Any]) -> None:
    asked = pair.scsp.ask("profile", "get", session["id"], "--duration", "3000")

    told = settled(pair, asked["request"])

    assert told["result"] == "ACCEPTED"
    profile = told["profile"]["charging_profile"]
    assert profile["charging_rate_unit"] == "W"
    assert [period["limit"] for period in profile["charging_profile_period"]] == [9000, 0]


def test_clearing_lets_the_power_rise_again(pair: Pair, charger: Program, session: dict[str, Any]) -> None:
    asked = pair.scsp.ask("profile", "clear", session["id"])

    assert asked["result"] == "ACCEPTED"
    assert settled(pair, asked["request"])["result"] == "ACCEPTED"
    wait_for(
        lambda: charger.event("power", within_s=10, what="power")["power_w"] > 20_000,
        within_s=15,
        what="full power",
    )


def test_the_end_reaches_the_scsp(pair: Pair, charger: Program, session: dict[str, Any]) -> None:
    charger.stop()

    wait_for(
        lambda: pair.scsp.ask("session", "show", session["id"])["status"] == "COMPLETED",
        within_s=10,
        what="the completed session at the SCSP",
    )
