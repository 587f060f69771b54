"""Runs every benchmark that this machine can run and prints one table for each, with the machine named."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import paging
from benchmarks.control_loop import Times, measure
from tests.journeys.nodes import Node, SpreadNode
from tests.lanes import DATABASE_URL, REDIS_URL, missing_services

LOOPS = 200
SESSIONS = int(os.environ.get("SESSIONS", "1000000"))
PARTY = {"name": "Bench", "country_code": "NL", "party_id": "BNC", "role": "CPO"}
RESULTS = Path(__file__).parent / "results"


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
    """Measure what this machine can run; 1 when something was not as it has to be."""
    console = Console(width=110)
    missing = missing_services()
    try:
        with tempfile.TemporaryDirectory() as folder:
            loops = {}
            with running(Node(folder=Path(folder), port=8901, **PARTY)) as node:
                loops["embedded"] = measure(node, loops=LOOPS)
            if not missing:
                with running(_spread(folder)) as node:
                    loops["PostgreSQL + Redis"] = measure(node, loops=LOOPS)
            console.print(_loop_table(loops))
            if not missing:
                spread = _spread(folder)
                with running(spread):
                    lists = paging.run(spread, rows=SESSIONS, say=console.print)
                _show_paging(console, lists)
                _keep("paging", {"rows": SESSIONS, "lists": lists})
    except paging.Failed as error:
        console.print(f"FAILED: {error}")
        return 1
    console.print(" ".join(machine().values()))
    if missing:
        console.print(f"NOT RUN: the spread node. Nothing answers as {' and '.join(missing)}.")
    return 0


def machine() -> dict[str, str]:
    """Name the machine, the versions and the commit that a figure is of."""
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    )
    return {
        "platform": platform.platform(),
        "cores": f"{os.cpu_count()} cores",
        "python": f"Python {platform.python_version()}",
        "commit": commit.stdout.strip() or "no commit",
    }


def _spread(folder: str) -> SpreadNode:
    return SpreadNode(
        database_url=DATABASE_URL,
        redis_url=REDIS_URL,
        redis_number=15,
        folder=Path(folder),
        port=8951,
        **PARTY,
    )


def _loop_table(loops: dict[str, Times]) -> Table:
    table = Table(title=f"Control loop, {LOOPS} times, milliseconds")
    for heading in ("node", "part", "p50", "p99"):
        table.add_column(heading, justify="left" if heading in {"node", "part"} else "right")
    for name, times in loops.items():
        parts = {
            "PUT sent -> ACCEPTED": times.answer_ms,
            "PUT sent -> frame at the charger": times.frame_ms,
            "charger's answer -> result at the provider": times.result_ms,
        }
        for part, values in parts.items():
            p99 = statistics.quantiles(values, n=100)[98]
            table.add_row(name, part, f"{statistics.median(values):.1f}", f"{p99:.1f}")
    return table


def _show_paging(console: Console, lists: list[dict[str, Any]]) -> None:
    whole = lists[0]
    table = Table(
        title=f"{SESSIONS:,} sessions: each came exactly once, in {whole['pages']:,} pages and "
        f"{whole['seconds']:.0f} s,\nwhile {whole['written']:,} were added and as many changed. "
        f"A page of {paging.LIMIT} in milliseconds, p50"
    )
    places = {
        "first": "first,\ncounts",
        "second": "second",
        "middle": "middle",
        "last_full": "last\nfull",
        "rest": "rest",
        "by_offset": "half by\noffset",
    }
    ratios = {"last_by_first": "last /\nfirst", "last_by_second": "last /\nsecond"}
    table.add_column("list")
    for heading in ("pages", *places.values(), *ratios.values()):
        table.add_column(heading, justify="right")
    for one in lists:
        costs = [f"{one['ms'][place]:.1f}" for place in places]
        table.add_row(one["list"], f"{one['pages']:,}", *costs, *[f"{one[ratio]:.2f}" for ratio in ratios])
    console.print(table)
    highest = max(one[ratio] for one in lists for ratio in ratios)
    verdict = "holds" if highest <= paging.HIGHEST_RATIO else "MISSED"
    console.print(
        f"A last page costs at most {highest:.2f} times an early one; {paging.HIGHEST_RATIO}: {verdict}."
    )
    console.print(
        f"Counting is {whole['count_share_of_first']:.0%} of the first page of all, and none of the others "
        f"within a minute.\nThe web processes took {whole['web_mib_before']:.0f} MiB before they were read, "
        f"{whole['web_mib_after']:.0f} MiB after, {lists[-1]['web_mib_after']:.0f} MiB at the end."
    )


def _keep(name: str, figures: dict[str, Any]) -> None:
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps({"of": machine(), **figures}, indent=2) + "\n")
