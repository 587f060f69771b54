"""Runs every benchmark that this machine can run and prints one table, with the machine named."""

from __future__ import annotations

import os
import platform
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.control_loop import Times, measure
from tests.journeys.nodes import Node, SpreadNode
from tests.lanes import DATABASE_URL, REDIS_URL, missing_services

LOOPS = 200
PARTY = {"name": "Bench", "country_code": "NL", "party_id": "BNC", "role": "CPO"}


@contextmanager
def running(node: Node) -> Iterator[Node]:
    """Run a node that refuses no request for coming too often."""
    node.environment["PROFILE_RATE"] = "100000/min"
    try:
        node.start()
        node.ready()
        yield node
    finally:
        node.stop()


def main() -> int:
    """Measure each form of the node that this machine can run."""
    table = Table(title=f"Control loop, {LOOPS} times, milliseconds")
    for heading in ("node", "part", "p50", "p99"):
        table.add_column(heading, justify="left" if heading in {"node", "part"} else "right")
    with tempfile.TemporaryDirectory() as folder:
        with running(Node(folder=Path(folder), port=8901, **PARTY)) as node:
            add_rows(table, "embedded", measure(node, loops=LOOPS))
        missing = missing_services()
        if not missing:
            spread = SpreadNode(
                database_url=DATABASE_URL,
                redis_url=REDIS_URL,
                redis_number=15,
                folder=Path(folder),
                port=8951,
                **PARTY,
            )
            with running(spread) as node:
                add_rows(table, "PostgreSQL + Redis", measure(node, loops=LOOPS))
    console = Console(width=100)
    console.print(table)
    console.print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    if missing:
        console.print(f"NOT RUN: the spread node. Nothing answers as {' and '.join(missing)}.")
    return 0


def add_rows(table: Table, name: str, times: Times) -> None:
    """Add a row per part of the loop."""
    parts = {
        "PUT sent -> ACCEPTED": times.answer_ms,
        "PUT sent -> frame at the charger": times.frame_ms,
        "charger's answer -> result at the provider": times.result_ms,
    }
    for part, values in parts.items():
        p99 = statistics.quantiles(values, n=100)[98]
        table.add_row(name, part, f"{statistics.median(values):.1f}", f"{p99:.1f}")
