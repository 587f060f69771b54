"""The sweeper's threads: a few, shared fairly, so that a partner who hangs does not block the others."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Iterable

from django import db
from django.utils import timezone

from ocpi.delivery import claims, engine
from ocpi.delivery.models import Push, Result

logger = logging.getLogger(__name__)

MOST_THREADS = 16

Job = tuple[type[Result] | type[Push], int]


class Hands:
    """At most MOST_THREADS threads, each working through the ready duties of one partner.

    None begins a duty once `stop` is set. Daemon threads: a process that ends does not wait for a partner,
    the lease of the row runs out instead.
    """

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()
        self._at_work: Counter[Job] = Counter()
        self._silent: set[Job] = set()
        self._served_at: dict[Job, float] = {}

    def serve(self, model: type[Result] | type[Push], partner_ids: Iterable[int]) -> int:
        """Put a thread to each partner while there are any left; return how many were started.

        Who waited longest for a thread comes first. More threads for one partner, and one for a partner who
        was silent the last time, start only while half of the threads are free.
        """
        jobs: list[Job] = [(model, partner_id) for partner_id in partner_ids]
        started = 0
        for job in sorted(jobs, key=lambda job: self._served_at.get(job, 0.0)):
            started += self._start(job)
        return started

    def join(self, *, timeout_s: float) -> None:
        """Wait until the threads are done, `timeout_s` seconds in all at most."""
        deadline = time.monotonic() + timeout_s
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _start(self, job: Job) -> int:
        with self._lock:
            is_silent = job in self._silent
            if self._at_work[job] >= (1 if is_silent else claims.MOST_IN_FLIGHT[job[0]]):
                return 0
            can_wait = is_silent or self._at_work[job] > 0
            if len(self._threads) >= (MOST_THREADS // 2 if can_wait else MOST_THREADS):
                return 0
            self._at_work[job] += 1
            self._served_at[job] = time.monotonic()
            thread = threading.Thread(target=self._work, args=[job], name="delivery", daemon=True)
            self._threads.add(thread)
        thread.start()
        return 1

    def _work(self, job: Job) -> None:
        model, partner_id = job
        is_silent = False
        try:
            _, is_silent = engine.drain(model, partner_id, now=timezone.now(), stop=self._stop)
        except db.Error as error:
            logger.warning("A delivery's database failed: %s", str(error).strip().partition("\n")[0])
        finally:
            db.connections.close_all()
            with self._lock:
                self._threads.discard(threading.current_thread())
                self._at_work[job] -= 1
                if not self._at_work[job]:
                    del self._at_work[job]
                (self._silent.add if is_silent else self._silent.discard)(job)
