"""The active profile of our sessions: learned from the charger, told to the Senders that steer it.

OCPI 2.2.1 mod_charging_profiles.asciidoc, "PUT Method" of the Sender Interface.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Q

from chargers.commands import effective, read_schedule
from chargers.models import Command, Outlet, Transaction
from chargers.schedule import Schedule, Unit, ceiling, maximum, to_active_profile
from chargingprofiles.comparison import says_the_same
from chargingprofiles.decisions import subject_of
from chargingprofiles.models import ActiveProfile, ArmedSender, Kind, ProfileRequest
from ocpi.delivery.duties import owe_push
from ocpi.delivery.kinds import Message
from ocpi.partners.grants import may_steer
from ocpi.partners.models import Partner
from ocpi.partners.own import Party
from sessions.models import Session

PUSH_KIND = "active_profile"
# OCPI: a useful duration is between 5 and 60 minutes.
HORIZON_S = 3600
LEAST_HORIZON_S = 300
# A charger that never answers this must not keep the next profile waiting; then we compute what is active.
READ_PATIENCE = timedelta(seconds=6)


def arm(request: ProfileRequest, *, now: datetime) -> None:
    """Remember that the charger accepted a profile of this Sender: from now on it is kept told."""
    ArmedSender.objects.get_or_create(
        partner=request.partner,
        from_country_code=request.from_country_code,
        from_party_id=request.from_party_id,
        session=request.session,
        defaults={"armed_at": now},
    )


def to_tell(schedule: Schedule, outlet: Outlet, *, horizon_s: int, now: datetime) -> dict[str, Any]:
    """Return the ActiveChargingProfile that a charger's schedule makes, from now to `horizon_s` ahead.

    Not beyond the schedule's own end: nobody knows what the charger does then.
    """
    # OCPI's starts and durations are in whole seconds: no fraction is to cost one.
    now = now.replace(microsecond=0)
    if schedule.ends_at is not None:
        horizon_s = max(1, min(horizon_s, int((schedule.ends_at - now).total_seconds())))
    return to_active_profile(schedule, now=now, horizon_s=horizon_s, ceiling=_ceiling(schedule, outlet))


def limits_changed(charging: Transaction, *, now: datetime) -> None:
    """Find out what is active after the charger took, dropped or restored a limit.

    To be called inside a transaction; does nothing while no Sender is armed.
    """
    if not _is_followed(charging.session):
        return
    ActiveProfile.objects.filter(session=charging.session).update(after=None)
    if charging.outlet.charger.reads_schedules is False:
        _learned(charging, _computed(charging, now=now), now=now)
        return
    read_schedule(transaction=charging, duration_s=HORIZON_S, deadline_at=now + READ_PATIENCE, now=now)


def schedule_read(command: Command, *, is_asked_for: bool, now: datetime) -> None:
    """Take over what a charger told of its schedule; compute it when it has none, or fails after a change.

    `is_asked_for`: the reading is for a GET of a Sender. To be called inside a transaction.
    """
    charging = command.transaction
    if charging is None or not _is_followed(charging.session):
        return
    horizon_s = min(command.duration_s or HORIZON_S, HORIZON_S)
    told = command.told_schedule if command.outcome == Command.Outcome.ACCEPTED else None
    if told is not None and horizon_s >= LEAST_HORIZON_S:
        schedule = Schedule.from_document(told)
        _learned(charging, to_tell(schedule, charging.outlet, horizon_s=horizon_s, now=now), now=now)
    elif command.outcome == Command.Outcome.UNKNOWN or (not is_asked_for and _is_outdated(charging.session)):
        _learned(charging, _computed(charging, now=now), now=now)


def render(partner: Partner, object_key: str, sent_document: Any) -> Message | None:
    """Return the PUT that tells a Sender the active profile; None when it needs no telling.

    It is told once after each request of its own that the charger accepted, then only of changes, and never
    when its profile was never accepted (SHALL NOT) or the session is over.
    """
    sender, asker = _sender(partner, object_key)
    armed = ArmedSender.objects.filter(sender, session__partner=None).exclude(
        session__status__in=Session.OVER
    )
    session = Session.objects.filter(pk__in=armed.values("session")).first()
    if session is None:
        return None
    if not may_steer(
        partner, party=session.party, location_id=session.location_id, token_party=session.token_party
    ):
        return None
    active = ActiveProfile.objects.filter(session=session).first()
    # Outdated: a newer reading is under way and will ask for this again.
    if active is None or _is_outdated(session):
        return None
    own = _last_accepted(sender)
    mark = str(own.pk) if own else ""
    is_told = sent_document is not None and sent_document["request"] == mark
    if is_told and says_the_same(sent_document["profile"], active.document):
        return None
    return Message(
        method="PUT",
        module="chargingprofiles",
        role="SENDER",
        path=(session.session_id,),
        body=active.document,
        document={"request": mark, "profile": active.document},
        to_party=asker,
        from_party=session.party,
    )


def _is_followed(session: Session) -> bool:
    if session.status in Session.OVER:
        return False
    return ArmedSender.objects.filter(session=session).exists()


def _learned(charging: Transaction, document: dict[str, Any], *, now: datetime) -> None:
    """Store the active profile and ask for it to be told; who was told the same already is left alone."""
    session = charging.session
    ActiveProfile.objects.update_or_create(
        session=session,
        defaults={"document": document, "reported_at": now, "after": _last_accepted(Q(session=session))},
    )
    armed = ArmedSender.objects.filter(session=session, partner__status=Partner.Status.REGISTERED)
    for sender in armed.select_related("partner"):
        owe_push(
            partner=sender.partner,
            kind=PUSH_KIND,
            object_key=_object_key(sender),
            subject=subject_of(session.pk),
            now=now,
        )


def _computed(charging: Transaction, *, now: datetime) -> dict[str, Any]:
    """Return the active profile by what the charger accepted; without any limit the EVSE's maximum.

    OCPI: when no profile is active any more, the EVSE's maximum SHALL be shown.
    """
    outlet = charging.outlet
    schedule = effective(charging, now) or maximum(
        _unit_told(charging.session),
        voltage_v=outlet.voltage_v,
        phases=outlet.phases,
        max_current_a=outlet.max_current_a,
        starts_at=now,
        duration_s=HORIZON_S,
    )
    return to_active_profile(schedule, now=now, horizon_s=HORIZON_S, ceiling=_ceiling(schedule, outlet))


def _ceiling(schedule: Schedule, outlet: Outlet) -> Decimal:
    """Return the most that the outlet gives, in the schedule's unit."""
    return ceiling(
        schedule.unit, voltage_v=outlet.voltage_v, phases=outlet.phases, max_current_a=outlet.max_current_a
    )


