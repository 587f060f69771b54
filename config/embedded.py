"""The embedded node: every process of production as a thread of one, over SQLite and an in-memory bus."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import threading
import time
from collections.abc import Callable
from typing import IO

import celery.beat
from celery.beat import Scheduler
from celery.worker import WorkController
from celery.worker import state as worker_state
from cheroot import wsgi
from django.conf import settings
from django.utils import timezone

from chargers import server as gateway
from chargers.bus import bus_from_settings
from config.celery import QUEUES, app
from config.wsgi import application
from ocpi.delivery import claims, hints, sweeper
from ocpi.delivery.stopping import told_to_stop
from ocpi.partners import pulls

logger = logging.getLogger(__name__)

HTTP_THREADS = 32
# A request that is sent by halves keeps a thread no longer.
HTTP_PATIENCE_S = 10
WORKER_THREADS = 8
SWEEP_EVERY_S = 0.5
# Beat notices the end only between its naps.
BEAT_NAP_S = 1
START_LIMIT_S = 30
# For all parts together; after EXIT_LIMIT_S the process ends whoever is still at work.
STOP_LIMIT_S = 8.0
EXIT_LIMIT_S = 8.5


class UnableToStart(Exception):
    """A part of the node can't start or stopped by itself; the message says which and why."""


class EmbeddedNode:
    """Web, gateway, worker, sweeper and beat as threads; `start` returns when all of them serve."""

    def __init__(self, *, http: tuple[str, int], ocpp: tuple[str, int]) -> None:
        self.http = http
        self.ocpp = ocpp
        self.stopping = threading.Event()
        self.failure = ""
        self.serves = False
        self._threads: list[threading.Thread] = []
        self._lock: IO[str] | None = None
        self._web: wsgi.Server | None = None
        self._worker: WorkController | None = None
        self._beat: celery.beat.Service | None = None

    def claim(self) -> None:
        """Take the data directory until this process ends. Raises UnableToStart when another node has it."""
        if not settings.IS_EMBEDDED:
            return
        settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
        self._lock = (settings.DATA_DIR / "node.lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UnableToStart(
                f"Another node runs on {settings.DATA_DIR}; stop it, or set DATA_DIR to a folder of its own."
            ) from error

    def start(self) -> None:
        """Start every part. Raises UnableToStart, e.g. when a port is taken."""
        if self._lock:
            # Ours is the only node on this database: what others hold, they held when they ended.
            claims.release_all_of_others(now=timezone.now())
            pulls.release_all()
        self._start_web()
        self._start_gateway()
        self._run("sweeper", lambda: sweeper.run(stop=self.stopping, every_s=SWEEP_EVERY_S))
        self._start_worker()
        self._start_beat()
        self.serves = True

    def wait(self, stop: threading.Event) -> None:
        """Return when `stop` is set. Raises UnableToStart when a part ended by itself."""
        while not stop.wait(0.2):
            if self.failure:
                raise UnableToStart(self.failure)

    def stop(self) -> None:
        """Stop every part and wait for them, STOP_LIMIT_S in all at most.

        A thread that still waits for a partner then ends with the process, EXIT_LIMIT_S from now at most: the
        next start releases the leases that it held.
        """
        deadline = time.monotonic() + STOP_LIMIT_S
        self._exit_in_time()
        self.stopping.set()
        told_to_stop.set()
        if self._beat:
            self._beat.stop(wait=False)
        if self._worker:
            worker_state.should_stop = 0  # type: ignore[assignment]  # an exit code; None means "go on"
        if self._web:
            # It waits for requests that are being answered, and those may wait for a partner.
            self._run("web server's end", self._web.stop)
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _exit_in_time(self) -> None:
        """End the process at EXIT_LIMIT_S: Python would wait for the worker's threads without limit."""
        code = 0 if self.serves and not self.failure else 1
        last = threading.Timer(EXIT_LIMIT_S, os._exit, [code])
        last.daemon = True
        last.start()

    def _run(self, name: str, target: Callable[[], object]) -> threading.Thread:
        """Run a part in a thread; its unforeseen end is the node's."""

        def guarded() -> None:
            try:
                target()
            except Exception:
                logger.exception("the %s failed", name)
            if not self.stopping.is_set():
                self.failure = self.failure or f"The {name} ended by itself; the log says why."

        thread = threading.Thread(target=guarded, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread

    def _start_web(self) -> None:
        server = wsgi.Server(
            self.http,
            application,
            numthreads=HTTP_THREADS,
            request_queue_size=128,
            timeout=HTTP_PATIENCE_S,
        )
        server.shutdown_timeout = 3
        try:
            server.prepare()
        except OSError as error:
            raise UnableToStart(
                f"Can't listen on {self.http[0]}:{self.http[1]}: {_reason(error)}."
            ) from error
        self._web = server
        self._run("web server", server.serve)

    def _start_gateway(self) -> None:
        is_ready = threading.Event()
        reasons: list[str] = []

        def serve() -> None:
            try:
                gateway.run(
                    host=self.ocpp[0],
                    port=self.ocpp[1],
                    bus=bus_from_settings(),
                    stop=self.stopping,
                    on_ready=is_ready.set,
                )
            except OSError as error:
                reasons.append(f"Can't listen on {self.ocpp[0]}:{self.ocpp[1]}: {_reason(error)}.")
                is_ready.set()

        self._run("gateway", serve)
        if not is_ready.wait(START_LIMIT_S):
            raise UnableToStart("The gateway did not start in time.")
        if reasons:
            raise UnableToStart(reasons[0])

    def _start_worker(self) -> None:
        # The command-line worker would take over signals and print a banner; its controller does neither.
        self._worker = app.WorkController(
            pool_cls="threads",
            concurrency=WORKER_THREADS,
            queues=",".join(QUEUES),
            without_heartbeat=True,
            without_mingle=True,
            without_gossip=True,
        )
        self._run("worker", self._work)
        hints.worker_is_here.set()

    def _work(self) -> None:
        try:
            assert self._worker is not None
            self._worker.start()
        except SystemExit:
            # Celery's way of ending a worker whose state says stop.
            pass

    def _start_beat(self) -> None:
        self._beat = celery.beat.Service(app, scheduler_cls=Scheduler, max_interval=BEAT_NAP_S)
        self._run("beat", self._beat.start)


def _reason(error: OSError) -> str:
    """Return the system's own words; servers wrap them in theirs."""
    said = str(error).lower()
    known = [os.strerror(code).lower() for code in (errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES)]
    return next((reason for reason in known if reason in said), said)
