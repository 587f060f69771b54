"""The credentials of a registered partner: who may do what, PUT and DELETE, over real HTTP."""

import pytest
from django.utils import timezone

from ocpi.partners import grants
from ocpi.partners.models import Partner, PartnerRole
from ocpi.partners.secrets import decrypt
from tests.factories import make_partner
from tests.ocpi.partners.two_sides import CREDENTIALS, authorization, invited, outcome, register, role

pytestmark = pytest.mark.django_db(transaction=True)


def test_answers_credentials_with_the_token_that_was_shown(node, platform):
    token_a = invited()
    assert node.call("GET", CREDENTIALS, token_a).json()["data"]["token"] == token_a

    token_c = node.call("POST", CREDENTIALS, token_a, platform.credentials()).json()["data"]["token"]

    assert node.call("GET", CREDENTIALS, token_c).json()["data"]["token"] == token_c


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_allows_a_token_a_only_to_post(node, platform, method):
    token_a = invited()

    response = node.call(method, CREDENTIALS, token_a, platform.credentials())

    assert outcome(response) == (405, 2000)
    assert "POST" in response.headers["Allow"]
    assert node.opens(token_a, "versions")


def test_refuses_a_second_post_by_a_registered_partner(node, platform):
    token_c = register(node, platform)

    response = node.call("POST", CREDENTIALS, token_c, platform.credentials("other"))

    assert outcome(response) == (405, 2000)
    assert response.headers["Allow"] == "GET, PUT, DELETE"
    assert decrypt(Partner.objects.get().outbound_token_encrypted) == "token-b"


def test_keeps_a_partner_from_taking_the_party_of_another_later(node, platform):
    make_partner(country_code="NL", party_id="OTH")
    token_c = register(node, platform)

    response = node.call("PUT", CREDENTIALS, token_c, platform.credentials("b2", roles=[role("OTH")]))

    assert outcome(response) == (200, 2001)
    assert node.opens(token_c)
    assert Partner.objects.get(name="Jedlix").roles.get().party_id == "JED"


def test_takes_new_credentials_and_ends_the_old_token_at_once(node, platform):
    token_c = register(node, platform)
    platform.peer.publish(version="2.2.1", endpoints=[("credentials", "SENDER")])

    response = node.call("PUT", CREDENTIALS, token_c, platform.credentials("token-b2"))

    token_c2 = response.json()["data"]["token"]
    assert not node.opens(token_c)
    assert node.opens(token_c2)
    partner = Partner.objects.get()
    assert decrypt(partner.outbound_token_encrypted) == "token-b2"
    assert [one.identifier for one in partner.endpoints.all()] == ["credentials"]
    shown = [one.headers["Authorization"] for one in platform.peer.requests[-2:]]
    assert shown == [authorization("token-b2")["Authorization"]] * 2


def test_lets_the_old_token_open_until_the_new_one_is_used(node, platform, settings):
    settings.OLD_TOKEN_GRACE_S = 60
    token_c = register(node, platform)

    token_c2 = node.call("PUT", CREDENTIALS, token_c, platform.credentials("b2")).json()["data"]["token"]

    assert node.opens(token_c)
    assert node.opens(token_c2)
    assert not node.opens(token_c)


def test_ends_both_directions_when_a_partner_deletes(node, platform):
    token_c = register(node, platform)
    grants.grant(Partner.objects.get(), location_id="LOC1", now=timezone.now())

    response = node.call("DELETE", CREDENTIALS, token_c)

    assert outcome(response) == (200, 1000)
    assert node.call("GET", "versions", token_c).status_code == 401
    partner = Partner.objects.get()
    assert (partner.status, partner.outbound_token_encrypted) == ("ENDED", "")
    assert not partner.endpoints.exists()
    assert not partner.grants.exists()


def test_registers_a_partner_again_after_its_end(node, platform):
    node.call("DELETE", CREDENTIALS, register(node, platform))

    token_c = register(node, platform)

    assert node.opens(token_c)
    assert Partner.objects.get().status == "REGISTERED"
    assert PartnerRole.objects.count() == 1
