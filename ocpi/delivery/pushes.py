"""One try at a push: the object as it is now, to the partner's endpoint."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from ocpi.delivery import claims, hints, retry
from ocpi.delivery.duties import PUSH_WINDOW
from ocpi.delivery.kinds import Message, render_of
from ocpi.delivery.models import Push
from ocpi.delivery.retry import Outcome, Verdict
from ocpi.delivery.tries import CALL_DEADLINE_S, Clock, Try, attempt, record
from ocpi.delivery.verdicts import NOT_REGISTERED, TOO_LATE, final_verdict, tell_created, tell_partner_row
from ocpi.partners import calls
from ocpi.partners.models import Partner
from ocpi.protocol.client import Reply

NOTHING_TO_SEND = Outcome(Verdict.DONE, "nothing_to_send")
# Pushes of one kind share an endpoint: where it gave no answer, the others wait at most this long.
LONGEST_COMPANY_S = 15.0


def try_push(push: Push, *, clock: Clock) -> Outcome | None:
    """Send a claimed push once and settle its row; return what came of it, None when it has to wait."""
    if push.partner.status != Partner.Status.REGISTERED:
        return _close(push, [], NOT_REGISTERED, clock, state=Push.State.DONE)
    if push.attempts > 1 and clock.now() >= push.expires_at:
        return _close(push, [], TOO_LATE, clock, state=Push.State.EXPIRED)
    message = render_of(push.kind)(push.partner, push.object_key, _sent_document(push))
    if message is None:
        return _close(push, [], NOTHING_TO_SEND, clock, state=Push.State.DONE)
    if _is_behind_a_result(push):
        claims.settle(
            push, state=Push.State.PENDING, next_at=clock.now(), attempts=F("attempts") - 1, crashes=0
        )
        return None
    try:
        tries, sent = _send(push, message, clock)
    except calls.NoEndpoint as error:
        no_endpoint = Outcome(Verdict.DONE, "no_endpoint", retry.printable(str(error)))
        return _close(push, [], no_endpoint, clock, state=Push.State.DONE)
    return _settle(push, tries, sent, clock)


def _sent_document(push: Push) -> Any:
    """Return what the partner confirmed since it registered: before, it may have been another platform."""
    registered_at = push.partner.registered_at
    is_theirs = push.sent_at and registered_at and push.sent_at >= registered_at
    return push.sent_document if is_theirs else None


def _is_behind_a_result(push: Push) -> bool:
    """Look again once the message is built: what it tells may be news that a newer result must tell first."""
    if not push.subject:
        return False
    return Push.objects.filter(claims.open_results_of_push(), pk=push.pk).exists()


def _send(push: Push, message: Message, clock: Clock) -> tuple[list[Try], Message]:
    """Make the call, and after a failed PATCH the GET and the PUT of the whole; return the tries, the last
    of which counts, and the message that it was about. Raises NoEndpoint."""
    tries = [_call(push, message, clock)]
    if message.method != "PATCH" or message.whole is None or not _calls_for_whole(tries[0]):
        return tries, message
    look = replace(message, method="GET", body=None, document=None, whole=None)
    for step in (look, message.whole):
        if not claims.renew(push, now=clock.now()):
            break
        tries.append(_call(push, step, clock))
        if tries[-1].outcome.is_silence:
            break
    return tries, message.whole


def _calls_for_whole(one: Try) -> bool:
    """Did the partner answer, but not take it, for a reason that the whole object may cure?"""
    if not isinstance(one.answer, Reply) or one.outcome.is_delivered:
        return False
    return one.outcome.label not in ("unauthorized", "overloaded")


def _call(push: Push, message: Message, clock: Clock) -> Try:
    url = calls.endpoint_of(push.partner, module=message.module, role=message.role)
    return attempt(
        method=message.method,
        url=calls.joined(url, message.path),
        send=lambda: calls.call(
            push.partner,
            method=message.method,
            module=message.module,
            role=message.role,
            path=message.path,
            body=message.body,
            deadline_s=CALL_DEADLINE_S,
            to_party=message.to_party,
            from_party=message.from_party,
        ),
        clock=clock,
    )


def _settle(push: Push, tries: list[Try], sent: Message, clock: Clock) -> Outcome:
    outcome = tries[-1].outcome
    verdict = final_verdict(push, outcome)
    now = clock.now()
    if verdict is Verdict.DONE:
        # A repeated try, or a push that was taken before, may meet the object there already.
        if sent.creates and push.attempts == 1 and push.sent_at is None:
            tell_created(push.partner, tries[-1])
        return _close(
            push,
            tries,
            outcome,
            clock,
            state=Push.State.DONE,
            sent_document=sent.document,
            sent_at=now,
        )
    if verdict is Verdict.DEAD:
        return _close(push, tries, outcome, clock, state=Push.State.DEAD)
    wait_s = retry.push_wait_s(attempts=push.attempts, outcome=outcome, draw=random.random())
    next_at = retry.next_try_at(now=now, wait_s=wait_s, expires_at=push.expires_at)
    if next_at is None:
        return _close(push, tries, outcome, clock, state=Push.State.EXPIRED)
    with transaction.atomic():
        claims.settle(
            push,
            state=Push.State.PENDING,
            next_at=next_at,
            crashes=0,
            last_outcome=outcome.label,
            last_error=outcome.detail,
        )
        record(push, tries)
        tell_partner_row(push, outcome, verdict, now=now)
        if outcome.is_silence:
            company_at = min(next_at, now + timedelta(seconds=LONGEST_COMPANY_S))
            others = Push.objects.filter(partner=push.partner_id, kind=push.kind, state=Push.State.PENDING)
            others.filter(next_at__lt=company_at).update(next_at=company_at)
    return outcome


def _close(
    push: Push, tries: list[Try], outcome: Outcome, clock: Clock, *, state: Push.State, **values: Any
) -> Outcome:
    """Settle the row in `state`, unless the object changed since it was rendered: then it is owed anew."""
    now = clock.now()
    values |= {"crashes": 0, "last_outcome": outcome.label, "last_error": outcome.detail}
    with transaction.atomic():
        is_closed = claims.settle(push, only=Q(version=push.version), state=state, settled_at=now, **values)
        is_owed_anew = not is_closed and claims.settle(
            push, state=Push.State.PENDING, attempts=0, expires_at=now + PUSH_WINDOW, **values
        )
        record(push, tries)
        verdict = Verdict.DEAD if state != Push.State.DONE else Verdict.DONE
        tell_partner_row(push, outcome, verdict, now=now)
    if is_owed_anew:
        hints.hint(hints.DELIVER_PUSH, push.pk)
    return outcome
