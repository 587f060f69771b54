"""Two nodes, one as CPO and one as SCSP, peered with each other, on the lane's form."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.nodes import Node, SpreadNode

# They are about the one process of the embedded node.
collect_ignore = ["test_start_and_stop.py", "test_stopping.py"] if os.environ["LANE"] == "services" else []

SERVICES_PORTS = 40


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test here as a journey."""
    for item in items:
        if "journeys" in item.path.parts:
            item.add_marker(pytest.mark.journey)


def make_node(folder: Path, *, port: int, redis_number: int, **fields: Any) -> Node:
    """Make a node of the lane's form, on ports that the other lane leaves alone; it is not started yet."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.environ["LANE"] == "services":
        node: Node = SpreadNode(
            database_url=os.environ["TEST_DATABASE_URL"],
            redis_url=os.environ["TEST_REDIS_URL"],
            redis_number=redis_number,
            folder=folder,
            port=port + SERVICES_PORTS,
            **fields,
        )
    else:
        node = Node(folder=folder, port=port, **fields)
    # Tests alone say when partners are read.
    node.environment["PULL_EVERY_S"] = "0"
    return node


@dataclass(frozen=True)
class Pair:
    """Two peered nodes; each knows the other by its partner id."""

    cpo: Node
    scsp: Node
    scsp_at_cpo: int
    cpo_at_scsp: int


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Start a CPO and an SCSP and let the SCSP register with the CPO's invitation, granted to steer."""
    folder = tmp_path_factory.mktemp("nodes")
    cpo = make_node(
        folder / "cpo",
        name="Journey CPO",
        country_code="NL",
        party_id="JCP",
        role="CPO",
        port=8300,
        redis_number=11,
    )
    scsp = make_node(
        folder / "scsp",
        name="Journey SCSP",
        country_code="DE",
        party_id="JSC",
        role="SCSP",
        port=8400,
        redis_number=12,
    )
    nodes = (cpo, scsp)
    try:
        for node in nodes:
            node.start()
        for node in nodes:
            node.ready()
        invitation = cpo.ask("partner", "invite", "--name", "Journey SCSP", "--may-steer")
        registered = scsp.ask(
            "partner", "register", "--name", "Journey CPO",
            "--versions-url", invitation["versions_url"], "--token", invitation["token"],
        )  # fmt: skip
        yield Pair(cpo, scsp, invitation["partner"], registered["partner"])
    finally:
        for node in nodes:
            node.stop()
