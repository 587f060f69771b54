"""What we ask of a CPO as SCSP, over real HTTP."""

from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from chargingprofiles import outgoing
from chargingprofiles.incoming import settle
from chargingprofiles.models import IssuedRequest
from tests.chargingprofiles.calls import profile
from tests.factories import NOW, make_partner, make_session
from tests.peer import Peer, enveloped

State = IssuedRequest.State
PATH = "/2.2.1/receiver/chargingprofiles/S%2F1"


@pytest.fixture
def peer():
    with Peer() as peer:
        yield peer


@pytest.fixture
def session(db, peer):
    cpo = make_partner(role="CPO", country_code="BE", party_id="BEC", url=peer.url)
    return make_session(session_id="S/1", partner=cpo, country_code="BE", party_id="OTH")


def envelope(data, status_code=1000, message=""):
    return enveloped(data, status_code, status_message=message)


def answers(peer, method, body, status=200):
    peer.answer(method, "/2.2.1/receiver/chargingprofiles", status=status, body=body)


def test_puts_a_profile_at_the_cpo_of_the_session(peer, session):
    answers(peer, "PUT", envelope({"result": "ACCEPTED", "timeout": 45}))
    sent = profile()

    request = outgoing.set_profile(session=session, profile=sent, now=NOW)

    [call] = peer.requests
    url = f"http://127.0.0.1:8000/ocpi/2.2.1/sender/chargingprofiles/result/{request.pk}"
    assert (call.method, call.path) == ("PUT", PATH)
    assert call.body == {"charging_profile": sent, "response_url": url}
    assert (call.headers["OCPI-to-country-code"], call.headers["OCPI-to-party-id"]) == ("BE", "OTH")
    assert (request.state, request.response, request.timeout_s) == (State.WAITING, "ACCEPTED", 45)
    assert timedelta(0) <= request.deadline_at - NOW - timedelta(seconds=45) < timedelta(seconds=5)


def test_asks_for_the_active_profile_with_encoded_parameters(peer, session):
    answers(peer, "GET", envelope({"result": "ACCEPTED", "timeout": 45}))

    request = outgoing.get_profile(session=session, duration_s=900, now=NOW)

    [call] = peer.requests
    assert (call.method, call.path) == ("GET", PATH)
    assert call.query == {"duration": "900", "response_url": outgoing.response_url(request)}


def test_clears_the_profile(peer, session):
    answers(peer, "DELETE", envelope({"result": "ACCEPTED", "timeout": 45}))

    request = outgoing.clear_profile(session=session, now=NOW)

    [call] = peer.requests
    assert (call.method, call.path) == ("DELETE", PATH)
    assert call.query == {"response_url": outgoing.response_url(request)}
    assert request.state == State.WAITING


@pytest.mark.parametrize("result", [[], {}, ["ACCEPTED"], None, 7, True])
def test_takes_a_result_that_is_no_text_for_none(peer, session, result):
    answers(peer, "PUT", envelope({"result": result, "timeout": 45}))

    request = outgoing.set_profile(session=session, profile=profile(), now=NOW)

    detail = "The CPO's answer holds no ChargingProfileResponse."
    assert (request.state, request.response, request.detail) == (State.REFUSED, "", detail)


@pytest.mark.parametrize("result", ["REJECTED", "NOT_SUPPORTED", "TOO_OFTEN", "UNKNOWN_SESSION"])
def test_keeps_what_the_cpo_refused_it_with(peer, session, result):
    answers(peer, "PUT", envelope({"result": result, "timeout": 0}))

    request = outgoing.set_profile(session=session, profile=profile(), now=NOW)

    assert (request.state, request.response) == (State.REFUSED, result)


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        (envelope(None, 2001, "charging_profile: no"), 200, "HTTP 200, OCPI 2001: charging_profile: no"),
        (envelope(None, 3000), 500, "HTTP 500, OCPI 3000"),
        (
            envelope({"result": "PERHAPS", "timeout": 5}),
            200,
            "The CPO's answer holds no ChargingProfileResponse.",
        ),
        (envelope([]), 200, "The CPO's answer holds no ChargingProfileResponse."),
    ],
)
def test_takes_an_unusable_answer_for_a_refusal(peer, session, body, status, detail):
    answers(peer, "PUT", body, status=status)

    request = outgoing.set_profile(session=session, profile=profile(), now=NOW)

    assert (request.state, request.response, request.detail) == (State.REFUSED, "", detail)


@pytest.mark.parametrize("timeout", [None, "soon", 0, -1, True])
def test_waits_as_long_as_we_would_when_no_timeout_is_told(peer, session, timeout):
    answers(peer, "PUT", envelope({"result": "ACCEPTED", "timeout": timeout}))

    request = outgoing.set_profile(session=session, profile=profile(), now=NOW)

    assert (request.state, request.timeout_s) == (State.WAITING, 30)


def test_says_why_the_cpo_could_not_be_reached(db):
    cpo = make_partner(role="CPO", url="http://127.0.0.1:19")
    session = make_session(partner=cpo)

    request = outgoing.set_profile(session=session, profile=profile(), now=NOW)

    assert request.state == State.REFUSED
    assert request.detail.startswith("forbidden_address: ")


def test_says_when_the_cpo_takes_no_profiles(db):
    session = make_session(partner=make_partner(name="Plain", role="CPO", endpoints=[]))

    request = outgoing.clear_profile(session=session, now=NOW)

    assert (request.state, request.detail) == (State.REFUSED, "Plain offers no chargingprofiles RECEIVER.")


@pytest.mark.django_db(transaction=True)
def test_keeps_a_result_that_overtook_the_answer(peer, session):
    def settle_first(_request):
        [request] = IssuedRequest.objects.all()
        settle(
            partner=request.partner,
            request_id=request.pk,
            document={"result": "ACCEPTED"},
            now=timezone.now(),
        )
        connections.close_all()
        return envelope({"result": "ACCEPTED", "timeout": 45})

    answers(peer, "PUT", settle_first)

    request = outgoing.set_profile(session=session, profile=profile(), now=timezone.now())

    assert (request.state, request.result, request.timeout_s) == (State.SETTLED, "ACCEPTED", 45)
    assert request.is_late is False


@pytest.mark.parametrize(
    ("state", "after_s", "expected"),
    [
        (State.WAITING, 31, State.WAITING),
        (State.WAITING, 33, State.TIMED_OUT),
        (State.SETTLED, 33, State.SETTLED),
        (State.SENDING, 33, State.SENDING),
        (State.SENDING, 61, State.REFUSED),
    ],
)
def test_closes_what_stays_unanswered(session, state, after_s, expected):
    request = IssuedRequest.objects.create(
        partner=session.partner,
        session=session,
        kind="SET",
        state=state,
        asked_at=NOW,
        deadline_at=None if state == State.SENDING else NOW + timedelta(seconds=30),
    )

    outgoing.sweep(NOW + timedelta(seconds=after_s))

    request.refresh_from_db()
    assert request.state == expected
