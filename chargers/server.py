"""The gateway: the websocket server that chargers connect to, and its look at what the database wants."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Coroutine, Sequence
from http import HTTPStatus
from socket import gaierror
from typing import Any

from django import db
from django.utils import timezone
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from chargers import door, ownership, queue
from chargers.bus import Bus
from chargers.connection import ChargerConnection
from chargers.dialects import DIALECTS
from chargers.models import Charger
from chargers.settlement import give_up_overdue
from chargers.threads import DatabaseThreads

logger = logging.getLogger(__name__)

# The best first.
SUBPROTOCOLS = {Subprotocol(f"ocpp{dialect.version}"): dialect for dialect in DIALECTS}
OFFERED = ", ".join(SUBPROTOCOLS)
MAX_FRAME_BYTES = 2**20
PING_S = 20
HANDSHAKE_LIMIT_S = 10
CLOSE_LIMIT_S = 3
DATABASE_THREADS = 6
LOOK_EVERY_S = 1.0
BEAT_EVERY_S = 1.0
CHECK_OWNERS_EVERY = 5
PROTOCOL_ERROR, SERVICE_RESTART, TRY_AGAIN_LATER = 1002, 1012, 1013


class ChargerSocket(ServerConnection):
    """A socket and the charger that was let in by it."""

    charger: Charger


class GatewayServer:
    """One gateway: its connections by charger, and the threads that reach the database for them."""

    def __init__(self, gateway_id: str, port: int, threads: DatabaseThreads) -> None:
        self.gateway_id = gateway_id
        self.port = port
        self.threads = threads
        self.connections: dict[int, ChargerConnection] = {}
        self.is_stopping = False
        self._is_well = True
        self._round = 0
        self._tasks: set[asyncio.Task[Any]] = set()

    async def admit(self, socket: ServerConnection, request: Request) -> Response | None:
        """Let a charger in, or answer its request with a refusal."""
        assert isinstance(socket, ChargerSocket)
        address = socket.remote_address[0] if socket.remote_address else ""
        try:
            socket.charger = await self.threads.run(
                door.admit,
                path=request.path,
                authorizations=request.headers.get_all("Authorization"),
                address=address,
                now=timezone.now(),
            )
        except door.Refused as refusal:
            response = socket.respond(HTTPStatus(refusal.status), f"{refusal.reason}\n")
            if refusal.status == HTTPStatus.UNAUTHORIZED:
                response.headers["WWW-Authenticate"] = 'Basic realm="chargers"'
            if refusal.retry_after_s:
                response.headers["Retry-After"] = str(refusal.retry_after_s)
            return response
        except db.Error as error:
            self._note_trouble(error)
            response = socket.respond(HTTPStatus.SERVICE_UNAVAILABLE, "The database can't be reached.\n")
            response.headers["Retry-After"] = "10"
            return response
        return None

    async def serve_charger(self, socket: ServerConnection) -> None:
        """Hold a charger's socket until it is closed."""
        assert isinstance(socket, ChargerSocket)
        charger = socket.charger
        if socket.subprotocol is None:
            # OCPP-J: without a common subprotocol the handshake is completed, then the socket closed.
            await socket.close(PROTOCOL_ERROR, f"no common subprotocol; offered here: {OFFERED}")
            return
        dialect = SUBPROTOCOLS[socket.subprotocol]
        try:
            epoch = await self.threads.run(
                ownership.take,
                charger,
                gateway_id=self.gateway_id,
                version=dialect.version,
                now=timezone.now(),
            )
        except db.Error as error:
            self._note_trouble(error)
            await socket.close(TRY_AGAIN_LATER, "the database can't be reached")
            return
        connection = ChargerConnection(self, socket, charger, epoch, dialect)
        older = self.connections.get(charger.pk)
        if older is not None and older.epoch > epoch:
            await connection.close("replaced by a newer connection")
            return
        self.connections[charger.pk] = connection
        if older is not None:
            self.spawn(older.close("replaced by a newer connection"))
        logger.info("charger %s connected", charger)
        try:
            await connection.converse()
        finally:
            if self.connections.get(charger.pk) is connection:
                del self.connections[charger.pk]
            await self._release(connection, charger)

    async def live(self) -> None:
        """Say again and again that this gateway lives, however busy its chargers keep the other threads."""
        threads = DatabaseThreads(1)
        try:
            while True:
                await asyncio.sleep(BEAT_EVERY_S)
                try:
                    is_known = await threads.run(
                        ownership.beat, self.gateway_id, port=self.port, now=timezone.now()
                    )
                except db.Error as error:
                    self._note_trouble(error)
                    continue
                if not is_known:
                    logger.warning("this gateway was taken for dead; its chargers must connect again")
                    self._close_all("connect again")
        finally:
            threads.close()

    async def look(self) -> None:
        """Do what the database wants: wake connections, end what is overdue. Never raises."""
        now = timezone.now()
        self._round += 1
        try:
            await self.threads.run(give_up_overdue, now)
            for charger_id in await self.threads.run(queue.due_chargers, self.gateway_id, now=now):
                self.wake(charger_id)
            if self._round % CHECK_OWNERS_EVERY == 0:
                await self._check_owners()
        except db.Error as error:
            self._note_trouble(error)
        except Exception:
            # The next look is a second away.
            logger.exception("the gateway's look at the database failed")
        else:
            if not self._is_well:
                self._is_well = True
                logger.info("The gateway reaches its database again.")

    def wake(self, charger_id: int) -> None:
        """Let the charger's connection, if it is here, look for commands."""
        connection = self.connections.get(charger_id)
        if connection is not None:
            connection.wake()

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run something beside; its end is nobody's business."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def end(self) -> None:
        """Give up every charger at once."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            # A heartbeat under way would bring the gateway back.
            await asyncio.wait(tasks, timeout=CLOSE_LIMIT_S)
        try:
            await self.threads.run(ownership.close_gateway, self.gateway_id, now=timezone.now())
        except db.Error as error:
            # Others will find that we don't live any more.
            self._note_trouble(error)

    async def _check_owners(self) -> None:
        """Close the sockets of chargers that connected elsewhere."""
        before = dict(self.connections)
        owned = await self.threads.run(ownership.owned, self.gateway_id)
        for charger_id, connection in before.items():
            if owned.get(charger_id) != connection.epoch:
                self.spawn(connection.close("replaced by a newer connection"))

    def _close_all(self, reason: str) -> None:
        for connection in list(self.connections.values()):
            self.spawn(connection.close(reason, SERVICE_RESTART))

    async def _release(self, connection: ChargerConnection, charger: Charger) -> None:
        if self.is_stopping:
            # All are given up at once.
            return
        logger.info("charger %s disconnected", charger)
        try:
            await self.threads.run(ownership.release, charger, epoch=connection.epoch, now=timezone.now())
        except db.Error as error:
            self._note_trouble(error)

    def _note_trouble(self, error: Exception) -> None:
        if self._is_well:
            self._is_well = False
            logger.error("The gateway waits for its database: %s", str(error).strip().partition("\n")[0])


def run(
    *,
    host: str,
    port: int,
    bus: Bus,
    stop: threading.Event,
    on_ready: Callable[[], object] = lambda: None,
) -> None:
    """Serve chargers until `stop` is set; for any thread. Raises OSError when it can't listen."""
    try:
        asyncio.run(_serve(host=host, port=port, bus=bus, stop=stop, on_ready=on_ready))
    except OSError as error:
        if error.errno is None or isinstance(error, gaierror):
            raise
        # asyncio wraps the reason in its own words.
        raise OSError(error.errno, os.strerror(error.errno)) from error


