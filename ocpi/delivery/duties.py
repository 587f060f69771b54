"""What modules call to owe a partner something, and what people call to look at it or repeat it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Case, DateTimeField, Exists, F, Min, OuterRef, Q, QuerySet, Value, When

from ocpi.delivery import claims, hints
from ocpi.delivery.models import Duty, Push, Result
from ocpi.partners.models import Partner
from ocpi.partners.own import Party

PUSH_WINDOW = timedelta(hours=24)
# A push whose last try failed is not tried at once for each new version, or its waits would never grow.
FAILING_PUSH_WAIT = timedelta(seconds=10)


class UnableToReplay(Exception):
    """The duty does not exist or is not settled; the message says which."""

    is_foreseen = True


def owe_result(
    *,
    partner: Partner,
    request_key: str,
    subject: str,
    url: str,
    body: Any,
    correlation_id: str,
    expires_at: datetime,
    now: datetime,
    to_party: Party | None = None,
    from_party: Party | None = None,
) -> Result:
    """Owe `partner` a POST of `body` to `url`, once per `request_key`; a second call returns the first row.

    The body is frozen: each try sends the same, until the partner takes it or `expires_at` passes. Pushes
    with the same `subject` wait for it. It goes from `from_party` of ours to `to_party` of theirs, each a
    (country_code, party_id), or else between the parties that the interface tells.
    """
    to_country_code, to_party_id = to_party or ("", "")
    from_country_code, from_party_id = from_party or ("", "")
    try:
        with transaction.atomic():
            result = Result.objects.create(
                partner=partner,
                request_key=request_key,
                subject=subject,
                url=url,
                body=body,
                correlation_id=correlation_id,
                to_country_code=to_country_code,
                to_party_id=to_party_id,
                from_country_code=from_country_code,
                from_party_id=from_party_id,
                expires_at=expires_at,
                next_at=now,
                created_at=now,
            )
    except IntegrityError:
        return Result.objects.get(request_key=request_key)
    hints.hint(hints.DELIVER_RESULT, result.pk)
    return result


def owe_push(
    *, partner: Partner, kind: str, object_key: str, subject: str = "", now: datetime, after_s: float = 0
) -> Push:
    """Owe `partner` the state of an object, within about `after_s` seconds; calls until then become one push.

    An earlier due time is never postponed. A push that was settled, refused or expired is owed anew. Of
    pushes with the same `subject` only one is out at once, so that they can't overtake each other.
    """
    due_at = now + timedelta(seconds=after_s)
    streams = Push.objects.filter(partner=partner, kind=kind, object_key=object_key)
    if _raise_version(streams, subject=subject, due_at=due_at, now=now):
        push = streams.get()
    else:
        try:
            with transaction.atomic():
                push = Push.objects.create(
                    partner=partner,
                    kind=kind,
                    object_key=object_key,
                    subject=subject,
                    version=1,
                    next_at=due_at,
                    expires_at=due_at + PUSH_WINDOW,
                    created_at=now,
                )
        except IntegrityError:
            # Somebody else inserted the row between our two statements.
            _raise_version(streams, subject=subject, due_at=due_at, now=now)
            push = streams.get()
    if push.state == Duty.State.PENDING and push.next_at <= now:
        hints.hint(hints.DELIVER_PUSH, push.pk)
    return push


def oldest_due_at(*, now: datetime) -> datetime | None:
    """Return since when the most overdue duty waits that nobody works on; None when nothing is due.

    Duties queued behind another of the same partner that is being delivered don't count: that partner is
    slow, we are not.
    """
    moments = []
    for model in (Result, Push):
        at_work = claims.in_flight(model, now=now).filter(partner=OuterRef("partner"))
        due_since = Case(
            When(state=Duty.State.LEASED, then=F("lease_until")),
            default=F("next_at"),
            output_field=DateTimeField(),
        )
        moments.append(
            claims.ready(model, now=now).filter(~Exists(at_work)).aggregate(oldest=Min(due_since))["oldest"]
        )
    return min((moment for moment in moments if moment), default=None)


def replay(duty_id: str, *, now: datetime) -> None:
    """Make a settled duty (`result:ID` or `push:ID`) due now. Raises UnableToReplay.

    A result gets a new window of RESULT_GRACE_S; a push is sent whole.
    """
    kind, _, key = duty_id.partition(":")
    again: dict[str, Any] = {
        "state": Duty.State.PENDING,
        "attempts": 0,
        "crashes": 0,
        "next_at": now,
        "settled_at": None,
        "last_outcome": "",
    }
    if kind == "result" and _is_uuid(key):
        rows: QuerySet[Any] = Result.objects.filter(pk=key)
        again["expires_at"] = now + timedelta(seconds=settings.RESULT_GRACE_S)
        task = hints.DELIVER_RESULT
    elif kind == "push" and key.isascii() and key.isdecimal() and len(key) < 19:
        rows = Push.objects.filter(pk=key)
        again |= {"expires_at": now + PUSH_WINDOW, "sent_document": None}
        task = hints.DELIVER_PUSH
    else:
        raise UnableToReplay(f"{duty_id!r} is not result:ID or push:ID; `delivery list` shows them.")
    if not rows.exclude(state__in=claims.OPEN_STATES).update(**again):
        if rows.exists():
            raise UnableToReplay(f"{duty_id} is not settled yet; it will be tried by itself.")
        raise UnableToReplay(f"There is no {duty_id}; `delivery list` shows what there is.")
    hints.hint(task, key)


def _raise_version(streams: QuerySet[Push], *, subject: str, due_at: datetime, now: datetime) -> int:
    """Mark the object as changed and the push as due, in one UPDATE; return the number of rows, 0 or 1."""
    is_open = Q(state__in=claims.OPEN_STATES)
    is_failing = Q(state=Duty.State.PENDING, attempts__gt=0)
    spaced_at = max(due_at, now + FAILING_PUSH_WAIT)
    return streams.update(
        version=F("version") + 1,
        subject=subject,
        state=Case(When(state=Duty.State.LEASED, then=F("state")), default=Value(Duty.State.PENDING)),
        next_at=Case(
            When(is_open, next_at__lte=due_at, then=F("next_at")),
            When(is_failing, next_at__lte=spaced_at, then=F("next_at")),
            When(is_failing, then=Value(spaced_at)),
            default=Value(due_at),
        ),
        attempts=Case(When(is_open, then=F("attempts")), default=Value(0)),
        crashes=Case(When(is_open, then=F("crashes")), default=Value(0)),
        expires_at=Case(When(is_open, then=F("expires_at")), default=Value(due_at + PUSH_WINDOW)),
        last_outcome=Case(When(is_open, then=F("last_outcome")), default=Value("")),
        last_error=Case(When(is_open, then=F("last_error")), default=Value("")),
        settled_at=None,
    )


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
