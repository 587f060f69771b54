"""Pulls a partner's sessions from its Sender interface."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from locations.pull import mark_unconfirmed, pull_objects
from locations.updates import Party
from ocpi.partners.models import Partner
from ocpi.partners.pulls import PullCount, Reading, register_puller
from sessions.models import Session
from sessions.received import put_session


def pull_sessions(partner: Partner, reading: Reading) -> PullCount:
    """Store every session that the partner changed since the reading says, or its whole list.

    Of what a whole list lacks only sessions that still run matter.
    """

    def store(party: Party, session_id: str, document: Any) -> None:
        put_session(partner=partner, party=party, session_id=session_id, body=document, now=timezone.now())

    began_at = timezone.now()
    listing = pull_objects(partner, "sessions", reading, store)
    if listing.is_whole:
        running = Session.objects.filter(partner=partner, created_at__lt=began_at)
        mark_unconfirmed(running.exclude(status__in=Session.OVER), "session_id", listing.names, now=began_at)
    return listing.count


def register() -> None:
    """Tell the partners app how sessions are pulled."""
    register_puller("sessions", pull_sessions)
