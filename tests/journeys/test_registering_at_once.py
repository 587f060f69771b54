"""Two nodes that invited each other register at the same moment: neither shuts the other out."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from demo.processes import Node, StepFailed
from tests.journeys.conftest import make_node


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[tuple[Node, Node]]:
    with ExitStack() as running:
        made = []
        for name, role, port, number in (("One", "CPO", 8660, 6), ("Two", "SCSP", 8690, 5)):
            node = make_node(
                tmp_path / name,
                name=name,
                country_code="NL",
                party_id=name.upper(),
                role=role,
                port=port,
                redis_number=number,
            )
            running.callback(node.stop)
            node.start()
            made.append(node)
        for node in made:
            node.ready()
        yield made[0], made[1]


def test_two_nodes_may_register_at_each_other_at_once(nodes: tuple[Node, Node]) -> None:
    one, two = nodes
    invitations = {node: node.ask("partner", "invite", "--name", "Twin") for node in nodes}

    def reason_to_fail(node: Node) -> str:
        theirs = invitations[two if node is one else one]
        options = ("--versions-url", theirs["versions_url"], "--token", theirs["token"])
        try:
            node.ask("partner", "register", "--name", "Twin", *options)
        except StepFailed as failed:
            return str(failed)
        return ""

    with ThreadPoolExecutor(2) as pool:
        reasons = list(pool.map(reason_to_fail, nodes))

    assert "" in reasons, reasons
    for node in nodes:
        [partner] = node.ask("partner", "list")["partners"]
        assert partner["status"] == "registered", reasons
        # A rotation needs our token there, and theirs here when they call back.
        node.ask("partner", "rotate", "Twin")
