"""What a Sender asks of us as CPO: answered at once, and taken as a duty when the answer is ACCEPTED.

OCPI 2.2.1 mod_charging_profiles.asciidoc, "Receiver Interface".
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from chargers.commands import cancel, clear_limit, has_limit, is_connected, read_schedule, set_limit
from chargers.models import Command, Outlet, Transaction
from chargingprofiles.decisions import decide
from chargingprofiles.models import Kind, ProfileRequest
from chargingprofiles.objects import is_over, schedule_of
from locations.documents import location_key
from ocpi.partners.grants import may_steer, parties
from ocpi.partners.models import Partner
from ocpi.partners.own import Party
from ocpi.protocol.types import check_case
from sessions.models import Session
from sessions.visibility import find_own

NOTHING_TO_CLEAR = (ProfileRequest.Decision.UNKNOWN, "no profile to clear")
# The charger must answer a little before the announced end, so that its result arrives in time.
COMMAND_MARGIN = timedelta(seconds=2)
# No transaction yet: the wish waits for the start of charging, at most as long as any other.
WAITING = (Session.Status.PENDING, Session.Status.RESERVATION)


@dataclass(frozen=True)
class Wish:
    """What a Sender wants, its parameters checked: `profile` for SET, `duration_s` for GET.

    `from_party` is the party that asks, `to_party` the one of ours that it asks, if routing headers say so.
    """

    kind: Kind
    response_url: str
    correlation_id: str
    profile: dict[str, Any] | None = None
    duration_s: int | None = None
    from_party: Party | None = None
    to_party: Party | None = None


@dataclass(frozen=True)
class Answer:
    """A ChargingProfileResponse."""

    result: str
    timeout_s: int = 0

    def to_document(self) -> dict[str, Any]:
        """Return the OCPI object; both fields are due also on refusal."""
        return {"result": self.result, "timeout": self.timeout_s}


def source_of(request: ProfileRequest) -> str:
    """Return the name under which a Sender's limit stands among those of a transaction."""
    party = f":{'-'.join(request.asker)}" if request.asker else ""
    return f"partner:{request.partner_id}{party}"


def answer(*, partner: Partner, session_id: str, wish: Wish, now: datetime) -> Answer:
    """Answer a Sender's wish; ACCEPTED only after the duty that follows from it is stored.

    Raises InvalidParameters for a profile that makes no sense.
    """
    if wish.profile is not None:
        schedule_of(wish.profile, relative_to=now)
    session = find_own(session_id, wish.to_party)
    if session is None:
        return Answer("UNKNOWN_SESSION")
    check_case("session_id", session_id, session.session_id)
    if not may_steer(
        partner, party=session.party, location_id=session.location_id, token_party=session.token_party
    ):
        return Answer("REJECTED")
    with transaction.atomic(durable=True):
        # One wish at a time per session: the rate, repeats and replacements are counted under this lock.
        session = Session.objects.select_for_update(no_key=True).get(pk=session.pk)
        return _answer_in_turn(partner=partner, session=session, wish=wish, now=now)


def _answer_in_turn(*, partner: Partner, session: Session, wish: Wish, now: datetime) -> Answer:
    dedupe_key = _dedupe_key(partner, session, wish)
    # A hub, and a platform of several parties, is several Senders.
    from_country_code, from_party_id = _asker(partner, wish)
    requests = ProfileRequest.objects.filter(
        partner=partner,
        session=session,
        from_country_code=from_country_code,
        from_party_id=from_party_id,
    )
    still_open = list(requests.filter(decision="").order_by("asked_at"))
    repeated = _repeated(still_open, wish, dedupe_key)
    if repeated is not None:
        return Answer("ACCEPTED", repeated.timeout_s)
    most, window_s = settings.PROFILE_RATE
    if requests.filter(asked_at__gt=now - timedelta(seconds=window_s)).count() >= most:
        return Answer("TOO_OFTEN")
    charging = open_transaction(session)
    refusal = _refusal(session=session, charging=charging, wish=wish, now=now)
    if refusal:
        return Answer(refusal)
    timeout_s = settings.PROFILE_TIMEOUT_S
    if wish.kind != Kind.GET:
        _withdraw(still_open, now=now)
    request = ProfileRequest(
        partner=partner,
        from_country_code=from_country_code,
        from_party_id=from_party_id,
        session=session,
        kind=wish.kind,
        document=wish.profile,
        duration_s=wish.duration_s,
        response_url=wish.response_url,
        correlation_id=wish.correlation_id,
        dedupe_key=dedupe_key,
        timeout_s=timeout_s,
        asked_at=now,
        deadline_at=now + timedelta(seconds=timeout_s),
    )
    verdict = None
    if charging:
        verdict = command_charger(request, charging=charging, now=now)
    elif wish.kind == Kind.CLEAR:
        verdict = NOTHING_TO_CLEAR
    request.save(force_insert=True)
    if verdict:
        decide(request, verdict[0], reason=verdict[1], now=now)
    return Answer("ACCEPTED", timeout_s)