async def _serve(
    *, host: str, port: int, bus: Bus, stop: threading.Event, on_ready: Callable[[], object]
) -> None:
    threads = DatabaseThreads(DATABASE_THREADS)
    try:
        gateway_id = await threads.run(ownership.open_gateway, port=port, now=timezone.now())
        gateway = GatewayServer(gateway_id, port, threads)
        try:
            async with serve(
                gateway.serve_charger,
                host,
                port,
                process_request=gateway.admit,
                select_subprotocol=_select_subprotocol,
                compression=None,
                server_header=None,
                open_timeout=HANDSHAKE_LIMIT_S,
                ping_interval=PING_S,
                ping_timeout=PING_S,
                close_timeout=CLOSE_LIMIT_S,
                max_size=MAX_FRAME_BYTES,
                logger=_socket_logger(),
                create_connection=ChargerSocket,
            ) as server:
                gateway.spawn(gateway.live())
                gateway.spawn(bus.listen(gateway.wake))
                on_ready()
                while not await asyncio.to_thread(stop.wait, LOOK_EVERY_S):
                    await gateway.look()
                gateway.is_stopping = True
                server.close(code=SERVICE_RESTART, reason="the gateway stops")
                await server.wait_closed()
        finally:
            await gateway.end()
    finally:
        await asyncio.to_thread(threads.close)


def _select_subprotocol(socket: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    return next((ours for ours in SUBPROTOCOLS if ours in offered), None)


class _OneLine(logging.Filter):
    """Leaves tracebacks of broken handshakes and sockets out: anybody can cause them, by the thousand."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and record.exc_info[1] is not None:
            record.msg = f"{record.getMessage()}: {record.exc_info[1]!r}"
            record.args = None
            record.exc_info = None
        return True


def _socket_logger() -> logging.Logger:
    sockets = logging.getLogger("websockets.chargers")
    if not sockets.filters:
        sockets.addFilter(_OneLine())
    return sockets
