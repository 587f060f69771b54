"""Waiting for something to become true, instead of sleeping."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(condition: Callable[[], T], timeout_s: float = 5, *, every_s: float = 0.01) -> T:
    """Return the first truthy value of `condition`. Raises AssertionError after `timeout_s`."""
    ends_at = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > ends_at:
            raise AssertionError(f"not true within {timeout_s:g} s: {condition}")
        time.sleep(every_s)