def _asker(partner: Partner, wish: Wish) -> Party:
    """Return the party that asks; ("", "") for the only one of a partner, with or without routing headers."""
    asker = wish.from_party
    return ("", "") if asker is None or parties(partner) == [asker] else asker


def open_transaction(session: Session) -> Transaction | None:
    """Return the transaction that the session is charging in, if any."""
    return (
        Transaction.objects.filter(session=session, stopped_at=None)
        .select_related("outlet__charger", "outlet__evse")
        .first()
    )


def command_charger(
    request: ProfileRequest, *, charging: Transaction, now: datetime
) -> tuple[str, str] | None:
    """Owe the charger the command that the request asks for; the request gets it, unsaved.

    Where no command is needed, return the decision and why. To be called inside a transaction.
    """
    source = source_of(request)
    deadline_at = request.deadline_at - COMMAND_MARGIN
    if request.kind == Kind.SET:
        # OCPI: without start_date_time the profile counts from the start of charging (ChargingProfile class).
        schedule = schedule_of(request.document or {}, relative_to=request.session.started_at)
        if is_over(schedule, now=now):
            return ProfileRequest.Decision.REJECTED, "the profile is over"
        request.command = set_limit(
            transaction=charging, source=source, schedule=schedule, deadline_at=deadline_at, now=now
        )
    elif request.kind == Kind.CLEAR:
        if not has_limit(charging, source) and not _is_setting(charging, source):
            return NOTHING_TO_CLEAR
        request.command = clear_limit(transaction=charging, source=source, deadline_at=deadline_at, now=now)
    else:
        request.command = read_schedule(
            transaction=charging, duration_s=request.duration_s or 0, deadline_at=deadline_at, now=now
        )
    return None


def _refusal(*, session: Session, charging: Transaction | None, wish: Wish, now: datetime) -> str:
    """Return the ChargingProfileResponseType that refuses the wish, or "" when the charger can be asked."""
    outlet = charging.outlet if charging else None
    if session.status in WAITING:
        outlet = outlet or _outlet_of(session)
    elif session.status != Session.Status.ACTIVE:
        return "REJECTED"
    if outlet is None:
        return "REJECTED"
    charger = outlet.charger
    capabilities = outlet.evse.document.get("capabilities") or []
    if charger.takes_profiles is False or "CHARGING_PROFILE_CAPABLE" not in capabilities:
        return "NOT_SUPPORTED"
    if wish.kind == Kind.GET and charger.reads_schedules is False:
        return "NOT_SUPPORTED"
    if not is_connected(charger, now=now):
        return "REJECTED"
    if wish.profile is not None:
        # Of OCPP 2.x a transaction may begin before anybody charges; the session then begins again.
        starts_at = session.started_at if charging else now
        if is_over(schedule_of(wish.profile, relative_to=starts_at), now=now):
            return "REJECTED"
    return ""


def _outlet_of(session: Session) -> Outlet | None:
    """Return the outlet that a session without a transaction will charge at."""
    return (
        Outlet.objects.filter(
            evse__uid__iexact=session.evse_uid,
            evse__location__partner=None,
            evse__location__key=location_key(*session.party, session.location_id),
        )
        .select_related("charger", "evse")
        .first()
    )


def _repeated(still_open: list[ProfileRequest], wish: Wish, dedupe_key: str) -> ProfileRequest | None:
    """Return the open request that the wish is a repeat of.

    A limit is only repeated while no other came after it: set, clear, set again wants the last one done.
    """
    alike = [request for request in still_open if (request.kind == Kind.GET) == (wish.kind == Kind.GET)]
    if wish.kind != Kind.GET:
        alike = alike[-1:]
    return next((request for request in alike if request.dedupe_key == dedupe_key), None)


def _withdraw(older: list[ProfileRequest], *, now: datetime) -> None:
    """Reject a Sender's wishes that haven't reached the charger: a newer one replaces them."""
    for request in older:
        if request.kind == Kind.GET:
            continue
        # Sent already: the charger decides that one, and does the newer one after it.
        if request.command_id is None or cancel(request.command_id, now=now):
            decide(request, ProfileRequest.Decision.REJECTED, reason="replaced by a newer one", now=now)


def _is_setting(charging: Transaction, source: str) -> bool:
    """Tell whether the charger has yet to answer a limit of this source."""
    return Command.objects.filter(
        transaction=charging, source=source, kind=Command.Kind.SET_LIMIT, state=Command.State.SENT
    ).exists()


def _dedupe_key(partner: Partner, session: Session, wish: Wish) -> str:
    """Return what makes two wishes the same one."""
    body = json.dumps([wish.profile, wish.duration_s], sort_keys=True, separators=(",", ":"))
    parts = [str(partner.pk), wish.kind, str(session.pk), wish.response_url, body]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
