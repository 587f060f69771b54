"""Our client against our server: what the main flow leaves out of the OCPI calls between two nodes."""

from __future__ import annotations

from typing import Any

import pytest

from demo.processes import StepFailed, wait_for
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


@pytest.mark.parametrize("starter", ["scsp", "cpo"])
def test_tokens_are_rotated_from_either_side_and_both_still_speak(pair: Pair, starter: str) -> None:
    node, partner = (pair.scsp, pair.cpo_at_scsp) if starter == "scsp" else (pair.cpo, pair.scsp_at_cpo)

    node.ask("partner", "rotate", str(partner))

    assert pair.scsp.ask("partner", "pull", str(pair.cpo_at_scsp))["refused"] == 0
    pair.cpo.ask("charger", "add", f"ROTATED-{starter}", "--location", "ROTATED")


def test_what_is_pushed_arrives(pair: Pair) -> None:
    pair.cpo.ask("charger", "add", "PUSHED-1", "--location", "PUSHED")

    def delivered() -> bool:
        duties: list[dict[str, Any]] = pair.cpo.ask("delivery", "list")["duties"]
        pushes = [duty for duty in duties if duty["id"].startswith("push:")]
        return bool(pushes) and all(duty["state"] == "DONE" for duty in pushes)

    wait_for(delivered, within_s=15, what="the pushes of the new location")


def test_an_ended_partnership_is_over_on_both_sides(pair: Pair) -> None:
    invitation = pair.cpo.ask("partner", "invite", "--name", "Short")
    with pytest.raises(StepFailed):
        # The same platform can't be two partners at once.
        pair.scsp.ask(
            "partner", "register", "--name", "Again",
            "--versions-url", invitation["versions_url"], "--token", invitation["token"],
        )  # fmt: skip