def _unit_told(session: Session) -> Unit:
    """Return the unit in which the Senders were told before, so that they can compare."""
    active = ActiveProfile.objects.filter(session=session).first()
    return Unit(active.document["charging_profile"]["charging_rate_unit"]) if active else Unit.AMPERE


def _object_key(sender: ArmedSender) -> str:
    """Return the key of the push to a Sender: the session, and the party where the partner has several."""
    party = f":{sender.from_country_code}-{sender.from_party_id}" if sender.from_party_id else ""
    return f"{sender.session_id}{party}"


def _sender(partner: Partner, object_key: str) -> tuple[Q, Party | None]:
    """Return what finds the rows of the Sender that a push is for, and its party where the key names one."""
    session_pk, _, party = object_key.partition(":")
    country_code, _, party_id = party.partition("-")
    rows = Q(partner=partner, session=session_pk, from_country_code=country_code, from_party_id=party_id)
    return rows, (country_code, party_id) if party else None


def _last_accepted(rows: Q) -> ProfileRequest | None:
    """Return the newest request among `rows` that changed the charger's limits."""
    requests = ProfileRequest.objects.filter(
        rows, kind__in=(Kind.SET, Kind.CLEAR), decision=ProfileRequest.Decision.ACCEPTED
    )
    return requests.order_by("-decided_at", "-asked_at").first()


def _is_outdated(session: Session) -> bool:
    """Tell whether a request was accepted after the active profile was learned."""
    last = _last_accepted(Q(session=session))
    active = ActiveProfile.objects.filter(session=session).first()
    return active is None or active.after_id != (last.pk if last else None)
