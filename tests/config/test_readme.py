"""What the README's tables say is so: variables, processes, layers and files."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
TOP = {path.name for path in ROOT.iterdir()}


def rows_of(heading: str) -> list[list[str]]:
    """Return the cells of the rows of the table below a heading."""
    section = README.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row] for row in rows[1:]]


def paths_in(text: str) -> list[str]:
    """Return the files and folders that a text names: `apps.py`, `config/celery.py`, `ocpp16/`."""
    names = re.findall(r"`([\w./-]+)`", text)
    return [one for one in names if one.endswith((".py", ".toml", ".md", "/")) or one.split("/")[0] in TOP]


def test_lists_the_variables_that_the_settings_read() -> None:
    read = re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', (ROOT / "config/settings.py").read_text())

    listed = [name for row in rows_of("Configuration") for name in re.findall(r"`(\w+)`", row[0])]

    assert sorted(listed) == sorted(read)


def test_lists_the_processes_of_the_procfile() -> None:
    named = [line.partition(":")[0] for line in (ROOT / "Procfile").read_text().splitlines()]

    assert [row[0].strip("`") for row in rows_of("Running it in production")] == named


def test_lists_the_layers_that_are_checked() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    house = README.partition("\n## The house\n")[2].split("```")[1]

    assert re.findall(r"^(\w+)", house, re.MULTILINE) == contracts[0]["layers"]


@pytest.mark.parametrize("row", rows_of("The house"), ids=lambda row: row[0])
def test_names_files_that_exist(row: list[str]) -> None:
    named = paths_in(row[1])

    assert named
    # A bare name such as apps.py is a file that each app has.
    missing = [one for one in named if not (ROOT / one).exists() and not list(ROOT.glob(f"[a-z]*/{one}"))]
    assert missing == []
