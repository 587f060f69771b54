"""What we push of our sessions, and to whom: PUT first, then PATCH of what changed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import CharField, Exists, Min, OuterRef, Q, QuerySet
from django.db.models.functions import Cast

from ocpi.delivery.duties import owe_push
from ocpi.delivery.kinds import Message, register_push
from ocpi.delivery.models import Push
from ocpi.delivery.sweeper import register_sweep
from ocpi.partners import grants
from ocpi.partners.models import Grant, Partner
from sessions.models import Session
from sessions.visibility import entitled, visible_to

SESSION_KIND = "session"
RUNNING = [Session.Status.ACTIVE, Session.Status.PENDING]
# How many sessions one sweep owes to one partner; the next sweep goes on.
MOST_PER_SWEEP = 200
# A grant and a session that are written at the same moment don't see each other.
SLACK = timedelta(minutes=1)


def owe_session(session: Session, *, now: datetime, after_s: float = 0) -> None:
    """Owe the session's state to everyone entitled, `after_s` seconds from now at the latest."""
    for partner in entitled(session):
        owe_push(partner=partner, kind=SESSION_KIND, object_key=str(session.pk), now=now, after_s=after_s)


def owe_running(partner: Partner, now: datetime) -> int:
    """Owe the partner the running sessions that it may see and was not told of; return how many.

    For a grant given, or a partner registered, while sessions run.
    """
    told = Push.objects.filter(partner=partner, kind=SESSION_KIND, object_key=OuterRef("text_key"))
    if partner.registered_at:
        # What was settled before may have been with another platform.
        told = told.exclude(settled_at__lt=partner.registered_at)
    untold = (
        visible_to(partner)
        .filter(status__in=RUNNING)
        .annotate(text_key=Cast("pk", CharField()))
        .filter(~Exists(told))
        .values_list("pk", flat=True)[:MOST_PER_SWEEP]
    )
    keys = list(untold)
    for key in keys:
        owe_push(partner=partner, kind=SESSION_KIND, object_key=str(key), now=now)
    return len(keys)


def owe_all_running(now: datetime) -> int:
    """Owe the partners the running sessions that began before they were entitled; return how many.

    Looks only at partners that registered or got a grant after the oldest running session began.
    """
    running = Session.objects.filter(partner=None, status__in=RUNNING)
    oldest_at = running.aggregate(oldest=Min("created_at"))["oldest"]
    if oldest_at is None:
        return 0
    since = oldest_at - SLACK
    newly_granted = Grant.objects.filter(created_at__gte=since).values("partner")
    takers = Partner.objects.filter(
        Q(registered_at__gte=since) | Q(pk__in=newly_granted),
        status=Partner.Status.REGISTERED,
        endpoints__identifier="sessions",
        endpoints__role="RECEIVER",
    )
    return sum(owe_running(partner, now) for partner in takers)


def render_session(partner: Partner, object_key: str, sent_document: Any) -> Message | None:
    """Build the PUT of a session that the partner has not got, else the PATCH of what changed.

    None when the session is gone, no longer theirs to see, or just as sent. A change of charging_periods is
    sent as a PUT of the whole: in a PATCH they would be added once more at each retry.
    Spec: OCPI 2.2.1 mod_sessions, "PATCH Method".
    """
    session = Session.objects.filter(pk=object_key, partner=None).first()
    if session is None or not entitled(session).filter(pk=partner.pk).exists():
        return None
    document = session.document
    to_party = session.token_party if session.token_party in grants.parties(partner) else None
    is_new = not isinstance(sent_document, dict)
    whole = _message("PUT", session, document, to_party=to_party, creates=is_new)
    if is_new:
        return whole
    if document == sent_document:
        return None
    has_lost_fields = bool(sent_document.keys() - document.keys())
    if has_lost_fields or document.get("charging_periods") != sent_document.get("charging_periods"):
        return whole
    changed = {name: value for name, value in document.items() if sent_document.get(name) != value}
    changed["last_updated"] = document["last_updated"]
    return _message("PATCH", session, changed, to_party=to_party, whole=whole)


def _running_keys() -> QuerySet[Any]:
    """Return the keys of the running sessions: without its push, one would count as never told."""
    running = Session.objects.filter(partner=None, status__in=RUNNING)
    return running.annotate(text_key=Cast("pk", CharField())).values("text_key")


def _message(
    method: str,
    session: Session,
    body: dict[str, Any],
    *,
    to_party: tuple[str, str] | None,
    whole: Message | None = None,
    creates: bool = False,
) -> Message:
    return Message(
        method=method,
        module="sessions",
        role="RECEIVER",
        path=(*session.party, session.session_id),
        body=body,
        document=session.document,
        whole=whole,
        to_party=to_party,
        from_party=session.party,
        creates=creates,
    )


def register() -> None:
    """Tell delivery how the push is built and what to sweep."""
    register_push(SESSION_KIND, render_session, needed_keys=_running_keys)
    register_sweep("sessions.owe_all_running", owe_all_running)
