"""One HTTP call for a duty: made outside any transaction, judged, and kept as an Attempt."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ocpi.delivery.models import Attempt, Push, Result
from ocpi.delivery.retry import Outcome, classify
from ocpi.protocol.client import CallFailed, Reply

CALL_DEADLINE_S = 8.0


class Clock:
    """The moment of a try, running on from the given one; steps of the wall clock don't disturb it."""

    def __init__(self, now: datetime) -> None:
        self._started_at = now
        self._started = time.monotonic()

    def now(self) -> datetime:
        """Return the moment it is."""
        return self._started_at + timedelta(seconds=time.monotonic() - self._started)


@dataclass(frozen=True)
class Try:
    """One call and what came of it."""

    method: str
    url: str
    answer: Reply | CallFailed
    outcome: Outcome
    at: datetime
    duration_ms: int

    @property
    def http_status(self) -> int | None:
        """Return the HTTP status; None when no answer came."""
        return self.answer.http_status if isinstance(self.answer, Reply) else None


def attempt(*, method: str, url: str, send: Callable[[], Reply], clock: Clock) -> Try:
    """Make one call by `send` and return what came of it; a failed call is an outcome, not an error."""
    began_at = clock.now()
    answer: Reply | CallFailed
    try:
        answer = send()
    except CallFailed as failure:
        answer = failure
    ended_at = clock.now()
    return Try(
        method=method,
        url=url.partition("?")[0][:255],
        answer=answer,
        outcome=classify(answer, now=ended_at),
        at=began_at,
        duration_ms=round((ended_at - began_at).total_seconds() * 1000),
    )


def record(row: Result | Push, tries: list[Try]) -> None:
    """Keep the tries for people to read."""
    Attempt.objects.bulk_create(
        Attempt(
            partner_id=row.partner_id,
            duty=f"{row._meta.model_name}:{row.pk}",
            number=row.attempts,
            method=one.method,
            url=one.url,
            http_status=one.http_status,
            ocpi_status=_ocpi_status(one.answer),
            outcome=one.outcome.label,
            detail=one.outcome.detail,
            duration_ms=one.duration_ms,
            at=one.at,
        )
        for one in tries
    )


def _ocpi_status(answer: Reply | CallFailed) -> int | None:
    """Return the OCPI status if it is a sensible number: partners send anything."""
    if isinstance(answer, CallFailed) or answer.status_code is None:
        return None
    return answer.status_code if 0 <= answer.status_code < 32768 else None
