"""The one decision that each accepted request gets: what the charger said, owed to the Sender.

OCPI 2.2.1 mod_charging_profiles.asciidoc, "POST Method" of the Sender Interface.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from chargers.models import Command
from chargingprofiles.models import ProfileRequest
from ocpi.delivery.duties import owe_result

logger = logging.getLogger(__name__)

Decision = ProfileRequest.Decision


def decide(
    request: ProfileRequest,
    decision: str,
    *,
    reason: str,
    now: datetime,
    profile: dict[str, Any] | None = None,
) -> bool:
    """Decide a request and owe its Sender the result; False when it was decided before.

    `profile` is the ActiveChargingProfile of an accepted GET. To be called inside a transaction.
    """
    taken = ProfileRequest.objects.filter(pk=request.pk, decision="").update(
        decision=decision, reason=reason[:200], decided_at=now
    )
    if not taken:
        return False
    body: dict[str, Any] = {"result": str(decision)}
    if profile is not None:
        body["profile"] = profile
    owe_result(
        partner=request.partner,
        request_key=f"profile:{request.pk}",
        subject=subject_of(request.session_id),
        url=request.response_url,
        body=body,
        correlation_id=request.correlation_id,
        from_party=request.session.party,
        to_party=request.asker,
        expires_at=request.deadline_at + timedelta(seconds=settings.RESULT_GRACE_S),
        now=now,
    )
    logger.info("profile request %s decided: %s (%s)", request.pk, decision, reason)
    return True


def subject_of(session_pk: int) -> str:
    """Return the subject that keeps results and active profiles of a session in order."""
    return f"session:{session_pk}"


def decision_of(command: Command) -> tuple[str, str]:
    """Return the decision that a settled command means, and why in words for the operator.

    OCPI's UNKNOWN says that no profile was found, never that nobody knows: silence is REJECTED.
    """
    outcome, answered = command.outcome, command.state == Command.State.ANSWERED
    if not answered:
        return Decision.REJECTED, _SILENT.get(command.state, "the charger did not answer")
    if outcome == Command.Outcome.ACCEPTED:
        if command.kind == Command.Kind.READ_SCHEDULE and command.told_schedule is None:
            return Decision.UNKNOWN, "the charger told no schedule"
        return Decision.ACCEPTED, "the charger accepted"
    if outcome == Command.Outcome.UNKNOWN and command.kind != Command.Kind.SET_LIMIT:
        return Decision.UNKNOWN, "the charger has no profile"
    return Decision.REJECTED, f"the charger said {outcome or 'nothing usable'}"


_SILENT: dict[str, str] = {
    Command.State.CANCELLED: "withdrawn before it was sent",
    Command.State.NO_ANSWER: "the charger did not answer in time",
}
