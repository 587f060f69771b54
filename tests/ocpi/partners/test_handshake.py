"""We register at partners: OCPI 2.2.1 credentials, as sender, over real HTTP in both directions."""

from typing import Any

import pytest
from django.utils import timezone

from ocpi.partners.calls import call
from ocpi.partners.handshake import Refused, invite, register, unregister
from ocpi.partners.models import InboundToken, Partner
from ocpi.partners.secrets import decrypt
from ocpi.protocol.errors import InvalidParameters, OcpiError
from tests.factories import make_partner
from tests.ocpi.partners.two_sides import ENDPOINTS, Platform, answered, authorization, registered, role

pytestmark = pytest.mark.django_db(transaction=True)


def methods(platform: Platform) -> list[str]:
    return [request.method for request in platform.peer.requests]


class TestInviting:
    def test_makes_a_token_a_that_expires(self, node, settings):
        now = timezone.now()

        invitation = invite(name="Jedlix", may_steer=True, response_hosts=["CB.example.com"], now=now)

        assert node.opens(invitation.token, "versions")
        assert invitation.partner.response_hosts == ["cb.example.com"]
        assert invitation.partner.grants.get().location_id == ""
        lifetime = InboundToken.objects.get().expires_at - now
        assert lifetime.total_seconds() == settings.INVITATION_LIFE_S

    def test_gives_a_fresh_token_and_fresh_terms_to_who_is_not_registered(self, node):
        first = invite(name="Jedlix", may_steer=True, response_hosts=[], now=timezone.now())

        second = invite(name="Jedlix", may_steer=False, response_hosts=[], now=timezone.now())

        assert (node.opens(first.token, "versions"), node.opens(second.token, "versions")) == (False, True)
        assert second.partner == first.partner
        assert not second.partner.grants.exists()

    def test_refuses_a_partner_that_is_registered(self):
        make_partner(name="Jedlix")

        with pytest.raises(Refused, match="Jedlix is registered"):
            invite(name="Jedlix", may_steer=False, response_hosts=[], now=timezone.now())


