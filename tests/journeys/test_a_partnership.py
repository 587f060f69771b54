"""A whole partnership between two nodes that are both CPO and SCSP: made, renewed, ended and made again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from demo.processes import StepFailed
from tests.journeys.conftest import Pair, make_node
from tests.journeys.nodes import Node

ENDPOINTS = {
    ("credentials", "SENDER"),
    ("locations", "SENDER"),
    ("locations", "RECEIVER"),
    ("sessions", "SENDER"),
    ("sessions", "RECEIVER"),
    ("chargingprofiles", "SENDER"),
    ("chargingprofiles", "RECEIVER"),
}


@pytest.fixture
def third(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A node that is both."""
    node = make_node(
        tmp_path_factory.mktemp("third"),
        name="Journey Third",
        country_code="FR",
        party_id="JTH",
        role="CPO,SCSP",
        port=8550,
        redis_number=8,
    )
    try:
        node.start()
        node.ready()
        yield node
    finally:
        node.stop()


def join(host: Node, guest: Node) -> dict[str, Any]:
    """Invite and register; return what the guest was told."""
    invitation = host.ask("partner", "invite", "--name", "Journey Third")
    return guest.ask(
        "partner", "register", "--name", "Journey Host",
        "--versions-url", invitation["versions_url"], "--token", invitation["token"],
    )  # fmt: skip


def test_it_is_made_renewed_ended_and_made_again(pair: Pair, third: Node) -> None:
    joined = join(pair.cpo, third)
    at_cpo = pair.cpo.ask("partner", "show", "Journey Third")
    assert (at_cpo["status"], len(at_cpo["roles"])) == ("registered", 2)
    assert {(one["identifier"], one["role"]) for one in at_cpo["endpoints"]} == ENDPOINTS

    for node, partner in ((third, "Journey Host"), (pair.cpo, "Journey Third"), (third, "Journey Host")):
        assert node.ask("partner", "rotate", partner)["status"] == "registered"
        assert third.ask("partner", "pull", "Journey Host")["refused"] == 0

    ended = third.ask("partner", "unregister", "Journey Host")
    assert (ended["status"], ended["confirmed"], ended["endpoints"]) == ("ended", True, [])
    assert pair.cpo.ask("partner", "show", "Journey Third")["status"] == "ended"
    with pytest.raises(StepFailed, match="is not registered"):
        third.ask("partner", "pull", "Journey Host")

    again = join(pair.cpo, third)
    assert again == joined
    assert third.ask("partner", "pull", "Journey Host")["refused"] == 0
    assert pair.cpo.ask("partner", "unregister", "Journey Third")["confirmed"]
    assert third.ask("partner", "show", "Journey Host")["status"] == "ended"
