"""Requests that time decides: those held until a session starts, and those nobody answered."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from chargers.models import Command
from chargers.settlement import settle
from chargingprofiles.actions import COMMAND_MARGIN, WAITING, command_charger, open_transaction
from chargingprofiles.decisions import Decision, decide
from chargingprofiles.models import ProfileRequest
from sessions.models import Session

# The charger's own deadline settles a request; this is the net below it.
_NET_AFTER = timedelta(seconds=1)


def sweep(now: datetime) -> int:
    """Act on the requests whose time has come; returns how many. Safe to run in several processes."""
    due = ProfileRequest.objects.filter(decision="").filter(
        Q(command=None) | Q(deadline_at__lte=now - _NET_AFTER)
    )
    return sum(
        _see_to(key, now=now)
        for key in list(due.order_by("deadline_at").values_list("pk", "session_id")[:500])
    )


def _see_to(key: tuple[UUID, int], *, now: datetime) -> bool:
    request_pk, session_pk = key
    with transaction.atomic():
        # The lock under which requests are taken: what is held is sent or decided once.
        session = Session.objects.select_for_update(no_key=True).get(pk=session_pk)
        request = (
            ProfileRequest.objects.select_related("partner", "command")
            .filter(pk=request_pk, decision="")
            .first()
        )
        if request is None:
            return False
        if request.command_id is None:
            return _see_to_held(request, session, now=now)
        if request.deadline_at + _NET_AFTER > now:
            return False
        # Settled first where it still can be: then whatever the charger did is made good there.
        command = request.command
        if command is not None and settle(command, state=Command.State.NO_ANSWER, now=now):
            return True
        return decide(request, Decision.REJECTED, reason="the charger did not answer in time", now=now)


def _see_to_held(request: ProfileRequest, session: Session, *, now: datetime) -> bool:
    if request.deadline_at - COMMAND_MARGIN <= now:
        return decide(request, Decision.REJECTED, reason="charging did not start in time", now=now)
    charging = open_transaction(session)
    if charging is not None:
        verdict = command_charger(request, charging=charging, now=now)
        if verdict:
            return decide(request, verdict[0], reason=verdict[1], now=now)
        request.save(update_fields=["command"])
        return True
    if session.status in WAITING:
        return False
    return decide(request, Decision.REJECTED, reason="the session is over", now=now)
