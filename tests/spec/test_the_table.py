"""docs/spec.md is complete, and each of its rows names code and tests that are there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "docs" / "spec.md"
# How many requirements each part of the specification has for versions, credentials, locations, sessions and
# charging profiles.
ROWS = {
    "T": 14, "R": 10, "M": 7, "E": 6, "S": 23, "P": 13, "U": 8, "Y": 8, "V": 8, "C": 23, "L": 21, "SE": 27,
    "CP": 36,
}  # fmt: skip
EXPECTED = [f"{letters}{number}" for letters, count in ROWS.items() for number in range(1, count + 1)]
Row = tuple[str, str, str, str, str]


def rows() -> list[Row]:
    """Return (id, requirement, section, code, tests) of each row."""
    lines = [line for line in TABLE.read_text().splitlines() if re.match(r"\| [A-Z]+\d+ \|", line)]
    return [tuple(cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]) for line in lines]  # type: ignore[misc]


@cache
def names_in(path: Path) -> set[str]:
    """Return the names of the test functions of a file."""
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}


def test_it_has_every_row_once() -> None:
    assert [row[0] for row in rows()] == EXPECTED


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_a_row_names_what_does_it_and_what_proves_it(row: Row) -> None:
    _, requirement, section, code, tests = row
    assert requirement
    assert section
    if not code:
        # Not ours to do: the last cell says why.
        assert len(tests) > 10
        return
    for path in re.findall(r"`([^`]+)`", code):
        assert (ROOT / path).exists(), path
    named = re.findall(r"`(tests/[^`:]+)::(\w+)`", tests)
    assert named, tests
    for path, name in named:
        assert name in names_in(ROOT / path), f"{path}::{name}"
    assert any(path.startswith(("tests/spec/", "tests/journeys/")) for path, _ in named), "not on a live node"
