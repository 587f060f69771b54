"""Tokens that we renew: OCPI 2.2.1 credentials, PUT, as sender, over real HTTP in both directions."""

import pytest
from django.utils import timezone

from ocpi.partners import handshake
from ocpi.partners.handshake import Refused, invite
from ocpi.partners.models import InboundToken
from ocpi.partners.rotation import rotate
from ocpi.partners.secrets import decrypt
from tests.factories import make_partner
from tests.ocpi.partners.two_sides import answered, authorization, registered

pytestmark = pytest.mark.django_db(transaction=True)


def test_exchanges_both_tokens_and_confirms_at_first_use(node, platform):
    partner = registered(platform)
    old = platform.received[-1]
    platform.issued = "token-c-2"
    platform.answers("PUT")

    rotate(partner, now=timezone.now())

    new = platform.received[-1]
    assert platform.peer.requests[-1].headers["Authorization"] == authorization("token-c")["Authorization"]
    partner.refresh_from_db()
    assert decrypt(partner.outbound_token_encrypted) == "token-c-2"
    assert node.opens(old)
    assert node.opens(new, "versions")
    assert (node.opens(old), node.opens(new)) == (False, True)


@pytest.mark.parametrize(
    ("answer", "takes_new"),
    [
        ({"body": answered(None, 3001)}, False),
        ({"status": 405, "body": ""}, False),
        ({"status": 502, "body": "<html>"}, True),
        ({"body": answered({})}, True),
    ],
)
def test_keeps_what_may_have_been_taken_and_drops_what_was_refused(node, platform, answer, takes_new):
    partner = registered(platform)
    old = platform.received[-1]
    platform.peer.answer("PUT", "/2.2.1", **answer)

    with pytest.raises(Refused):
        rotate(partner, now=timezone.now())

    new = platform.peer.requests[-1].body["token"]
    assert node.opens(old)
    assert node.opens(new) is takes_new
    assert node.opens(old) is not takes_new
    partner.refresh_from_db()
    assert decrypt(partner.outbound_token_encrypted) == "token-c"


def test_keeps_both_tokens_when_the_answer_does_not_come(node, platform, monkeypatch):
    monkeypatch.setattr(handshake, "POST_DEADLINE_S", 0.3)
    partner = registered(platform)
    platform.peer.answer("PUT", "/2.2.1", delay=5)

    with pytest.raises(Refused, match="may or may not"):
        rotate(partner, now=timezone.now())

    assert node.opens(platform.received[-1])
    assert node.opens(platform.peer.requests[-1].body["token"])
    partner.refresh_from_db()
    assert "may or may not" in partner.last_error


def test_drops_the_new_token_when_nobody_listens():
    partner = make_partner(name="Gone")

    with pytest.raises(Refused, match=r"Nothing changed: .*port 9 is not for HTTP"):
        rotate(partner, now=timezone.now())

    assert InboundToken.objects.count() == 1


def test_bounds_the_life_of_the_old_token(node, platform, settings):
    settings.OLD_TOKEN_GRACE_S = 60
    partner = registered(platform)
    platform.answers("PUT")
    now = timezone.now()

    rotate(partner, now=now)

    old, new = InboundToken.objects.all()
    assert (old.expires_at - now).total_seconds() == 60
    assert new.expires_at is None


def test_refuses_a_partner_that_is_not_registered():
    invited = invite(name="Jedlix", may_steer=False, response_hosts=[], now=timezone.now())

    with pytest.raises(Refused, match="not registered"):
        rotate(invited.partner, now=timezone.now())


def test_takes_over_where_their_modules_are_now(node, platform):
    partner = registered(platform)
    platform.peer.publish(version="2.2.1", endpoints=[("credentials", "SENDER"), ("tariffs", "SENDER")])
    platform.answers("PUT")

    rotate(partner, now=timezone.now())

    assert platform.peer.requests[-1].path == "/2.2.1/sender/credentials"
    assert sorted(partner.endpoints.values_list("identifier", "role")) == [
        ("credentials", "SENDER"),
        ("tariffs", "SENDER"),
    ]


def test_keeps_the_registration_of_a_partner_that_no_longer_offers_our_version(node, platform):
    partner = registered(platform)
    before = list(partner.endpoints.values_list("identifier", "role", "url"))
    platform.peer.publish(version="2.3.0", endpoints=[("credentials", "SENDER")])

    with pytest.raises(Refused, match=r"Nothing changed: We speak 2\.2\.1; .* offers 2\.3\.0\."):
        rotate(partner, now=timezone.now())

    partner.refresh_from_db()
    assert list(partner.endpoints.values_list("identifier", "role", "url")) == before
    assert decrypt(partner.outbound_token_encrypted) == "token-c"
    assert node.opens(platform.received[-1])
    assert InboundToken.objects.count() == 1
