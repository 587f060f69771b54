"""The whole way back to the Sender over real HTTP: the result first, then the active profile."""

from datetime import timedelta

import pytest
from django.utils import timezone

from ocpi.delivery.models import Push, Result
from ocpi.delivery.sweeper import sweep_once
from tests.chargingprofiles import charger
from tests.chargingprofiles.calls import delete, put, said
from tests.factories import iso, make_partner
from tests.peer import Peer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def peer():
    with Peer() as peer:
        yield peer


@pytest.fixture
def scsp(db, peer):
    return make_partner(
        url=peer.url,
        token="steerer",
        may_steer=True,
        country_code="DE",
        party_id="SCS",
        endpoints=[("chargingprofiles", "SENDER")],
    )


def test_brings_the_result_once_and_then_the_active_profile(peer, scsp, charging):
    session_id, url = charging.session.session_id, f"{peer.url}/answer?id=1"
    now = timezone.now().replace(microsecond=0)
    response = put(session_id, response_url=url)
    assert said(response) == (200, 1000, {"result": "ACCEPTED", "timeout": 30})
    charger.says("ACCEPTED", now=now)
    charger.says("ACCEPTED", told=charger.schedule(16, 10, starts_at=now), now=now)

    sweep_once(timezone.now() + timedelta(seconds=1))
    sweep_once(timezone.now() + timedelta(seconds=2))

    result, active = peer.requests
    assert (result.method, result.path, result.query) == ("POST", "/answer", {"id": "1"})
    assert result.body == {"result": "ACCEPTED"}
    assert result.headers["X-Correlation-ID"] == response["X-Correlation-ID"]
    assert (active.method, active.path) == ("PUT", f"/2.2.1/sender/chargingprofiles/{session_id}")
    assert active.body == {
        "start_date_time": iso(now),
        "charging_profile": {
            "start_date_time": iso(now),
            "duration": 3600,
            "charging_rate_unit": "A",
            "charging_profile_period": [{"start_period": 0, "limit": 16}, {"start_period": 600, "limit": 10}],
        },
    }
    assert (active.headers["OCPI-to-country-code"], active.headers["OCPI-to-party-id"]) == ("DE", "SCS")
    assert (Result.objects.get().state, Push.objects.get().state) == ("DONE", "DONE")


def test_holds_the_active_profile_back_until_the_result_is_through(peer, scsp, charging):
    peer.answer("POST", "/answer", status=500, body={})
    put(charging.session.session_id, response_url=f"{peer.url}/answer")
    charger.says("ACCEPTED")
    charger.says("UNKNOWN")

    sweep_once(timezone.now() + timedelta(seconds=1))
    assert [request.method for request in peer.requests] == ["POST"]

    peer.answer("POST", "/answer")
    sweep_once(timezone.now() + timedelta(seconds=5))
    sweep_once(timezone.now() + timedelta(seconds=6))
    assert [request.method for request in peer.requests] == ["POST", "POST", "PUT"]
    first, second, _ = peer.requests
    assert first.body == second.body == {"result": "ACCEPTED"}


def test_brings_the_result_of_a_clear_without_a_profile_and_nothing_more(peer, scsp, charging):
    delete(charging.session.session_id, response_url=f"{peer.url}/answer")

    sweep_once(timezone.now() + timedelta(seconds=1))

    assert [(request.method, request.body) for request in peer.requests] == [("POST", {"result": "UNKNOWN"})]
