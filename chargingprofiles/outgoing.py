"""What we ask of a CPO as SCSP: each request is a row before it leaves, and stays until its result is in.

OCPI 2.2.1 mod_charging_profiles.asciidoc, "Receiver Interface", seen from the Sender.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from chargingprofiles.models import IssuedRequest, Kind
from ocpi.partners.calls import NoEndpoint, call
from ocpi.partners.models import Partner
from ocpi.partners.versions import endpoint_url
from ocpi.protocol.client import CallFailed, Reply
from ocpi.protocol.errors import InvalidParameters
from ocpi.protocol.types import Integer
from sessions.models import Session

# A result may be on its way for a moment after the announced end.
RESULT_SLACK = timedelta(seconds=2)
# A request that has been leaving for this long lost its process.
_LOST_AFTER = timedelta(seconds=60)
_LONGEST_TIMEOUT_S = 86400
_METHODS = {Kind.SET: "PUT", Kind.CLEAR: "DELETE", Kind.GET: "GET"}
_RESPONSES = {"ACCEPTED", "NOT_SUPPORTED", "REJECTED", "TOO_OFTEN", "UNKNOWN_SESSION"}


def set_profile(*, session: Session, profile: dict[str, Any], now: datetime) -> IssuedRequest:
    """Send a ChargingProfile to the CPO of a received session; returns what the CPO answered at once.

    `profile` must have passed objects.checked_profile.
    """
    return _issue(session=session, kind=Kind.SET, document=profile, duration_s=None, now=now)


def clear_profile(*, session: Session, now: datetime) -> IssuedRequest:
    """Ask the CPO of a received session to clear our profile; returns what it answered at once."""
    return _issue(session=session, kind=Kind.CLEAR, document=None, duration_s=None, now=now)


def get_profile(*, session: Session, duration_s: int, now: datetime) -> IssuedRequest:
    """Ask the CPO of a received session what is active, `duration_s` ahead; returns its answer at once."""
    return _issue(session=session, kind=Kind.GET, document=None, duration_s=duration_s, now=now)


def response_url(request: IssuedRequest) -> str:
    """Return the address for the result of one request; OCPI advises one of its own for each."""
    return f"{endpoint_url('chargingprofiles', 'SENDER')}/result/{request.pk}"


def partner_of_session(session: Session) -> Partner:
    """Return the CPO that told us of a session. Raises ValueError for a session of ours."""
    if session.partner is None:
        raise ValueError(f"Session {session.session_id} is ours: no CPO to ask.")
    return session.partner


def _issue(
    *,
    session: Session,
    kind: Kind,
    document: dict[str, Any] | None,
    duration_s: int | None,
    now: datetime,
) -> IssuedRequest:
    # Stored before it leaves: the result may come before the answer does.
    request = IssuedRequest.objects.create(
        partner=partner_of_session(session),
        session=session,
        kind=kind,
        document=document,
        duration_s=duration_s,
        asked_at=now,
    )
    try:
        reply = _send(request)
    except (CallFailed, NoEndpoint) as error:
        _refused(request, detail=str(error))
    else:
        _answered(request, reply, now=now + timedelta(milliseconds=reply.elapsed_ms))
    request.refresh_from_db()
    return request


def _send(request: IssuedRequest) -> Reply:
    session = request.session
    url = response_url(request)
    body: dict[str, Any] | None = None
    params: dict[str, Any] = {}
    if request.kind == Kind.SET:
        body = {"charging_profile": request.document, "response_url": url}
    else:
        params["response_url"] = url
    if request.kind == Kind.GET:
        params["duration"] = request.duration_s
    return call(
        request.partner,
        method=_METHODS[Kind(request.kind)],
        module="chargingprofiles",
        role="RECEIVER",
        path=(session.session_id,),
        body=body,
        params=params or None,
        to_party=session.party,
    )


def _answered(request: IssuedRequest, reply: Reply, *, now: datetime) -> None:
    answer = reply.data if reply.is_success and isinstance(reply.data, dict) else {}
    response = answer.get("result")
    if not isinstance(response, str) or response not in _RESPONSES:
        _refused(request, detail=_unusable(reply))
        return
    if response != "ACCEPTED":
        _refused(request, response=response, detail=reply.status_message)
        return
    timeout_s = _timeout_s(answer.get("timeout"))
    known = {"response": response, "timeout_s": timeout_s, "deadline_at": now + timedelta(seconds=timeout_s)}
    own = IssuedRequest.objects.filter(pk=request.pk)
    # No longer SENDING: its result overtook this answer, and stands.
    if not own.filter(state=IssuedRequest.State.SENDING).update(state=IssuedRequest.State.WAITING, **known):
        own.update(**known)


def _refused(request: IssuedRequest, *, detail: str, response: str = "") -> None:
    IssuedRequest.objects.filter(pk=request.pk, state=IssuedRequest.State.SENDING).update(
        state=IssuedRequest.State.REFUSED, response=response, detail=detail[:300]
    )


def _unusable(reply: Reply) -> str:
    if reply.is_success:
        return "The CPO's answer holds no ChargingProfileResponse."
    status = f"HTTP {reply.http_status}"
    if reply.status_code is not None:
        status += f", OCPI {reply.status_code}"
    return f"{status}: {reply.status_message}" if reply.status_message else status


def _timeout_s(told: Any) -> int:
    """Return the timeout that a CPO announced, or our own where it told none that makes sense."""
    try:
        timeout_s = Integer(least=1).cleaned(told, "timeout")
    except InvalidParameters:
        return settings.PROFILE_TIMEOUT_S
    return min(timeout_s, _LONGEST_TIMEOUT_S)


def sweep(now: datetime) -> int:
    """Close the requests whose result never came, and those that were lost on their way out."""
    State = IssuedRequest.State  # noqa: N806
    timed_out = IssuedRequest.objects.filter(state=State.WAITING, deadline_at__lte=now - RESULT_SLACK).update(
        state=State.TIMED_OUT, detail="No result came within the time announced."
    )
    lost = IssuedRequest.objects.filter(state=State.SENDING, asked_at__lte=now - _LOST_AFTER).update(
        state=State.REFUSED, detail="The node stopped while it was sending."
    )
    return timed_out + lost
