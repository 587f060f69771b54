"""The admin pages of locations."""

from __future__ import annotations

import json

import pytest

from locations.actions import set_evse_status
from locations.models import Evse, Location
from ocpi.delivery.models import Push
from tests.factories import NOW, make_location, make_partner

pytestmark = pytest.mark.django_db


def test_lists_and_shows_locations_and_evses(admin_client):
    location = make_location()
    evse = location.evses.get()

    for path in (
        "location/?q=LOC",
        f"location/{location.pk}/change/",
        "evse/?q=LOC1",
        f"evse/{evse.pk}/change/",
    ):
        assert admin_client.get(f"/admin/locations/{path}").status_code == 200


def change(admin_client, location, document):
    inline = {f"evses-{name}": "0" for name in ("TOTAL_FORMS", "INITIAL_FORMS")}
    return admin_client.post(
        f"/admin/locations/location/{location.pk}/change/", {"document": json.dumps(document), **inline}
    )


def test_changes_a_location_of_ours_and_tells_partners(admin_client):
    make_partner(may_steer=True)
    location = make_location()

    response = change(admin_client, location, {**location.document, "address": "Kade 2"})

    assert response.status_code == 302
    changed = Location.objects.get()
    assert changed.document["address"] == "Kade 2"
    assert changed.last_updated > location.last_updated
    assert Push.objects.get().kind == "location"


def test_refuses_what_is_not_a_location(admin_client):
    location = make_location()

    response = change(admin_client, location, {"id": "LOC1"})

    assert "country_code: is missing" in response.content.decode()
    assert Location.objects.get().document == location.document


def test_leaves_a_partners_location_to_the_partner(admin_client):
    location = make_location(partner=make_partner(role="CPO"))

    assert change(admin_client, location, location.document).status_code == 403


def test_removes_an_evse_for_good_and_deletes_nothing(admin_client):
    make_partner(may_steer=True)
    location = make_location(evses=2)
    gone, stays = location.evses.all()

    admin_client.post(
        "/admin/locations/evse/", {"action": "remove", "_selected_action": [str(gone.pk)], "index": "0"}
    )
    deleted = admin_client.post(f"/admin/locations/location/{location.pk}/delete/", {"post": "yes"})

    gone.refresh_from_db()
    assert (gone.status, gone.document["status"], gone.is_listed) == ("REMOVED", "REMOVED", True)
    assert Push.objects.get().kind == "evse_status"
    assert set_evse_status(evse=gone, status="AVAILABLE", now=NOW) is False
    assert deleted.status_code == 403
    assert {evse.status for evse in Evse.objects.all()} == {"REMOVED", stays.status}


def test_leaves_a_partners_evse_to_the_partner(admin_client):
    evse = make_location(partner=make_partner(role="CPO")).evses.get()

    admin_client.post(
        "/admin/locations/evse/", {"action": "remove", "_selected_action": [str(evse.pk)], "index": "0"}
    )

    evse.refresh_from_db()
    assert evse.status == "AVAILABLE"


def test_names_tokens_only_where_it_is_not_published(admin_client):
    location = make_location()
    private = {**location.document, "publish_allowed_to": [{"group_id": "FLEET"}]}

    response = change(admin_client, location, private)

    assert "publish_allowed_to: only when publish is false" in response.content.decode()
    assert change(admin_client, location, {**private, "publish": False}).status_code == 302
