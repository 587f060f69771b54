"""One charger's conversation over one socket: its calls answered in order, ours one at a time."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django import db
from django.utils import timezone
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from chargers import learning, ownership, queue
from chargers.dialects import Dialect
from chargers.frames import (
    Allowance,
    Call,
    CallError,
    Error,
    Result,
    Unanswerable,
    pack_call,
    pack_error,
    pack_result,
    unpack,
)
from chargers.incoming import ChargerListener
from chargers.models import Charger
from chargers.queue import Sending

if TYPE_CHECKING:
    from chargers.server import GatewayServer

logger = logging.getLogger(__name__)

POLICY_VIOLATION = 1008
SEEN_EVERY_S = 60
# What a charger says unasked is read no faster, so that one can't keep the others waiting; a station that
# was offline has thousands of messages to tell, and must not lose its socket over them.
BURST = 100
FRAMES_PER_S = 50.0
# How long to wait for a charger to tell what it can do; less when somebody waits for a command.
LEARN_LIMIT_S = 10.0
LEARN_LIMIT_WHEN_BUSY_S = 2.0
# A charger that connects usually tells first that it started.
LEARN_AFTER_S = 3.0
ANSWER_WAITS_S = 1.0


class SocketLost(Exception):
    """The socket was closed while we waited for an answer."""


class ChargerConnection:
    """The owner of a charger's socket for one epoch."""

    def __init__(
        self,
        gateway: GatewayServer,
        socket: ServerConnection,
        charger: Charger,
        epoch: int,
        dialect: Dialect,
    ) -> None:
        self.gateway = gateway
        self.dialect = dialect
        self.socket = socket
        self.charger_id = charger.pk
        self.identity = charger.identity
        self.epoch = epoch
        self._loop = asyncio.get_running_loop()
        self._allowance = Allowance(burst=BURST, per_s=FRAMES_PER_S, now_s=self._loop.time())
        # Held while a call is answered: nothing of ours overtakes the answer to StartTransaction.
        self._turn = asyncio.Lock()
        self._waiting: tuple[str, asyncio.Future[Result | Error]] | None = None
        self._working: asyncio.Task[None] | None = None
        self._is_woken = asyncio.Event()
        self._must_learn = False
        self._configuration_id = ""
        self._seen_at_s = self._loop.time()
        self._is_lost = False

    async def converse(self) -> None:
        """Read and answer until the socket is closed."""
        learn_timer = self._loop.call_later(LEARN_AFTER_S, self.learn)
        self.wake()
        try:
            async for frame in self.socket:
                if not await self._take(frame):
                    await asyncio.sleep(self._allowance.take(self._loop.time()))
        except ConnectionClosed:
            # However it ended: it is over.
            pass
        finally:
            learn_timer.cancel()
            self._is_lost = True
            if self._waiting and not self._waiting[1].done():
                self._waiting[1].set_exception(SocketLost())
            if self._working:
                await asyncio.wait([self._working])

    async def close(self, reason: str, code: int = POLICY_VIOLATION) -> None:
        """Close the socket."""
        await self.socket.close(code, reason)

    def wake(self) -> None:
        """Look for commands to send, now or after the one under way."""
        self._is_woken.set()
        if self._working is None and not self._is_lost:
            self._working = self._loop.create_task(self._work())

    def learn(self) -> None:
        """Ask the charger what it can do, if that is not known, when nothing else is to be sent."""
        self._must_learn = True
        self.wake()

    async def _take(self, frame: str | bytes) -> bool:
        """Deal with a frame; True when it is the answer that we wait for."""
        try:
            message = unpack(frame, unread=self.dialect.unread)
        except CallError as refusal:
            logger.warning("charger %s: %s", self.identity, refusal)
            await self.socket.send(self._refuse(refusal))
            return False
        except Unanswerable as reason:
            logger.warning("charger %s sent %s", self.identity, reason)
            return False
        if isinstance(message, Call):
            async with self._turn:
                await self.socket.send(await self._respond(message))
            await self._note_seen()
        elif self._waiting and self._waiting[0] == message.message_id:
            if not self._waiting[1].done():
                self._waiting[1].set_result(message)
            return True
        else:
            await self._take_unexpected(message)
        return False

    async def _respond(self, call: Call) -> str:
        listener = ChargerListener(self.charger_id, now=timezone.now())
        try:
            payload = await self.gateway.threads.run(self.dialect.answer, call.action, call.payload, listener)
        except CallError as refusal:
            refusal.message_id = call.message_id
            logger.warning("charger %s: %s refused: %s", self.identity, call.action, refusal)
            return self._refuse(refusal)
        except db.Error as error:
            logger.error("charger %s: %s not taken: %s", self.identity, call.action, _line(error))
        except Exception:
            # A bug of ours must not end the conversation; the charger says it again.
            logger.exception("charger %s: %s not taken", self.identity, call.action)
        else:
            if listener.has_booted:
                self._loop.call_soon(self.learn)
            return pack_result(call.message_id, payload)
        return pack_error(CallError("InternalError", "try again", message_id=call.message_id))

    def _refuse(self, refusal: CallError) -> str:
        """Return the CALLERROR, with its code as this version of OCPP has it."""
        refusal.code = self.dialect.error_codes.get(refusal.code, refusal.code)
        return pack_error(refusal)

    async def _take_unexpected(self, message: Result | Error) -> None:
        """Take an answer that nobody waits for: it may belong to a command that was given up."""
        is_configuration = message.message_id == self._configuration_id
        take = learning.learn if is_configuration else queue.take_answer
        try:
            is_known = await self.gateway.threads.run(take, self.charger_id, message, now=timezone.now())
        except Exception:
            # As for calls: whatever it is, the conversation goes on.
            logger.exception("charger %s: a late answer was not taken", self.identity)
            return
        if not is_known:
            logger.info("charger %s answers what nobody asked: %s", self.identity, message.message_id)

    async def _note_seen(self) -> None:
        now_s = self._loop.time()
        if now_s - self._seen_at_s < SEEN_EVERY_S:
            return
        self._seen_at_s = now_s
        try:
            await self.gateway.threads.run(
                ownership.seen, self.charger_id, epoch=self.epoch, now=timezone.now()
            )
        except db.Error as error:
            logger.error("charger %s: %s", self.identity, _line(error))

    async def _work(self) -> None:
        """Send what is to be sent, one after the other, until there is nothing left."""
        try:
            while self._is_woken.is_set() and not self._is_lost:
                self._is_woken.clear()
                while await self._send_next():
                    pass
                if self._must_learn and not self._is_lost:
                    self._must_learn = False
                    await self._ask_configuration()
        except ConnectionClosed:
            # The conversation ends by itself.
            pass
        except db.Error as error:
            logger.error("charger %s: its commands wait: %s", self.identity, _line(error))
        except Exception:
            # The gateway's own look starts the work again.
            logger.exception("charger %s: its commands wait", self.identity)
        finally:
            self._working = None

    async def _send_next(self) -> bool:
        """Send one command and settle it; False when there is none."""
        run = self.gateway.threads.run
        async with self._turn:
            if self._is_lost:
                return False
            sending = await run(queue.claim_next, self.charger_id, epoch=self.epoch, now=timezone.now())
            if sending is None:
                if await run(ownership.is_owner, self.charger_id, epoch=self.epoch):
                    self._wake_later(await run(queue.next_due_at, self.charger_id, now=timezone.now()))
                else:
                    self.gateway.spawn(self.close("replaced by a newer connection"))
                return False
            answered = self._expect(sending.message_id)
            try:
                await self.socket.send(pack_call(sending.message_id, sending.action, sending.payload))
            except ConnectionClosed:
                self._is_lost = True
        await self._settle(sending, answered)
        return True

    async def _settle(self, sending: Sending, answered: asyncio.Future[Result | Error]) -> None:
        run = self.gateway.threads.run
        try:
            if self._is_lost:
                raise SocketLost
            async with asyncio.timeout((sending.deadline_at - timezone.now()).total_seconds()):
                message = await answered
        except SocketLost:
            await run(queue.lose, sending, now=timezone.now())
        except TimeoutError:
            # From here on an answer is a late one.
            self._waiting = None
            await run(queue.give_up, sending, now=timezone.now())
        else:
            await self._take_answer(message, until=sending.deadline_at)
        finally:
            self._waiting = None

    async def _take_answer(self, message: Result | Error, *, until: datetime) -> None:
        """Settle a command by its answer; a database that is away for a moment must not lose it."""
        while True:
            try:
                await self.gateway.threads.run(
                    queue.take_answer, self.charger_id, message, now=timezone.now()
                )
                return
            except db.OperationalError as error:
                if timezone.now() > until:
                    raise
                logger.error("charger %s: its answer waits: %s", self.identity, _line(error))
                await asyncio.sleep(ANSWER_WAITS_S)

    async def _ask_configuration(self) -> None:
        run = self.gateway.threads.run
        if not await run(learning.is_due, self.charger_id, now=timezone.now()):
            return
        self._configuration_id = str(uuid4())
        action, payload = self.dialect.configuration_call()
        async with self._turn:
            answered = self._expect(self._configuration_id)
            await self.socket.send(pack_call(self._configuration_id, action, payload))
        try:
            message = await self._patiently(answered)
        except (TimeoutError, SocketLost):
            return
        finally:
            self._waiting = None
        await run(learning.learn, self.charger_id, message, now=timezone.now())

    async def _patiently(self, answered: asyncio.Future[Result | Error]) -> Result | Error:
        """Return an answer, but don't wait long for it once there is a command to send."""
        ends_s = self._loop.time() + LEARN_LIMIT_WHEN_BUSY_S
        woken = self._loop.create_task(self._is_woken.wait())
        anything: list[asyncio.Future[Any]] = [answered, woken]
        try:
            await asyncio.wait(anything, timeout=LEARN_LIMIT_S, return_when=asyncio.FIRST_COMPLETED)
            if woken.done() and not answered.done():
                await asyncio.wait([answered], timeout=ends_s - self._loop.time())
        finally:
            woken.cancel()
        if not answered.done():
            raise TimeoutError
        return answered.result()

    def _expect(self, message_id: str) -> asyncio.Future[Result | Error]:
        future: asyncio.Future[Result | Error] = self._loop.create_future()
        self._waiting = (message_id, future)
        return future

    def _wake_later(self, due_at: datetime | None) -> None:
        """Wake when a delayed command is due; the gateway's own look finds it, too, within a second."""
        if due_at is not None and due_at - timezone.now() < timedelta(seconds=10):
            self._loop.call_later(max(0.0, (due_at - timezone.now()).total_seconds()), self.wake)


def _line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
