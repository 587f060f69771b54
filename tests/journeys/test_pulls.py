"""What a partner had before it registered is read by the node itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.factories import CPO_ENDPOINTS, location_document, session_document
from tests.journeys.conftest import make_node
from tests.journeys.nodes import Node, SpreadNode
from tests.journeys.provider import registered
from tests.waiting import wait_for

THEIRS = {"country_code": "BE", "party_id": "OLD"}


def test_lists_are_read_soon_after_a_partner_registered(tmp_path: Path) -> None:
    node = make_node(
        tmp_path, name="Pulls", country_code="NL", party_id="PUL", role="SCSP", port=8650, redis_number=7
    )
    del node.environment["PULL_EVERY_S"]
    try:
        node.start()
        if isinstance(node, SpreadNode):
            node.launch("beat")
        node.ready()
        with registered(node, party=("BE", "OLD"), role="CPO", endpoints=CPO_ENDPOINTS) as cpo:
            cpo.peer.answer("GET", "/2.2.1/sender/locations", data=[location_document("OLD-1", **THEIRS)])
            cpo.peer.answer("GET", "/2.2.1/sender/sessions", data=[session_document("OLD-2", **THEIRS)])

            cpo.peer.wait_for("GET", "/2.2.1/sender/sessions", timeout_s=20)

            shown = wait_for(lambda: read(node, cpo.partner_id), 5)
            assert shown["pulled"].keys() == {"locations", "sessions"}
            assert shown["last_error"] == ""
            receiver = cpo.endpoints["sessions", "RECEIVER"]
            assert cpo.ask("GET", f"{receiver}/BE/OLD/OLD-2").json()["data"]["id"] == "OLD-2"
    finally:
        node.stop()


def read(node: Node, partner_id: int) -> dict[str, Any] | None:
    """Return the partner once its sessions were read."""
    shown = node.ask("partner", "show", str(partner_id))
    return shown if "sessions" in shown["pulled"] else None
