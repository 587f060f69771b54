"""A whole partnership between two nodes that are both CPO and SCSP: made, renewed, ended and made again."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from demo.processes import StepFailed
from tests.journeys.commanding import Console
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


@pytest.fixture(scope="module")
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


def both(*asked: tuple[Console, list[str]]) -> list[str]:
    """Ask two nodes at the same moment; return why each failed, "" where it did not."""

    def ask(console: Console, arguments: list[str]) -> str:
        try:
            console.ask("partner", *arguments)
        except StepFailed as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(2) as threads:
        return [one.result() for one in [threads.submit(ask, *each) for each in asked]]


def registered_as(console: Console, names: set[str]) -> list[str]:
    """Return under which of the names a node has registered partners."""
    partners = console.ask("partner", "list")["partners"]
    return [one["name"] for one in partners if one["status"] == "registered" and one["name"] in names]


def test_both_register_and_renew_at_the_same_moment_and_still_speak(pair: Pair, third: Node) -> None:
    with Console(pair.cpo) as one, Console(third) as other:
        consoles = (one, other)
        for turn in range(5):
            # It does not matter whether each side has one name for the other, or two.
            invited, wanted = "Twin", "Twin" if turn % 2 else "Twin two"
            invitations = [console.ask("partner", "invite", "--name", invited) for console in consoles]
            addressed = [
                ["register", "--name", wanted, "--versions-url", one["versions_url"], "--token", one["token"]]
                for one in reversed(invitations)
            ]

            said = both(*zip(consoles, addressed, strict=True))

            assert sorted(map(bool, said)) == [False, True], said
            found = [registered_as(console, {invited, wanted}) for console in consoles]
            assert [len(names) for names in found] == [1, 1], (found, said)
            names = [name for (name,) in found]
            for _ in range(3):
                # Each reads the other's lists, with the tokens that stand.
                for console, name in zip(consoles, names, strict=True):
                    assert console.ask("partner", "pull", name)["refused"] == 0
                both(*((console, ["rotate", name]) for console, name in zip(consoles, names, strict=True)))
            for console, name in zip(consoles, names, strict=True):
                assert console.ask("partner", "pull", name)["refused"] == 0
            assert other.ask("partner", "unregister", names[1])["confirmed"]
