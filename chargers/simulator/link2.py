"""The station's end of the wire where OCPP 2.0.1 or 2.1 is spoken."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from chargers.simulator.accent2 import Accent2
from chargers.simulator.link import Answer, Link


class Link2(Link):
    """A link on whose way the station's 1.6 is translated."""

    def __init__(
        self,
        *,
        answer: Callable[[str, dict[str, Any]], Awaitable[Answer | None]],
        unreadable: Callable[[str], object],
    ) -> None:
        super().__init__(answer=self._answer_translated, unreadable=unreadable)
        self._accent = Accent2()
        self._answer_16 = answer

    async def call(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to a call. Raises NoAnswer, CallError."""
        said = self._accent.say(action, payload)
        if said is None:
            return {}
        return self._accent.hear_answer(action, payload, await super().call(*said))

    async def _answer_translated(self, action: str, payload: dict[str, Any]) -> Answer | None:
        answer = await self._answer_16(*self._accent.hear(action, payload))
        if answer is None:
            return None
        return Answer(self._accent.answer(action, payload, answer.payload), answer.then)
