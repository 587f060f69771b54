"""Threads for the database, so that a slow query stops no socket."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, ParamSpec, TypeVar

from django import db

P = ParamSpec("P")
T = TypeVar("T")
Job = Callable[[], None]

JOIN_LIMIT_S = 3


class DatabaseThreads:
    """A few threads with a connection each, which run functions for an event loop in order of arrival."""

    def __init__(self, count: int) -> None:
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"gateway-db-{number}", daemon=True)
            for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what the function returns, or raise what it raises."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._jobs.put(partial(_perform, loop, future, partial(function, *args, **kwargs)))
        return await future

    def close(self) -> None:
        """Finish what was asked for, close the connections and end the threads."""
        for _ in self._threads:
            self._jobs.put(None)
        ends_s = time.monotonic() + JOIN_LIMIT_S
        for thread in self._threads:
            thread.join(max(0.0, ends_s - time.monotonic()))

    def _work(self) -> None:
        try:
            while (job := self._jobs.get()) is not None:
                job()
        finally:
            db.connections.close_all()


def _perform(loop: asyncio.AbstractEventLoop, future: asyncio.Future[Any], job: Callable[[], Any]) -> None:
    try:
        db.close_old_connections()
        result = job()
    except BaseException as error:  # noqa: BLE001 - whoever waits gets it, and the thread lives on
        _tell(loop, future, error=error)
    else:
        _tell(loop, future, result=result)


def _tell(
    loop: asyncio.AbstractEventLoop,
    future: asyncio.Future[Any],
    *,
    result: Any = None,
    error: BaseException | None = None,
) -> None:
    def settle() -> None:
        # Whoever waited may be gone.
        if future.done():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    try:
        loop.call_soon_threadsafe(settle)
    except RuntimeError:
        # The loop is closed: nobody waits any more.
        return
