"""`manage.py conformance` against a live node with a charging session: nothing fails."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from demo.processes import ROOT
from tests.journeys.conftest import make_node
from tests.journeys.obedient import ObedientStation, at
from tests.ports import free_port


@pytest.fixture(scope="module")
def outcome(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """Run it once; the finished process and the report."""
    folder: Path = tmp_path_factory.mktemp("conformance")
    node = make_node(
        folder,
        name="Conformance",
        country_code="NL",
        party_id="CFM",
        role="CPO,SCSP",
        port=8750,
        redis_number=9,
    )
    node.environment["PROFILE_RATE"] = "50/min"
    report = folder / "report.json"
    try:
        node.start()
        node.ready()
        node.ask("charger", "add", "CONFORMANCE-1", "--evses", "2")
        node.ask("charger", "add", "CONFORMANCE-2")
        invitation = node.ask("partner", "invite", "--name", "Conformance", "--may-steer")
        with ObedientStation(f"ws://127.0.0.1:{node.ocpp_port}", "CONFORMANCE-1") as station:
            station.boot()
            for connector in (1, 2):
                station.start(connector=connector, tag=f"TAG{connector}", at=at(-60))
            finished = subprocess.run(
                [
                    sys.executable, "manage.py", "conformance", "--versions-url", invitation["versions_url"],
                    "--token", invitation["token"], "--listen", f"127.0.0.1:{free_port()}",
                    "--json", str(report),
                ],
                cwd=ROOT,
                env=node.environment,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )  # fmt: skip
    finally:
        node.stop()
    return finished, json.loads(report.read_text())


def test_no_requirement_fails_or_is_left_out(outcome: Any) -> None:
    finished, report = outcome

    odd = [row for row in report["requirements"] if row["verdict"] != "passed"]
    assert odd == []
    assert (finished.returncode, finished.stderr) == (0, "")


def test_it_reads_well(outcome: Any) -> None:
    finished, report = outcome

    lines = finished.stdout.splitlines()
    assert lines[1:3] == [
        "Door: authorization, envelope, message ids",
        "  ok   T5    MUST   A request without a token gets HTTP 401.",
    ]
    assert lines[-1].endswith(f": {report['passed']} passed, 0 failed, 0 not tried.")
    assert max(map(len, lines)) < 120
