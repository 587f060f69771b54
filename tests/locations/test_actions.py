"""Our own locations: adding them, EVSE status, and what is owed to partners for it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from locations import actions
from locations.documents import whole_location
from locations.models import Evse, Location
from locations.outgoing import render_evse_status, render_location
from ocpi.delivery.models import Push
from ocpi.partners import grants
from ocpi.partners.models import Grant
from ocpi.protocol.errors import InvalidParameters
from tests.factories import NOW, make_location, make_partner

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(seconds=1)


def owed(partner):
    return sorted(Push.objects.filter(partner=partner).values_list("kind", flat=True))


def test_adds_a_location_with_evses_from_their_electrical_facts():
    location = actions.add_own_location(location_id="Depot-1", now=NOW, details={"name": "Depot"})
    actions.add_own_evse(location=location, uid="D1", phases=1, voltage_v=230, max_current_a=16, now=LATER)
    actions.add_own_evse(location=location, uid="D2", connector_id="2", now=LATER)

    location = actions.find_own_location(("nl", "nod"), "depot-1")

    def evse(uid, moment, **connector):
        return {
            "uid": uid,
            "status": "UNKNOWN",
            "capabilities": ["CHARGING_PROFILE_CAPABLE", "REMOTE_START_STOP_CAPABLE", "RFID_READER"],
            "connectors": [
                {
                    "standard": "IEC_62196_T2",
                    "format": "SOCKET",
                    "max_voltage": 230,
                    "last_updated": moment,
                    **connector,
                }
            ],
            "last_updated": moment,
        }

    single = {"power_type": "AC_1_PHASE", "max_amperage": 16, "max_electric_power": 3680}
    three = {"power_type": "AC_3_PHASE", "max_amperage": 32, "max_electric_power": 22080}
    assert whole_location(location, location.evses.all()) == {
        "country_code": "NL",
        "party_id": "NOD",
        "id": "Depot-1",
        "publish": True,
        "name": "Depot",
        "address": "Not given",
        "city": "Not given",
        "country": "NLD",
        "coordinates": {"latitude": "0.00000", "longitude": "0.00000"},
        "time_zone": "UTC",
        "evses": [
            evse("D1", "2026-01-15T12:00:01Z", id="1", **single),
            evse("D2", "2026-01-15T12:00:01.001Z", id="2", **three),
        ],
        "last_updated": "2026-01-15T12:00:01.001Z",
    }


def test_refuses_an_id_that_exists_already_whatever_its_case():
    location = actions.add_own_location(location_id="LOC1", now=NOW)
    actions.add_own_evse(location=location, uid="E1", now=NOW)

    with pytest.raises(InvalidParameters, match="loc1"):
        actions.add_own_location(location_id="loc1", now=NOW)
    with pytest.raises(InvalidParameters, match="e1"):
        actions.add_own_evse(location=location, uid="e1", now=NOW)


def test_refuses_an_id_that_ocpi_can_not_carry():
    with pytest.raises(InvalidParameters, match="id"):
        actions.add_own_location(location_id="x" * 37, now=NOW)
    assert not Location.objects.exists()


def test_changes_the_status_and_moves_evse_and_location_together():
    evse = make_location().evses.get()

    assert actions.set_evse_status(evse=evse, status="CHARGING", now=NOW - timedelta(hours=1))

    moved = "2026-01-15T12:00:00.001Z"
    evse.refresh_from_db()
    location = evse.location
    assert (evse.status, evse.document["status"]) == ("CHARGING", "CHARGING")
    assert evse.document["last_updated"] == location.document["last_updated"] == moved
    assert evse.last_updated == location.last_updated == NOW + timedelta(milliseconds=1)


def test_owes_nothing_for_a_status_that_is_not_new():
    partner = make_partner(may_steer=True)
    evse = make_location().evses.get()

    assert not actions.set_evse_status(evse=evse, status="AVAILABLE", now=LATER)

    assert owed(partner) == []


def test_takes_no_lock_for_a_status_that_is_not_new(django_assert_num_queries):
    evse = make_location().evses.get()
    evse.status = "UNKNOWN"

    with django_assert_num_queries(1) as queries:
        assert not actions.set_evse_status(evse=evse, status="AVAILABLE", now=LATER)

    assert "FOR UPDATE" not in queries[0]["sql"]
    assert evse.status == "AVAILABLE"


def test_compares_again_once_it_has_the_lock(monkeypatch):
    evse = make_location().evses.get()
    reads = []

    def read_while_another_changes_it(**fields):
        Evse.refresh_from_db(evse, **fields)
        if not reads:
            Evse.objects.update(status="CHARGING")
        reads.append(evse.status)

    monkeypatch.setattr(evse, "refresh_from_db", read_while_another_changes_it)

    assert not actions.set_evse_status(evse=evse, status="CHARGING", now=LATER)
    assert reads == ["AVAILABLE", "CHARGING"]


def test_owes_changes_to_the_partners_entitled_to_the_location():
    location = make_location(location_id="LOC1")
    steering = make_partner(may_steer=True)
    elsewhere = make_partner()
    grants.grant(elsewhere, location_id="LOC9", now=NOW)
    emsp = make_partner(role="EMSP")
    without_endpoint = make_partner(may_steer=True, endpoints=[("sessions", "RECEIVER")])
    without_grant = make_partner()
    ended = make_partner(may_steer=True)
    type(ended).objects.filter(pk=ended.pk).update(status="ENDED")

    actions.set_evse_status(evse=location.evses.get(), status="CHARGING", now=LATER)
    actions.add_own_evse(location=location, uid="E2", now=LATER)

    for partner in (steering, elsewhere, emsp):
        assert owed(partner) == ["evse_status", "location"]
    for partner in (without_endpoint, without_grant, ended):
        assert owed(partner) == []


def test_owes_a_location_and_its_evses_about_one_subject():
    location = make_location(location_id="LOC1")
    make_partner(may_steer=True)

    actions.set_evse_status(evse=location.evses.get(), status="CHARGING", now=LATER)
    actions.add_own_evse(location=location, uid="E2", now=LATER)

    assert [push.subject for push in Push.objects.all()] == [f"location:{location.pk}"] * 2


def test_owes_a_hidden_location_only_by_a_grant_on_it():
    location = make_location(location_id="LOC1")
    emsp = make_partner(role="EMSP")
    here = make_partner()
    grants.grant(here, location_id="loc1", now=NOW)
    elsewhere = make_partner()
    grants.grant(elsewhere, location_id="LOC9", now=NOW)

    actions.change_own_location(
        location=location, document={**location.document, "publish": False}, now=LATER
    )

    assert owed(here) == ["location"]
    assert owed(emsp) == owed(elsewhere) == []


def test_pushes_a_status_as_a_patch_that_falls_back_on_the_whole_location():
    partner = make_partner(may_steer=True)
    location = make_location(location_id="LOC1")
    evse = location.evses.get()
    actions.set_evse_status(evse=evse, status="CHARGING", now=LATER)

    message = render_evse_status(partner, str(evse.pk), None)

    status = {"status": "CHARGING", "last_updated": "2026-01-15T12:00:01Z"}
    assert (message.method, message.module, message.role) == ("PATCH", "locations", "RECEIVER")
    assert message.path == ("NL", "NOD", "LOC1", "LOC1-EVSE1")
    assert message.body == status
    assert message.whole == render_location(partner, str(location.pk), message.document)
    assert message.whole.path == ("NL", "NOD", "LOC1")
    assert message.whole.body["evses"] == [evse.document | status]


def test_pushes_nothing_that_the_partner_may_not_see_any_more():
    partner = make_partner(may_steer=True)
    location = make_location(location_id="LOC1")
    Grant.objects.all().delete()

    assert render_location(partner, str(location.pk), None) is None
    assert render_evse_status(partner, str(location.evses.get().pk), None) is None
    assert render_location(partner, "999999", None) is None
    assert render_evse_status(partner, "999999", None) is None


SECOND = ("NL", "ABC")


def test_adds_the_same_id_to_two_parties_of_ours(settings):
    settings.ROLES = ["SCSP"]
    settings.OTHER_PARTIES = [(*SECOND, ("CPO",), "Second"), ("BE", "TRE", ("CPO",), "Third")]

    by_default = actions.add_own_location(location_id="LOC1", now=NOW)
    third = actions.add_own_location(location_id="LOC1", party=("BE", "TRE"), now=NOW)
    evse = actions.add_own_evse(location=third, uid="E1", now=NOW)

    assert (by_default.country_code, by_default.party_id) == SECOND
    assert (by_default.document["country_code"], by_default.document["party_id"]) == SECOND
    assert actions.find_own_location(SECOND, "loc1") == by_default
    assert actions.find_own_location(("BE", "TRE"), "loc1") == third
    assert actions.find_own_location(("NL", "NOD"), "loc1") is None
    assert actions.find_own_evse(("BE", "TRE"), "loc1", "e1") == evse
    assert actions.find_own_evse(SECOND, "loc1", "e1") is None


def test_owes_and_sends_what_is_a_partys_own_from_that_party(settings):
    settings.OTHER_PARTIES = [(*SECOND, ("CPO",), "Second")]
    location = make_location(location_id="LOC1", party=SECOND)
    main, second = make_partner(), make_partner()
    grants.grant(main, location_id="LOC1", now=NOW)
    grants.grant(second, party=SECOND, now=NOW)
    hidden = {**location.document, "publish": False}

    actions.change_own_location(location=location, document=hidden, now=LATER)
    actions.set_evse_status(evse=location.evses.get(), status="CHARGING", now=LATER)

    assert owed(main) == []
    assert owed(second) == ["evse_status", "location"]
    whole = render_location(second, str(location.pk), None)
    status = render_evse_status(second, str(location.evses.get().pk), None)
    assert (whole.from_party, status.from_party, status.whole.from_party) == (SECOND, SECOND, SECOND)
    assert whole.path == (*SECOND, "LOC1")
