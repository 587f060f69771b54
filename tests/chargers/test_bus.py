"""Hints between the parts of a node, through memory and through Redis."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from django.conf import settings

from chargers.bus import Bus, MemoryBus, RedisBus
from tests.waiting import wait_for


@contextmanager
def listening(bus: Bus) -> Iterator[list[int]]:
    """Listen in an event loop of another thread; yields what is heard."""
    heard: list[int] = []
    loop = asyncio.new_event_loop()

    def listen() -> None:
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(task)
        loop.close()

    task = loop.create_task(bus.listen(heard.append))
    thread = threading.Thread(target=listen)
    thread.start()
    try:
        yield heard
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join(5)


def heard_7(bus: Bus, heard: list[int]) -> bool:
    """Wake until the listener, who may not be there yet, hears it."""
    bus.wake(7)
    return 7 in heard


def test_wakes_other_threads() -> None:
    bus = MemoryBus()

    with listening(bus) as heard, listening(bus) as as_well:
        wait_for(lambda: heard_7(bus, heard) and heard_7(bus, as_well))

    # Nobody listens any more, and nobody minds.
    bus.wake(8)
    assert 8 not in heard


@pytest.mark.services
def test_wakes_other_processes() -> None:
    with listening(RedisBus(settings.REDIS_URL)) as heard:
        other_process = RedisBus(settings.REDIS_URL)
        wait_for(lambda: heard_7(other_process, heard))


def test_leaves_a_redis_alone_that_does_not_answer(caplog: pytest.LogCaptureFixture) -> None:
    bus = RedisBus("redis://127.0.0.1:1/3")

    with listening(bus) as heard:
        bus.wake(7)
        bus.wake(7)
        wait_for(lambda: len(caplog.records) >= 2)

    assert heard == []
    assert sorted(record.message.partition(" (")[0] for record in caplog.records) == [
        "Redis takes no messages",
        "The gateway does not hear Redis",
    ]


def test_keeps_nodes_on_one_redis_apart() -> None:
    assert RedisBus("redis://127.0.0.1:1/3").channel != RedisBus("redis://127.0.0.1:1/4").channel
