"""`manage.py delivery`: what we owe partners, and sending it again."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.utils import timezone

from ocpi.console import ConsoleCommand, ConsoleError
from ocpi.delivery import duties, listing
from ocpi.delivery.models import Duty

COLUMNS = ("id", "partner_name", "kind", "subject", "state", "attempts", "next_at", "last_error")


class Command(ConsoleCommand):
    """List results and pushes by state; make a settled one due again."""

    help = "Shows what is owed to partners, and sends it again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take `list [--state S] [--limit N]` or `replay ID`."""
        show = self.sub(parser, "list", self.list, help="results and pushes, the newest first")
        show.add_argument(
            "--state", choices=[state.value for state in Duty.State], type=str.upper, default=""
        )
        show.add_argument("--limit", type=int, default=200, metavar="N", help="at most N of each (200)")
        again = self.sub(parser, "replay", self.replay, help="make a settled duty due now")
        again.add_argument("id", metavar="ID", help="result:ID or push:ID, as `delivery list` shows it")

    def list(self, *, state: str, limit: int, **_: Any) -> None:
        """Show the duties of one state, or all."""
        if limit < 1:
            raise ConsoleError("--limit must be at least 1.")
        found = listing.listed(state=state, limit=limit)
        self.emit({"duties": found}, _table(found))

    def replay(self, *, id: str, **_: Any) -> None:
        """Make one duty due now."""
        duties.replay(id, now=timezone.now())
        self.emit({"id": id, "state": Duty.State.PENDING}, f"{id} is due again.")


def _table(rows: list[dict[str, Any]]) -> list[str]:
    if not rows:
        return ["Nothing is owed."]
    lines = [list(COLUMNS), *([_cell(row[column]) for column in COLUMNS] for row in rows)]
    widths = [max(len(line[number]) for line in lines) for number in range(len(COLUMNS))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]


def _cell(value: Any) -> str:
    return "" if value is None else str(value)
