"""Our client against our server: what the main flow leaves out of the OCPI calls between two nodes."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from demo.processes import ROOT, StepFailed, wait_for
from tests.journeys.conftest import Pair


def test_both_sides_know_each_other(pair: Pair) -> None:
    at_cpo = pair.cpo.ask("partner", "show", str(pair.scsp_at_cpo))
    at_scsp = pair.scsp.ask("partner", "show", str(pair.cpo_at_scsp))

    assert (at_cpo["status"], at_cpo["version"]) == ("registered", "2.2.1")
    assert (at_scsp["status"], at_scsp["version"]) == ("registered", "2.2.1")
    assert [(role["role"], role["country_code"], role["party_id"]) for role in at_cpo["roles"]] == [
        ("SCSP", "DE", "JSC")
    ]
    assert [(role["role"], role["country_code"], role["party_id"]) for role in at_scsp["roles"]] == [
        ("CPO", "NL", "JCP")
    ]


def test_locations_and_sessions_are_pulled(pair: Pair) -> None:
    pair.cpo.ask("charger", "add", "PULL-1", "--location", "PULL", "--evses", "2")

    counts = pair.scsp.ask("partner", "pull", str(pair.cpo_at_scsp))

    assert counts["locations"] >= 1
    assert counts["refused"] == 0
    assert pair.scsp.ask("partner", "pull", str(pair.cpo_at_scsp), "--module", "locations")["refused"] == 0


def evses_at_scsp(pair: Pair, location_id: str) -> list[str]:
    """Return the EVSEs of a location of the CPO as the SCSP keeps them, once it has it.

    The CPO asks the SCSP's Receiver, by its own client and with its own token.
    """
    call = {
        "method": "GET",
        "module": "locations",
        "role": "RECEIVER",
        "path": [pair.cpo.environment["COUNTRY_CODE"], pair.cpo.environment["PARTY_ID"], location_id],
    }

    def kept() -> dict[str, Any] | None:
        finished = subprocess.run(
            [sys.executable, "-m", "tests.journeys.calling", str(pair.scsp_at_cpo)],
            cwd=ROOT,
            env=pair.cpo.environment,
            input=json.dumps([call]),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        reply: dict[str, Any] = json.loads(finished.stdout)[0]
        return reply["data"] if reply["http_status"] == 200 else None

    location = wait_for(kept, within_s=15, what=f"{location_id} arriving")
    return sorted(evse["uid"] for evse in location["evses"])


@pytest.mark.parametrize("starter", ["scsp", "cpo"])
def test_tokens_are_rotated_from_either_side_and_both_still_speak(pair: Pair, starter: str) -> None:
    node, partner = (pair.scsp, pair.cpo_at_scsp) if starter == "scsp" else (pair.cpo, pair.scsp_at_cpo)

    node.ask("partner", "rotate", str(partner))

    assert pair.scsp.ask("partner", "pull", str(pair.cpo_at_scsp))["refused"] == 0
    location_id = f"ROTATED-{starter}"
    pair.cpo.ask("charger", "add", location_id, "--location", location_id)
    assert evses_at_scsp(pair, location_id) == [f"{location_id}-1"]


def test_what_is_pushed_arrives(pair: Pair) -> None:
    pair.cpo.ask("charger", "add", "PUSHED-1", "--location", "PUSHED", "--evses", "2")

    assert evses_at_scsp(pair, "PUSHED") == ["PUSHED-1-1", "PUSHED-1-2"]


def test_refuses_to_register_again_with_a_platform_that_is_registered(pair: Pair) -> None:
    invitation = pair.cpo.ask("partner", "invite", "--name", "Short")

    with pytest.raises(StepFailed, match=r"roles\[0\]: DE-JSC SCSP is registered by another platform\.$"):
        pair.scsp.ask(
            "partner", "register", "--name", "Again",
            "--versions-url", invitation["versions_url"], "--token", invitation["token"],
        )  # fmt: skip

    assert pair.cpo.ask("partner", "show", "Short")["status"] == "invited"
    assert pair.scsp.ask("partner", "pull", str(pair.cpo_at_scsp))["refused"] == 0
