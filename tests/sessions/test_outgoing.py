"""Our sessions and EVSE status on their way to a partner, over HTTP."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from locations.actions import set_evse_status
from ocpi.delivery.models import Push
from ocpi.delivery.sweeper import sweep_once
from ocpi.delivery.tasks import delete_older_than
from sessions import actions
from sessions.outgoing import owe_running, owe_session
from tests.factories import make_location, make_partner, make_session
from tests.peer import Peer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def peer():
    with Peer() as peer:
        yield peer


def sent(peer):
    """Return what the peer got since the last look: method, path below the endpoint, body."""
    seen = [(one.method, one.path.rsplit("/sessions/")[-1], one.body) for one in peer.requests]
    peer.requests.clear()
    return seen


def test_a_partner_follows_a_session_from_start_to_end(peer):
    make_partner(may_steer=True, url=peer.url)
    now = timezone.now()
    evse = make_location().evses.get()

    session = actions.start_session(
        session_id="S1", evse=evse, connector_id="1", id_token="TAG", started_at=now, now=now
    )
    sweep_once(now)
    first = session.document
    assert sent(peer) == [("PUT", "NL/NOD/S1", first)]

    actions.update_energy(session=session, kwh=Decimal(1), at=now, now=now)
    actions.update_energy(session=session, kwh=Decimal(2), at=now, now=now)
    sweep_once(now)
    assert sent(peer) == []
    sweep_once(now + timedelta(seconds=5))
    energy = {"kwh": 2.0, "last_updated": session.document["last_updated"]}
    assert sent(peer) == [("PATCH", "NL/NOD/S1", energy)]

    later = now + timedelta(seconds=6)
    actions.end_session(session=session, kwh=Decimal(3), ended_at=later, now=later)
    sweep_once(later)
    sweep_once(later)
    assert sent(peer) == [("PUT", "NL/NOD/S1", session.document)]
    assert session.document["status"] == "COMPLETED"


def test_a_refused_patch_leads_to_a_look_and_the_whole(peer):
    make_partner(may_steer=True, url=peer.url)
    now = timezone.now()
    session = actions.start_session(
        session_id="S1",
        evse=make_location().evses.get(),
        connector_id="1",
        id_token="TAG",
        started_at=now,
        now=now,
    )
    sweep_once(now)
    peer.requests.clear()
    unknown = {"status_code": 2001, "timestamp": "2026-01-15T12:00:00Z"}
    peer.answer("PATCH", "/", status=404, body=unknown)
    peer.answer("GET", "/", status=404, body=unknown)

    actions.update_energy(session=session, kwh=Decimal(1), at=now, now=now)
    sweep_once(now + timedelta(seconds=5))

    seen = sent(peer)
    assert [method for method, _, _ in seen] == ["PATCH", "GET", "PUT"]
    assert seen[2] == ("PUT", "NL/NOD/S1", session.document)


def test_a_hub_that_is_nothing_else_gets_no_session():
    make_partner(may_steer=True, role="HUB")

    owe_session(make_session(), now=timezone.now())

    assert not Push.objects.exists()


def test_only_sessions_that_are_over_are_forgotten_after_a_month():
    partner = make_partner(may_steer=True)
    now = timezone.now()
    sessions = [make_session(status=status) for status in ("ACTIVE", "PENDING", "COMPLETED")]
    for session in sessions:
        owe_session(session, now=now)
    Push.objects.update(state=Push.State.DONE, settled_at=now)

    delete_older_than(now + timedelta(seconds=1))

    kept = Push.objects.filter(partner=partner).values_list("object_key", flat=True)
    assert sorted(kept) == sorted(str(session.pk) for session in sessions[:2])
    assert owe_running(partner, now) == 0


def test_a_partner_hears_the_status_of_an_evse(peer):
    make_partner(may_steer=True, url=peer.url)
    now = timezone.now()
    evse = make_location(location_id="LOC1").evses.get()

    set_evse_status(evse=evse, status="CHARGING", now=now)
    sweep_once(now)

    [request] = peer.requests
    assert (request.method, request.path) == (
        "PATCH",
        "/2.2.1/receiver/locations/NL/NOD/LOC1/LOC1-EVSE1",
    )
    assert request.body == {"status": "CHARGING", "last_updated": evse.document["last_updated"]}
