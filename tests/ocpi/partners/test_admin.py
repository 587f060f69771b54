import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.urls import path

from ocpi.partners import grants
from ocpi.partners.models import Partner
from ocpi.protocol.quirks import Quirk
from tests.factories import NOW, make_partner

urlpatterns = [path("admin/", admin.site.urls)]
pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


@pytest.fixture
def staff(client):
    client.force_login(User.objects.create_superuser("admin", password="x"))
    return client


@pytest.mark.parametrize(
    "page",
    [
        "partner/",
        "partner/?q=jedlix&status__exact=REGISTERED",
        "partner/{pk}/change/",
        "partnerrole/?q=DE",
        "endpoint/?q=jedlix",
        "inboundtoken/?q=jedlix",
        "grant/?q=jedlix",
    ],
)
def test_shows_partners_and_no_secret(staff, page):
    partner = make_partner(name="Jedlix <script>", token="token-c", may_steer=True)

    response = staff.get(f"/admin/partners/{page.format(pk=partner.pk)}")

    assert response.status_code == 200
    text = response.content.decode()
    assert "Jedlix &lt;script&gt;" in text
    for secret in ("token-c", partner.outbound_token_encrypted, partner.inbound_tokens.get().digest):
        assert secret not in text


def change(staff, partner, **fields):
    """Save the partner's page with these fields; return the answer."""
    inlines = ("grants", "roles", "endpoints", "inbound_tokens")
    form = {f"{name}-TOTAL_FORMS": "0" for name in inlines} | {
        f"{name}-INITIAL_FORMS": "0" for name in inlines
    }
    form |= {"name": partner.name, "response_hosts": "[]"}
    return staff.post(f"/admin/partners/partner/{partner.pk}/change/", form | fields)


def grants_of(*location_ids):
    """Return the fields of new grants."""
    fields = {f"grants-{number}-location_id": one for number, one in enumerate(location_ids)}
    return fields | {"grants-TOTAL_FORMS": str(len(location_ids))}


def test_grants_a_location_but_changes_no_status(staff):
    partner = make_partner(name="Jedlix")

    response = change(staff, partner, name="Renamed", status="ENDED", **grants_of("loc1"))

    assert response.status_code == 302
    partner.refresh_from_db()
    assert (partner.name, partner.status) == ("Renamed", Partner.Status.REGISTERED)
    assert [(grant.party, grant.location_id) for grant in partner.grants.all()] == [("NL-NOD", "LOC1")]


@pytest.mark.parametrize(
    ("country_code", "party_id", "granted"),
    [("nl", "abc", ["NL-ABC"]), ("NL", "XXX", []), ("", "ABC", [])],
)
def test_grants_what_belongs_to_a_party_of_ours(staff, settings, country_code, party_id, granted):
    settings.OTHER_PARTIES = [("NL", "ABC", ("CPO",), "Second")]
    partner = make_partner()
    party = {"grants-0-country_code": country_code, "grants-0-party_id": party_id}

    response = change(staff, partner, **grants_of("") | party)

    assert [grant.party for grant in partner.grants.all()] == granted
    assert ("is not a party of ours" in response.content.decode()) is not bool(granted)


@pytest.mark.parametrize("locations", [["loc1"], ["loc2", "LOC2"]])
def test_refuses_a_second_grant_on_a_location_whatever_its_case(staff, locations):
    partner = make_partner()
    grants.grant(partner, location_id="LOC1", now=NOW)
    kept = {
        "grants-INITIAL_FORMS": "1",
        "grants-0-id": str(partner.grants.get().pk),
        "grants-0-location_id": "LOC1",
    }

    response = change(staff, partner, **grants_of("LOC1", *locations) | kept)

    assert response.status_code == 200
    assert "Please correct the duplicate" in response.content.decode()
    assert partner.grants.count() == 1


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ('["Results.Example.com", "[2001:4860::1]"]', ["2001:4860::1", "results.example.com"]),
        ('["2001:4860::1"]', ["2001:4860::1"]),
        ("", []),
        ("null", []),
        ("[]", []),
    ],
)
def test_keeps_response_hosts_in_their_one_spelling(staff, typed, kept):
    partner = make_partner()

    assert change(staff, partner, response_hosts=typed).status_code == 302

    partner.refresh_from_db()
    assert partner.response_hosts == kept


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("[1]", "must be a list of names"),
        ('"results.example.com"', "must be a list of names"),
        ("{}", "must be a list of names"),
        ('["a b"]', "is not a host that we can call"),
        ('["results.example.com:8443"]', "without a port"),
    ],
)
def test_refuses_response_hosts_that_are_none(staff, typed, reason):
    partner = make_partner(response_hosts=["kept.example.com"])

    response = change(staff, partner, response_hosts=typed)

    assert response.status_code == 200
    assert reason in response.content.decode()
    partner.refresh_from_db()
    assert partner.response_hosts == ["kept.example.com"]


@pytest.mark.parametrize("page", ["partner/add/", "grant/add/", "partner/{pk}/delete/", "inboundtoken/add/"])
def test_leaves_inviting_and_ending_to_the_command(staff, page):
    partner = make_partner()

    assert staff.get(f"/admin/partners/{page.format(pk=partner.pk)}").status_code == 403


def test_refuses_quirks_of_a_partner(staff):
    partner = make_partner(name="Jedlix")

    assert change(staff, partner, refused_quirks=["nulls", "date-forms"]).status_code == 302
    partner.refresh_from_db()
    assert partner.refuses == {Quirk.DATE_FORMS, Quirk.NULLS}
    page = change(staff, partner, refused_quirks=["manners"])
    assert "manners is not one of the available choices" in page.content.decode()
