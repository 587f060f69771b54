import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.urls import path

from ocpi.partners.models import Partner
from tests.factories import make_partner

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


def test_grants_a_location_but_changes_no_status(staff):
    partner = make_partner(name="Jedlix")
    inlines = ("grants", "roles", "endpoints", "inbound_tokens")
    form = {f"{name}-TOTAL_FORMS": "0" for name in inlines} | {
        f"{name}-INITIAL_FORMS": "0" for name in inlines
    }
    form |= {"grants-TOTAL_FORMS": "1", "grants-0-partner": partner.pk, "grants-0-location_id": "loc1"}
    form |= {"name": "Renamed", "response_hosts": "[]", "status": "ENDED"}

    response = staff.post(f"/admin/partners/partner/{partner.pk}/change/", form)

    assert response.status_code == 302
    partner.refresh_from_db()
    assert (partner.name, partner.status) == ("Renamed", Partner.Status.REGISTERED)
    assert [grant.location_id for grant in partner.grants.all()] == ["LOC1"]


@pytest.mark.parametrize("page", ["partner/add/", "grant/add/", "partner/{pk}/delete/", "inboundtoken/add/"])
def test_leaves_inviting_and_ending_to_the_command(staff, page):
    partner = make_partner()

    assert staff.get(f"/admin/partners/{page.format(pk=partner.pk)}").status_code == 403
