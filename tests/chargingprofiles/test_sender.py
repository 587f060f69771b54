"""Sender interface: results and active profiles that CPOs bring."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from chargingprofiles.models import ActiveProfile, IssuedRequest, Kind
from ocpi.partners.models import PartnerRole
from tests.chargingprofiles.calls import call, said
from tests.factories import make_partner, make_session

SENDER = "/ocpi/2.2.1/sender/chargingprofiles"
TAKEN = (200, 1000, "absent")
ACTIVE = {
    "start_date_time": "2026-01-15T12:00:00Z",
    "charging_profile": {
        "start_date_time": "2026-01-15T12:00:00Z",
        "duration": 900,
        "charging_rate_unit": "A",
        "charging_profile_period": [{"start_period": 0, "limit": 16.0}],
    },
}
State = IssuedRequest.State


@pytest.fixture
def cpo(db):
    return make_partner(role="CPO", country_code="BE", party_id="BEC", token="steerer")


@pytest.fixture
def session(cpo):
    return make_session(session_id="S1", partner=cpo, country_code="BE", party_id="BEC")


@pytest.fixture
def asked(session):
    """Make a request that waits for its result."""

    def make(kind=Kind.SET, **fields):
        now = timezone.now()
        fields = {"state": State.WAITING, "deadline_at": now + timedelta(seconds=30), **fields}
        return IssuedRequest.objects.create(
            partner=session.partner, session=session, kind=kind, asked_at=now, response="ACCEPTED", **fields
        )

    return make


def post(request, body, **fields):
    return call("POST", f"{SENDER}/result/{request.pk}", body, **fields)


@pytest.mark.parametrize("result", ["ACCEPTED", "REJECTED", "UNKNOWN"])
@pytest.mark.parametrize("kind", [Kind.SET, Kind.CLEAR])
def test_takes_the_result_of_a_request(asked, kind, result):
    request = asked(kind)

    assert said(post(request, {"result": result})) == TAKEN

    request.refresh_from_db()
    assert (request.state, request.result, request.is_late) == (State.SETTLED, result, False)
    assert request.settled_at is not None


def test_takes_the_active_profile_that_was_asked_for(asked, session):
    request = asked(Kind.GET)

    assert said(post(request, {"result": "ACCEPTED", "profile": ACTIVE})) == TAKEN

    request.refresh_from_db()
    assert request.profile == ACTIVE
    assert ActiveProfile.objects.get(session=session).document == ACTIVE


def test_takes_a_result_inside_an_envelope(asked):
    request = asked()
    envelope = {
        "data": {"result": "REJECTED"},
        "status_code": 1000,
        "timestamp": "2026-01-15T12:00:00Z",
    }

    assert said(post(request, envelope)) == TAKEN

    request.refresh_from_db()
    assert request.result == "REJECTED"


def test_keeps_the_first_result_when_another_comes(asked):
    request = asked()
    post(request, {"result": "ACCEPTED"})

    assert said(post(request, {"result": "REJECTED"})) == TAKEN

    request.refresh_from_db()
    assert request.result == "ACCEPTED"


def test_takes_a_result_that_overtook_the_answer(asked):
    request = asked(state=State.SENDING, deadline_at=None)

    assert said(post(request, {"result": "ACCEPTED"})) == TAKEN

    request.refresh_from_db()
    assert (request.state, request.is_late) == (State.SETTLED, False)


def test_marks_a_result_that_came_after_its_time(asked):
    request = asked(state=State.TIMED_OUT, deadline_at=timezone.now() - timedelta(seconds=5))

    assert said(post(request, {"result": "ACCEPTED"})) == TAKEN

    request.refresh_from_db()
    assert (request.state, request.result, request.is_late) == (State.SETTLED, "ACCEPTED", True)


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"result": "accepted"},
        {"result": None},
        {"result": "ACCEPTED", "profile": 5},
        {"data": {"status": 1}},
    ],
)
def test_refuses_what_is_no_result(asked, body):
    request = asked(Kind.GET)

    assert said(post(request, body))[:2] == (200, 2001)

    request.refresh_from_db()
    assert (request.state, request.result) == (State.WAITING, "")


def test_refuses_the_result_of_a_request_to_somebody_else(asked):
    request = asked()
    make_partner(role="CPO", token="stranger")

    assert said(post(request, {"result": "ACCEPTED"}, token="stranger"))[:2] == (404, 2001)

    request.refresh_from_db()
    assert request.state == State.WAITING


@pytest.mark.parametrize("request_id", [str(uuid4()), "abc"])
def test_knows_no_result_of_a_request_that_was_never_made(cpo, request_id):
    assert call("POST", f"{SENDER}/result/{request_id}", {"result": "ACCEPTED"}).status_code == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_answers_405_to_anything_but_post_of_a_result(asked, method):
    response = call(method, f"{SENDER}/result/{asked().pk}", {})

    assert said(response)[:2] == (405, 2000)
    assert response["Allow"] == "POST"


def test_refuses_a_result_with_a_wrong_token(asked):
    request = asked()

    assert said(post(request, {"result": "ACCEPTED"}, token="wrong"))[:2] == (401, 2000)


def test_takes_a_result_whatever_comes_with_it(asked):
    request = asked(Kind.SET)

    assert said(post(request, {"result": "ACCEPTED", "profile": 5})) == TAKEN

    request.refresh_from_db()
    assert (request.result, request.profile) == ("ACCEPTED", None)


def test_stores_the_active_profile_of_a_session(session):
    assert said(call("PUT", f"{SENDER}/S1", ACTIVE)) == TAKEN
    changed = {**ACTIVE, "start_date_time": "2026-01-15T12:10:00Z"}
    assert said(call("PUT", f"{SENDER}/s1/", changed)) == TAKEN

    assert ActiveProfile.objects.get().session == session
    assert ActiveProfile.objects.get().document == changed


def test_tells_sessions_apart_by_the_party_that_speaks(session, cpo):
    other = make_session(session_id="S1", partner=cpo, country_code="BE", party_id="OTH")
    PartnerRole.objects.create(partner=cpo, role="CPO", country_code="BE", party_id="OTH")
    routing = {
        "ocpi-from-country-code": "BE",
        "ocpi-from-party-id": "BEC",
        "ocpi-to-country-code": "NL",
        "ocpi-to-party-id": "NOD",
    }

    assert said(call("PUT", f"{SENDER}/S1", ACTIVE, **routing)) == TAKEN
    assert said(call("PUT", f"{SENDER}/S1", ACTIVE, **(routing | {"ocpi-from-party-id": "OTH"}))) == TAKEN

    assert {active.session for active in ActiveProfile.objects.all()} == {session, other}


def test_takes_no_active_profile_of_another_party_behind_a_hub(session, cpo):
    PartnerRole.objects.filter(partner=cpo).update(role="HUB", country_code="NL", party_id="HUB")
    routing = {
        "ocpi-from-country-code": session.country_code,
        "ocpi-from-party-id": "OTH",
        "ocpi-to-country-code": "NL",
        "ocpi-to-party-id": "NOD",
    }

    assert said(call("PUT", f"{SENDER}/S1", ACTIVE, **routing))[:2] == (404, 2001)
    assert not ActiveProfile.objects.exists()
    own = routing | {"ocpi-from-party-id": session.party_id}
    assert said(call("PUT", f"{SENDER}/S1", ACTIVE, **own)) == TAKEN


def test_refuses_the_active_profile_of_a_session_that_does_not_exist(cpo):
    assert said(call("PUT", f"{SENDER}/NOPE", ACTIVE))[:2] == (404, 2001)


def test_refuses_the_active_profile_of_somebody_elses_session(session):
    make_partner(role="CPO", token="stranger")

    assert said(call("PUT", f"{SENDER}/S1", ACTIVE, token="stranger"))[:2] == (404, 2001)
    assert not ActiveProfile.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"start_date_time": "2026-01-15T12:00:00Z"},
        {**ACTIVE, "start_date_time": "noon"},
        {**ACTIVE, "charging_profile": {"charging_rate_unit": "kW"}},
    ],
)
def test_refuses_what_is_no_active_profile(session, body):
    assert said(call("PUT", f"{SENDER}/S1", body))[:2] == (200, 2001)
    assert not ActiveProfile.objects.exists()


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_answers_405_to_anything_but_put_of_an_active_profile(session, method):
    assert said(call(method, f"{SENDER}/S1", {}))[:2] == (405, 2000)


def test_refuses_an_active_profile_with_a_wrong_token(session):
    assert said(call("PUT", f"{SENDER}/S1", ACTIVE, token="wrong"))[:2] == (401, 2000)