class TestRegistering:
    def test_exchanges_credentials(self, node, platform):
        partner = registered(platform, may_steer=True)

        assert methods(platform) == ["GET", "GET", "POST"]
        shown = {request.headers["Authorization"] for request in platform.peer.requests}
        assert shown == {authorization("token-a")["Authorization"]}
        assert platform.called_back == [200]
        posted = platform.peer.requests[-1].body
        assert posted["url"] == f"{node.url}/ocpi/versions"
        assert {one["role"] for one in posted["roles"]} == {"CPO", "SCSP"}
        assert node.opens(posted["token"])
        partner.refresh_from_db()
        assert (partner.status, partner.version) == ("REGISTERED", "2.2.1")
        assert decrypt(partner.outbound_token_encrypted) == "token-c"
        assert [str(one) for one in partner.roles.all()] == ["NL-JED SCSP"]
        assert {(one.identifier, one.role) for one in partner.endpoints.all()} == set(ENDPOINTS)
        assert partner.grants.get().location_id == ""

    def test_keeps_token_b_from_functional_modules_until_it_is_registered(self, node, platform):
        opened = []

        def try_at_once(request: Any) -> Any:
            for path in ("versions", "2.2.1", "2.2.1/credentials", "2.2.1/functional"):
                opened.append(node.opens(request.body["token"], path))
            return platform.take_credentials(request)

        platform.peer.answer("POST", "/2.2.1", body=try_at_once)

        register(
            name="Jedlix",
            versions_url=f"{platform.peer.url}/versions",
            token="token-a",
            may_steer=False,
            now=timezone.now(),
        )

        assert opened == [True, True, True, False]

    @pytest.mark.parametrize(
        ("path", "answer", "reason"),
        [
            ("/versions", {"status": 401, "body": {}}, "401"),
            ("/versions", {"body": answered([])}, "2.2.1"),
            ("/2.2.1", {"body": answered({"version": "2.2.1", "endpoints": []})}, "no credentials"),
            ("/2.2.1/", {"body": answered(None, 3001)}, "3001.*is it running"),
            ("/2.2.1/", {"status": 405, "body": answered(None, 2000)}, "405"),
            ("/2.2.1/", {"status": 500, "body": "oops"}, "500"),
            ("/2.2.1/", {"body": answered({"token": "", "roles": []})}, "no usable credentials"),
        ],
    )
    def test_leaves_nothing_behind_when_it_fails(self, node, platform, path, answer, reason):
        method = "POST" if path == "/2.2.1/" else "GET"
        platform.peer.answer(method, path, **answer)
        known = invite(name="Known", may_steer=False, response_hosts=[], now=timezone.now())

        for name in ("Jedlix", "Known"):
            with pytest.raises((Refused, OcpiError), match=reason):
                register(
                    name=name,
                    versions_url=f"{platform.peer.url}/versions",
                    token="token-a",
                    may_steer=True,
                    now=timezone.now(),
                )

        assert list(Partner.objects.values_list("name", "status")) == [("Known", "INVITED")]
        assert InboundToken.objects.count() == 1
        assert node.opens(known.token, "versions")
        if method == "GET":
            assert "POST" not in methods(platform)

    def test_registers_under_the_same_name_after_a_failure(self, node, platform):
        platform.peer.answer("POST", "/2.2.1", status=500)
        with pytest.raises(Refused):
            register(
                name="Jedlix",
                versions_url=f"{platform.peer.url}/versions",
                token="token-a",
                may_steer=False,
                now=timezone.now(),
            )

        assert registered(platform).status == "REGISTERED"

    def test_gives_the_registration_back_when_the_party_is_taken(self, node, platform):
        make_partner(country_code="NL", party_id="JED")

        with pytest.raises(InvalidParameters, match="NL-JED"):
            registered(platform)

        assert methods(platform)[-2:] == ["POST", "DELETE"]
        assert (
            platform.peer.requests[-1].headers["Authorization"] == authorization("token-c")["Authorization"]
        )
        assert not Partner.objects.filter(name="Jedlix").exists()

    def test_refuses_a_name_that_is_registered(self, platform):
        make_partner(name="Jedlix")

        with pytest.raises(Refused, match="Jedlix is registered"):
            registered(platform)

        assert platform.peer.requests == []


class TestEnding:
    def test_tells_them_and_ends_both_directions(self, node, platform):
        partner = registered(platform, may_steer=True)
        token_b = platform.received[-1]

        assert unregister(partner) == ""

        assert methods(platform)[-1] == "DELETE"
        assert not node.opens(token_b, "versions")
        partner.refresh_from_db()
        assert (partner.status, partner.outbound_token_encrypted) == ("ENDED", "")
        assert not partner.endpoints.exists()
        assert not partner.grants.exists()

    @pytest.mark.parametrize("answer", [{"status": 500, "body": "oops"}, {"body": answered(None, 3000)}])
    def test_ends_ours_and_says_so_when_they_do_not_confirm(self, node, platform, answer):
        partner = registered(platform)
        platform.peer.answer("DELETE", "/2.2.1", **answer)

        assert unregister(partner).startswith("HTTP")

        assert not node.opens(platform.received[-1], "versions")

    def test_ends_ours_when_nobody_listens(self):
        partner = make_partner()

        assert unregister(partner) != ""
        with pytest.raises(Refused, match="ended already"):
            unregister(partner)

    def test_withdraws_an_invitation(self, node):
        invited = invite(name="Jedlix", may_steer=False, response_hosts=[], now=timezone.now())

        assert unregister(invited.partner) == ""

        assert not node.opens(invited.token, "versions")


def test_speaks_to_the_partner_it_registered_at(node, platform):
    partner = registered(platform, name="Both")
    platform.peer.answer("PUT", "/2.2.1/receiver/sessions", body=answered(None))

    reply = call(partner, method="PUT", module="sessions", role="RECEIVER", path=["NL", "NOD", "S1"], body={})

    assert reply.is_success
    assert platform.peer.requests[-1].headers["Authorization"] == authorization("token-c")["Authorization"]
    assert role()["party_id"] == platform.peer.requests[-1].headers["OCPI-to-party-id"]
