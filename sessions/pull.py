"""Pulls a partner's sessions from its Sender interface."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from locations.pull import pull_objects
from locations.updates import Party
from ocpi.partners.models import Partner
from ocpi.partners.pulls import PullCount, register_puller
from sessions.received import put_session


def pull_sessions(partner: Partner, since: datetime) -> PullCount:
    """Store every session that the partner changed since then."""

    def store(party: Party, session_id: str, document: Any) -> None:
        put_session(partner=partner, party=party, session_id=session_id, body=document, now=timezone.now())

    return pull_objects(partner, "sessions", since, store)


def register() -> None:
    """Tell the partners app how sessions are pulled."""
    register_puller("sessions", pull_sessions)
