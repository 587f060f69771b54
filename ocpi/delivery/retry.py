"""What an answer means for a duty and when to try again; pure rules, no clock and no dice of their own.

OCPI 2.2.1 (transport_and_format, "Offline behaviour") wants no queue of old messages: a result is only worth
something for a few minutes, and a push always carries the state of now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum

from ocpi.protocol.client import CallFailed, Reply

RESULT_WAITS_S = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
PUSH_WAITS_S = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0)
OVERLOAD_WAIT_S = 5.0
LONGEST_DETAIL = 250

_OVERLOADED = (408, 425, 429)
_RETRIED_HUB_STATUSES = (4000, 4002, 4003)


class Verdict(StrEnum):
    """What becomes of a duty after a try."""

    DONE = "DONE"
    RETRY = "RETRY"
    RETRY_ONCE = "RETRY_ONCE"
    DEAD = "DEAD"


@dataclass(frozen=True)
class Outcome:
    """The meaning of an answer, or of its absence.

    `label` names the class of answer, `detail` is for people. `least_wait_s` holds off an overloaded
    partner; `retry_after_s` is what the partner asked for.
    """

    verdict: Verdict
    label: str
    detail: str = ""
    least_wait_s: float = 0.0
    retry_after_s: float | None = None

    @property
    def is_delivered(self) -> bool:
        """Did the partner take the message?"""
        return self.verdict is Verdict.DONE

    @property
    def is_silence(self) -> bool:
        """Did the partner give no answer at all?"""
        return self.label in ("unreachable", "timeout", "sign_in_failed")


def classify(answer: Reply | CallFailed, *, now: datetime) -> Outcome:
    """Return what `answer` means for the duty.

    A 2xx with OCPI 1xxx, or without an envelope at all, is delivered. What the partner will refuse again is
    DEAD at once; a refused token is tried once more, because it may just have been renewed.
    """
    if isinstance(answer, CallFailed):
        return _classify_failure(answer)
    detail = _detail(answer)
    http_status = answer.http_status
    if answer.is_success:
        return Outcome(Verdict.DONE, "delivered")
    if 200 <= http_status < 300:
        return _classify_status(answer.status_code or 0, detail)
    if http_status in _OVERLOADED:
        asked = retry_after_s(answer.headers.get("Retry-After", ""), now=now)
        return Outcome(Verdict.RETRY, "overloaded", detail, OVERLOAD_WAIT_S, asked)
    if http_status >= 500:
        asked = retry_after_s(answer.headers.get("Retry-After", ""), now=now)
        return Outcome(Verdict.RETRY, "server_error", detail, retry_after_s=asked)
    if http_status in (401, 403):
        return Outcome(Verdict.RETRY_ONCE, "unauthorized", detail)
    if 300 <= http_status < 400:
        return Outcome(Verdict.DEAD, "redirect", f"redirect refused: {detail}")
    return Outcome(Verdict.DEAD, "refused", detail)


def retry_after_s(header: str, *, now: datetime) -> float | None:
    """Return the seconds a Retry-After header asks for (RFC 9110, 10.2.3); None when unusable."""
    header = header.strip()
    if header.isascii() and header.isdecimal():
        return float(header[:9])
    try:
        return max(0.0, (parsedate_to_datetime(header) - now).total_seconds())
    except (TypeError, ValueError, OverflowError):
        return None


def result_wait_s(*, attempts: int, outcome: Outcome, draw: float) -> float:
    """Return the seconds between the `attempts`-th try of a result (from 1) and the next.

    `draw` in [0, 1) spreads the wait over 0.8 to 1.2 of its step.
    """
    step_s = _step(RESULT_WAITS_S, attempts)
    return _wait_s(step_s, step_s * (0.8 + 0.4 * draw), outcome)


def push_wait_s(*, attempts: int, outcome: Outcome, draw: float) -> float:
    """Return the seconds between the `attempts`-th try of a push (from 1) and the next.

    `draw` in [0, 1) spreads the wait over the whole step, so that many pushes don't return together.
    """
    step_s = _step(PUSH_WAITS_S, attempts)
    return _wait_s(step_s, step_s * draw, outcome)


def next_try_at(*, now: datetime, wait_s: float, expires_at: datetime) -> datetime | None:
    """Return when to try again, or None when that would be too late."""
    moment = now + timedelta(seconds=wait_s)
    return moment if moment < expires_at else None


def _step(waits_s: Sequence[float], attempts: int) -> float:
    return waits_s[min(max(attempts, 1), len(waits_s)) - 1]


def _wait_s(step_s: float, spread_s: float, outcome: Outcome) -> float:
    """Honour what the partner asked for, but only between the own wait and twice as much."""
    base_s = max(step_s, outcome.least_wait_s)
    if outcome.retry_after_s is not None:
        return min(max(outcome.retry_after_s, base_s), 2 * base_s)
    return max(spread_s, outcome.least_wait_s)


def _classify_failure(failure: CallFailed) -> Outcome:
    detail = printable(f"{failure.reason}: {failure.detail}")
    if failure.reason in ("forbidden_address", "no_envelope"):
        return Outcome(Verdict.DEAD, failure.reason, detail)
    if failure.reason == "timeout":
        return Outcome(Verdict.RETRY, failure.reason, detail, OVERLOAD_WAIT_S)
    return Outcome(Verdict.RETRY, failure.reason, detail)


def _classify_status(status_code: int, detail: str) -> Outcome:
    """Judge the OCPI status of a 2xx answer (OCPI 2.2.1 status_codes)."""
    if 3000 <= status_code < 4000 or status_code in _RETRIED_HUB_STATUSES:
        return Outcome(Verdict.RETRY, "ocpi_server_error", detail)
    return Outcome(Verdict.DEAD, "refused", detail)


def _detail(reply: Reply) -> str:
    parts = [f"HTTP {reply.http_status}"]
    if reply.status_code is not None:
        parts.append(f"OCPI {reply.status_code}")
    text = ", ".join(parts)
    return printable(f"{text}: {reply.status_message}" if reply.status_message else text)


def printable(text: str) -> str:
    """Return the beginning of a partner's text without control characters: it is shown to people."""
    return "".join(char if char.isprintable() else " " for char in text[:LONGEST_DETAIL])
