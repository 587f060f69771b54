"""One try at a result: its frozen body to the response_url that came with the request."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from django.db import transaction

from ocpi.delivery import claims, hints, retry
from ocpi.delivery.models import Push, Result
from ocpi.delivery.retry import Outcome, Verdict
from ocpi.delivery.tries import CALL_DEADLINE_S, Clock, Try, attempt, record
from ocpi.delivery.verdicts import NOT_REGISTERED, TOO_LATE, final_verdict, tell_partner_row
from ocpi.partners import calls
from ocpi.partners.models import Partner

# A decision taken right at the deadline still leaves once, also when no grace is configured.
FIRST_TRY_GRACE = timedelta(seconds=10)


def try_result(result: Result, *, clock: Clock) -> Outcome:
    """Send a claimed result once and settle its row; return what came of it."""
    if result.partner.status != Partner.Status.REGISTERED:
        return _settle(result, [], NOT_REGISTERED, clock)
    if _is_too_late(result, now=clock.now()):
        return _settle(result, [], TOO_LATE, clock)
    one = attempt(
        method="POST",
        url=result.url,
        send=lambda: calls.call_url(
            result.partner,
            method="POST",
            url=result.url,
            body=result.body,
            correlation_id=result.correlation_id or None,
            deadline_s=CALL_DEADLINE_S,
            to_party=result.to_party,
            from_party=result.from_party,
        ),
        clock=clock,
    )
    return _settle(result, [one], one.outcome, clock)


def _is_too_late(result: Result, *, now: datetime) -> bool:
    return now >= result.expires_at + (FIRST_TRY_GRACE if result.attempts == 1 else timedelta())


def _settle(result: Result, tries: list[Try], outcome: Outcome, clock: Clock) -> Outcome:
    now = clock.now()
    verdict = final_verdict(result, outcome)
    state = Result.State.DONE if verdict is Verdict.DONE else Result.State.DEAD
    next_at = None
    if verdict is Verdict.RETRY:
        wait_s = retry.result_wait_s(attempts=result.attempts, outcome=outcome, draw=random.random())
        next_at = retry.next_try_at(now=now, wait_s=wait_s, expires_at=result.expires_at)
        state = Result.State.PENDING if next_at else Result.State.EXPIRED
    elif outcome is TOO_LATE:
        state = Result.State.EXPIRED
    with transaction.atomic():
        is_mine = claims.settle(
            result,
            state=state,
            next_at=next_at or now,
            settled_at=None if next_at else now,
            crashes=0,
            last_outcome=outcome.label,
            last_error=outcome.detail,
        )
        record(result, tries)
        tell_partner_row(result, outcome, verdict, now=now)
    if is_mine and next_at is None:
        _let_pushes_go(result, now=now)
    return outcome


def _let_pushes_go(result: Result, *, now: datetime) -> None:
    """Hint at the pushes that waited behind this result."""
    if result.subject:
        waiting = claims.ready(Push, now=now).filter(partner=result.partner_id, subject=result.subject)
        for push_id in waiting.values_list("pk", flat=True):
            hints.hint(hints.DELIVER_PUSH, push_id)
