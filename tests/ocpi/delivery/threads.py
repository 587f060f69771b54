"""Runs the same thing in many threads at once."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connections

T = TypeVar("T")


def together(threads: int, work: Callable[[int], T]) -> list[T]:
    """Call `work(0)` … `work(threads - 1)` at the same moment; return what they returned, in that order."""
    barrier = threading.Barrier(threads)

    def one(number: int) -> T:
        try:
            barrier.wait(10)
            return work(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(one, range(threads)))
