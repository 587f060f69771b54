"""Tells gateways that there is something to do. Only a hint: what is owed stands in the database.

In one process through memory, between processes through Redis; gateways look by themselves every second.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import Callable
from functools import cache
from typing import Protocol

import redis
import redis.asyncio
from django.conf import settings

logger = logging.getLogger(__name__)

Listener = Callable[[int], None]

PAUSE_S = 5.0
CHANNEL = "chargers.wake"


class Bus(Protocol):
    """Carries the ids of chargers for which a gateway should look into the database."""

    def wake(self, charger_id: int) -> None:
        """Tell every gateway to look at a charger; never raises."""

    async def listen(self, on_wake: Listener) -> None:
        """Call `on_wake` in this event loop for each charger, until cancelled."""


class MemoryBus:
    """Between the threads of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: list[tuple[asyncio.AbstractEventLoop, Listener]] = []

    def wake(self, charger_id: int) -> None:
        """Tell every gateway of this process to look at a charger."""
        with self._lock:
            for loop, listener in self._listeners:
                if not loop.is_closed():
                    loop.call_soon_threadsafe(listener, charger_id)

    async def listen(self, on_wake: Listener) -> None:
        """Call `on_wake` in this event loop for each charger, until cancelled."""
        entry = (asyncio.get_running_loop(), on_wake)
        with self._lock:
            self._listeners.append(entry)
        try:
            await asyncio.Event().wait()
        finally:
            with self._lock:
                self._listeners.remove(entry)


class RedisBus:
    """Between processes, by publish and subscribe; what is lost is found by the gateway's own look."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._publisher = redis.Redis.from_url(
            url, socket_timeout=1, socket_connect_timeout=0.5, retry=redis.retry.Retry(_no_wait(), 0)
        )
        # Publishing knows no database numbers; two nodes on one server must not hear each other.
        number = self._publisher.connection_pool.connection_kwargs.get("db") or 0
        self.channel = f"{CHANNEL}.{number}"
        self._paused_until = 0.0

    def wake(self, charger_id: int) -> None:
        """Tell every gateway to look at a charger; after a failure Redis is left alone for 5 s."""
        if time.monotonic() < self._paused_until:
            return
        try:
            self._publisher.publish(self.channel, json.dumps(charger_id))
        except (redis.RedisError, OSError) as error:
            self._paused_until = time.monotonic() + PAUSE_S
            logger.warning("Redis takes no messages (%s); gateways look by themselves.", error)

    async def listen(self, on_wake: Listener) -> None:
        """Call `on_wake` in this event loop for each charger, until cancelled; reconnects by itself."""
        is_well = True
        while True:
            # No timeout: redis-py would end a quiet subscription after 5 s.
            client = redis.asyncio.Redis.from_url(
                self.url, socket_timeout=None, socket_connect_timeout=2, health_check_interval=10
            )
            try:
                async with client.pubsub(ignore_subscribe_messages=True) as subscription:
                    await subscription.subscribe(self.channel)
                    if not is_well:
                        logger.info("The gateway hears Redis again.")
                        is_well = True
                    async for message in subscription.listen():
                        on_wake(int(message["data"]))
            except (redis.RedisError, OSError, ValueError) as error:
                if is_well:
                    logger.warning("The gateway does not hear Redis (%s); it looks by itself.", error)
                    is_well = False
            finally:
                await client.aclose()
            await asyncio.sleep(1)


def _no_wait() -> redis.backoff.AbstractBackoff:
    return redis.backoff.NoBackoff()


@cache
def bus_from_settings() -> Bus:
    """Return this process's bus: Redis when REDIS_URL is set, else memory."""
    return RedisBus(settings.REDIS_URL) if settings.REDIS_URL else MemoryBus()
