"""OCPP-J frames: what comes off the wire and goes onto it. Pure.

OCPP-J 1.6 section 4 and its errata; OCPP 2.0.1 part 4, section 4.
"""

from __future__ import annotations

import json
import math
from collections.abc import Container
from dataclasses import dataclass
from typing import Any

CALL, RESULT, ERROR = 2, 3, 4
LONGEST_ID = 36
# Stands for a message id that can't be read (OCPP 2.0.1 part 4, 4.2.3).
UNREADABLE_ID = "-1"
LONGEST_DESCRIPTION = 255
MOST_DIGITS = 40


class CallError(Exception):
    """A reason to answer a CALL with CALLERROR; `code` is one of OCPP's error codes."""

    def __init__(self, code: str, description: str = "", *, message_id: str = UNREADABLE_ID) -> None:
        super().__init__(f"{code}: {description}" if description else code)
        self.code = code
        self.description = description
        self.message_id = message_id


class Unanswerable(Exception):
    """A frame that says it is an answer, but not to what: nobody waits for a CALLERROR to it."""


@dataclass(frozen=True)
class Call:
    """A CALL: the other end wants something."""

    message_id: str
    action: str
    payload: dict[str, Any]


@dataclass(frozen=True)
class Result:
    """A CALLRESULT; the payload is as it came, which may be nonsense."""

    message_id: str
    payload: Any


@dataclass(frozen=True)
class Error:
    """A CALLERROR; what is missing in it is empty."""

    message_id: str
    code: str
    description: str = ""


def unpack(frame: str | bytes, *, unread: Container[int] = ()) -> Call | Result | Error:
    """Return what a frame says. Raises CallError to answer with, or Unanswerable.

    `unread` are message types that want no answer and that we have no use for.
    """
    if isinstance(frame, bytes):
        raise CallError("FormationViolation", "frames must be text")
    message = _loads(frame)
    if not isinstance(message, list) or len(message) < 2:
        raise CallError("FormationViolation", "a message must be an array: [type, id, ...]")
    kind, message_id, *rest = message
    if isinstance(kind, int) and kind in unread:
        raise Unanswerable(f"a message of type {kind}")
    is_readable = isinstance(message_id, str) and 0 < len(message_id) <= LONGEST_ID
    if kind in (RESULT, ERROR) and not isinstance(kind, bool):
        if not is_readable:
            raise Unanswerable("an answer without a message id")
        if kind == RESULT:
            return Result(message_id, rest[0] if rest else None)
        texts = [part if isinstance(part, str) else "" for part in (*rest[:2], "", "")]
        return Error(message_id, texts[0] or "GenericError", texts[1])
    if not is_readable:
        raise CallError("FormationViolation", f"a message id must be a text of 1 to {LONGEST_ID} characters")
    if kind != CALL or isinstance(kind, bool):
        raise CallError("ProtocolError", f"unknown message type {str(kind)[:20]}", message_id=message_id)
    if len(rest) != 2 or not isinstance(rest[0], str) or not isinstance(rest[1], dict):
        raise CallError(
            "FormationViolation", "a CALL must be [2, id, action, {payload}]", message_id=message_id
        )
    return Call(message_id, rest[0], rest[1])


def pack_call(message_id: str, action: str, payload: dict[str, Any]) -> str:
    """Return the frame of a CALL."""
    return _dumps([CALL, message_id, action, payload])


def pack_result(message_id: str, payload: dict[str, Any]) -> str:
    """Return the frame of a CALLRESULT."""
    return _dumps([RESULT, message_id, payload])


def pack_error(error: CallError) -> str:
    """Return the frame of a CALLERROR."""
    return _dumps([ERROR, error.message_id, error.code, error.description[:LONGEST_DESCRIPTION], {}])


class Allowance:
    """How fast a charger's frames are read: `burst` at once, then `per_s`."""

    def __init__(self, *, burst: int, per_s: float, now_s: float) -> None:
        self.burst = burst
        self.per_s = per_s
        self._left = float(burst)
        self._at_s = now_s

    def take(self, now_s: float) -> float:
        """Count one frame at `now_s` (of a monotonic clock); return the seconds to wait before the next."""
        self._left = min(self.burst, self._left + (now_s - self._at_s) * self.per_s) - 1
        self._at_s = now_s
        return max(0.0, -self._left / self.per_s)


def _dumps(message: list[Any]) -> str:
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False)


def _loads(text: str) -> Any:
    try:
        message = json.loads(text, parse_constant=_refuse, parse_int=_integer, parse_float=_number)
        if "\\u" in text and _is_unstorable(message):
            raise ValueError("a character that is none")
    except (ValueError, RecursionError):
        raise CallError("FormationViolation", "the message is not JSON") from None
    return message


def _is_unstorable(message: Any) -> bool:
    """Tell whether it has NUL characters or halves of surrogate pairs, which no database takes."""
    text = json.dumps(message, ensure_ascii=False)
    return "\\u0000" in text or any("\ud800" <= character <= "\udfff" for character in text)


def _refuse(name: str) -> Any:
    raise ValueError(name)


def _integer(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise ValueError("absurdly many digits")
    return int(digits)


def _number(digits: str) -> float | int:
    number = float(digits)
    if len(digits) > MOST_DIGITS or not math.isfinite(number):
        raise ValueError("absurdly large or long")
    # Some chargers write 1000.0 where the schema wants a whole number.
    return int(number) if number.is_integer() else number
