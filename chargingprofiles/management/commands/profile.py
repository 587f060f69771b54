"""`manage.py profile`: steer a received session as SCSP, and see what came of it."""

from __future__ import annotations

import sys
import uuid
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from chargingprofiles import outgoing
from chargingprofiles.models import IssuedRequest
from chargingprofiles.objects import checked_profile
from ocpi.console import ConsoleCommand, ConsoleError
from ocpi.protocol.errors import OcpiError
from ocpi.protocol.strict_json import loads
from ocpi.protocol.times import format_datetime
from ocpi.protocol.types import fold
from sessions.models import Session

MOST_BYTES = 1024 * 1024
# OCPI 2.2.1 mod_charging_profiles, "GET Method", warns of longer durations than necessary.
LONGEST_LOOK_S = 24 * 3600


class Command(ConsoleCommand):
    """Sets, clears and reads charging profiles at the CPO of a received session."""

    help = "Steer a received session: set, clear or get its charging profile, and show what came of it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the subcommands."""
        super().add_arguments(parser)
        setting = self.sub(parser, "set", self.set_profile, help="send a ChargingProfile")
        clearing = self.sub(parser, "clear", self.clear_profile, help="clear our profile")
        getting = self.sub(parser, "get", self.get_profile, help="ask for the active profile")
        for one in (setting, clearing, getting):
            one.add_argument("session_id", help="the CPO's id of the session")
            one.add_argument("--partner", type=int, help="id of the CPO, where several use this session id")
            one.add_argument("--party", metavar="CC-PID", help="its party, where several of one platform do")
        setting.add_argument(
            "--file",
            required=True,
            help="JSON: a ChargingProfile, or an object with one in charging_profile; - is standard input",
        )
        getting.add_argument("--duration", type=int, required=True, help="how far to look ahead, in seconds")
        showing = self.sub(parser, "show", self.show, help="tell the charger's result")
        showing.add_argument("request", help="the request id that set, clear or get printed")

    def set_profile(
        self, *, session_id: str, partner: int | None, party: str | None, file: str, **_: Any
    ) -> None:
        """Send a ChargingProfile to the session's CPO."""
        session = _session(session_id, partner, party)
        now = timezone.now()
        try:
            profile = checked_profile(loads(_read(file)), now=now)
        except OcpiError as error:
            raise ConsoleError(f"{file}: {error.message}") from error
        self._tell_answer(outgoing.set_profile(session=session, profile=profile, now=now))

    def clear_profile(self, *, session_id: str, partner: int | None, party: str | None, **_: Any) -> None:
        """Ask the session's CPO to clear our profile."""
        session = _session(session_id, partner, party)
        self._tell_answer(outgoing.clear_profile(session=session, now=timezone.now()))

    def get_profile(
        self, *, session_id: str, partner: int | None, party: str | None, duration: int, **_: Any
    ) -> None:
        """Ask the session's CPO for the active profile."""
        if not 1 <= duration <= LONGEST_LOOK_S:
            raise ConsoleError(f"--duration must be from 1 to {LONGEST_LOOK_S} seconds.")
        session = _session(session_id, partner, party)
        request = outgoing.get_profile(session=session, duration_s=duration, now=timezone.now())
        self._tell_answer(request)

    def show(self, *, request: str, **_: Any) -> None:
        """Tell where a request stands and what the charger said."""
        found = IssuedRequest.objects.select_related("session").filter(pk=_request_id(request)).first()
        if found is None:
            raise ConsoleError(f"There is no request {request}.")
        self.emit(_document(found), _sentences(found))

    def _tell_answer(self, request: IssuedRequest) -> None:
        if not request.response:
            raise ConsoleError(f"Request {request.pk} was not taken. {request.detail}")
        human = [f"The CPO answered {request.response}."]
        if request.response == "ACCEPTED":
            human.append(f"The charger's result is due within {request.timeout_s} s:")
            human.append(f"  manage.py profile show {request.pk}")
        self.emit(
            {"request": str(request.pk), "result": request.response, "timeout": request.timeout_s or 0}, human
        )


def _session(session_id: str, partner_id: int | None, party: str | None) -> Session:
    """Return the received session with this id. Raises ConsoleError when there is none, or several."""
    found = Session.objects.filter(key=fold(session_id)).exclude(partner=None).select_related("partner")
    if partner_id is not None:
        found = found.filter(partner_id=partner_id)
    if party is not None:
        country_code, _, party_id = fold(party).partition("-")
        found = found.filter(country_code=country_code, party_id=party_id)
    sessions = list(found)
    if not sessions:
        whose = f" of partner {partner_id}" if partner_id is not None else ""
        whose += f" of party {party}" if party is not None else ""
        raise ConsoleError(f"No session {session_id}{whose} was received.")
    if len(sessions) > 1:
        owners = ", ".join(
            f"--partner {session.partner_id} --party {session.country_code}-{session.party_id}"
            f" ({session.partner})"
            for session in sessions
        )
        raise ConsoleError(f"There are several sessions {session_id}; name one: {owners}.")
    return sessions[0]


def _read(file: str) -> bytes:
    """Return what the file holds, at most MOST_BYTES of it; `-` is standard input."""
    try:
        if file == "-":
            raw = sys.stdin.buffer.read(MOST_BYTES + 1)
        else:
            with Path(file).open("rb") as stream:
                raw = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise ConsoleError(f"{file}: {error.strerror or error}") from error
    if len(raw) > MOST_BYTES:
        raise ConsoleError(f"{file}: is larger than 1 MiB.")
    return raw


def _request_id(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise ConsoleError(f"{text} is not a request id.") from error


def _document(request: IssuedRequest) -> dict[str, Any]:
    return {
        "request": str(request.pk),
        "kind": request.kind,
        "session_id": request.session.session_id,
        "partner": request.partner_id,
        "state": request.state,
        "response": request.response,
        "timeout": request.timeout_s,
        "result": request.result or None,
        "profile": request.profile,
        "late": request.is_late,
        "detail": request.detail,
        "asked_at": format_datetime(request.asked_at),
        "settled_at": format_datetime(request.settled_at) if request.settled_at else None,
    }


def _sentences(request: IssuedRequest) -> list[str]:
    lines = [
        f"Request {request.pk} to {request.get_kind_display()} of session {request.session.session_id}",
        f"  state     {request.state}: {request.get_state_display()}",
        f"  CPO       {request.response or 'no usable answer'}",
        f"  charger   {request.result or 'no result yet'}{' (late)' if request.is_late else ''}",
    ]
    if request.detail:
        lines.append(f"  detail    {request.detail}")
    if request.profile:
        profile = request.profile["charging_profile"]
        lines.append(f"  profile   from {request.profile['start_date_time']}")
        lines.extend(
            f"            +{period['start_period']} s: {period['limit']} {profile['charging_rate_unit']}"
            for period in profile.get("charging_profile_period", [])
        )
    return lines
