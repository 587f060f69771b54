"""The place of a reader in a list of ours, as the Link to the next page carries it."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import astuple, dataclass

from ocpi.protocol.errors import InvalidParameters

# Counting a million rows costs more than reading a page of them: a crawl counts once a minute.
COUNT_LASTS_S = 60
OPEN_END = 10**18 - 1
_CURSOR = re.compile(r"\d{1,18}(?:\.\d{1,18}){4}", re.ASCII)


@dataclass(frozen=True)
class Cursor:
    """Where the page before ended, and what was counted then.

    `key` is that of its last row, `end` the last key that fits the filters (OPEN_END where rows to come may
    fit too), `total` how many rows fit, counted at `counted_at_s` (Unix seconds) for the filters of this
    checksum. A reader that forges one only misleads itself: it chooses among rows that it may see anyway.
    """

    key: int
    end: int
    total: int
    counted_at_s: int
    filters: int

    def __str__(self) -> str:
        return ".".join(map(str, astuple(self)))

    def is_current(self, *, filters: int, now_s: int) -> bool:
        """Tell whether the count still stands: it is of these filters and not old."""
        return self.filters == filters and 0 <= now_s - self.counted_at_s < COUNT_LASTS_S


def parse_cursor(text: str) -> Cursor:
    """Return the cursor that a Link of ours carried. Raises InvalidParameters."""
    if not _CURSOR.fullmatch(text):
        raise InvalidParameters("cursor: must be as a Link of ours has it")
    return Cursor(*map(int, text.split(".")))


def checksum(filters: Mapping[str, str]) -> int:
    """Return a number that differs when the filters do."""
    return zlib.crc32(repr(sorted(filters.items())).encode())
