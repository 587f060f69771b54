"""Our own sessions: start, energy, end, and what is owed to partners for it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from ocpi.delivery.models import Push
from ocpi.partners import grants
from ocpi.partners.models import Grant, Partner
from sessions import actions
from sessions.models import Session
from sessions.outgoing import owe_all_running, render_session
from sessions.visibility import entitled, find_own
from tests.factories import NOW, make_location, make_partner, make_session

pytestmark = pytest.mark.django_db


def after(seconds):
    return NOW + timedelta(seconds=seconds)


def start(**fields):
    defaults = {
        "session_id": "5E551",
        "evse": make_location(location_id="LOC1").evses.get(),
        "connector_id": "1",
        "id_token": "04aBcD",
        "started_at": NOW,
        "now": after(1),
    }
    return actions.start_session(**(defaults | fields))


def pushes(partner):
    return list(Push.objects.filter(partner=partner).values_list("object_key", "version", "next_at"))


def period(started_at, kwh, hours):
    return {
        "start_date_time": started_at,
        "dimensions": [{"type": "ENERGY", "volume": kwh}, {"type": "TIME", "volume": hours}],
    }


STARTED = {
    "country_code": "NL",
    "party_id": "NOD",
    "id": "5E551",
    "start_date_time": "2026-01-15T12:00:00Z",
    "kwh": 0.0,
    "cdr_token": {
        "country_code": "NL",
        "party_id": "NOD",
        "uid": "04aBcD",
        "type": "RFID",
        "contract_id": "04aBcD",
    },
    "auth_method": "WHITELIST",
    "location_id": "LOC1",
    "evse_uid": "LOC1-EVSE1",
    "connector_id": "1",
    "currency": "EUR",
    "status": "ACTIVE",
    "last_updated": "2026-01-15T12:00:01Z",
}


def test_starts_a_session_and_owes_it_at_once():
    partner = make_partner(may_steer=True)

    session = start()

    assert session.document == STARTED
    assert find_own("5e551") == session
    assert pushes(partner) == [(str(session.pk), 1, after(1))]


def test_names_the_issuer_of_a_token_that_is_known():
    session = start(token_party=("DE", "EMS"), contract_id="DE-EMS-C1", auth_method="COMMAND")

    token = {"country_code": "DE", "party_id": "EMS", "uid": "04aBcD", "contract_id": "DE-EMS-C1"}
    assert session.document == STARTED | {
        "cdr_token": STARTED["cdr_token"] | token,
        "auth_method": "COMMAND",
    }


def test_begins_pending_without_a_token_until_one_is_authorised():
    session = start(id_token="", status="PENDING")
    assert session.document["cdr_token"]["uid"] == "#NA"

    assert actions.activate(session=session, id_token="TAG7", started_at=after(30), now=after(31))
    assert not actions.activate(session=session, id_token="TAG8", started_at=after(40), now=after(41))

    session.refresh_from_db()
    assert session.document == STARTED | {
        "start_date_time": "2026-01-15T12:00:30Z",
        "cdr_token": STARTED["cdr_token"] | {"uid": "TAG7", "contract_id": "TAG7"},
        "last_updated": "2026-01-15T12:00:31Z",
    }


def test_owes_energy_later_and_once_for_many_changes():
    partner = make_partner(may_steer=True)
    session = start()
    Push.objects.update(state=Push.State.DONE, settled_at=after(1), attempts=0)

    for second in (10, 11, 12):
        actions.update_energy(
            session=session, kwh=Decimal("0.123456") * second, at=after(second), now=after(second)
        )

    session.refresh_from_db()
    assert session.document == STARTED | {"kwh": 1.4815, "last_updated": "2026-01-15T12:00:12Z"}
    [(_, version, next_at)] = pushes(partner)
    assert version == 4
    assert after(10) < next_at <= after(15)


def test_owes_nothing_for_energy_that_is_not_new():
    session = start()

    assert not actions.update_energy(session=session, kwh=Decimal(0), at=after(5), now=after(5))

    session.refresh_from_db()
    assert session.document == STARTED


def test_closes_a_charging_period_each_hour_and_the_last_at_the_end():
    session = start()
    actions.update_energy(session=session, kwh=Decimal(5), at=after(1800), now=after(1800))
    actions.update_energy(session=session, kwh=Decimal("9.9"), at=after(3600), now=after(3600))
    actions.update_energy(session=session, kwh=Decimal(12), at=after(4000), now=after(4000))

    assert actions.end_session(session=session, kwh=Decimal("12.5"), ended_at=after(4500), now=after(4501))

    session.refresh_from_db()
    assert session.document == STARTED | {
        "kwh": 12.5,
        "end_date_time": "2026-01-15T13:15:00Z",
        "charging_periods": [
            period("2026-01-15T12:00:00Z", 9.9, 1.0),
            period("2026-01-15T13:00:00Z", 2.6, 0.25),
        ],
        "status": "COMPLETED",
        "last_updated": "2026-01-15T13:15:01Z",
    }
    assert (session.status, session.ended_at) == ("COMPLETED", after(4500))


def test_completed_is_final():
    partner = make_partner(may_steer=True)
    session = start()
    actions.end_session(session=session, kwh=Decimal(1), ended_at=after(60), now=after(60))
    ended = Session.objects.get().document

    assert not actions.update_energy(session=session, kwh=Decimal(2), at=after(61), now=after(61))
    assert not actions.end_session(session=session, kwh=Decimal(2), ended_at=after(62), now=after(62))

    assert Session.objects.get().document == ended
    assert pushes(partner)[0][1] == 2


def test_last_updated_rises_even_when_the_clock_steps_back():
    session = start()

    actions.update_energy(session=session, kwh=Decimal(1), at=after(2), now=after(-3600))

    session.refresh_from_db()
    assert session.document["last_updated"] == "2026-01-15T12:00:01.001Z"


def test_owes_only_to_partners_entitled_that_take_sessions():
    steering = make_partner(may_steer=True)
    here = make_partner()
    grants.grant(here, location_id="loc1", now=NOW)
    emsp = make_partner(role="EMSP", country_code="DE", party_id="EMS")
    nobody = make_partner()
    without_endpoint = make_partner(may_steer=True, endpoints=[("locations", "RECEIVER")])

    session = start(token_party=("de", "ems"))

    assert set(entitled(session)) == {steering, here, emsp}
    assert all(pushes(partner) for partner in (steering, here, emsp))
    assert not any(pushes(partner) for partner in (nobody, without_endpoint))


def test_pushes_the_whole_first_then_what_changed_then_nothing():
    partner = make_partner(may_steer=True)
    session = start()
    first = render_session(partner, str(session.pk), None)
    assert (first.method, first.path, first.body) == ("PUT", ("NL", "NOD", "5E551"), STARTED)
    assert render_session(partner, str(session.pk), first.document) is None

    actions.update_energy(session=session, kwh=Decimal("1.5"), at=after(9), now=after(9))
    second = render_session(partner, str(session.pk), first.document)

    assert (second.method, second.body) == ("PATCH", {"kwh": 1.5, "last_updated": "2026-01-15T12:00:09Z"})
    assert second.document == second.whole.body == STARTED | second.body
    assert second.whole.method == "PUT"


def test_pushes_the_whole_when_charging_periods_changed():
    partner = make_partner(may_steer=True)
    session = start()
    actions.end_session(session=session, kwh=Decimal(1), ended_at=after(60), now=after(60))

    message = render_session(partner, str(session.pk), STARTED)

    assert message.method == "PUT"
    assert message.body["charging_periods"] == [period("2026-01-15T12:00:00Z", 1.0, 0.0167)]


def test_pushes_to_the_party_that_issued_the_token():
    emsp = make_partner(role="EMSP", country_code="DE", party_id="EMS")
    session = start(token_party=("DE", "EMS"))

    assert render_session(emsp, str(session.pk), None).to_party == ("DE", "EMS")


def test_pushes_nothing_after_the_grant_was_taken_away():
    partner = make_partner(may_steer=True)
    session = start()
    Grant.objects.all().delete()

    assert render_session(partner, str(session.pk), None) is None
    assert render_session(partner, "999999", None) is None


def test_owes_running_sessions_to_a_partner_that_gets_a_grant_later():
    partner = make_partner()
    running = start()
    make_session(status="COMPLETED")
    make_session(partner=make_partner(role="CPO"))
    assert owe_all_running(after(2)) == 0
    grants.grant(partner, now=after(2))

    assert owe_all_running(after(3)) == 1
    assert owe_all_running(after(4)) == 0

    assert pushes(partner) == [(str(running.pk), 1, after(3))]


def test_owes_running_sessions_anew_to_a_partner_that_registered_again():
    partner = make_partner(may_steer=True)
    running = start()
    Push.objects.update(state=Push.State.DONE, settled_at=after(2))
    assert owe_all_running(after(3)) == 0
    Partner.objects.update(registered_at=after(4))

    assert owe_all_running(after(5)) == 1
    assert owe_all_running(after(6)) == 0
    Push.objects.update(state=Push.State.DEAD, settled_at=after(7))
    assert owe_all_running(after(8)) == 0

    assert pushes(partner) == [(str(running.pk), 2, after(5))]


def test_looks_for_untold_sessions_only_where_a_grant_is_newer_than_a_session(
    django_assert_num_queries,
):
    make_partner(may_steer=True)
    with django_assert_num_queries(1):
        owe_all_running(NOW)
    start(now=after(3600))
    with django_assert_num_queries(2):
        assert owe_all_running(after(3601)) == 0


def test_gives_a_session_to_the_party_of_its_location():
    second = ("NL", "ABC")
    here, main, everywhere = make_partner(), make_partner(), make_partner(may_steer=True)
    grants.grant(here, location_id="LOC1", party=second, now=NOW)
    grants.grant(main, location_id="LOC1", now=NOW)

    session = start(evse=make_location(location_id="LOC1", party=second).evses.get())

    token = STARTED["cdr_token"] | {"party_id": "ABC"}
    assert session.document == STARTED | {"party_id": "ABC", "cdr_token": token}
    assert session.party == session.token_party == second
    assert set(entitled(session)) == {here, everywhere}
    message = render_session(here, str(session.pk), None)
    assert (message.path, message.from_party) == (("NL", "ABC", "5E551"), second)
