"""Pulling a partner's locations over HTTP."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from django.conf import settings

from locations.models import Location
from locations.received import put_evse, put_location
from ocpi.partners.pulls import UnableToPull, pull
from tests.factories import NOW, evse_document, location_document, make_partner
from tests.peer import Peer

pytestmark = pytest.mark.django_db

PATH = "/2.2.1/sender/locations"


@pytest.fixture
def peer():
    with Peer() as peer:
        yield peer


@pytest.fixture
def cpo(peer, settings):
    # NL-NOD of the documents is theirs.
    settings.PARTY_ID = "OUR"
    return make_partner(role="CPO", country_code="NL", party_id="NOD", url=peer.url)


def listing(*documents):
    return {"data": list(documents), "status_code": 1000, "timestamp": "2026-01-15T12:00:00Z"}


def test_keeps_the_good_locations_and_refuses_the_others_by_name_of_the_field(peer, cpo, caplog):
    good = location_document("LOC1", evses=[evse_document("EVSE1")])
    broken = location_document("LOC2", coordinates="here")
    foreign = location_document("LOC3", country_code="BE")
    peer.answer("GET", PATH, body=listing(good, broken, foreign, "nothing", {"id": 7}))

    with caplog.at_level(logging.WARNING, "locations.pull"):
        counts = pull(cpo, "locations", NOW)

    assert counts == {"locations": 1, "sessions": 0, "refused": 4}
    assert [one.location_id for one in Location.objects.filter(partner=cpo)] == ["LOC1"]
    assert [one.getMessage() for one in caplog.records] == [
        f"Refused 'NL-NOD-LOC2' of the locations of partner {cpo.pk}: coordinates: must be an object",
        f"Refused 'BE-NOD-LOC3' of the locations of partner {cpo.pk}: "
        "party_id: BE-NOD is not a party of theirs",
        f"Refused one of the locations of partner {cpo.pk}: The list must hold JSON objects.",
        f"Refused one of the locations of partner {cpo.pk}: country_code: is required",
    ]
    [request] = peer.requests
    assert request.query == {"limit": "100"}


def test_takes_from_a_hub_what_belongs_to_others_but_nothing_of_ours(peer):
    hub = make_partner(
        role="HUB", country_code="NL", party_id="HUB", url=peer.url, endpoints=[("locations", "SENDER")]
    )
    theirs = [location_document(f"LOC{number}", party_id=f"CP{number}") for number in (1, 2)]
    ours = location_document("LOC3", country_code=settings.COUNTRY_CODE, party_id=settings.PARTY_ID)
    peer.answer("GET", PATH, body=listing(*theirs, ours))

    assert pull(hub, "locations", NOW) == {"locations": 2, "sessions": 0, "refused": 1}

    assert sorted(Location.objects.values_list("party_id", flat=True)) == ["CP1", "CP2"]


def test_pulls_again_what_changed_since_and_stores_nothing_twice(peer, cpo):
    peer.answer("GET", PATH, body=listing(location_document("LOC1")))

    for _ in range(2):
        assert pull(cpo, "locations", NOW)["locations"] == 1

    assert peer.requests[1].query == {"limit": "100", "date_from": "2026-01-15T11:55:00Z"}
    assert Location.objects.count() == 1


def test_gives_up_a_list_that_takes_too_long(peer, cpo, monkeypatch):
    monkeypatch.setattr("locations.pull.LONGEST_LIST_S", -1)

    with pytest.raises(UnableToPull, match="did not end within"):
        pull(cpo, "locations", NOW)

    assert peer.requests == []


def test_says_that_a_list_could_not_be_read(peer, cpo):
    peer.answer("GET", PATH, status=500, body={"oops": 1})

    with pytest.raises(UnableToPull, match="locations"):
        pull(cpo, "locations", NOW)

    cpo.refresh_from_db()
    assert "locations" in cpo.last_error
    assert cpo.pulled == {}


def first_page_then(peer, status, body):
    """Let the partner answer LOC1 and a Link, and this to who follows it."""

    def answer(request):
        if "offset" in request.query:
            return status, body
        return 200, listing(location_document("LOC1")), {"Link": f'<{peer.url}{PATH}?offset=1>; rel="next"'}

    peer.answer("GET", PATH, body=answer)


def test_goes_on_where_the_partner_stopped_answering(peer, cpo):
    first_page_then(peer, 503, {"oops": 1})
    with pytest.raises(UnableToPull, match="HTTP 503"):
        pull(cpo, "locations", NOW)
    cpo.refresh_from_db()

    peer.answer("GET", PATH, body=listing(location_document("LOC2")))
    assert pull(cpo, "locations", NOW + timedelta(minutes=2))["locations"] == 1

    assert [one.query for one in peer.requests] == [{"limit": "100"}, {"offset": "1"}, {"offset": "1"}]
    assert sorted(Location.objects.values_list("location_id", "unconfirmed_at")) == [
        ("LOC1", None),
        ("LOC2", None),
    ]
    cpo.refresh_from_db()
    assert (cpo.pull_places, cpo.pulled) == ({}, {"locations": "2026-01-15T11:55:00Z"})


def test_begins_anew_when_the_partner_knows_the_next_page_no_more(peer, cpo):
    first_page_then(peer, 404, {"status_code": 2003, "timestamp": "2026-01-15T12:00:00Z"})

    with pytest.raises(UnableToPull, match="HTTP 404"):
        pull(cpo, "locations", NOW)

    cpo.refresh_from_db()
    assert cpo.pull_places == {}


def test_takes_ids_that_are_numbers(peer, cpo):
    peer.answer("GET", PATH, body=listing(location_document("LOC1") | {"id": 1}))

    assert pull(cpo, "locations", NOW) == {"locations": 1, "sessions": 0, "refused": 0}

    assert [one.location_id for one in Location.objects.all()] == ["1"]


def test_marks_what_a_whole_list_lacks_until_it_is_told_again(peer, cpo):
    def unconfirmed():
        return sorted(Location.objects.exclude(unconfirmed_at=None).values_list("location_id", flat=True))

    peer.answer("GET", PATH, body=listing(*(location_document(f"LOC{number}") for number in (1, 2, 3))))
    pull(cpo, "locations", NOW)
    peer.answer("GET", PATH, body=listing(location_document("loc1"), location_document("LOC2", evses="none")))
    pull(cpo, "locations", NOW)
    assert unconfirmed() == []

    pull(cpo, "locations", NOW, is_whole=True)
    assert unconfirmed() == ["LOC3"]

    peer.answer("GET", PATH, body=listing(location_document("LOC3", last_updated="2026-01-14T12:00:00Z")))
    pull(cpo, "locations", NOW, is_whole=True)
    assert unconfirmed() == ["LOC1", "LOC2"]
    put_location(partner=cpo, party=("NL", "NOD"), location_id="LOC1", body=location_document(), now=NOW)
    assert unconfirmed() == ["LOC2"]


@pytest.mark.parametrize(
    ("documents", "headers", "is_whole"),
    [
        (["LOC1"], {"X-Total-Count": "1"}, True),
        (["LOC1"], {"X-Total-Count": "2"}, False),
        (["LOC1", "LOC1"], {"X-Total-Count": "2"}, False),
        (["LOC1", None], {}, False),
    ],
    ids=["as many as promised", "fewer", "one twice", "one without id"],
)
def test_a_list_is_whole_when_it_has_as_many_objects_as_it_promised_and_names_each(
    peer, cpo, documents, headers, is_whole
):
    peer.answer("GET", PATH, body=listing(location_document("LOC1"), location_document("LOC2")))
    pull(cpo, "locations", NOW)
    shown = [location_document(one) if one else {"name": "No id"} for one in documents]

    def once(request):
        return 200, listing(*([] if "offset" in request.query else shown)), headers

    peer.answer("GET", PATH, body=once)

    pull(cpo, "locations", NOW, is_whole=True)

    marked = Location.objects.exclude(unconfirmed_at=None).values_list("location_id", flat=True)
    assert list(marked) == (["LOC2"] if is_whole else [])


def test_takes_a_whole_location_whose_last_updated_stayed_behind_that_of_its_evses(peer, cpo):
    later, latest = "2026-01-15T12:05:00Z", "2026-01-15T12:06:00Z"
    party = {"partner": cpo, "party": ("NL", "NOD"), "location_id": "LOC1"}
    now = NOW + timedelta(hours=1)
    put_location(body=location_document("LOC1", evses=[evse_document("E1")]), now=now, **party)
    put_evse(evse_uid="E1", body=evse_document("E1", last_updated=latest), now=now, **party)

    def read(**fields):
        peer.answer("GET", PATH, body=listing(location_document("LOC1", **fields)))
        pull(cpo, "locations", NOW, is_whole=True)
        return Location.objects.get().document.get("name")

    evses = [evse_document("E1", last_updated=later)]
    assert read(name="Stale", evses=evses) is None
    evses = [evse_document("E1", last_updated=latest)]
    assert read(name="New", evses=evses) == "New"
    assert Location.objects.get().last_updated == NOW + timedelta(minutes=6)


def test_marks_nothing_when_the_list_was_not_read_to_its_end(peer, cpo):
    peer.answer("GET", PATH, body=listing(location_document("LOC1"), location_document("LOC2")))
    pull(cpo, "locations", NOW)
    more = {"Link": f'<{peer.url}/more>; rel="next"'}
    peer.answer("GET", PATH, body=listing(location_document("LOC1")), headers=more)
    peer.answer("GET", "/more", status=500)

    with pytest.raises(UnableToPull):
        pull(cpo, "locations", NOW, is_whole=True)

    assert not Location.objects.exclude(unconfirmed_at=None).exists()
